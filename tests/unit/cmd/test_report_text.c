/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports lie in golden/report, with what they look like beside them; UPDATE_GOLDEN=1 writes that anew: look at it
 * before you keep it.
 */
#include "report_text.h"

#include "hostmeter/base/utf8.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

static void golden_path(char path[static 256], const char *name)
{
	const char *tests = getenv("HOSTMETER_TESTS");

	snprintf(path, 256, "%s/unit/golden/report/%s", tests ? tests : "tests", name);
}

static json_t *report(const char *name)
{
	char path[256], file[64];
	json_error_t error;
	json_t *document;

	snprintf(file, sizeof(file), "%s.json", name);
	golden_path(path, file);
	document = json_load_file(path, JSON_ALLOW_NUL, &error);
	if (!document)
		fail_msg("%s: %s", path, error.text);
	return document;
}

static void check_golden(struct buf *out, const char *name)
{
	static char golden[65536];
	char path[256];
	size_t len;
	FILE *file;

	golden_path(path, name);
	if (getenv("UPDATE_GOLDEN")) {
		file = fopen(path, "w");
		assert_non_null(file);
		assert_int_equal(fwrite(out->data, 1, out->len, file), out->len);
		fclose(file);
	}
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s is missing", path);
	len = fread(golden, 1, sizeof(golden) - 1, file);
	golden[len] = '\0';
	fclose(file);
	assert_string_equal(buf_text(out), golden);
}

/* Cells of a line, as the C library counts them. */
static int cells_of(const char *line, size_t len)
{
	wchar_t wide[2048];
	char copy[8192];
	int cells;

	assert_true(len < sizeof(copy));
	memcpy(copy, line, len);
	copy[len] = '\0';
	if (mbstowcs(wide, copy, 2048) >= 2048)
		fail_msg("no text of this locale: %s", copy);
	cells = wcswidth(wide, 2048);
	assert_true(cells >= 0); /* nothing that is not printed */
	return cells;
}

/* No line is wider than the page, ends with a space, or has what controls a terminal. */
static void check_lines(struct buf *out, const struct report_style *style)
{
	const char *end;

	for (const char *line = buf_text(out); *line; line = end + 1) {
		int width = style->width < 40 ? 40 : style->width;

		end = strchr(line, '\n');
		assert_non_null(end);
		if (cells_of(line, (size_t)(end - line)) > width)
			fail_msg("wider than %d: %.*s", width, (int)(end - line), line);
		assert_true(end == line || end[-1] != ' ');
		for (const char *at = line; at < end && !style->utf8; at++)
			assert_true(*at >= ' ' && *at <= '~');
	}
}

static void tables_equal_the_golden_ones(void **state)
{
	static const char *const names[] = { "devices", "groups", "wan", "hours", "nothing", "hostile" };
	static const struct report_style styles[] = { { 40, true }, { 80, true }, { 120, true }, { 80, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *document = report(names[i]);

		for (size_t s = 0; s < sizeof(styles) / sizeof(styles[0]); s++) {
			struct buf out = BUF_INIT;
			char name[64];

			report_text(&out, document, &styles[s]);
			snprintf(name, sizeof(name), "%s-%d%s.txt", names[i], styles[s].width,
				styles[s].utf8 ? "" : "-ascii");
			check_lines(&out, &styles[s]);
			check_golden(&out, name);
			buf_free(&out);
		}
		json_decref(document);
	}
}

static void no_line_is_wider_than_the_page(void **state)
{
	static const char *const names[] = { "devices", "groups", "wan", "hours", "nothing", "hostile" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *document = report(names[i]);

		for (int width = -1; width < 300; width++) {
			const struct report_style style = { width, width % 3 != 0 };
			struct buf out = BUF_INIT;

			report_text(&out, document, &style);
			check_lines(&out, &style);
			buf_free(&out);
		}
		json_decref(document);
	}
}

static void amounts_and_shares(void **state)
{
	static const struct {
		uint64_t in, of;
		const char *amount, *share;
	} cases[] = { { 0, 1000, " 0 B ", " 0.0%" }, { 999, 1000, " 999 B ", " 99.9%" },
		{ 1000, 1000, " 1.00 kB ", "100.0%" }, { 999994, 2000000, " 999.99 kB ", " 50.0%" },
		{ 999995, 2000000, " 1.00 MB ", " 50.0%" }, { 4, 10000, " 4 B ", " <0.1%" },
		{ 6, 10000, " 6 B ", " 0.1%" }, { INT64_MAX, INT64_MAX, " 9.22 EB ", "100.0%" },
		{ 3, 2, " 3 B ", "100.0%" }, { 1, 0, " 1 B ", " -" } };
	const struct report_style style = { 40, true };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *document = json_pack("{s:s,s:[{s:s,s:I}],s:{s:I}}", "by", "device", "rows", "device", "tv",
			"in_bytes", (json_int_t)cases[i].in, "total", "in_bytes", (json_int_t)cases[i].of);
		struct buf out = BUF_INIT;
		const char *line;

		assert_non_null(document);
		report_text(&out, document, &style);
		line = strstr(buf_text(&out), "\ntv");
		assert_non_null(line);
		*strchr(line + 1, '\n') = '\0';
		if (!strstr(line, cases[i].amount) || !strstr(line, cases[i].share))
			fail_msg("\"%s\" has not \"%s\" and \"%s\"", line + 1, cases[i].amount, cases[i].share);
		buf_free(&out);
		json_decref(document);
	}
}

static void a_name_that_is_cut_keeps_its_mark(void **state)
{
	static char name[1000];
	const struct report_style style = { 40, true };
	struct buf out = BUF_INIT;
	json_t *document;

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(name + i, "警", 3);
	document = json_pack("{s:s,s:[{s:s,s:b}]}", "by", "device", "rows", "device", name, "random_mac", 1);
	report_text(&out, document, &style);
	check_lines(&out, &style);
	assert_non_null(strstr(buf_text(&out), "\n警警警警警警警警警… *        0 B       -\n"));
	buf_free(&out);
	json_decref(document);
}

static void csv_equals_the_golden_one(void **state)
{
	static const char *const names[] = { "csv", "groups", "wan", "hours", "nothing" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *document = report(names[i]);
		struct buf out = BUF_INIT;
		char name[64];

		report_csv(&out, document);
		snprintf(name, sizeof(name), "%s.csv", names[i]);
		check_golden(&out, name);
		buf_free(&out);
		json_decref(document);
	}
}

static int use_utf8(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_equal_the_golden_ones),
		cmocka_unit_test(no_line_is_wider_than_the_page),
		cmocka_unit_test(amounts_and_shares),
		cmocka_unit_test(a_name_that_is_cut_keeps_its_mark),
		cmocka_unit_test(csv_equals_the_golden_one),
	};

	return cmocka_run_group_tests(tests, use_utf8, NULL);
}
