/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include "hostmeter/base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TV "00:00:5e:00:53:01"
#define PHONE "02:00:00:00:00:02" /* a random one */
#define PHONE_AT_HOME "00:00:5e:00:53:02"
#define CAMERA "192.168.1.9"
#define MORNING INT64_C(1780300800) /* 2026-06-01 10:00 in Brussels */
#define ALL ((struct range){ MORNING - 100 * DAY, MORNING + 100 * DAY })

enum { HOUR = 3600, DAY = 86400 };

static char directory[32], path[64];
static struct store *store;
static const struct report_mapping none;

static void open_store(int keep_hours, int keep_days)
{
	store_close(store);
	assert_int_equal(store_open(&store, path, false,
				 &(struct store_options){ .keep_hours = keep_hours, .keep_days = keep_days }),
		0);
}

static int begin(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/test-report.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/ledger.db", directory);
	calendar_use("Europe/Brussels");
	open_store(0, 0);
	return 0;
}

static int end(void **state)
{
	char command[96];

	(void)state;
	store_close(store);
	store = NULL;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static struct reading_entry entry(const char *key, const char *name, enum reading_kind kind, uint64_t in, uint64_t out)
{
	struct reading_entry e = { .kind = kind, .value = { in, out, in / 10, out / 10 } };

	snprintf(e.key, sizeof(e.key), "%s", key);
	snprintf(e.name, sizeof(e.name), "%s", name);
	return e;
}

static void commit(int64_t at, struct reading_entry *entries, size_t count)
{
	const struct reading r = { .run = "r",
		.boot = "b",
		.since = store_last(store) ? store_last(store) : at,
		.at = at,
		.cause = "hour",
		.entry = entries,
		.entries = count };

	assert_int_equal(store_commit(store, &r), 0);
}

static json_t *report(const struct report_query *query, const struct report_mapping *mapping)
{
	struct buf out = BUF_INIT;
	json_t *document;

	assert_int_equal(report_write(&out, store, query, mapping), 0);
	document = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	if (!document)
		fail_msg("no JSON: %s", buf_text(&out));
	buf_free(&out);
	return document;
}

/* What the report says below a key, as JSON. */
static void check_part(const struct report_query *query, const struct report_mapping *mapping, const char *key,
	const char *want)
{
	json_t *document = report(query, mapping);
	char *text = json_dumps(json_object_get(document, key), JSON_ENCODE_ANY | JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
	json_decref(document);
}

/* The evening of a household: 18:00 and 19:00 of 2026-06-01. */
static void live_an_evening(void)
{
	struct reading_entry e[] = {
		entry(TV, "tv", READING_WAN4, 0, 0),
		entry(TV, "tv", READING_WAN6, 0, 0),
		entry(PHONE, "phone", READING_WAN4, 0, 0),
		entry(PHONE_AT_HOME, "phone-2", READING_WAN6, 0, 0),
		entry(CAMERA, "", READING_LOCAL4, 0, 0),
		entry("router", "", READING_WAN4, 0, 0),
		entry("wan eth0", "", READING_INTERFACE, 5000, 6000),
	};
	static const uint64_t use[][2] = { { 1000, 100 }, { 500, 50 }, { 2000, 200 }, { 300, 30 }, { 7000, 7 },
		{ 40, 40 }, { 4000, 500 } };

	commit(MORNING + 8 * HOUR, e, 7);
	for (int i = 0; i < 7; i++) {
		e[i].value[READING_IN_BYTES] += use[i][0];
		e[i].value[READING_OUT_BYTES] += use[i][1];
	}
	commit(MORNING + 9 * HOUR, e, 7);
	e[0].value[READING_IN_BYTES] += 10;
	commit(MORNING + 9 * HOUR + 600, e, 7);
}

static const struct report_query evening = { "today", { MORNING - 10 * HOUR, MORNING + 14 * HOUR }, REPORT_BY_DEVICE,
	false, MORNING + 10 * HOUR, "Europe/Brussels" };

static struct report_query evening_by(enum report_by by)
{
	struct report_query query = evening;

	query.by = by;
	return query;
}

#define SUMS(in, out, ipv6, first, last)                                                                               \
	"\"in_bytes\":" in ",\"out_bytes\":" out ",\"in_packets\":0,\"out_packets\":0,\"ipv6_bytes\":" ipv6            \
	",\"first_seen\":" first ",\"last_seen\":" last
#define AT18 "1780329600"
#define AT19 "1780333200"
#define AT1910 "1780333800"

static void devices_by_what_they_used(void **state)
{
	(void)state;
	live_an_evening();
	check_part(&evening, &none, "rows",
		"[{\"device\":\"phone\",\"mac\":\"" PHONE "\",\"macs\":[\"" PHONE
		"\"],\"group\":null,\"random_mac\":true," SUMS("2000", "200", "0", AT18,
			AT19) "},"
			      "{\"device\":\"tv\",\"mac\":\"" TV "\",\"macs\":[\"" TV
			      "\"],\"group\":null,\"random_mac\":false," SUMS("1510", "150", "550", AT18,
				      AT1910) "},"
					      "{\"device\":\"phone-2\",\"mac\":\"" PHONE_AT_HOME
					      "\",\"macs\":[\"" PHONE_AT_HOME
					      "\"],\"group\":null,\"random_mac\":false," SUMS("300", "30", "330", AT18,
						      AT19) "},"
							    "{\"device\":\"router\",\"mac\":null,\"macs\":[],\"group\":"
							    "null,\"random_mac\":false," SUMS("40", "40", "0", AT18,
								    AT19) "}]");
	check_part(&evening, &none, "total", "{" SUMS("3850", "420", "880", AT18, AT1910) "}");
	check_part(&evening, &none, "wan", "{\"in_bytes\":4000,\"out_bytes\":500}");
}

static void what_stays_in_the_lan(void **state)
{
	struct report_query query = evening;

	(void)state;
	live_an_evening();
	query.local = true;
	check_part(&query, &none, "rows",
		"[{\"device\":\"" CAMERA "\",\"mac\":null,\"macs\":[],\"group\":null,\"random_mac\":false," SUMS("7000",
			"7", "0", AT18, AT19) "}]");
	check_part(&query, &none, "scope", "\"local\"");
}

static const char *const phone_keys[] = { PHONE, PHONE_AT_HOME }, *const first_members[] = { PHONE_AT_HOME, "nobody" },
			 *const second_members[] = { "phone", "tv", CAMERA };
static const struct report_device phone = { "Anna's phone", { phone_keys, 2 } };
static const struct report_group groups[] = { { "kids", { first_members, 2 } }, { "parents", { second_members, 3 } } };
static const struct report_mapping family = { &phone, 1, groups, 2 };

static void several_macs_are_one_device(void **state)
{
	struct reading_entry e = entry(PHONE_AT_HOME, "phone-2", READING_WAN6, 0, 0);
	json_t *document, *row;

	(void)state;
	live_an_evening();
	check_part(&evening, &family, "rows",
		"[{\"device\":\"Anna's phone\",\"mac\":\"" PHONE "\",\"macs\":[\"" PHONE "\",\"" PHONE_AT_HOME
		"\"],\"group\":\"kids\",\"random_mac\":true," SUMS("2300", "230", "330", AT18,
			AT19) "},"
			      "{\"device\":\"tv\",\"mac\":\"" TV "\",\"macs\":[\"" TV
			      "\"],\"group\":\"parents\",\"random_mac\":false," SUMS("1510", "150", "550", AT18,
				      AT1910) "},"
					      "{\"device\":\"router\",\"mac\":null,\"macs\":[],\"group\":null,\"random_"
					      "mac\":false," SUMS("40", "40", "0", AT18, AT19) "}]");
	/* The MAC that it used most stands for it. */
	e.value[READING_IN_BYTES] = 9000;
	commit(MORNING + 9 * HOUR + 601, &e, 1);
	document = report(&evening, &family);
	row = json_array_get(json_object_get(document, "rows"), 0);
	assert_string_equal(json_get_text(row, "mac"), PHONE_AT_HOME);
	assert_string_equal(json_to_text(json_array_get(json_object_get(row, "macs"), 1)), PHONE);
	json_decref(document);
}

static void groups_of_devices(void **state)
{
	const struct report_query query = evening_by(REPORT_BY_GROUP);

	(void)state;
	live_an_evening();
	check_part(&query, &family, "rows",
		"[{\"group\":\"kids\"," SUMS("2300", "230", "330", AT18, AT19) "},{\"group\":\"parents\"," SUMS("1510",
			"150", "550", AT18, AT1910) "},{\"group\":null," SUMS("40", "40", "0", AT18, AT19) "}]");
}

static void interfaces(void **state)
{
	const struct report_query query = evening_by(REPORT_BY_WAN);

	(void)state;
	live_an_evening();
	check_part(&query, &family, "rows", "[{\"wan\":\"eth0\"," SUMS("4000", "500", "0", AT18, AT19) "}]");
	check_part(&query, &family, "total", "{" SUMS("4000", "500", "0", AT18, AT19) "}");
}

static void rows_of_time(void **state)
{
	struct report_query query = evening_by(REPORT_BY_HOUR);

	(void)state;
	live_an_evening();
	check_part(&query, &family, "rows",
		"[{\"start\":" AT18 ",\"end\":" AT19 ",\"label\":\"2026-06-01 18:00\"," SUMS("3840", "420", "880", AT18,
			AT19) "},"
			      "{\"start\":" AT19 ",\"end\":1780336800,\"label\":\"2026-06-01 19:00\"," SUMS("10", "0",
				      "0", AT19, AT1910) "}]");
	query.by = REPORT_BY_DAY;
	check_part(&query, &family, "rows",
		"[{\"start\":1780264800,\"end\":1780351200,\"label\":\"2026-06-01\"," SUMS("3850", "420", "880", AT18,
			AT1910) "}]");
	query.range.from = MORNING;
	check_part(&query, &family, "rows",
		"[{\"start\":1780300800,\"end\":1780351200,\"label\":\"2026-06-01\"," SUMS("3850", "420", "880", AT18,
			AT1910) "}]");
	query.range = evening.range;
	/* A month that is partly in the range only. */
	query.by = REPORT_BY_MONTH;
	check_part(&query, &family, "rows",
		"[{\"start\":1780264800,\"end\":1780351200,\"label\":\"2026-06\"," SUMS("3850", "420", "880", AT18,
			AT1910) "}]");
}

static void an_hour_that_is_there_twice(void **state)
{
	const int64_t two = 1792886400; /* 2026-10-25 02:00 CEST in Brussels */
	const struct report_query query = { .range = { two - DAY, two + DAY }, .by = REPORT_BY_HOUR, .now = two };
	struct reading_entry e = entry(TV, "tv", READING_WAN4, 0, 0);
	json_t *document;
	char labels[200] = "";

	(void)state;
	for (int hour = 0; hour < 4; hour++) {
		e.value[READING_IN_BYTES]++;
		commit(two + hour * HOUR, &e, 1);
	}
	document = report(&query, &none);
	for (size_t i = 0; i < 4; i++) {
		strcat(labels, json_get_text(json_array_get(json_object_get(document, "rows"), i), "label"));
		strcat(labels, ", ");
	}
	assert_string_equal(labels,
		"2026-10-25 01:00, 2026-10-25 02:00 CEST, 2026-10-25 02:00 CET, 2026-10-25 03:00, ");
	json_decref(document);
}

static void check_complete(const struct report_query *query, const char *missing, size_t gaps)
{
	json_t *document = report(query, &none);
	char *text = json_dumps(json_object_get(document, "incomplete"), JSON_COMPACT);

	assert_string_equal(text, missing);
	assert_int_equal(json_get_bool(document, "complete"), !strcmp(missing, "[]"));
	assert_int_equal(json_array_size(json_object_get(document, "gaps")), gaps);
	free(text);
	json_decref(document);
}

static void whether_it_is_complete(void **state)
{
	struct report_query query = evening;

	(void)state;
	check_complete(&query, "[\"nothing is recorded yet\",\"it has not ended yet\"]", 0);
	live_an_evening();
	check_complete(&query, "[\"the ledger begins 2026-06-01 18:00\",\"it has not ended yet\"]", 0);
	query.range.from = MORNING + 8 * HOUR;
	query.range.to = MORNING + 9 * HOUR;
	check_complete(&query, "[]", 0);
	query.range.to += 600;
	check_complete(&query, "[]", 0);
	query.range.to += 3000;
	check_complete(&query, "[\"the latest reading is of 2026-06-01 19:10\"]", 0);
	query.now--;
	check_complete(&query, "[\"it has not ended yet\"]", 0);
}

static void gaps_in_it(void **state)
{
	struct report_query query = evening;
	struct store_gap gap = { MORNING + 7 * HOUR, MORNING + 8 * HOUR, "reboot" };

	(void)state;
	live_an_evening();
	query.range.from = MORNING + 8 * HOUR;
	query.range.to = MORNING + 9 * HOUR;
	assert_int_equal(store_add_gap(store, &gap), 0); /* ends where it begins */
	gap = (struct store_gap){ MORNING + 9 * HOUR, MORNING + 10 * HOUR, "reboot" };
	assert_int_equal(store_add_gap(store, &gap), 0);
	check_complete(&query, "[]", 0);
	gap = (struct store_gap){ MORNING + 9 * HOUR - 60, MORNING + 10 * HOUR, "power cut" };
	assert_int_equal(store_add_gap(store, &gap), 0);
	check_complete(&query, "[\"there is a gap\"]", 1);
	check_part(&query, &none, "gaps",
		"[{\"from\":1780333140,\"to\":1780336800,\"label\":\"2026-06-01 18:59 to 2026-06-01 20:00\","
		"\"cause\":\"power cut\"}]");
	for (int i = 0; i < REPORT_GAPS; i++)
		assert_int_equal(store_add_gap(store, &gap), 0);
	check_complete(&query, "[\"there are gaps\"]", REPORT_GAPS);
}

static void an_hour_that_ended_before(void **state)
{
	const struct report_query query = { "", { MORNING - 9 * HOUR, MORNING }, REPORT_BY_DEVICE, false, MORNING,
		NULL };
	struct reading_entry e = entry(TV, "tv", READING_WAN4, 1, 0);

	(void)state;
	commit(MORNING - 9 * HOUR, &e, 1); /* the first hour of the month */
	commit(MORNING, &e, 1);
	check_complete(&query, "[]", 0);
}

/* Hours are kept for two days here, days for a month. */
static void old_times_are_days_and_months(void **state)
{
	struct report_query query = { "year", ALL, REPORT_BY_HOUR, false, MORNING + 99 * DAY, NULL };
	struct reading_entry e = entry(TV, "tv", READING_WAN4, 0, 0);
	json_t *document, *rows;

	(void)state;
	open_store(2, 31);
	for (int day = 0; day < 100; day++) {
		e.value[READING_IN_BYTES] += 100;
		commit(MORNING + day * DAY, &e, 1);
	}
	document = report(&query, &none);
	rows = json_object_get(document, "rows");
	assert_string_equal(json_get_text(json_array_get(rows, 0), "label"), "2026-06");
	assert_string_equal(json_get_text(json_array_get(rows, 2), "label"), "2026-08-01");
	assert_string_equal(json_get_text(json_array_get(rows, json_array_size(rows) - 1), "label"),
		"2026-09-08 09:00");
	assert_int_equal(json_get_u64(json_object_get(document, "total"), "in_bytes"), 10000);
	json_decref(document);
	/* The first of June until noon of the tenth of August: the whole of what is kept, and not more than that. */
	query.range = (struct range){ MORNING - 10 * HOUR, MORNING + 70 * DAY + 2 * HOUR };
	check_complete(&query, "[\"of its beginning or end only the sum of a longer time is kept\"]", 0);
	query.range.to = MORNING + 70 * DAY - 10 * HOUR;
	check_complete(&query, "[]", 0);
	query.range.from = MORNING + 14 * HOUR;
	check_complete(&query, "[\"of its beginning or end only the sum of a longer time is kept\"]", 0);
	query.range.from = MORNING + 61 * DAY - 10 * HOUR; /* the first of August */
	check_complete(&query, "[]", 0);
	query.range.from += 4 * DAY + HOUR;
	check_complete(&query, "[\"of its beginning or end only the sum of a longer time is kept\"]", 0);
	/* Half of an hour. */
	query.range = (struct range){ MORNING + 98 * DAY - 1800, MORNING + 99 * DAY };
	check_complete(&query, "[\"of its beginning or end only the sum of a longer time is kept\"]", 0);
	query.range.from += 1800;
	check_complete(&query, "[]", 0);
}

/* --- Bounds */

static void more_devices_than_rows(void **state)
{
	enum { MORE = 10 };
	struct reading_entry *e = calloc(REPORT_ROWS + MORE, sizeof(*e));
	const struct report_query query = { .range = ALL, .by = REPORT_BY_DEVICE, .now = MORNING };
	json_t *document, *row;

	(void)state;
	assert_non_null(e);
	for (int i = 0; i < REPORT_ROWS + MORE; i++) {
		char key[32];

		snprintf(key, sizeof(key), "00:00:5e:%02x:%02x:%02x", i >> 16, i >> 8 & 255, i & 255);
		e[i] = entry(key, "", READING_WAN4, 10, 0);
	}
	commit(MORNING, e, REPORT_ROWS + MORE);
	document = report(&query, &none);
	assert_int_equal(json_get_u64(json_object_get(document, "total"), "in_bytes"), 10 * (REPORT_ROWS + MORE));
	assert_int_equal(json_array_size(json_object_get(document, "rows")), REPORT_ROWS + 1);
	row = json_array_get(json_object_get(document, "rows"), 0);
	assert_string_equal(json_get_text(row, "device"), "other");
	assert_int_equal(json_get_u64(row, "in_bytes"), 10 * MORE);
	json_decref(document);
	free(e);
}

static void run_sql(const char *sql)
{
	sqlite3 *db;

	store_close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	open_store(0, 0);
}

static void more_hours_than_rows(void **state)
{
	struct report_query query = { .range = { 0, MORNING + DAY }, .by = REPORT_BY_HOUR, .now = MORNING };
	struct reading_entry e = entry(TV, "tv", READING_WAN4, 1, 0);
	struct buf out = BUF_INIT;

	(void)state;
	commit(MORNING, &e, 1);
	run_sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
		"INSERT INTO hour(id, in4_bytes, out4_bytes, in4_packets, out4_packets, in6_bytes, out6_bytes, "
		"in6_packets, out6_packets) SELECT (i * 60 << 26) | 4, 9223372036854775807, 0, 0, 0, 0, 0, 0, 0 "
		"FROM n");
	assert_int_equal(report_write(&out, store, &query, &none), -E2BIG);
	buf_reset(&out);
	query.range = (struct range){ -HOUR, MORNING - DAY };
	assert_int_equal(report_write(&out, store, &query, &none), 0);
	assert_non_null(strstr(buf_text(&out), "\"from\":0,"));
	buf_reset(&out);
	query.range.from = 2 * HOUR; /* an odd number of them: the sum would be small again */
	assert_int_equal(report_write(&out, store, &query, &none), 0);
	assert_non_null(strstr(buf_text(&out), "\"total\":{\"in_bytes\":9223372036854775807,"));
	buf_free(&out);
}

static void names_of_what_rows_are_by(void **state)
{
	enum report_by by = REPORT_BY_DEVICE;

	(void)state;
	assert_int_equal(report_parse_by(&by, "month"), 0);
	assert_int_equal(by, REPORT_BY_MONTH);
	assert_int_equal(report_parse_by(&by, "wan"), 0);
	assert_int_equal(by, REPORT_BY_WAN);
	assert_int_equal(report_parse_by(&by, "mon"), -EINVAL);
	assert_int_equal(report_parse_by(&by, ""), -EINVAL);
	assert_int_equal(by, REPORT_BY_WAN);
}

/* --- Against a slow model: all that was used, one by one; random devices, groups, ranges over changes of the clock */

enum { KEYS = 9, FACTS = 4000, NAMES = 4, MEMBERS = 3 };

static const char *const keys[KEYS] = { TV, PHONE, PHONE_AT_HOME, CAMERA, "router", "other", "00:00:5e:00:53:07",
	"wan eth0", "wan ppp0" };
static const char *const host_names[NAMES] = { "", "tv", "phone", "laptop" };

struct fact {
	int64_t at; /* the start of its hour */
	int64_t end;
	int key;
	enum reading_kind kind;
	uint64_t value[READING_VALUES];
};

struct world {
	struct fact fact[FACTS];
	size_t facts;
	const char *name[KEYS]; /* latest */
	int64_t last;
	const char *device_key[2][MEMBERS], *member[2][MEMBERS];
	struct report_device device[2];
	struct report_group group[2];
	struct report_mapping mapping;
};

struct expected {
	char label[READING_KEY + 8];
	uint64_t value[READING_VALUES], ipv6;
	int64_t first, last;
};

static void live(struct world *w, int64_t start, int hours)
{
	static uint64_t counter[KEYS][READING_KINDS][READING_VALUES];
	struct reading_entry e[KEYS];

	memset(counter, 0, sizeof(counter));
	for (int i = 0; i < KEYS; i++)
		e[i] = entry(keys[i], "", i < 7 ? READING_WAN4 : READING_INTERFACE, 0, 0);
	commit(start, e, KEYS); /* interfaces begin from what they have */
	for (int64_t at = start; hours > 0 && w->facts + KEYS < FACTS; hours--) {
		at = random() % 3 ? calendar_next_hour(at) : at + 1 + random() % (9 * HOUR);
		for (int i = 0; i < KEYS; i++) {
			struct fact *f = &w->fact[w->facts++];

			*f = (struct fact){ calendar_hour(at - 1), calendar_next_hour(at - 1), i,
				i < 7 ? (enum reading_kind)(random() % READING_INTERFACE) : READING_INTERFACE, { 0 } };
			if ((i < 3 || i == 6) && random() % 40 == 0) /* those with a MAC */
				w->name[i] = host_names[1 + random() % (NAMES - 1)];
			for (int v = 0; v < READING_VALUES; v++)
				counter[i][f->kind][v] += f->value[v] = random() % 2 ? (uint64_t)(random() % 5000) : 0;
			e[i] = entry(keys[i], w->name[i], f->kind, 0, 0);
			memcpy(e[i].value, counter[i][f->kind], sizeof(e[i].value));
		}
		commit(at, e, KEYS);
		w->last = at;
	}
}

static const char *any_text(void)
{
	long which = random() % (KEYS + NAMES + 1);

	return which < KEYS ? keys[which] : which < KEYS + NAMES ? host_names[which - KEYS] : "device 0";
}

static void make_mapping(struct world *w)
{
	static const char *const device_names[] = { "device 0", "device 1" }, *const group_names[] = { "g0", "g1" };

	for (size_t i = 0; i < 2; i++) {
		for (int m = 0; m < MEMBERS; m++) {
			w->device_key[i][m] = keys[random() % KEYS];
			w->member[i][m] = any_text();
		}
		w->device[i] = (struct report_device){ device_names[i],
			{ w->device_key[i], (size_t)random() % (MEMBERS + 1) } };
		w->group[i] = (struct report_group){ group_names[i],
			{ w->member[i], (size_t)random() % (MEMBERS + 1) } };
	}
	w->mapping = (struct report_mapping){ w->device, (size_t)random() % 3, w->group, (size_t)random() % 3 };
}

static bool has(struct report_strings strings, const char *text)
{
	for (size_t i = 0; i < strings.count; i++)
		if (*text && !strcmp(strings.item[i], text))
			return true;
	return false;
}

static const struct report_device *model_device(const struct world *w, const char *key)
{
	for (size_t i = 0; i < w->mapping.devices; i++)
		if (has(w->mapping.device[i].keys, key))
			return &w->mapping.device[i];
	return NULL;
}

/* The first group that has the text; NULL: none. */
static const char *group_with(const struct world *w, const char *text)
{
	for (size_t i = 0; i < w->mapping.groups; i++)
		if (has(w->mapping.group[i].devices, text))
			return w->mapping.group[i].name;
	return NULL;
}

static const char *model_group(const struct world *w, int key)
{
	const struct report_device *device = model_device(w, keys[key]);
	const char *group = group_with(w, device ? device->name : w->name[key]);

	if (!device)
		return group ? group : group_with(w, keys[key]);
	for (size_t i = 0; i < device->keys.count && !group; i++)
		group = group_with(w, device->keys.item[i]);
	return group;
}

static void model_label(const struct world *w, const struct fact *f, enum report_by by, char *label, size_t size)
{
	const struct report_device *device = model_device(w, keys[f->key]);
	time_t seconds = (time_t)f->at;
	const char *text = NULL;

	if (by == REPORT_BY_HOUR)
		snprintf(label, size, "%" PRId64, f->at);
	else if (by == REPORT_BY_DAY || by == REPORT_BY_MONTH)
		strftime(label, size, by == REPORT_BY_DAY ? "%Y-%m-%d" : "%Y-%m", localtime(&seconds));
	else if (by == REPORT_BY_WAN)
		snprintf(label, size, "%s", keys[f->key] + 4);
	else if (by == REPORT_BY_GROUP)
		snprintf(label, size, "%s", (text = model_group(w, f->key)) ? text : "(none)");
	else if (device)
		snprintf(label, size, "%s", device->name);
	else /* with its MAC: two hosts may have one name */
		snprintf(label, size, "%s %s", *w->name[f->key] ? w->name[f->key] : keys[f->key],
			strlen(keys[f->key]) == 17 ? keys[f->key] : "");
}

static bool is_counted(const struct fact *f, const struct report_query *query)
{
	bool is_empty = !f->value[0] && !f->value[1] && !f->value[2] && !f->value[3];

	if (is_empty || f->at < query->range.from || f->at >= query->range.to)
		return false;
	if (query->by == REPORT_BY_WAN)
		return f->kind == READING_INTERFACE;
	return f->kind != READING_INTERFACE && query->local == (f->kind >= READING_LOCAL4);
}

static size_t model(const struct world *w, const struct report_query *query, struct expected *row)
{
	size_t rows = 0, r;

	for (const struct fact *f = w->fact; f < w->fact + w->facts; f++) {
		char label[sizeof(row->label)];

		if (!is_counted(f, query))
			continue;
		model_label(w, f, query->by, label, sizeof(label));
		for (r = 0; r < rows && strcmp(row[r].label, label) != 0; r++)
			;
		if (r == rows) {
			row[rows++] = (struct expected){ .first = f->at };
			memcpy(row[r].label, label, sizeof(label));
		}
		for (int v = 0; v < READING_VALUES; v++)
			row[r].value[v] += f->value[v];
		if (f->kind == READING_WAN6 || f->kind == READING_LOCAL6)
			row[r].ipv6 += f->value[READING_IN_BYTES] + f->value[READING_OUT_BYTES];
		row[r].last = f->end < w->last ? f->end : w->last;
	}
	return rows;
}

static void label_of(json_t *row, enum report_by by, char *label, size_t size)
{
	const char *mac = json_get_text(row, "mac"), *device = json_get_text(row, "device");
	const json_t *group = json_object_get(row, "group");

	if (by == REPORT_BY_HOUR)
		snprintf(label, size, "%" PRIu64, json_get_u64(row, "start"));
	else if (by == REPORT_BY_DAY || by == REPORT_BY_MONTH)
		snprintf(label, size, "%s", json_get_text(row, "label"));
	else if (by == REPORT_BY_WAN)
		snprintf(label, size, "%s", json_get_text(row, "wan"));
	else if (by == REPORT_BY_GROUP)
		snprintf(label, size, "%s", json_is_null(group) ? "(none)" : json_to_text(group));
	else if (!strncmp(device, "device ", 7))
		snprintf(label, size, "%s", device);
	else
		snprintf(label, size, "%s %s", device, *mac ? mac : "");
}

static void check_row(const struct report_query *query, json_t *row, const struct expected *expected, size_t count)
{
	static const char *const values[] = { "in_bytes", "out_bytes", "in_packets", "out_packets" };
	char label[sizeof(expected->label)];
	size_t r;

	label_of(row, query->by, label, sizeof(label));
	for (r = 0; r < count && strcmp(expected[r].label, label) != 0; r++)
		;
	if (r == count)
		fail_msg("%s was not expected", label);
	for (int v = 0; v < READING_VALUES; v++)
		assert_int_equal(json_get_u64(row, values[v]), expected[r].value[v]);
	assert_int_equal(json_get_u64(row, "ipv6_bytes"), expected[r].ipv6);
	assert_int_equal(json_get_u64(row, "first_seen"), expected[r].first);
	assert_int_equal(json_get_u64(row, "last_seen"), expected[r].last);
}

static void check_report(const struct world *w, const struct report_query *query)
{
	static struct expected expected[FACTS];
	size_t count = model(w, query, expected);
	json_t *document = report(query, &w->mapping), *rows = json_object_get(document, "rows"), *row;
	bool is_time = query->by >= REPORT_BY_HOUR && query->by <= REPORT_BY_MONTH;
	uint64_t before = UINT64_MAX, start = 0, sum = 0, wan = 0;
	size_t i;

	assert_int_equal(json_array_size(rows), count);
	json_array_foreach (rows, i, row) {
		uint64_t bytes = json_get_u64(row, "in_bytes") + json_get_u64(row, "out_bytes");

		check_row(query, row, expected, count);
		sum += bytes;
		if (is_time)
			assert_true(json_get_u64(row, "start") >= start &&
				json_get_u64(row, "end") > json_get_u64(row, "start"));
		else
			assert_true(bytes <= before);
		before = bytes;
		start = json_get_u64(row, "end");
	}
	row = json_object_get(document, "total");
	assert_int_equal(json_get_u64(row, "in_bytes") + json_get_u64(row, "out_bytes"), sum);
	for (const struct fact *f = w->fact; f < w->fact + w->facts; f++)
		if (f->kind == READING_INTERFACE && f->at >= query->range.from && f->at < query->range.to)
			wan += f->value[READING_OUT_BYTES];
	assert_int_equal(json_get_u64(json_object_get(document, "wan"), "out_bytes"), wan);
	json_decref(document);
}

static void reports_are_those_of_a_slow_model(void **state)
{
	static const struct {
		const char *zone;
		int64_t start;
	} lives[] = { { "Europe/Brussels", 1774396800 }, { "Europe/Brussels", 1792540800 },
		{ "Australia/Lord_Howe", 1775000000 }, { "America/Sao_Paulo", 1541000000 },
		{ "Pacific/Apia", 1324900000 } };
	static struct world w;

	srandom(15);
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		end(state);
		begin(state);
		calendar_use(lives[i].zone);
		w = (struct world){ .facts = 0 };
		for (int k = 0; k < KEYS; k++)
			w.name[k] = "";
		live(&w, lives[i].start, 150);
		for (int n = 0; n < 200; n++) {
			struct calendar_date first = calendar_add_days(calendar_date_of(lives[i].start),
				(int)(random() % 16) - 2);
			struct report_query query = {
				.by = (enum report_by)(random() % 6), .local = random() % 3 == 0, .now = w.last
			};

			query.range.from = calendar_instant(first, 0);
			query.range.to = calendar_instant(calendar_add_days(first, 1 + (int)(random() % 12)), 0);
			make_mapping(&w);
			check_report(&w, &query);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(devices_by_what_they_used, begin, end),
		cmocka_unit_test_setup_teardown(what_stays_in_the_lan, begin, end),
		cmocka_unit_test_setup_teardown(several_macs_are_one_device, begin, end),
		cmocka_unit_test_setup_teardown(groups_of_devices, begin, end),
		cmocka_unit_test_setup_teardown(interfaces, begin, end),
		cmocka_unit_test_setup_teardown(rows_of_time, begin, end),
		cmocka_unit_test_setup_teardown(an_hour_that_is_there_twice, begin, end),
		cmocka_unit_test_setup_teardown(whether_it_is_complete, begin, end),
		cmocka_unit_test_setup_teardown(gaps_in_it, begin, end),
		cmocka_unit_test_setup_teardown(an_hour_that_ended_before, begin, end),
		cmocka_unit_test_setup_teardown(old_times_are_days_and_months, begin, end),
		cmocka_unit_test_setup_teardown(more_devices_than_rows, begin, end),
		cmocka_unit_test_setup_teardown(more_hours_than_rows, begin, end),
		cmocka_unit_test(names_of_what_rows_are_by),
		cmocka_unit_test_setup_teardown(reports_are_those_of_a_slow_model, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
