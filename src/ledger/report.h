/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: what was used in a range of time, by device, group, hour, day, month or WAN interface, as JSON.
 *
 * What is one device and which group it is in is applied when reading: who changes it in the configuration changes what
 * is told of the past. A report's memory grows with the devices or the rows that it tells, not with the rows of the
 * store.
 */
#pragma once

#include "range.h"
#include "store.h"

#include "hostmeter/base/buf.h"

enum report_by {
	REPORT_BY_DEVICE,
	REPORT_BY_GROUP,
	REPORT_BY_HOUR,
	REPORT_BY_DAY,
	REPORT_BY_MONTH,
	REPORT_BY_WAN,
};

enum { REPORT_ROWS = 20000, REPORT_GAPS = 1000 };

struct report_strings {
	const char *const *item;
	size_t count;
};

/* Several MACs or addresses that are one device: keys as the store has them. */
struct report_device {
	const char *name;
	struct report_strings keys;
};

/* Devices by their names, configured or in the store, or by keys. Who is in two groups is in the first. */
struct report_group {
	const char *name;
	struct report_strings devices;
};

struct report_mapping {
	const struct report_device *device;
	size_t devices;
	const struct report_group *group;
	size_t groups;
};

struct report_query {
	const char *period; /* as it was asked for */
	struct range range;
	enum report_by by;
	bool local;       /* what stayed within the LAN, instead of what went through a WAN */
	int64_t now;      /* seconds since 1970 */
	const char *zone; /* the one that calendar_use() chose, to be told; NULL: the machine's */
};

/* "device", "group", "hour", "day", "month", "wan": 0; or -EINVAL. */
int report_parse_by(enum report_by *by, const char *text);

/*
 * Appends the report, an object of JSON. Rows of time are in its order, others by what they used, the most first. Hours
 * of which only the day or the month is kept are one row. Devices beyond REPORT_ROWS are counted as "other".
 *
 * "complete" is true if all that was used in the range is in it; else "incomplete" says what is missing.
 *
 * 0; -E2BIG: more than REPORT_ROWS rows of time, as hours of many years are; -ENOMEM, or an error of the store; then
 * out has a part of it, or nothing.
 */
int report_write(struct buf *out, struct store *store, const struct report_query *query,
	const struct report_mapping *mapping);
