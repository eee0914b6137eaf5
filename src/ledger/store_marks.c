/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last committed value of each series. All of them change with each commit, so that they are one value in the file:
 * a row for each would be many pages an hour.
 */
#include "hostmeter/base/le.h"
#include "store_state.h"

#include <errno.h>
#include <stdlib.h>

enum { KIND_BITS = 3 };

struct store_mark *store_mark(struct store *store, int64_t device, enum reading_kind kind, bool *known)
{
	uint32_t series = (uint32_t)device << KIND_BITS | kind;
	struct store_mark *mark;

	HASH_FIND(hh, store->marks, &series, sizeof(series), mark);
	*known = mark;
	if (mark || !(mark = calloc(1, sizeof(*mark))))
		return mark;
	mark->series = series;
	HASH_ADD(hh, store->marks, series, sizeof(mark->series), mark);
	return mark;
}

void store_forget_marks(struct store *store, bool interfaces_too)
{
	struct store_mark *mark, *next;

	HASH_ITER (hh, store->marks, mark, next) {
		if (!interfaces_too && (mark->series & ((1 << KIND_BITS) - 1)) == READING_INTERFACE)
			continue;
		HASH_DEL(store->marks, mark);
		free(mark);
	}
}

int store_load_marks(struct store *store)
{
	struct buf bytes = BUF_INIT;
	int error = store_get_bytes(store, "marks", &bytes);
	struct le_reader in = le_reader(bytes.data, bytes.len);

	store_forget_marks(store, true);
	while (!error && in.left) {
		uint32_t series = (uint32_t)le_get(&in, 4);
		bool known;
		struct store_mark *mark = store_mark(store, series >> KIND_BITS,
			(enum reading_kind)(series & ((1 << KIND_BITS) - 1)), &known);

		for (int i = 0; mark && i < READING_VALUES; i++)
			mark->value[i] = (int64_t)(le_get(&in, 8) & INT64_MAX);
		error = !mark ? -ENOMEM : in.ran_out ? -EUCLEAN : 0;
	}
	buf_free(&bytes);
	return error;
}

int store_save_marks(struct store *store)
{
	struct buf bytes = BUF_INIT;
	int error;

	for (const struct store_mark *mark = store->marks; mark; mark = mark->hh.next) {
		le_put(&bytes, mark->series, 4);
		for (int i = 0; i < READING_VALUES; i++)
			le_put(&bytes, (uint64_t)mark->value[i], 8);
	}
	error = bytes.error ? bytes.error : store_put_bytes(store, "marks", bytes.data ? bytes.data : "", bytes.len);
	buf_free(&bytes);
	return error;
}
