/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tries: how often each client, and all clients together, may try a password. A bcrypt check costs a tenth of a second
 * or more, so guessing is limited. A client that has no tries left costs nothing. IPv6 clients share the tries of their
 * /64.
 */
#pragma once

#include "hostmeter/base/addr.h"

/* Tries, and the time until one comes back: each client's, and those of all clients together. */
enum { TRIES_EACH = 5, TRIES_ALL = 20, TRIES_CLIENTS = 64 };
#define TRIES_EACH_NS (UINT64_C(5) * 1000000000)
#define TRIES_ALL_NS (UINT64_C(1) * 1000000000)

/*
 * Tries are kept as one moment: when all of them are there again. Taking one moves it by the time that one takes to
 * come back (the "generic cell rate algorithm" of ATM networks). Zero-initialise it.
 */
struct tries {
	uint64_t full_ns; /* of all clients together */
	struct tries_client {
		struct addr addr; /* family 0: free */
		uint64_t full_ns;
	} client[TRIES_CLIENTS];
};

/* Takes a try of the client and one of the common pool. 0; or how long to wait in nanoseconds, and none is taken. */
uint64_t tries_take(struct tries *tries, const struct addr *client, uint64_t now_ns);

/* Returns what tries_take() took. */
void tries_return(struct tries *tries, const struct addr *client);
