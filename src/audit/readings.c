/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "readings.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* nf_ct_delete() tells of an end a moment before it unlinks the entry. */
#define UNLINK_NS UINT64_C(1000000000)

enum { IPS_OFFLOAD = 1 << 14, IPS_HW_OFFLOAD = 1 << 15 }; /* bits of a flow's status in the kernel */

/* Hashed as bytes: made of zeros first. */
struct key {
	struct addr src, dst;
	uint16_t sport, dport, zone;
	uint8_t proto;
	uint32_t id;
};

struct record {
	struct key key;
	struct audit_flow flow;
	uint64_t sum[2], last[2]; /* counted in all; the counters as they were last */
	unsigned int read;        /* a bit for each moment whose dump listed it */
	uint64_t ended_ns;
	struct record *next;
	UT_hash_handle hh;
};

struct readings {
	struct record *table;      /* by key: the latest of each */
	struct record *all, **end; /* in the order of their first reading */
	size_t count, most;
	uint64_t refused;
	enum audit_moment moment;
	uint64_t dump_began, done[AUDIT_MOMENTS];
};

struct readings *readings_new(size_t most)
{
	struct readings *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return NULL;
	flows->most = most;
	flows->end = &flows->all;
	return flows;
}

void readings_free(struct readings *flows)
{
	if (!flows)
		return;
	HASH_CLEAR(hh, flows->table);
	while (flows->all) {
		struct record *next = flows->all->next;

		free(flows->all);
		flows->all = next;
	}
	free(flows);
}

static struct key key_of(const struct ct_event *event)
{
	const struct ct_tuple *tuple = &event->tuple[CT_ORIGINAL];
	struct key key;

	memset(&key, 0, sizeof(key));
	key.src = tuple->src;
	key.dst = tuple->dst;
	key.sport = tuple->sport;
	key.dport = tuple->dport;
	key.zone = event->zone;
	key.proto = event->proto;
	key.id = event->id;
	return key;
}

static struct record *find(const struct readings *flows, const struct key *key)
{
	struct record *record;

	HASH_FIND(hh, flows->table, key, sizeof(*key), record);
	return record;
}

/* A new record. It replaces an older one of the same key in the table, and takes over whose flow that was. */
static struct record *add(struct readings *flows, const struct key *key, const struct ct_event *event)
{
	struct record *old = find(flows, key), *record = NULL;

	if (flows->count < flows->most)
		record = calloc(1, sizeof(*record));
	if (!record) {
		flows->refused++;
		return NULL;
	}
	flows->count++;
	memcpy(&record->key, key, sizeof(record->key)); /* with its padding */
	record->flow.first = *event;
	record->flow.ended = AUDIT_MOMENTS;
	if (old) {
		memcpy(record->flow.reported, old->flow.reported, sizeof(record->flow.reported));
		record->flow.reused = true;
		HASH_DEL(flows->table, old);
	}
	HASH_ADD(hh, flows->table, key, sizeof(record->key), record);
	*flows->end = record;
	flows->end = &record->next;
	return record;
}

/* Adds the growth of the counters; counters that fell were zeroed by another program. */
static void count(struct record *record, const struct ct_event *event)
{
	bool fell = event->bytes[0] < record->last[0] || event->bytes[1] < record->last[1];

	record->flow.uncounted |= !event->has_counters;
	if (!event->has_counters)
		return;
	record->flow.zeroed |= fell;
	for (int dir = 0; dir < 2; dir++) {
		record->sum[dir] += event->bytes[dir] - (fell ? 0 : record->last[dir]);
		record->last[dir] = event->bytes[dir];
	}
}

/* Whether the dump wrote this entry of a flow before the flow ended; otherwise it is the next flow of the same key. */
static bool is_older_than_end(const struct readings *flows, const struct record *record, const struct ct_event *event)
{
	if (record->ended_ns + UNLINK_NS < flows->dump_began)
		return false;
	return event->bytes[0] <= record->last[0] && event->bytes[1] <= record->last[1];
}

void readings_add(struct readings *flows, const struct ct_event *event, uint64_t now)
{
	struct key key = key_of(event);
	struct record *record = find(flows, &key);
	bool ends = event->type == CT_DESTROY;

	if (record && record->flow.ended != AUDIT_MOMENTS) {
		if (ends ? !memcmp(event->bytes, record->last, sizeof(record->last)) :
			   is_older_than_end(flows, record, event))
			return;
		record = NULL;
	}
	if (!record)
		record = add(flows, &key, event);
	if (!record)
		return;
	if (!record->read && !ends)
		record->flow.first = *event; /* until now it was only reported */
	count(record, event);
	record->flow.offloaded |= (event->status & (IPS_OFFLOAD | IPS_HW_OFFLOAD)) != 0;
	record->flow.in_hardware |= (event->status & IPS_HW_OFFLOAD) != 0;
	if (ends) {
		record->flow.ended = flows->moment;
		record->ended_ns = now;
	} else {
		record->read |= 1U << flows->moment;
		memcpy(record->flow.value[flows->moment], record->sum, sizeof(record->sum));
	}
}

void readings_dump_begins(struct readings *flows, uint64_t now)
{
	flows->dump_began = now;
}

void readings_dump_ended(struct readings *flows, uint64_t now)
{
	if (flows->moment < AUDIT_MOMENTS)
		flows->done[flows->moment++] = now;
}

void readings_report(struct readings *flows, enum audit_end end, const struct ct_event *flow,
	const struct audit_owner *owner)
{
	struct key key = key_of(flow);
	struct record *record = find(flows, &key);

	if (!record)
		record = add(flows, &key, flow);
	if (!record)
		return;
	record->flow.reported[end] = *owner;
	record->flow.reported[end].given = true;
	record->flow.reused = false;
}

uint64_t readings_refused(const struct readings *flows)
{
	return flows->refused;
}

static void settle(const struct readings *flows, struct record *record)
{
	struct audit_flow *flow = &record->flow;

	for (enum audit_moment m = 0; m < AUDIT_MOMENTS; m++) {
		bool low = m == AUDIT_BEGIN_LOW || m == AUDIT_END_LOW, read = record->read & 1U << m;

		/* What ended while a later dump went on counts with its last bytes: the meter may have had them. */
		if (flow->ended <= m && !(low && read))
			memcpy(flow->value[m], record->sum, sizeof(record->sum));
		else if (!read && m)
			memcpy(flow->value[m], flow->value[m - 1], sizeof(flow->value[m]));
	}
	flow->vanished = record->read && flow->ended == AUDIT_MOMENTS && !(record->read & 1U << AUDIT_END_HIGH);
	for (enum audit_end end = 0; end < AUDIT_ENDS; end++) {
		uint64_t since = flows->done[AUDIT_LOW_OF(end)];

		flow->fresh_end[end] = flow->ended <= AUDIT_HIGH_OF(end) && record->ended_ns + AUDIT_HOLD_NS > since;
	}
}

void readings_each(const struct readings *flows, void (*each)(void *ctx, const struct audit_flow *flow), void *ctx)
{
	for (struct record *record = flows->all; record; record = record->next) {
		settle(flows, record);
		each(ctx, &record->flow);
	}
}
