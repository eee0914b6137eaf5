/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic_hosts: the hosts that the traffic generator plays, with their addresses; and the remote addresses that a
 * reflector met. Everything about a host follows from its number and the seed.
 */
#pragma once

#include "traffic_link.h"
#include "traffic_options.h"

enum { REMOTES = 1 << 17, REMOTE_TRIES = 64, PORTS = 64512, FIRST_PORT = 1024 };

struct host {
	struct mac mac;
	struct counter sent[2], received[2]; /* by family: IPv4, IPv6 */
};

struct source {
	struct addr addr;
	uint32_t host;
};

struct remote {
	struct addr addr;
	struct counter sent, received;
};

static struct host *hosts;
static struct source *sources, *sorted; /* by host: one of IPv4, addresses6 of IPv6; and by address */
static struct remote *remotes;
static struct remote other_remotes; /* where the table was full */
static uint64_t first_port;

/* splitmix64: S. Vigna, public domain algorithm; a good mix of seed and number. */
static inline uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline size_t sources_per_host(void)
{
	return 1 + options.addresses6;
}

static inline int source_cmp(const void *a, const void *b)
{
	return addr_cmp(&((const struct source *)a)->addr, &((const struct source *)b)->addr);
}

static inline struct addr source_address(uint32_t host, size_t which)
{
	struct addr addr = options.source[which > 0].addr;
	uint64_t id = mix(mix(options.seed) + host * UINT64_C(1000) + which);

	if (which == 0) {
		put32(addr.b, get32(addr.b) + FIRST_HOST + host);
		return addr;
	}
	put32(addr.b + 8, (uint32_t)(id >> 32));
	put32(addr.b + 12, (uint32_t)id);
	return addr;
}

static inline int hosts_make(void)
{
	size_t count = options.hosts * sources_per_host();

	hosts = calloc(options.hosts, sizeof(*hosts));
	sources = calloc(count, sizeof(*sources));
	sorted = calloc(count, sizeof(*sorted));
	if (!hosts || !sources || !sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < options.hosts; i++) {
		hosts[i].mac = (struct mac){ { 2, 0, 0, 0, (uint8_t)((i + 1) >> 8), (uint8_t)(i + 1) } };
		for (size_t j = 0; j < sources_per_host(); j++)
			sources[i * sources_per_host() + j] = (struct source){ source_address(i, j), i };
	}
	memcpy(sorted, sources, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), source_cmp);
	first_port = mix(options.seed) % ((uint64_t)PORTS * PORTS);
	return 0;
}

static inline struct host *host_by_mac(const struct mac *mac)
{
	uint32_t n = get16(mac->b + 4);

	return n && n <= options.hosts && mac_equal(&hosts[n - 1].mac, mac) ? &hosts[n - 1] : NULL;
}

/* The MAC that one of our addresses has, or NULL. */
static inline const struct mac *mac_of(const struct addr *addr)
{
	const struct source key = { .addr = *addr }, *found;

	if (options.reflect)
		return addr_equal(addr, &options.destination[addr->family == 6]) ? &options.mac : NULL;
	found = bsearch(&key, sorted, options.hosts * sources_per_host(), sizeof(key), source_cmp);
	return found && options.family[addr->family == 6] ? &hosts[found->host].mac : NULL;
}

/* The entry of an address, made if need be; never NULL. */
static inline struct remote *remote_find(const struct addr *addr)
{
	uint64_t a, b;

	memcpy(&a, addr->b, sizeof(a));
	memcpy(&b, addr->b + 8, sizeof(b));
	a = mix(mix(a) ^ b);
	for (size_t tries = 0; tries < REMOTE_TRIES; tries++) {
		struct remote *remote = &remotes[(a + tries) % REMOTES];

		if (!remote->addr.family)
			remote->addr = *addr;
		if (addr_equal(&remote->addr, addr))
			return remote;
	}
	return &other_remotes;
}
