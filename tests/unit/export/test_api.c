/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs/api.md and the program name the same fields, with the same types; and the values stand where they belong. */
#include "hostmeter/export/api.h"

#include "snapshots.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static json_t *parse(void (*render)(struct buf *out, const struct snapshot *snapshot), const struct snapshot *snapshot)
{
	struct buf out = BUF_INIT;
	json_error_t error;
	json_t *value;

	render(&out, snapshot);
	assert_int_equal(buf_error(&out), 0);
	assert_int_equal(out.data[out.len - 1], '\n');
	value = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, &error);
	if (!value)
		fail_msg("%s: %.*s", error.text, (int)out.len, out.data);
	buf_free(&out);
	return value;
}

/* --- Fields, as a JSON object of path: { type: true, … } */

static void note(json_t *fields, const char *path, const char *type)
{
	json_t *types = json_object_get(fields, path);

	if (!types) {
		types = json_object();
		json_object_set_new(fields, path, types);
	}
	json_object_set_new(types, type, json_true());
}

static const char *type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
		return "integer";
	case JSON_REAL:
		return "number";
	case JSON_NULL:
		return "null";
	default:
		return "boolean";
	}
}

static void note_all(json_t *fields, json_t *value, const char *path)
{
	char longer[200];
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_object(value)) {
		json_object_foreach (value, key, inner) {
			snprintf(longer, sizeof(longer), "%s%s%s", path, *path ? "." : "", key);
			note_all(fields, inner, longer);
		}
	} else if (json_is_array(value)) {
		json_array_foreach (value, i, inner) {
			snprintf(longer, sizeof(longer), "%s[]", path);
			note_all(fields, inner, longer);
		}
	} else {
		note(fields, path, type_of(value));
	}
}

/* "a.{b,c}" is "a.b" and "a.c". */
static void note_expanded(json_t *fields, const char *path, const char *types)
{
	const char *open = strchr(path, '{'), *close = strchr(path, '}');
	char one[200], type[20];

	if (!open) {
		for (const char *at = types; sscanf(at, "%19s", type) == 1; at = strstr(at, type) + strlen(type)) {
			if (strcmp(type, "or"))
				note(fields, path, type);
		}
		return;
	}
	assert_non_null(close);
	for (const char *at = open + 1; at < close; at += strcspn(at, ",}") + 1) {
		snprintf(one, sizeof(one), "%.*s%.*s%s", (int)(open - path), path, (int)strcspn(at, ",}"), at,
			close + 1);
		note_expanded(fields, one, types);
	}
}

/* The table below a heading of docs/api.md. */
static json_t *documented(const char *heading)
{
	const char *tests = getenv("HOSTMETER_TESTS");
	char path[4096], line[400], field[200], types[100];
	json_t *fields = json_object();
	bool inside = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/../docs/api.md", tests ? tests : "tests");
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s: run from the top of the tree, or set HOSTMETER_TESTS", path);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "## ", 3))
			inside = !strncmp(line + 3, heading, strlen(heading));
		if (inside && sscanf(line, "| `%199[^`]` | %99[^|] |", field, types) == 2 &&
			strchr("binsu", types[0]) &&
			(strstr(types, "integer") || strstr(types, "number") || strstr(types, "string") ||
				strstr(types, "boolean")) &&
			!strchr(field, '-'))
			note_expanded(fields, field, types);
	}
	fclose(file);
	return fields;
}

static void compare(json_t *here, json_t *there, const char *where)
{
	const char *path, *type;
	json_t *types, *ignored;

	json_object_foreach (here, path, types) {
		json_object_foreach (types, type, ignored) {
			if (!json_object_get(json_object_get(there, path), type))
				fail_msg("%s: %s is not in %s", path, type, where);
		}
	}
}

static void check_documented(const char *heading, void (*render)(struct buf *out, const struct snapshot *snapshot),
	size_t least)
{
	struct snapshot_host nobody = { .label = "nobody" };
	struct snapshot full = snapshots_full(), empty = { .host = &nobody, .hosts = 1, .now = S };
	json_t *want = documented(heading), *got = json_object(), *value;

	value = parse(render, &full);
	note_all(got, value, "");
	json_decref(value);
	value = parse(render, &empty);
	note_all(got, value, "");
	json_decref(value);
	assert_in_range(json_object_size(got), least, 1000);
	compare(got, want, "docs/api.md");
	compare(want, got, "the program's answers");
	json_decref(want);
	json_decref(got);
}

static void the_hosts_are_as_documented(void **state)
{
	(void)state;
	check_documented("GET /api/v1/hosts", api_hosts, 27);
}

static void the_status_is_as_documented(void **state)
{
	(void)state;
	check_documented("GET /api/v1/status", api_status, 68);
}

/* --- Values */

/* "wan.4.in.bytes", "addresses.0". */
static json_t *at(json_t *value, const char *path)
{
	char copy[100], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save))
		value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10)) :
					       json_object_get(value, key);
	if (!value)
		fail_msg("there is no %s", path);
	return value;
}

