/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* A row of the snapshot by what tells it from others: its MAC, or its label where it has none. */
struct indexed {
	const char *key;
	UT_hash_handle hh;
};

struct collection {
	const struct meter *meter;
	struct snapshot *snapshot;
	struct indexed *rows, *by_mac, *by_label;
	size_t size; /* addresses there is room for */
};

static bool index_rows(struct collection *c)
{
	c->rows = calloc(c->snapshot->hosts + 1, sizeof(*c->rows));
	for (size_t i = 0; c->rows && i < c->snapshot->hosts; i++) {
		const struct snapshot_host *host = &c->snapshot->host[i];
		struct indexed *row = &c->rows[i];

		row->key = host->mac[0] ? host->mac : host->label;
		if (host->mac[0])
			HASH_ADD_KEYPTR(hh, c->by_mac, row->key, strlen(row->key), row);
		else
			HASH_ADD_KEYPTR(hh, c->by_label, row->key, strlen(row->key), row);
	}
	return c->rows;
}

static void add_address(struct collection *c, struct indexed *head, const char *key, const struct addr *addr)
{
	struct indexed *row = NULL;

	HASH_FIND_STR(head, key, row);
	if (row && c->snapshot->addresses < c->size)
		c->snapshot->address[c->snapshot->addresses++] =
			(struct snapshot_address){ .host = (uint32_t)(row - c->rows), .addr = *addr };
}

static void count_seen(void *ctx, const struct addr *addr, const struct mac *mac, uint64_t time)
{
	struct collection *c = ctx;

	(void)addr, (void)mac, (void)time;
	c->size++;
}

static void add_seen(void *ctx, const struct addr *addr, const struct mac *mac, uint64_t time)
{
	struct collection *c = ctx;
	char text[MAC_TEXT];

	(void)time;
	add_address(c, c->by_mac, mac_format(mac, text), addr);
}

static void add_address_hosts(struct collection *c)
{
	for (uint32_t i = 0; i < hosts_count(c->meter->hosts); i++) {
		const struct host *host = hosts_get(c->meter->hosts, i);
		char text[ADDR_TEXT];

		if (host->kind == HOST_KIND_ADDRESS)
			add_address(c, c->by_label, hosts_label(c->meter->hosts, i, text), &host->addr);
	}
}

static int compare(const void *a, const void *b)
{
	const struct snapshot_address *x = a, *y = b;

	return x->host != y->host ? (x->host > y->host) - (x->host < y->host) : addr_cmp(&x->addr, &y->addr);
}

int meter_addresses(const struct meter *meter, struct snapshot *snapshot)
{
	struct collection c = { .meter = meter, .snapshot = snapshot, .size = hosts_count(meter->hosts) };
	bool indexed = index_rows(&c);

	neigh_each_seen(meter->neigh, count_seen, &c);
	snapshot->address = calloc(c.size + 1, sizeof(*snapshot->address));
	if (indexed && snapshot->address) {
		neigh_each_seen(meter->neigh, add_seen, &c);
		add_address_hosts(&c);
		qsort(snapshot->address, snapshot->addresses, sizeof(*snapshot->address), compare);
	}
	HASH_CLEAR(hh, c.by_mac);
	HASH_CLEAR(hh, c.by_label);
	free(c.rows);
	return indexed && snapshot->address ? 0 : -ENOMEM;
}
