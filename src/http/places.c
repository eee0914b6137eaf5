/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "places.h"

#include <string.h>
#include <utlist.h>

enum { KIND_USER = 1 };

struct place_client place_client_of_address(const struct addr *address)
{
	struct place_client client = { .kind = address->family };

	memcpy(client.b, address->b, address->family == 4 ? 4 : sizeof(client.b));
	return client;
}

struct place_client place_client_of_user(uid_t uid)
{
	struct place_client client = { .kind = uid ? KIND_USER : 0 };

	memcpy(client.b, &uid, sizeof(uid));
	return client;
}

static bool is_same(const struct place *a, const struct place *b)
{
	return a->client.kind == b->client.kind && memcmp(a->client.b, b->client.b, sizeof(a->client.b)) == 0;
}

void places_add(struct place **list, struct place *place, const struct place_client *client, uint64_t now)
{
	*place = (struct place){ .client = *client };
	place_set_state(place, PLACE_HEADERS, now);
	DL_APPEND(*list, place);
}

void places_remove(struct place **list, struct place *place)
{
	DL_DELETE(*list, place);
}

bool places_is_over(struct place *list, const struct place *place, struct place **instead)
{
	unsigned int count = 0;

	*instead = NULL;
	for (struct place *other = list; other; other = other->next) {
		if (other->is_leaving || !is_same(other, place))
			continue;
		count++;
		if (other->state == PLACE_IDLE && (!*instead || other->since_ns < (*instead)->since_ns))
			*instead = other;
	}
	return place->client.kind && count > PLACES_SHARE;
}

unsigned int places_answers(const struct place *list, const struct place *place)
{
	unsigned int count = 0;

	for (const struct place *other = list; other; other = other->next)
		count += other != place && other->state == PLACE_ANSWER && !other->is_leaving && is_same(other, place);
	return count;
}

void place_set_state(struct place *place, enum place_state state, uint64_t now)
{
	place->state = state;
	place->since_ns = place->progress_ns = now;
	place->taken = place->taken_before = 0;
	place->is_patient = false;
}

void place_take(struct place *place, uint64_t taken, uint64_t now)
{
	place->taken = taken;
	if (place->taken - place->taken_before < PLACES_PROGRESS)
		return;
	place->taken_before = taken;
	place->progress_ns = now;
}

static enum place_end judge(const struct place *place, unsigned int wanted, uint64_t now)
{
	uint64_t age = now - place->since_ns;

	switch (place->state) {
	case PLACE_HEADERS:
		return age >= (wanted & PLACES_FULL ? PLACES_HEADERS_NS : PLACES_HEADERS_LONGEST_NS) ?
			PLACE_END_HEADERS :
			PLACE_STAYS;
	case PLACE_IDLE:
		return age >= PLACES_IDLE_LONGEST_NS ? PLACE_END_IDLE : PLACE_STAYS;
	default:
		break;
	}
	if (place->is_patient)
		return PLACE_STAYS;
	if (wanted && now - place->progress_ns >= PLACES_STILL_NS)
		return PLACE_END_SLOW;
	return age >= (wanted ? PLACES_ANSWER_NS : PLACES_ANSWER_LONGEST_NS) ? PLACE_END_SLOW : PLACE_STAYS;
}

static struct place *longest_idle(struct place *list)
{
	struct place *idle = NULL;

	for (struct place *place = list; place; place = place->next)
		if (place->state == PLACE_IDLE && !place->is_leaving && (!idle || place->since_ns < idle->since_ns))
			idle = place;
	return idle;
}

struct place *places_leaver(struct place *list, unsigned int wanted, uint64_t now, enum place_end *why)
{
	struct place *idle = wanted & PLACES_FULL ? longest_idle(list) : NULL;

	*why = PLACE_END_IDLE;
	if (idle)
		return idle;
	for (struct place *place = list; place; place = place->next) {
		*why = place->is_leaving ? PLACE_STAYS : judge(place, wanted, now);
		if (*why != PLACE_STAYS)
			return place;
	}
	return NULL;
}
