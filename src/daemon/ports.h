/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports: listens on the addresses of listen. One that cannot be had yet, since the machine has no such address or
 * another program has the port, is told once in the log and tried again; nothing else depends on it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct config_strings;
struct http_server;
struct interfaces;
struct loop;
struct ports;
struct snapshot_process;

/*
 * Nothing is listened on yet. All is borrowed. interfaces and is_tls: how the log names the addresses. NULL: no memory.
 * ports_free(NULL) is fine.
 */
struct ports *ports_new(struct loop *loop, struct http_server *http, const struct interfaces *interfaces, bool is_tls);
void ports_free(struct ports *ports);

/*
 * Listens on these addresses from now on, and closes others with their connections. listen is borrowed for the call. 0,
 * or -ENOMEM and nothing changed.
 */
int ports_configure(struct ports *ports, const struct config_strings *listen);

/* Logs where the metrics are; from now on also each address that is added. */
void ports_log(struct ports *ports);

/* To be called at the end of each turn: tries again at once when the router's addresses changed,
 * topology_address_news().
 */
void ports_turn(struct ports *ports, size_t address_news);

/* Sets listen and waiting, borrowed until ports_configure(). */
void ports_describe(const struct ports *ports, struct snapshot_process *process);