static void check_numbers(json_t *value, const char *const *paths, const json_int_t *want, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (json_integer_value(at(value, paths[i])) != want[i])
			fail_msg("%s is %lld", paths[i], (long long)json_integer_value(at(value, paths[i])));
	}
}

static void hosts_have_their_counts_and_addresses(void **state)
{
	static const char *const paths[] = { "schema", "hosts.1.wan.4.in.bytes", "hosts.1.wan.4.out.packets",
		"hosts.1.wan.6.in.packets", "hosts.1.wan.6.out.bytes", "hosts.1.local.4.in.bytes",
		"hosts.1.local.6.out.packets", "hosts.1.connections.4", "hosts.2.connections.6" };
	static const json_int_t want[] = { 1, 110000, 113, 115, 116000, 150000, 157, 3, 6 };
	struct snapshot snapshot = snapshots_full();
	json_t *value = parse(api_hosts, &snapshot);

	(void)state;
	check_numbers(value, paths, want, sizeof(want) / sizeof(want[0]));
	assert_int_equal(json_array_size(at(value, "hosts")), 3);
	assert_string_equal(json_string_value(at(value, "hosts.1.mac")), DESKTOP);
	assert_true(json_is_null(at(value, "hosts.0.mac")));
	assert_int_equal(json_array_size(at(value, "hosts.0.addresses")), 0);
	assert_int_equal(json_array_size(at(value, "hosts.1.addresses")), 2);
	assert_string_equal(json_string_value(at(value, "hosts.1.addresses.0")), "192.168.7.2");
	assert_string_equal(json_string_value(at(value, "hosts.1.addresses.1")), "2001:db8::7");
	assert_string_equal(json_string_value(at(value, "hosts.2.addresses.0")), "10.9.0.7");
	/* 900 and 10 seconds before the snapshot. */
	assert_true(json_real_value(at(value, "hosts.1.first_seen")) == 1699999100);
	assert_true(json_real_value(at(value, "hosts.1.last_seen")) == 1699999990);
	assert_true(json_is_null(at(value, "hosts.0.last_seen")));
	json_decref(value);
}

static void large_counters_keep_every_digit(void **state)
{
	struct snapshot snapshot = snapshots_full();
	json_t *value;

	(void)state;
	snapshot.host[1].wan.of[TRAFFIC_IPV6][TRAFFIC_IN].bytes = (UINT64_C(1) << 53) + 1;
	snapshot.host[1].wan.of[TRAFFIC_IPV6][TRAFFIC_OUT].bytes = UINT64_MAX;
	value = parse(api_hosts, &snapshot);
	assert_true(json_integer_value(at(value, "hosts.1.wan.6.in.bytes")) == 9007199254740993);
	assert_true(json_integer_value(at(value, "hosts.1.wan.6.out.bytes")) == INT64_MAX);
	json_decref(value);
}

static void hostile_names_stay_strings(void **state)
{
	static const char *const names[] = { "a\",\"mac\":\"b", "\\", "\n\x1b[31m", "</script>", "Kühlschrank" };
	struct snapshot snapshot = snapshots_full();
	json_t *value;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		strcpy(snapshot.host[1].label, names[i]);
		value = parse(api_hosts, &snapshot);
		assert_string_equal(json_string_value(at(value, "hosts.1.host")), names[i]);
		json_decref(value);
	}
	/* No UTF-8 is no reason for no page. */
	strcpy(snapshot.host[1].label, "\xff\xfe");
	value = parse(api_hosts, &snapshot);
	assert_string_equal(json_string_value(at(value, "hosts.1.host")), "?");
	json_decref(value);
}

static void status_has_its_numbers(void **state)
{
	static const char *const paths[] = { "hosts", "flows.live", "flows.without_counters", "attributed.nflog",
		"conntrack.limit", "sources.2.overruns", "interfaces.0.tx.packets", "wan.1.unseen.tx.bytes",
		"wan.1.link_header_bytes.rx", "incomplete.counter_resets", "incomplete.flows_ended",
		"incomplete.flows_ended_unseen", "incomplete.first_packets_lost", "incomplete.reliable_switched_off",
		"sources.1.receive_buffer_asked_bytes", "nflog_group" };
	static const json_int_t want[] = { 3, 51, 53, 37, 73, 17, 204, 843, 851, 42, 33, 44, 47, 71, 84, 87 };
	struct snapshot snapshot = snapshots_full();
	json_t *value = parse(api_status, &snapshot);

	(void)state;
	check_numbers(value, paths, want, sizeof(want) / sizeof(want[0]));
	assert_int_equal(json_array_size(at(value, "interfaces")), 3);
	assert_true(json_integer_value(at(value, "interfaces.1.tx.packets")) == INT64_MAX);
	assert_string_equal(json_string_value(at(value, "interfaces.0.side")), "wan");
	assert_string_equal(json_string_value(at(value, "listen.1")), "[::1]:10061");
	assert_string_equal(json_string_value(at(value, "names.1.path")), "/etc/hosts");
	assert_string_equal(json_string_value(at(value, "names.1.error")), "Permission denied");
	assert_true(json_real_value(at(value, "uptime_seconds")) == 82);
	assert_true(json_real_value(at(value, "dump.age_seconds")) == 2.5);
	assert_true(json_is_true(at(value, "clock_set")));
	json_decref(value);
	/* The clock was set back to 1970. */
	snapshot.process.real_ns = 5 * UINT64_C(1000000000);
	snapshot.process.clock_set = false;
	value = parse(api_status, &snapshot);
	assert_true(json_real_value(at(value, "uptime_seconds")) == 82);
	assert_true(json_is_false(at(value, "clock_set")));
	json_decref(value);
}

