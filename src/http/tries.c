/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tries.h"

_Static_assert(TRIES_ALL + TRIES_EACH * (TRIES_EACH_NS / TRIES_ALL_NS) < TRIES_CLIENTS,
	"no client that lacks a try is replaced by another");

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* a - b; 0 if that is below 0. */
static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/*
 * The client's place; or the place of the client that is nearest to having all its tries, which it may take. That one
 * has them all: a client's tries are back within 25 s, and in that time all clients together can take 45, fewer than
 * the places.
 */
static struct tries_client *find(struct tries *tries, const struct addr *addr)
{
	struct tries_client *oldest = tries->client;

	for (struct tries_client *client = tries->client; client < tries->client + TRIES_CLIENTS; client++) {
		if (addr_equal(&client->addr, addr))
			return client;
		if (client->full_ns < oldest->full_ns)
			oldest = client;
	}
	return oldest;
}

static struct addr key_of(const struct addr *client)
{
	return client->family == 6 ? prefix_make(client, 64).addr : *client;
}

uint64_t tries_take(struct tries *tries, const struct addr *client, uint64_t now_ns)
{
	const struct addr addr = key_of(client);
	struct tries_client *place = find(tries, &addr);
	uint64_t before = addr_equal(&place->addr, &addr) ? place->full_ns : 0;
	uint64_t own = later(before, now_ns) + TRIES_EACH_NS, all = later(tries->full_ns, now_ns) + TRIES_ALL_NS;
	uint64_t wait = later(minus(own, now_ns + TRIES_EACH * TRIES_EACH_NS),
		minus(all, now_ns + TRIES_ALL * TRIES_ALL_NS));

	if (wait)
		return wait;
	*place = (struct tries_client){ addr, own };
	tries->full_ns = all;
	return 0;
}

void tries_return(struct tries *tries, const struct addr *client)
{
	const struct addr addr = key_of(client);
	struct tries_client *place = find(tries, &addr);

	if (addr_equal(&place->addr, &addr))
		place->full_ns = minus(place->full_ns, TRIES_EACH_NS);
	tries->full_ns = minus(tries->full_ns, TRIES_ALL_NS);
}
