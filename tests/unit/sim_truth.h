/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_truth: what the simulated kernel consists of, who talks to whom in it, and the sums that the meter is held
 * against.
 */
#pragma once

#include "hostmeter/base/clock.h"
#include "hostmeter/meter/hosts.h"

#include "events.h"

#include <stdio.h>

enum {
	SIM_LAN_HOSTS = 4,
	SIM_ROUTER = SIM_LAN_HOSTS,
	SIM_UNKNOWN, /* the meter's; the truth's only of a flood */
	SIM_HOSTS,
	SIM_PATHS = 20,
	SIM_CONNS = 40,
	SIM_SLOTS = 48,
	SIM_EVENTS = 40,
	SIM_SIGHTINGS = 256,
	SIM_LINES = 6,
};

#define SIM_RETRY_NS (10 * CLOCK_NS_PER_MS)

/* By scope (0 WAN, 1 local) and host. */
struct sim_sums {
	struct traffic of[2][SIM_HOSTS];
};

/* Why the meter may know less than the truth. */
enum sim_loss {
	SIM_BASELINED, /* counted before the first dump showed it, and no first packet to tell that it is young */
	SIM_TOO_EARLY, /* ended before the first dump, the same */
	SIM_UNHEARD,   /* its end was told to nobody */
	SIM_MERGED,    /* the next flow of that key looks as if the unheard one had gone on */
	SIM_ZEROED,    /* somebody zeroed the counters */
	SIM_KILLED,    /* it began or ended while no meter ran, or its end was in the dead meter's hands */
	SIM_LOSSES,
};

enum sim_kind { SIM_OUTBOUND, SIM_INBOUND, SIM_OF_ROUTER, SIM_TO_ROUTER };

struct sim_path {
	enum sim_kind kind;
	uint8_t address; /* of the LAN end: one of SIM_LAN_HOSTS */
	struct ct_event event;
	int listed;     /* the entry that is in the table under this tuple, or -1 */
	uint64_t ended; /* when the meter last read of an end here */
};

enum sim_state {
	SIM_FREE,
	SIM_LIVE,
	SIM_LEAVING, /* its DESTROY is sent; a moment longer in the table */
	SIM_DYING,   /* its DESTROY is not delivered; in no table */
};

struct sim_conn {
	enum sim_state state;
	uint32_t serial;
	int path, slot, host;
	uint64_t start_ns, until, died;  /* died: when its DESTROY was refused first */
	struct traffic_count counter[2]; /* the kernel's, by enum ct_dir */
	struct traffic_count peak[2];    /* what it was before somebody zeroed it */
	struct traffic_count whole[2];   /* the truth since the meter's counters began */
	struct traffic_count told[2];    /* as much of it as the meter surely counted */
	bool silent;                     /* gives no DESTROY */
	bool queued;                     /* its DESTROY was delivered to the meter's socket at least once */
	bool known;                      /* the meter that runs now has read of it */
	bool sighted;                    /* ... or got its first packet */
	bool missed;                     /* a dump left it out */
};

/* An end on its way to the meter, or read by it and not safe yet; or one it was not told of, with counts not safe yet.
 */
struct sim_end {
	uint32_t serial;
	int path, slot, host;
	struct traffic_count peak[2], whole[2];
	bool read, unheard, saving;
};

struct sim_event {
	struct ct_event event;
	struct sim_conn conn; /* as it was */
};

struct sim_first_packet {
	struct sighting sighting;
	uint32_t serial;
	int path;
	bool begins; /* it is the flow's very first, not the first reply */
	uint64_t due;
};

/* How often what happened: a simulation in which nothing goes wrong proves nothing. */
enum sim_tally {
	SIM_BIRTHS,
	SIM_SAME_KEY,    /* births under the key of an end that nobody heard of */
	SIM_REPEATS,     /* DESTROYs sent again */
	SIM_UNDELIVERED, /* ... that found the meter's socket full */
	SIM_OVERDUE,     /* ... that were delivered a minute later or more */
	SIM_LOST,        /* ends that the meter was not told of */
	SIM_TWICE,       /* dumps that went back a bit */
	SIM_LATE,        /* lines read after the entry had gone */
	SIM_ZEROINGS,
	SIM_RESTARTS,
	SIM_COLD_STARTS,
	SIM_FLOODED, /* flows of made-up MACs */
	SIM_LEFT,    /* hosts that lost their place */
	SIM_EXACT,   /* sums that had to be and were the truth at the end */
	SIM_TALLIES,
};

/* What happens in a run at all. Chances are per 10,000. */
struct sim_traits {
	bool timestamps, nflog, old_flows, silent_births, moves, gentle;
	uint32_t sighting_lost, zeroing, killing, unreliable, stuck, missing, jumping, aborting, forgetting;
	uint32_t flood;   /* of made-up MACs, in a table with room for few hosts */
	uint32_t crowded; /* while crowded: an end finds the socket full */
};