/* --- Warnings */

static bool warns(const struct snapshot *snapshot, const char *id)
{
	json_t *value = parse(api_status, snapshot), *warning;
	bool found = false;
	size_t i;

	json_array_foreach (at(value, "warnings"), i, warning)
		found |= !strcmp(json_string_value(at(warning, "id")), id);
	json_decref(value);
	return found;
}

static struct snapshot all_is_well(void)
{
	struct snapshot s = snapshots_full();

	s.flows_uncounted = s.flows_offloaded = s.process.checkpoint_failures = s.process.checkpoint_damages =
		s.stats.hosts_folded = 0;
	s.interfaces_missing = s.process.waitings = 0;
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		s.source[source] = (struct snapshot_source){ .up = true };
	return s;
}

static void warnings_have_causes(void **state)
{
	struct snapshot s = all_is_well();
	json_t *value = parse(api_status, &s);

	(void)state;
	assert_int_equal(json_array_size(at(value, "warnings")), 0);
	json_decref(value);
	s.source[SOURCE_NFLOG].up = false;
	assert_true(warns(&s, "source-down"));
	s = all_is_well();
	s.source[SOURCE_EVENTS].overruns = 1;
	assert_true(warns(&s, "overruns"));
	s = all_is_well();
	s.flows_uncounted = 1;
	assert_true(warns(&s, "flows-without-counters"));
	assert_false(warns(&s, "accounting-off"));
	s.flows_uncounted = s.flows;
	assert_false(warns(&s, "flows-without-counters"));
	assert_true(warns(&s, "accounting-off"));
	s = all_is_well();
	s.stats.unsighted = 4;
	assert_false(warns(&s, "no-rules"));
	s.stats.unsighted = 5;
	assert_true(warns(&s, "no-rules"));
	s.source[SOURCE_NFLOG].up = false; /* that is told already */
	assert_false(warns(&s, "no-rules"));
	s = all_is_well();
	s.flows_offloaded = 1;
	assert_true(warns(&s, "offloaded-flows"));
	s = all_is_well();
	s.process.reliable = false;
	assert_true(warns(&s, "unreliable-ends"));
	s = all_is_well();
	s.last_dump_end = s.now - 40 * S;
	assert_false(warns(&s, "stale-dump"));
	s.last_dump_end -= 1;
	assert_true(warns(&s, "stale-dump"));
	s = all_is_well();
	s.process.checkpoint_failures = 1;
	assert_true(warns(&s, "checkpoint-failed"));
	s.process.checkpoint_damages = 1;
	assert_true(warns(&s, "checkpoint-damaged"));
	s = all_is_well();
	s.interfaces_missing = 1;
	assert_true(warns(&s, "interface-missing"));
	s = all_is_well();
	s.process.waitings = 1;
	assert_true(warns(&s, "listen-waiting"));
	s = all_is_well();
	s.stats.hosts_folded = 1;
	assert_true(warns(&s, "hosts-folded"));
	assert_false(warns(&s, "transparent-proxy"));
	s.proxied = true;
	assert_true(warns(&s, "transparent-proxy"));
}

static void one_missing_allocation_is_told(void **state)
{
	struct buf out = { .error = -12 };
	struct snapshot snapshot = snapshots_full();

	(void)state;
	api_hosts(&out, &snapshot);
	assert_int_equal(out.error, -12);
	api_status(&out, &snapshot);
	assert_int_equal(out.error, -12);
	assert_int_equal(out.len, 0);
}

/* Piece by piece it is the same document. */
static void hosts_in_pieces(void **state)
{
	struct snapshot snapshot = snapshots_full();
	struct buf whole = BUF_INIT, out = BUF_INIT;
	struct cursor cursor = { 0 };
	size_t pieces = 1;

	(void)state;
	api_hosts(&whole, &snapshot);
	while (api_hosts_some(&out, &snapshot, true, &cursor, out.len + 1))
		pieces++;
	assert_int_equal(pieces, snapshot.hosts);
	assert_int_equal(out.len, whole.len);
	assert_memory_equal(out.data, whole.data, whole.len);
	buf_free(&whole);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hosts_are_as_documented),
		cmocka_unit_test(the_status_is_as_documented),
		cmocka_unit_test(hosts_have_their_counts_and_addresses),
		cmocka_unit_test(hosts_in_pieces),
		cmocka_unit_test(large_counters_keep_every_digit),
		cmocka_unit_test(hostile_names_stay_strings),
		cmocka_unit_test(status_has_its_numbers),
		cmocka_unit_test(warnings_have_causes),
		cmocka_unit_test(one_missing_allocation_is_told),
	};

	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
