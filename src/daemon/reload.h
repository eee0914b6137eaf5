/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reload: reads the command line's file and the file of --web.config.file again, and gives the parts of the running
 * meter what changed. A mistake in either is logged with its file and line, and everything stays as it is.
 */
#pragma once

struct basic_auth;
struct collector;
struct config;
struct endpoints;
struct http_server;
struct interfaces;
struct loop;
struct meter_setup;
struct names_follow;
struct ports;
struct web_apply;

/* All borrowed. The parts go on borrowing config, which changes in place. */
struct reload {
	struct config *config;
	struct loop *loop;
	struct meter_setup *setup;
	const struct interfaces *interfaces;
	struct names_follow *names;
	struct collector *collector;
	struct endpoints *endpoints;
	struct http_server *http;
	struct basic_auth *auth;
	struct web_apply **web;
	struct ports *ports;
};

/* Logs one line: what changed, or the mistake. Nothing at all if config has no command line. */
void reload_now(const struct reload *reload);
