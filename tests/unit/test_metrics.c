/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/metrics.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

/* --- A page */

/* No two numbers alike, so that two that changed places show. */
static void fill_counts(struct host_count counts[HOST_FAMILIES][2], uint64_t first)
{
	for (int ipv = 0; ipv < HOST_FAMILIES; ipv++)
		for (int direction = 0; direction < 2; direction++, first += 2)
			counts[ipv][direction] = (struct host_count){ .bytes = first * 1000, .packets = first + 1 };
}

static struct snapshot_host hosts[] = {
	{ .label = "router", .connections = { 1, 2 } },
	{ .label = "desktop", .mac = DESKTOP, .connections = { 3, 4 } },
	{ .label = "10.9.0.7", .connections = { 5, 6 } },
};

static struct topology_link links[] = {
	{ 1, "lo", SIDE_NONE, false, true, true, 1, 2, 3, 4 },
	{ 2, "wan0", SIDE_WAN, false, true, true, 201, 202, 203, 204 },
	{ 3, "br-lan", SIDE_LAN, false, true, true, 301, 302, 303, UINT64_MAX },
	{ 4, "eth1", SIDE_OTHER, true, true, true, 401, 402, 403, 404 },
	{ 5, "dmz", SIDE_OTHER, false, true, true, 501, 502, 503, 504 },
	{ 6, "wg0", SIDE_LAN, false, false, false, 601, 602, 603, 604 },
};

static struct wan_link wans[] = {
	{ .count = { [WAN_UNKNOWN] = { { 801, 802 }, { 803, 804 } } } }, /* which WAN is not known */
	{ .ifindex = 2,
		.name = "wan0",
		.count = { [WAN_ATTRIBUTED] = { { 811, 812 }, { 813, 814 } },
			[WAN_ROUTER] = { { 821, 822 }, { 823, 824 } },
			[WAN_UNKNOWN] = { { 831, 832 }, { 833, 834 } },
			[WAN_UNSEEN] = { { 841, 842 }, { 843, 844 } } },
		.header_bytes = { 851, 852 } },
};

static struct snapshot make_snapshot(void)
{
	struct snapshot s = {
		.host = hosts,
		.hosts = sizeof(hosts) / sizeof(hosts[0]),
		.link = links,
		.links = sizeof(links) / sizeof(links[0]),
		.wan = wans,
		.wans = sizeof(wans) / sizeof(wans[0]),
		.source = {
			[SOURCE_EVENTS] = { .up = true, .overruns = 11, .messages = 12, .receive_buffer = 13 },
			[SOURCE_DUMP] = { .up = true, .overruns = 14, .messages = 15, .receive_buffer = 16 },
			[SOURCE_NFLOG] = { .up = false, .overruns = 17, .messages = 18, .receive_buffer = 19 },
			[SOURCE_RTNL] = { .up = true, .overruns = 20, .messages = 21, .receive_buffer = 22 },
		},
		.stats = { .dumps = 31, .dumps_incomplete = 32, .destroys = 33, .entries = 34, .sightings = 35,
			.attributed = { 36, 37, 38, 39, 40 }, .duplicates = 41, .counter_resets = 42, .baselined = 43,
			.ended_unseen = 44, .ended_uncounted = 45, .ended_before_first_dump = 46, .sightings_lost = 47,
			.flows_refused = 48, .hosts_folded = 49, .damaged = 50 },
		.process = { .running = true, .reliable = true, .reliable_losses = 71, .conntrack_entries = 72,
			.conntrack_limit = 73, .dump_interval_ns = 10 * S, .dump_cost_ns = 74 * S / 1000,
			.stall_ns = 75 * S / 1000, .checkpoint_age_ns = 3 * S / 2, .checkpoint_failures = 76 },
		.flows = 51, .flows_undecided = 52, .flows_uncounted = 53, .flows_offloaded = 54,
		.pending_sightings = 55, .waiting_ends = 56, .tombstones = 57, .neighbours = 58, .memory = 59,
		.ready = true, .now = 1000 * S, .last_dump_end = 997 * S + S / 2, .last_dump_ns = 123456789,
	};

	for (size_t i = 0; i < s.hosts; i++) {
		fill_counts(hosts[i].wan, 100 * i + 10);
		fill_counts(hosts[i].local, 100 * i + 50);
	}
	return s;
}

static char *render(const struct snapshot *snapshot)
{
	struct buf out = BUF_INIT;

	metrics_render(&out, snapshot);
	buf_putc(&out, '\0');
	assert_int_equal(out.error, 0);
	return out.data;
}

/* --- What it should look like */

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 16);

	assert_non_null(text);
	if (!file)
		fail_msg("cannot open %s: run from the top of the tree, or set HOSTMETER_TESTS", path);
	assert_in_range(fread(text, 1, (1 << 16) - 1, file), 1, (1 << 16) - 2);
	fclose(file);
	return text;
}

static size_t line_length(const char *text)
{
	return strcspn(text, "\n");
}

