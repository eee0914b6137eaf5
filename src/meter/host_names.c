/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and vendors of hosts. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

void meter_set_vendor(struct meter *meter, const char *(*vendor)(void *ctx, const struct mac *mac), void *ctx)
{
	meter->host_names = (struct host_names){ vendor, ctx };
}

static struct names_answer ask(const struct names *names, const struct host *host)
{
	struct names_answer answer = NAMES_NO_ANSWER;

	if (host->kind == HOST_KIND_MAC)
		names_ask_mac(names, &host->mac, &answer);
	else if (host->kind == HOST_KIND_ADDRESS)
		names_ask_address(names, &host->addr, &answer);
	return answer;
}

static void set_name(const struct names *names, struct host *host, struct names_answer answer)
{
	char distinct[NAMES_BYTES + 1];

	names_make_distinct(names, &answer, distinct);
	if (answer.name ? !host->name || strcmp(answer.name, host->name) : host->name != NULL)
		hosts_set_name(host, answer.name);
	host->name_source = (uint8_t)answer.source;
}

/* What is found for one host. */
struct naming {
	struct names_answer answer;
	struct names_answer by_address; /* the configuration's name of an address */
	bool is_shared;                 /* the MAC has another address, too: it may be an extender's */
};

struct renaming {
	const struct meter *meter;
	struct naming *naming; /* of the hosts with these indexes */
	uint32_t first, count;
};

static void ask_address(void *ctx, const struct addr *addr, const struct mac *mac, uint64_t time)
{
	const struct renaming *r = ctx;
	uint32_t i = hosts_find_mac(r->meter->hosts, mac) - r->first;
	struct names_answer answer = NAMES_NO_ANSWER;
	struct naming *naming;

	(void)time;
	if (i >= r->count)
		return;
	naming = &r->naming[i];
	names_ask_address(r->meter->options.names, addr, &answer);
	if (answer.source == NAMES_CONFIG) {
		naming->is_shared |= naming->by_address.name && strcmp(naming->by_address.name, answer.name) != 0;
		naming->by_address = answer;
		return;
	}
	naming->is_shared |= !addr_is_link_local(addr);
	if (answer.source < naming->answer.source)
		naming->answer = answer;
}

/* A configured address names its flows' host, not the MAC behind which it is, unless nothing else is there. */
static struct names_answer best(const struct naming *naming)
{
	if (naming->answer.source == NAMES_CONFIG || !naming->by_address.name || naming->is_shared)
		return naming->answer;
	return naming->by_address;
}

/* The addresses of a new host are asked for at the next dump, unless it may be the configured one by its address. */
static struct names_answer ask_for_new(const struct meter *m, uint32_t index)
{
	struct naming naming = { .answer = ask(m->options.names, hosts_get(m->hosts, index)) };
	struct renaming r = { m, &naming, index, 1 };
	struct names_answer changed = naming.answer;
	char text[NAMES_BYTES + 1];

	if (names_make_distinct(m->options.names, &changed, text))
		neigh_each_seen(m->neigh, ask_address, &r);
	return best(&naming);
}

void meter_meet_host(struct meter *m, uint32_t index)
{
	const struct host_names *own = &m->host_names;
	struct host *host = hosts_get(m->hosts, index);

	host->last_seen = m->now;
	if (host->vendor) /* not new */
		return;
	host->vendor = strdup(own->vendor && host->kind == HOST_KIND_MAC ? own->vendor(own->ctx, &host->mac) : "");
	if (m->options.names)
		set_name(m->options.names, host, ask_for_new(m, index));
}

void meter_names_changed(struct meter *meter)
{
	struct renaming r = { meter, NULL, 0, hosts_count(meter->hosts) };

	if (meter->options.names)
		r.naming = calloc(r.count, sizeof(*r.naming));
	if (!r.naming)
		return;
	for (uint32_t i = 0; i < r.count; i++) {
		r.naming[i].answer = ask(meter->options.names, hosts_get(meter->hosts, i));
		hosts_configured(meter->hosts, i, r.naming[i].answer.source == NAMES_CONFIG);
	}
	neigh_each_seen(meter->neigh, ask_address, &r);
	for (uint32_t i = HOST_FIRST; i < r.count; i++)
		set_name(meter->options.names, hosts_get(meter->hosts, i), best(&r.naming[i]));
	free(r.naming);
}
