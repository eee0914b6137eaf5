/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/connections.h"

#include "hostmeter/base/array.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/protocol.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The order is averaged over these seconds: rows that move with each listing cannot be read. */
#define CALM_S 5.0

struct watch_connection *watch_connections_add(struct watch_connections *connections)
{
	if (connections->count < WATCH_CONNECTIONS_MOST)
		return array_add(&connections->list, &connections->count, sizeof(*connections->list));
	connections->cut = true;
	return NULL;
}

void watch_connections_clear(struct watch_connections *connections)
{
	free(connections->list);
	*connections = (struct watch_connections){ 0 };
}

bool watch_connections_are_of(const struct watch_connections *connections, const char *label, const char *mac)
{
	return !strcmp(connections->label, label) && !strcmp(connections->mac, mac);
}

const struct addr *watch_connection_remote(const struct watch_connection *connection)
{
	return connection->inbound ? &connection->src : &connection->dst;
}

static bool has_ports(const struct watch_connection *connection)
{
	return connection->proto != IPPROTO_ICMP && connection->proto != IPPROTO_ICMPV6;
}

uint16_t watch_connection_remote_port(const struct watch_connection *connection)
{
	return !has_ports(connection) ? 0 : connection->inbound ? connection->sport : connection->dport;
}

uint16_t watch_connection_own_port(const struct watch_connection *connection)
{
	return has_ports(connection) ? connection->own_port : 0;
}

/* ---- Two listings */

/* Compares the keys of two connections: id, protocol, ports and addresses. */
static int compare_key(const void *a, const void *b)
{
	const struct watch_connection *one = a, *other = b;
	uint32_t ports = (uint32_t)one->sport << 16 | one->dport;
	uint32_t other_ports = (uint32_t)other->sport << 16 | other->dport;
	int order = (one->id > other->id) - (one->id < other->id);

	order = order ? order : one->proto - other->proto;
	order = order ? order : (ports > other_ports) - (ports < other_ports);
	order = order ? order : addr_cmp(&one->src, &other->src);
	return order ? order : addr_cmp(&one->dst, &other->dst);
}

/* before: the same connection in the listing before; NULL: it began since then. */
static void go_on(struct watch_connection *c, const struct watch_connection *before, double seconds)
{
	static const struct watch_connection nothing;
	double sum = 0, part = seconds < CALM_S ? seconds / CALM_S : 1;

	if (!before)
		before = &nothing;
	for (int i = 0; i < WATCH_DIRECTIONS; i++) {
		uint64_t more = c->bytes[i] >= before->bytes[i] ? c->bytes[i] - before->bytes[i] : c->bytes[i];

		c->rate[i] = (double)more / seconds;
		sum += c->rate[i];
	}
	/* The first rate is the first average. */
	c->calm = before->has_rate ? before->calm + (sum - before->calm) * part : sum;
	c->has_rate = true;
	if (c->began || before == &nothing)
		return;
	c->since = before->since;
	c->older = before->older;
}