/* To make the file anew: UPDATE_GOLDEN=1. The test fails then all the same, so that nobody leaves it set. */
static void write_golden(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	fail_msg("%s is written anew: look at what changed", path);
}

static void a_page_equals_the_golden_one(void **state)
{
	const char *tests = getenv("HOSTMETER_TESTS");
	struct snapshot snapshot = make_snapshot();
	char *page = render(&snapshot), *golden, *got = page, *want;
	char path[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/unit/golden/metrics.txt", tests ? tests : "tests");
	if (getenv("UPDATE_GOLDEN"))
		write_golden(path, page);
	want = golden = read_whole(path);
	for (int line = 1; *got || *want; line++) {
		size_t got_len = line_length(got), want_len = line_length(want);

		if (got_len != want_len || memcmp(got, want, got_len))
			fail_msg("%s:%d is\n\t%.*s\nbut the page says\n\t%.*s", path, line, (int)want_len, want,
				(int)got_len, got);
		got += got_len + (got[got_len] == '\n');
		want += want_len + (want[want_len] == '\n');
	}
	assert_string_equal(page, golden);
	free(page);
	free(golden);
}

/* --- What the format demands */

static int count_of(const char *page, const char *text)
{
	int count = 0;

	for (const char *at = page; (at = strstr(at, text)); at++)
		count++;
	return count;
}

/* The name that a line is about: "# HELP name …", "# TYPE name …", "name{…", "name value". */
static void name_of(const char *line, char name[static 100])
{
	const char *at = *line == '#' ? line + 7 : line;
	size_t len = strcspn(at, " {\n");

	assert_in_range(len, 1, 99);
	memcpy(name, at, len);
	name[len] = '\0';
}

static void every_family_has_help_and_type_once(void **state)
{
	struct snapshot snapshot = make_snapshot();
	char *page = render(&snapshot), name[100], family[100] = "", text[140];
	int families = 0;

	(void)state;
	for (const char *line = page; *line; line += line_length(line) + 1) {
		name_of(line, name);
		if (!strncmp(line, "# HELP ", 7)) {
			snprintf(text, sizeof(text), "# HELP %s ", name);
			assert_int_equal(count_of(page, text), 1);
			snprintf(text, sizeof(text), "\n# TYPE %s ", name);
			assert_int_equal(count_of(page, text), 1);
			strcpy(family, name);
			families++;
		}
		/* All lines of a family stand together, HELP and TYPE first. */
		assert_string_equal(name, family);
		if (!strncmp(line, "# TYPE ", 7)) {
			bool total = strlen(name) > 6 && !strcmp(name + strlen(name) - 6, "_total");
			const char *type = total ? " counter\n" : " gauge\n";

			assert_memory_equal(line + 7 + strlen(name), type, strlen(type));
		}
	}
	assert_in_range(families, 30, 200);
	assert_int_equal(page[strlen(page) - 1], '\n');
	free(page);
}

static void hostile_labels_are_escaped(void **state)
{
	static const struct {
		const char *label, *want;
	} cases[] = {
		{ "a\"} 1\nhost_bytes_total{host=\"b", "a\\\"} 1\\nhost_bytes_total{host=\\\"b" },
		{ "\\", "\\\\" },
		{ "\\\"\n", "\\\\\\\"\\n" },
		{ "", "" },
		{ "Kühlschrank \xf0\x9f\xa7\x8a", "Kühlschrank \xf0\x9f\xa7\x8a" },
		{ "{},= #", "{},= #" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot_host host = { .mac = LAPTOP };
		struct snapshot snapshot = { .host = &host, .hosts = 1 };
		char want[200], *page;

		strcpy(host.label, cases[i].label);
		snprintf(want, sizeof(want), "\nhost_connections{host=\"%s\",mac=\"" LAPTOP "\",ipv=\"6\"} 0\n",
			cases[i].want);
		page = render(&snapshot);
		assert_non_null(strstr(page, want));
		free(page);
	}
}

/* Before the first dump there is no age; where nothing runs there is no checkpoint. */
static void what_is_not_known_is_not_said(void **state)
{
	struct snapshot snapshot = make_snapshot();
	char *page;

	(void)state;
	snapshot.last_dump_end = 0;
	snapshot.ready = false;
	page = render(&snapshot);
	assert_null(strstr(page, "\nhostmeter_last_dump_age_seconds "));
	assert_non_null(strstr(page, "\nhostmeter_ready 0\n"));
	free(page);
}

static void one_missing_allocation_is_told(void **state)
{
	struct buf out = { .error = -12 };
	struct snapshot snapshot = make_snapshot();

	(void)state;
	metrics_render(&out, &snapshot);
	assert_int_equal(out.error, -12);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_equals_the_golden_one),
		cmocka_unit_test(every_family_has_help_and_type_once),
		cmocka_unit_test(hostile_labels_are_escaped),
		cmocka_unit_test(what_is_not_known_is_not_said),
		cmocka_unit_test(one_missing_allocation_is_told),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
