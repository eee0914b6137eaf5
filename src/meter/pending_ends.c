/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pending_ends.h"

#include <stdlib.h>

/* A ring that grows to its limit and gives its memory back once it is empty. */
struct pending_ends {
	struct pending_end *ring;
	size_t size, first, count, limit;
};

struct pending_ends *pending_ends_new(size_t limit)
{
	struct pending_ends *waiting = calloc(1, sizeof(*waiting));

	if (waiting)
		waiting->limit = limit;
	return waiting;
}

void pending_ends_free(struct pending_ends *waiting)
{
	if (!waiting)
		return;
	free(waiting->ring);
	free(waiting);
}

size_t pending_ends_count(const struct pending_ends *waiting)
{
	return waiting->count;
}

static bool grow(struct pending_ends *w)
{
	size_t size = w->size ? w->size * 2 : 64;
	struct pending_end *ring;

	if (size > w->limit)
		size = w->limit;
	if (size <= w->size || !(ring = malloc(size * sizeof(*ring))))
		return false;
	for (size_t i = 0; i < w->count; i++)
		ring[i] = w->ring[(w->first + i) % w->size];
	free(w->ring);
	w->ring = ring;
	w->size = size;
	w->first = 0;
	return true;
}

bool pending_ends_push(struct pending_ends *waiting, const struct pending_end *end)
{
	if (waiting->count == waiting->size && !grow(waiting))
		return false;
	waiting->ring[(waiting->first + waiting->count++) % waiting->size] = *end;
	return true;
}

bool pending_ends_pop(struct pending_ends *waiting, uint64_t now, struct pending_end *end)
{
	if (!waiting->count || waiting->ring[waiting->first].deadline > now)
		return false;
	*end = waiting->ring[waiting->first];
	waiting->first = (waiting->first + 1) % waiting->size;
	if (!--waiting->count) {
		free(waiting->ring);
		*waiting = (struct pending_ends){ .limit = waiting->limit };
	}
	return true;
}
