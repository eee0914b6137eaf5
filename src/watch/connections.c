/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/connections.h"

#include "hostmeter/base/array.h"
#include "hostmeter/base/clock.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Seconds that the order is averaged over: lines that change places with each listing cannot be read. */
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

/* The key of a connection: id, protocol, ports and addresses. */
static int compare_key(const void *a, const void *b)
{
	const struct watch_connection *one = a, *other = b;
	uint32_t ports = (uint32_t)one->sport << 16 | one->dport;
	uint32_t other_ports = (uint32_t)other->sport << 16 | other->dport;
	int order;

	if (one->id != other->id)
		return one->id < other->id ? -1 : 1;
	if (one->proto != other->proto)
		return one->proto < other->proto ? -1 : 1;
	if (ports != other_ports)
		return ports < other_ports ? -1 : 1;
	order = addr_cmp(&one->src, &other->src);
	return order ? order : addr_cmp(&one->dst, &other->dst);
}

/* before: the same connection in the listing before, NULL: it began since. */
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
	/* The average begins with the first rate. */
	c->calm = before->has_rate ? before->calm + (sum - before->calm) * part : sum;
	c->has_rate = true;
	if (c->began || before == &nothing)
		return;
	c->since = before->since;
	c->older = before->older;
}

/* In the order of keys; a dump may list one twice. */
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
		/* Both are in the order of keys. */
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

/* ---- The order */

static double total_of(const struct watch_connection *c)
{
	return (double)c->bytes[WATCH_DOWN] + (double)c->bytes[WATCH_UP];
}

static int compare_total(const void *a, const void *b)
{
	const struct watch_connection *one = *(const struct watch_connection *const *)a;
	const struct watch_connection *other = *(const struct watch_connection *const *)b;
	double mine = total_of(one), its = total_of(other);

	if (mine > its || mine < its)
		return mine > its ? -1 : 1;
	return compare_key(one, other);
}

static int compare_calm(const void *a, const void *b)
{
	const struct watch_connection *one = *(const struct watch_connection *const *)a;
	const struct watch_connection *other = *(const struct watch_connection *const *)b;

	/* Idle connections are ordered by their total, so that they keep their places. */
	if ((one->calm >= 1 || other->calm >= 1) && (one->calm > other->calm || one->calm < other->calm))
		return one->calm > other->calm ? -1 : 1;
	return compare_total(a, b);
}

const struct watch_connection **watch_connections_sorted(const struct watch_connections *connections, bool by_total,
	bool reverse)
{
	size_t count = connections->count;
	const struct watch_connection **sorted = calloc(count + 1, sizeof(const struct watch_connection *));

	if (!sorted)
		return NULL;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &connections->list[i];
	qsort(sorted, count, sizeof(*sorted), by_total ? compare_total : compare_calm);
	for (size_t i = 0; reverse && i < count / 2; i++) {
		const struct watch_connection *swap = sorted[i];

		sorted[i] = sorted[count - 1 - i];
		sorted[count - 1 - i] = swap;
	}
	return sorted;
}
