/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_rows: the rows of a report, for the files that make it up only. */
#pragma once

#include "report.h"

#include "hostmeter/base/keyed_uthash.h"

/* What was used, and from when to when. */
struct report_sums {
	uint64_t value[READING_VALUES];
	uint64_t ipv6_bytes;
	int64_t first, last;
};

/* One key of the store. */
struct report_key {
	char key[READING_KEY];
	char name[READING_NAME]; /* what it is called now; "": nothing but its key */
	struct report_sums sums;
	struct report_key *next; /* of the same row, by what they used */
	UT_hash_handle hh;
};

struct report_row {
	const char *name;  /* of the device, the group (NULL: those in none) or the interface; else NULL */
	const char *group; /* of a device; NULL: in none */
	struct report_key *keys, **keys_end;
	struct range time; /* of hours, days, months */
	struct report_sums sums;
};

struct report_rows {
	struct report_row *row; /* sorted */
	size_t rows;
	struct report_sums total; /* of all rows */
	uint64_t wan[2];          /* bytes of all interfaces, in and out */
	bool is_cut;              /* a row of the store is partly in the range only */
	struct report_key *keys;  /* what rows have borrowed */
};

/* Freed by report_rows_free(), also after an error. Borrows from the mapping. */
int report_rows_gather(struct report_rows *rows, struct store *store, const struct report_query *query,
	const struct report_mapping *mapping);
void report_rows_free(struct report_rows *rows);