/* Sorts by key, and drops repetitions: a dump may list a connection twice. */
static void put_in_order(struct watch_connections *connections)
{
	struct watch_connection *list = connections->list;
	size_t kept = 0;

	if (connections->count)
		qsort(list, connections->count, sizeof(*list), compare_key);
	for (size_t i = 0; i < connections->count; i++)
		if (!kept || compare_key(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
	connections->count = kept;
}

void watch_connections_take(struct watch_connections *known, struct watch_connections *fresh)
{
	bool goes_on = watch_connections_are_of(known, fresh->label, fresh->mac) && known->time &&
		fresh->time > known->time;
	size_t at = 0;

	put_in_order(fresh);
	for (size_t i = 0; i < fresh->count; i++) {
		struct watch_connection *c = &fresh->list[i];
		const struct watch_connection *before = NULL;

		c->since = c->began ? c->began : fresh->time;
		c->older = !c->began && !goes_on;
		if (!goes_on)
			continue;
		/* Both lists are sorted by key. */
		while (at < known->count && compare_key(&known->list[at], c) < 0)
			at++;
		if (at < known->count && !compare_key(&known->list[at], c))
			before = &known->list[at];
		go_on(c, before, (double)(fresh->time - known->time) / CLOCK_NS_PER_S);
	}
	watch_connections_clear(known);
	*known = *fresh;
	*fresh = (struct watch_connections){ 0 };
}

/* ---- What is shown */

static bool is_shown(const struct watch_connection *c, const struct watch_choice *choice)
{
	char address[ADDR_TEXT], protocol[PROTOCOL_TEXT], text[ADDR_TEXT + PROTOCOL_TEXT + 16];

	if (choice->family && c->src.family != choice->family)
		return false;
	if (!choice->filter[0])
		return true;
	snprintf(text, sizeof(text), "%s %s %u %u", addr_format(watch_connection_remote(c), address),
		protocol_short_name(c->proto, protocol), watch_connection_remote_port(c), watch_connection_own_port(c));
	return strcasestr(text, choice->filter);
}

static int compare_remote(const struct watch_connection *one, const struct watch_connection *other)
{
	return addr_cmp(watch_connection_remote(one), watch_connection_remote(other));
}

static int compare_remote_of(const void *a, const void *b)
{
	return compare_remote(*(const struct watch_connection *const *)a, *(const struct watch_connection *const *)b);
}

/* The sums of a remote; its age is that of the oldest. What differs between its connections is 0. */
static void add_to_group(struct watch_connection *group, const struct watch_connection *c)
{
	if (!group->members) {
		*group = *c;
		group->members = 1;
		return;
	}
	group->members++;
	for (int d = 0; d < WATCH_DIRECTIONS; d++) {
		group->bytes[d] += c->bytes[d];
		group->rate[d] += c->rate[d];
	}
	group->calm += c->calm;
	group->has_rate |= c->has_rate;
	group->local &= c->local;
	if (c->since > group->since)
		return;
	group->since = c->since;
	group->older = c->older;
}

/* Makes a row of each remote. 0 or -ENOMEM. */
static int group(struct watch_connections_shown *shown)
{
	size_t groups = 0;

	shown->group = calloc(shown->rows + 1, sizeof(*shown->group));
	if (!shown->group)
		return -ENOMEM;
	if (shown->rows)
		qsort(shown->row, shown->rows, sizeof(*shown->row), compare_remote_of);
	for (size_t i = 0; i < shown->rows; i++) {
		if (groups && compare_remote(&shown->group[groups - 1], shown->row[i]) == 0)
			groups--;
		add_to_group(&shown->group[groups++], shown->row[i]);
	}
	for (size_t i = 0; i < groups; i++)
		shown->row[i] = &shown->group[i];
	shown->rows = groups;
	return 0;
}

/* ---- The order */

static double total_of(const struct watch_connection *c)
{
	return (double)c->bytes[WATCH_DOWN] + (double)c->bytes[WATCH_UP];
}

static int descending(double a, double b)
{
	return (a < b) - (a > b);
}

/* Idle connections are ordered by their total, so that they keep their places. */
static int compare_both(const struct watch_connection *one, const struct watch_connection *other, bool totals)
{
	if (!totals && (one->calm >= 1 || other->calm >= 1))
		return descending(one->calm, other->calm);
	return 0;
}

static int compare_direction(const struct watch_connection *one, const struct watch_connection *other, bool totals,
	int direction)
{
	return totals ? descending((double)one->bytes[direction], (double)other->bytes[direction]) :
			descending(one->rate[direction], other->rate[direction]);
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct watch_connection *one = *(const struct watch_connection *const *)a;
	const struct watch_connection *other = *(const struct watch_connection *const *)b;
	const struct watch_choice *choice = arg;
	int order = 0;

	switch (choice->sort) {
	case WATCH_BY_REMOTE:
		order = compare_remote(one, other);
		break;
	case WATCH_BY_DOWN:
	case WATCH_BY_UP:
		order = compare_direction(one, other, choice->totals,
			choice->sort == WATCH_BY_DOWN ? WATCH_DOWN : WATCH_UP);
		break;
	case WATCH_BY_PORT:
		order = one->members ? descending(one->members, other->members) :
				       watch_connection_remote_port(one) - watch_connection_remote_port(other);
		break;
	case WATCH_BY_AGE:
		order = descending((double)other->since, (double)one->since);
		break;
	case WATCH_BY_BOTH:
		order = compare_both(one, other, choice->totals);
		break;
	default: /* WATCH_BY_TOTAL, as where all else is equal */
		break;
	}
	order = order ? order : descending(total_of(one), total_of(other));
	order = order ? order : compare_key(one, other);
	return choice->reverse ? -order : order;
}

int watch_connections_show(struct watch_connections_shown *shown, const struct watch_connections *connections,
	const struct watch_choice *choice)
{
	int error = 0;

	*shown = (struct watch_connections_shown){ 0 };
	shown->row = calloc(connections->count + 1, sizeof(*shown->row));
	if (!shown->row)
		return -ENOMEM;
	for (size_t i = 0; i < connections->count; i++)
		if (is_shown(&connections->list[i], choice))
			shown->row[shown->rows++] = &connections->list[i];
	shown->connections = shown->rows;
	if (choice->grouped)
		error = group(shown);
	if (error)
		watch_connections_shown_free(shown);
	else
		qsort_r(shown->row, shown->rows, sizeof(*shown->row), compare, (void *)choice);
	return error;
}

void watch_connections_shown_free(struct watch_connections_shown *shown)
{
	free(shown->row);
	free(shown->group);
	*shown = (struct watch_connections_shown){ 0 };
}
