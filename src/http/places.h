/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * places: who has the connections of a listening socket, and who has to leave when others wait.
 *
 * libmicrohttpd counts by whole addresses, of which an IPv6 client has as many as it likes, and its timeouts begin anew
 * with every byte. So clients are counted here by address, /64 or user, and what counts is how far a request has come.
 */
#pragma once

#include "hostmeter/base/addr.h"
#include "hostmeter/base/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PLACES = 32,                /* connections of a listening socket */
	PLACES_SHARE = PLACES / 4,  /* of one client */
	PLACES_PROGRESS = 64 << 10, /* a reader that took fewer bytes has made no progress */
};

/* While others wait, and anyway. */
#define PLACES_HEADERS_NS (4 * CLOCK_NS_PER_S)
#define PLACES_HEADERS_LONGEST_NS (30 * CLOCK_NS_PER_S)
#define PLACES_STILL_NS (4 * CLOCK_NS_PER_S)
#define PLACES_ANSWER_NS (30 * CLOCK_NS_PER_S)
#define PLACES_ANSWER_LONGEST_NS (600 * CLOCK_NS_PER_S)
#define PLACES_IDLE_LONGEST_NS (60 * CLOCK_NS_PER_S)

/* A client: an IPv4 address, the /64 of an IPv6 address, a user of the UNIX socket. */
struct place_client {
	uint8_t kind; /* 4, 6; 1: a user; 0: root, who has no limit */
	uint8_t b[8];
};

enum place_state {
	PLACE_HEADERS, /* no request yet: a handshake, or half a head */
	PLACE_ANSWER,  /* it is being answered */
	PLACE_IDLE,    /* kept alive after an answer */
};

/* Why one has to leave. */
enum place_end { PLACE_STAYS, PLACE_END_IDLE, PLACE_END_HEADERS, PLACE_END_SLOW, PLACE_ENDS };

/* What others wait for. */
enum { PLACES_FULL = 1, PLACES_MEMORY = 2 };

struct place {
	struct place *prev, *next;
	struct place_client client;
	enum place_state state;
	bool is_patient; /* its answer has no end, or waits for us */
	bool is_leaving;
	uint64_t since_ns;            /* of the state */
	uint64_t taken, taken_before; /* bytes of the answer; at progress_ns */
	uint64_t progress_ns;
};

struct place_client place_client_of_address(const struct addr *address);
struct place_client place_client_of_user(uid_t uid);

/* list: NULL if empty. */
void places_add(struct place **list, struct place *place, const struct place_client *client, uint64_t now);
void places_remove(struct place **list, struct place *place);

/*
 * Whether the client of a place that was just added has more than its share. Then *instead is an idle place of the same
 * client, which may leave instead; or NULL.
 */
bool places_is_over(struct place *list, const struct place *place, struct place **instead);

/* How many other places of this client are being answered. */
unsigned int places_answers(const struct place *list, const struct place *place);

void place_set_state(struct place *place, enum place_state state, uint64_t now);

/* The client has taken so many bytes of its answer. */
void place_take(struct place *place, uint64_t taken, uint64_t now);

/*
 * The next place that has to leave, and why; NULL: nobody has. The caller sets is_leaving. wanted: PLACES_…; with
 * PLACES_FULL the place that is idle for longest leaves before any other.
 */
struct place *places_leaver(struct place *list, unsigned int wanted, uint64_t now, enum place_end *why);
