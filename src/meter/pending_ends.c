/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pending_ends.h"

#include <stdlib.h>
#include <utlist.h>

struct item {
	struct pending_end end;
	struct item *prev, *next;
};

struct pending_ends {
	struct item *first;
	size_t count, limit;
};

struct pending_ends *pending_ends_new(size_t limit)
{
	struct pending_ends *ends = calloc(1, sizeof(*ends));

	if (ends)
		ends->limit = limit;
	return ends;
}

void pending_ends_free(struct pending_ends *ends)
{
	struct pending_end end;

	while (ends && pending_ends_pop(ends, UINT64_MAX, &end))
		continue;
	free(ends);
}

size_t pending_ends_count(const struct pending_ends *ends)
{
	return ends->count;
}

bool pending_ends_push(struct pending_ends *ends, const struct pending_end *end)
{
	struct item *item = ends->count < ends->limit ? malloc(sizeof(*item)) : NULL;

	if (!item)
		return false;
	item->end = *end;
	DL_APPEND(ends->first, item);
	ends->count++;
	return true;
}

bool pending_ends_pop(struct pending_ends *ends, uint64_t now, struct pending_end *end)
{
	struct item *item = ends->first;

	if (!item || item->end.deadline > now)
		return false;
	*end = item->end;
	DL_DELETE(ends->first, item);
	free(item);
	ends->count--;
	return true;
}
