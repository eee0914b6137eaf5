/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interfaces: logs the sides of interfaces, at the start and when one changes, and tells the meter what rtnetlink does
 * not: over which interfaces PPPoE sessions run, and on which ports WireGuard listens.
 */
#pragma once

#include <stddef.h>

struct config;
struct ifnames;
struct loop;
struct meter;
struct wireguard;

struct interfaces {
	struct loop *loop;
	struct meter *meter;
	const struct ifnames *names;
	struct wireguard *wireguard;
	size_t ppp_links, wireguards;
};

/* Logs which are WAN and LAN, and from now on each change of a side. */
void interfaces_start(struct interfaces *interfaces);

/*
 * Logs where hosts of the LANs reach the metrics: the router's addresses on them that listen (as url_read_port() reads
 * it) stands for. Returns how many there are.
 */
size_t interfaces_log_listen(const struct interfaces *interfaces, const char *scheme, const char *listen);

/* Warns of names of lan and wan that no interface has. Each is metered from when it comes. */
void interfaces_warn(const struct interfaces *interfaces, const struct config *config);

/* 0 or -ENOMEM. interfaces_free() is fine for what was not made. */
int interfaces_make(struct interfaces *interfaces, struct loop *loop, struct meter *meter, const struct ifnames *names);
void interfaces_free(struct interfaces *interfaces);

/* To be called before each dump: a port may have changed. */
void interfaces_ask(struct interfaces *interfaces);

/* To be called at the end of each turn of the loop: asks anew if interfaces of PPP or WireGuard came or went. */
void interfaces_turn(struct interfaces *interfaces);
