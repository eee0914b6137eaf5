/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ports.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/server.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/os/loop.h"
#include "interfaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_S = 5 };

struct port {
	char *where;
	int error; /* 0: it is listened on */
	int told;  /* the error that the log has */
};

struct ports {
	struct loop *loop;
	struct loop_timer *retry;
	struct http_server *http;
	const struct interfaces *interfaces;
	bool is_tls, is_logging;
	size_t address_news;
	struct port *port;
	size_t count;
	/* Views of port for snapshots. */
	const char **open;
	struct snapshot_listen *waiting;
	size_t opens, waitings;
};

/* --- Listening */

static void log_one(const struct ports *ports, const struct port *port)
{
	const char *scheme = ports->is_tls ? "https" : "http";

	if (!interfaces_log_listen(ports->interfaces, scheme, port->where))
		log_info("metrics: %s://%s%s/metrics", scheme, *port->where == ':' ? "localhost" : "", port->where);
}

static const char *reason(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "in use by another program";
	case -EADDRNOTAVAIL:
		return "this machine does not have the address yet";
	default:
		return strerror(-error);
	}
}

static void try_one(struct ports *ports, struct port *port)
{
	port->error = http_server_listen(ports->http, port->where);
	if (!port->error && ports->is_logging)
		log_one(ports, port);
	if (port->error && port->error != port->told)
		log_warning("listen \"%s\": %s: tried again every %d s; the meter runs", port->where,
			reason(port->error), RETRY_S);
	port->told = port->error;
}

static void update_views(struct ports *ports)
{
	ports->opens = ports->waitings = 0;
	for (size_t i = 0; i < ports->count; i++) {
		const struct port *port = &ports->port[i];

		if (port->error)
			ports->waiting[ports->waitings++] = (struct snapshot_listen){ port->where, port->error };
		else
			ports->open[ports->opens++] = port->where;
	}
}

static void try_all(void *ctx)
{
	struct ports *ports = ctx;

	for (size_t i = 0; i < ports->count; i++)
		if (ports->port[i].error)
			try_one(ports, &ports->port[i]);
	update_views(ports);
	if (ports->waitings)
		loop_timer_set(ports->retry, RETRY_S * CLOCK_NS_PER_S);
}

void ports_turn(struct ports *ports, size_t address_news)
{
	if (address_news != ports->address_news && ports->waitings)
		loop_timer_set(ports->retry, 0);
	ports->address_news = address_news;
}

void ports_log(struct ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		if (!ports->port[i].error)
			log_one(ports, &ports->port[i]);
	ports->is_logging = true;
}

void ports_describe(const struct ports *ports, struct snapshot_process *process)
{
	process->listen = ports->open;
	process->listens = ports->opens;
	process->waiting = ports->waiting;
	process->waitings = ports->waitings;
}

/* --- Made, changed and freed */

static void free_list(struct port *port, size_t count)
{
	for (size_t i = 0; port && i < count; i++)
		free(port[i].where);
	free(port);
}

static struct port *find(const struct ports *ports, const char *where)
{
	for (size_t i = 0; i < ports->count; i++)
		if (!strcmp(ports->port[i].where, where))
			return &ports->port[i];
	return NULL;
}

static struct port *make_list(const struct ports *ports, const struct config_strings *listen)
{
	struct port *list = calloc(listen->count + 1, sizeof(*list));

	for (size_t i = 0; list && i < listen->count; i++) {
		const struct port *known = find(ports, listen->item[i]);

		list[i] = (struct port){ strdup(listen->item[i]), known ? known->error : -EAGAIN,
			known ? known->told : 0 };
		if (!list[i].where) {
			free_list(list, i);
			return NULL;
		}
	}
	return list;
}

static bool is_among(const char *where, const struct config_strings *listen)
{
	for (size_t i = 0; i < listen->count; i++)
		if (!strcmp(listen->item[i], where))
			return true;
	return false;
}

int ports_configure(struct ports *ports, const struct config_strings *listen)
{
	struct port *list = make_list(ports, listen);
	const char **open = calloc(listen->count + 1, sizeof(*open));
	struct snapshot_listen *waiting = calloc(listen->count + 1, sizeof(*waiting));

	if (!list || !open || !waiting) {
		free_list(list, list ? listen->count : 0);
		free(open);
		free(waiting);
		return -ENOMEM;
	}
	/* First: all addresses of a port and one of them exclude each other. */
	for (size_t i = 0; i < ports->count; i++)
		if (!ports->port[i].error && !is_among(ports->port[i].where, listen))
			http_server_unlisten(ports->http, ports->port[i].where);
	free_list(ports->port, ports->count);
	free(ports->open);
	free(ports->waiting);
	ports->port = list;
	ports->count = listen->count;
	ports->open = open;
	ports->waiting = waiting;
	try_all(ports);
	return 0;
}

struct ports *ports_new(struct loop *loop, struct http_server *http, const struct interfaces *interfaces, bool is_tls)
{
	struct ports *ports = calloc(1, sizeof(*ports));

	if (!ports)
		return NULL;
	*ports = (struct ports){ .loop = loop, .http = http, .interfaces = interfaces, .is_tls = is_tls };
	ports->retry = loop_timer_add(loop, try_all, ports);
	if (ports->retry)
		return ports;
	free(ports);
	return NULL;
}

void ports_free(struct ports *ports)
{
	if (!ports)
		return;
	loop_timer_del(ports->retry);
	free_list(ports->port, ports->count);
	free(ports->open);
	free(ports->waiting);
	free(ports);
}
