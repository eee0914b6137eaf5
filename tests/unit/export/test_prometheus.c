/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/prometheus.h"

#include "snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char *render(const struct snapshot *snapshot, enum prometheus_format format)
{
	struct buf out = BUF_INIT;

	prometheus_render(&out, snapshot, format);
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

static void check_golden(const char *name, enum prometheus_format format)
{
	const char *tests = getenv("HOSTMETER_TESTS");
	struct snapshot snapshot = snapshots_full();
	char *page = render(&snapshot, format), *golden, *got = page, *want;
	char path[4096];

	snprintf(path, sizeof(path), "%s/unit/golden/%s", tests ? tests : "tests", name);
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

static void a_page_equals_the_golden_one(void **state)
{
	(void)state;
	check_golden("metrics.txt", PROMETHEUS_TEXT);
}

static void an_openmetrics_page_equals_the_golden_one(void **state)
{
	(void)state;
	check_golden("metrics.openmetrics", PROMETHEUS_OPENMETRICS);
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
	struct snapshot snapshot = snapshots_full();
	char *page = render(&snapshot, PROMETHEUS_TEXT), name[100], family[100] = "", text[140];
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

static bool ends_in(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

/* OpenMetrics 1.0: a sample is its family and the suffix of its type; units stand in the name; nothing behind "# EOF".
 */
static void openmetrics_has_families_types_and_units(void **state)
{
	static const char *const units[] = { "bytes", "seconds" };
	struct snapshot snapshot = snapshots_full();
	char *page = render(&snapshot, PROMETHEUS_OPENMETRICS), family[100] = "", type[20] = "", unit[20] = "",
	     want[200], name[100];
	int samples = 0, infos = 0, with_unit = 0;

	(void)state;
	assert_true(ends_in(page, "\n# EOF\n"));
	assert_int_equal(count_of(page, "# EOF"), 1);
	page[strlen(page) - strlen("# EOF\n")] = '\0';
	for (const char *line = page; *line; line += line_length(line) + 1) {
		if (!strncmp(line, "# HELP ", 7)) {
			assert_int_equal(sscanf(line, "# HELP %99s ", family), 1);
			assert_null(memchr(line, '"', line_length(line)));
			assert_null(memchr(line, '\\', line_length(line)));
			assert_false(ends_in(family, "_total") || ends_in(family, "_info"));
			unit[0] = '\0';
			continue;
		}
		if (!strncmp(line, "# TYPE ", 7)) {
			assert_int_equal(sscanf(line, "# TYPE %99s %19s", name, type), 2);
			assert_string_equal(name, family);
			continue;
		}
		if (!strncmp(line, "# UNIT ", 7)) {
			assert_int_equal(sscanf(line, "# UNIT %99s %19s", name, unit), 2);
			assert_string_equal(name, family);
			with_unit++;
			continue;
		}
		name_of(line, name);
		snprintf(want, sizeof(want), "%s%s", family,
			!strcmp(type, "counter")      ? "_total" :
				!strcmp(type, "info") ? "_info" :
							"");
		assert_string_equal(name, want);
		for (int i = 0; i < 2; i++) {
			snprintf(want, sizeof(want), "_%s", units[i]);
			assert_int_equal(ends_in(family, want), !strcmp(unit, units[i]));
		}
		samples++;
		infos += !strcmp(type, "info");
	}
	assert_in_range(samples, 60, 1000);
	assert_in_range(with_unit, 10, 100);
	assert_int_equal(infos, 7); /* the build, three interfaces and three hosts */
	free(page);
}

static void both_formats_have_the_same_samples(void **state)
{
	struct snapshot snapshot = snapshots_full();
	char *text = render(&snapshot, PROMETHEUS_TEXT), *open = render(&snapshot, PROMETHEUS_OPENMETRICS);
	const char *a = text, *b = open;

	(void)state;
	for (;;) {
		while (*a == '#')
			a += line_length(a) + 1;
		while (*b == '#')
			b += line_length(b) + 1;
		if (!*a || !*b)
			break;
		assert_int_equal(line_length(a), line_length(b));
		assert_memory_equal(a, b, line_length(a));
		a += line_length(a) + 1;
		b += line_length(b) + 1;
	}
	assert_int_equal(*a, '\0');
	assert_int_equal(*b, '\0');
	free(text);
	free(open);
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
		page = render(&snapshot, PROMETHEUS_TEXT);
		assert_non_null(strstr(page, want));
		free(page);
	}
}

/* Before the first dump there is no age; where nothing runs there is no checkpoint. */
static void what_is_not_known_is_not_said(void **state)
{
	struct snapshot snapshot = snapshots_full();
	char *page;

	(void)state;
	snapshot.last_dump_end = 0;
	snapshot.ready = false;
	snapshot.process = (struct snapshot_process){ .running = true, .checkpoint_age_ns = UINT64_MAX };
	page = render(&snapshot, PROMETHEUS_TEXT);
	assert_null(strstr(page, "\nhostmeter_last_dump_age_seconds "));
	assert_null(strstr(page, "\nhostmeter_checkpoint_age_seconds "));
	assert_null(strstr(page, "\nprocess_"));
	assert_non_null(strstr(page, "\n# TYPE process_open_fds gauge\n"));
	assert_non_null(strstr(page, "\nhostmeter_reliable 0\n"));
	assert_non_null(strstr(page, "\nhostmeter_ready 0\n"));
	free(page);
}

static void one_missing_allocation_is_told(void **state)
{
	struct buf out = { .error = -12 };
	struct snapshot snapshot = snapshots_full();

	(void)state;
	prometheus_render(&out, &snapshot, PROMETHEUS_TEXT);
	assert_int_equal(out.error, -12);
	assert_int_equal(out.len, 0);
}

/* Piece by piece, however small, it is the same page. */
static void pieces_make_the_page(void **state)
{
	static const size_t sizes[] = { 1, 100, 1000, 5000, 1 << 20 };
	struct snapshot snapshot = snapshots_full();

	(void)state;
	for (int format = 0; format < PROMETHEUS_FORMATS; format++) {
		char *whole = render(&snapshot, format);

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct buf out = BUF_INIT;
			struct cursor cursor = { 0 };
			size_t before, pieces = 0;
			bool more;

			do {
				before = out.len;
				more = prometheus_render_some(&out, &snapshot, format, &cursor, out.len + sizes[i]);
				assert_true(out.len > before);
				assert_true(out.len - before < sizes[i] + 2000); /* one host's samples, or one family */
				pieces++;
			} while (more);
			assert_int_equal(out.len, strlen(whole));
			assert_memory_equal(out.data, whole, out.len);
			assert_true(sizes[i] > 1000 || pieces > 3);
			buf_free(&out);
		}
		free(whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_equals_the_golden_one),
		cmocka_unit_test(an_openmetrics_page_equals_the_golden_one),
		cmocka_unit_test(openmetrics_has_families_types_and_units),
		cmocka_unit_test(both_formats_have_the_same_samples),
		cmocka_unit_test(every_family_has_help_and_type_once),
		cmocka_unit_test(hostile_labels_are_escaped),
		cmocka_unit_test(what_is_not_known_is_not_said),
		cmocka_unit_test(one_missing_allocation_is_told),
		cmocka_unit_test(pieces_make_the_page),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
