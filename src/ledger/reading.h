/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reading: the counters of all series at one instant, as the meter gives them to the ledger. They are cumulative: what
 * a reading did not bring, the next one does.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { READING_KEY = 64, READING_NAME = 64, READING_ID = 40, READING_CAUSE = 12 };

/* What a series counts. */
enum reading_kind {
	READING_WAN4,
	READING_WAN6,
	READING_LOCAL4,
	READING_LOCAL6,
	READING_INTERFACE, /* a WAN interface's own counters: in is what it received */
	READING_KINDS,
};

/* The values of a series. */
enum reading_value { READING_IN_BYTES, READING_OUT_BYTES, READING_IN_PACKETS, READING_OUT_PACKETS, READING_VALUES };

struct reading_entry {
	/*
	 * Whose: "02:00:00:00:00:01", an address where a host has no MAC, "router", "other", "unknown"; of a WAN
	 * interface "wan " and its name.
	 */
	char key[READING_KEY];
	char name[READING_NAME]; /* what it is called now; "": nothing but its key */
	enum reading_kind kind;
	uint64_t value[READING_VALUES];
};

struct reading {
	char run[READING_ID];  /* changes whenever the meter's counters begin at zero again */
	char boot[READING_ID]; /* changes with each boot of the machine */
	int64_t since, at;     /* seconds since 1970: when the meter began or gave the reading before, and this one */
	char cause[READING_CAUSE]; /* "hour", "cut", "start", "end", ... */
	struct reading_entry *entry;
	size_t entries;
};