struct sim_kernel {
	uint64_t random, now, real;
	struct sim_traits traits;
	struct sim_path path[SIM_PATHS];
	struct sim_conn conn[SIM_CONNS];
	int owner[SIM_LAN_HOSTS]; /* host behind each address */
	int free_slot[SIM_SLOTS], free_slots;
	uint32_t serials;
	bool listening, reliable, other_stuck, deaf, overrun;
	bool crowded; /* the meter's socket is full of the ends of others most of the time */
	struct sim_event event[SIM_EVENTS];
	int events;
	struct sim_first_packet first[SIM_SIGHTINGS];
	int firsts;
	struct sim_event line[SIM_LINES];
	int lines, walk; /* the piece of the dump that is made; where the next begins */
	struct sim_end *end;
	size_t ends, ends_size;
	struct traffic_count ghost[SIM_PATHS][SIM_SLOTS][2]; /* the largest counters of unheard ends of a key */
	struct sim_sums truth, loss[SIM_LOSSES];
	uint64_t tally[SIM_TALLIES];
};

static inline uint64_t sim_random(struct sim_kernel *k, uint64_t below)
{
	k->random ^= k->random << 13;
	k->random ^= k->random >> 7;
	k->random ^= k->random << 17;
	return (k->random * UINT64_C(0x2545f4914f6cdd1d) >> 32) % below;
}

static inline bool sim_chance(struct sim_kernel *k, uint32_t per_10000)
{
	return sim_random(k, 10000) < per_10000;
}

/* --- Sums */

static inline struct traffic_count *sim_count(const struct sim_kernel *k, struct sim_sums *sums, int path, int host,
	int dir)
{
	const struct sim_path *p = &k->path[path];
	bool in = (dir == CT_ORIGINAL) == (p->kind == SIM_INBOUND);

	return &sums->of[p->kind == SIM_TO_ROUTER][host].of[p->event.family == 6][in ? TRAFFIC_IN : TRAFFIC_OUT];
}

static inline void sim_lose(struct sim_kernel *k, enum sim_loss why, int path, int host,
	const struct traffic_count lost[2])
{
	for (int dir = 0; dir < 2; dir++)
		traffic_count_add(sim_count(k, &k->loss[why], path, host, dir), &lost[dir]);
}

static inline void sim_lose_rest(struct sim_kernel *k, enum sim_loss why, const struct sim_conn *c)
{
	struct traffic_count rest[2];

	for (int dir = 0; dir < 2; dir++) {
		rest[dir].bytes = c->whole[dir].bytes - c->told[dir].bytes;
		rest[dir].packets = c->whole[dir].packets - c->told[dir].packets;
	}
	sim_lose(k, why, c->path, c->host, rest);
}

/* An end that the meter will never read: the next flow of the same key may be taken for its continuation. */
static inline void sim_haunt(struct sim_kernel *k, int path, int slot, const struct traffic_count counter[2])
{
	for (int dir = 0; dir < 2; dir++)
		k->ghost[path][slot][dir] = traffic_count_max(&k->ghost[path][slot][dir], &counter[dir]);
}

/* --- Who talks to whom */

static inline void sim_address(char text[ADDR_TEXT], bool v6, int address)
{
	snprintf(text, ADDR_TEXT, v6 ? "2001:db8:1::%d" : "192.168.1.%d", 10 + address);
}

static inline void sim_mac(char text[MAC_TEXT], int host)
{
	snprintf(text, MAC_TEXT, "02:00:00:00:00:%02x", 0x10 + host);
}

static inline void sim_make_path(struct sim_kernel *k, int i)
{
	static const enum sim_kind kinds[] = { SIM_OUTBOUND, SIM_OUTBOUND, SIM_INBOUND, SIM_OUTBOUND, SIM_OF_ROUTER,
		SIM_INBOUND, SIM_TO_ROUTER };
	struct sim_path *p = &k->path[i];
	bool v6 = i % 3 == 0;
	const char *own = v6 ? "2001:db8:ff::2" : "198.51.100.2", *inside = v6 ? "2001:db8:1::1" : "192.168.1.1";
	const char *server = v6 ? SERVER6 : SERVER4;
	char lan[ADDR_TEXT];

	p->kind = kinds[i % (sizeof(kinds) / sizeof(kinds[0]))];
	p->address = (uint8_t)(i % SIM_LAN_HOSTS);
	p->listed = -1;
	sim_address(lan, v6, p->address);
	switch (p->kind) {
	case SIM_OUTBOUND:
		p->event = v6 ? event_flow(lan, server) : event_masqueraded(lan, server);
		break;
	case SIM_INBOUND:
		p->event = v6 ? event_flow(server, lan) : event_forwarded(server, lan);
		break;
	case SIM_OF_ROUTER:
		p->event = event_flow(own, server);
		break;
	case SIM_TO_ROUTER:
		p->event = event_flow(lan, inside);
		break;
	}
	p->event.tuple[CT_ORIGINAL].sport = p->event.tuple[CT_REPLY].dport = (uint16_t)(40000 + i);
}

static inline void sim_start(struct sim_kernel *k, uint64_t seed, const struct sim_traits *traits)
{
	memset(k, 0, sizeof(*k));
	k->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (int i = 0; i < 8; i++)
		sim_random(k, 2);
	k->traits = *traits;
	k->now = 1000 * CLOCK_NS_PER_S;
	k->real = UINT64_C(1700000000) * CLOCK_NS_PER_S;
	k->reliable = true;
	for (int i = 0; i < SIM_PATHS; i++)
		sim_make_path(k, i);
	for (int i = 0; i < SIM_LAN_HOSTS; i++)
		k->owner[i] = i;
	for (int i = 0; i < SIM_SLOTS; i++)
		k->free_slot[k->free_slots++] = i;
}

static inline void sim_stop(struct sim_kernel *k)
{
	free(k->end);
}
