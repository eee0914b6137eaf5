/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/frame.h"

#include <locale.h>

#include "watch_samples.h"

static void assert_put(bool utf8, int width, const char *text, const char *expected, int used)
{
	struct watch_frame frame = { 0 };
	struct buf out = BUF_INIT;

	assert_int_equal(watch_frame_begin(&frame, 20, 2, utf8), 0);
	assert_int_equal(watch_frame_put(&frame, 0, 1, width, WATCH_STYLE_PLAIN, text), used);
	assert_whole(&frame);
	watch_frame_row(&frame, 1, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
	watch_frame_free(&frame);
}

static void text_fills_its_cells(void **state)
{
	(void)state;
	assert_put(true, 20, "abc", "abc", 3);
	assert_put(true, 3, "abc", "abc", 3);
	assert_put(true, 3, "abcd", "ab…", 3);
	assert_put(false, 3, "abcd", "ab~", 3);
	assert_put(true, 0, "abcd", "", 0);
	assert_put(true, 20, "東京", "東京", 4);
	assert_put(true, 4, "東京", "東京", 4);
	assert_put(true, 3, "東京", "東…", 3);
	assert_put(true, 4, "東京x", "東…", 3); /* a wide one is not halved */
	assert_put(false, 20, "東京", "??", 2);
	assert_put(true, 20, "e\xcc\x81t", "e\xcc\x81t", 2);
	assert_put(true, 20, "\xcc\x81t", "t", 1); /* nothing to combine with */
	assert_put(true, 20,
		"a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
		"b",
		"a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
		"b",
		2);
	assert_put(true, 20, "a\033[31m\rb\n\t", "a?[31m?b??", 10);
	assert_put(true, 20, "\xff\xc3(\xed\xa0\x80\xc0\xaf",
		"?"
		"?(?????",
		8);
	assert_put(true, 20, "\xe2\x80\xaexe", "?xe", 3); /* turns round what follows */
	assert_put(true, 20, "a\xe2\x80\x8dz", "a?z", 3); /* joins */
	assert_put(true, 20,
		"\xc2\x9b"
		"31m",
		"?31m", 4);                                                /* a control character of C1 */
	assert_put(true, 20, "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", "??", 2); /* a flag */
	assert_put(true, 20, "cut\xe2\x82", "cut??", 5);
}

/* A wide character of which half is overwritten leaves a blank, never half of itself. */
static void half_a_wide_character_is_blank(void **state)
{
	static const struct {
		int x, width;
		const char *text, *expected;
	} cases[] = {
		{ 0, 1, "a", "a 京都" },
		{ 1, 1, "a", " a京都" },
		{ 0, 3, "abc", "abc 都" },
		{ 1, 2, "大", " 大 都" },
		{ 0, 3, "大阪", "大… 都" },
		{ 1, 2, "abc", " a… 都" },
		{ 4, 2, "大", "東京大" },
	};
	struct watch_frame frame = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT;

		assert_int_equal(watch_frame_begin(&frame, 6, 1, true), 0);
		assert_int_equal(watch_frame_put(&frame, 0, 0, 6, WATCH_STYLE_PLAIN, "東京都"), 6);
		watch_frame_put(&frame, cases[i].x, 0, cases[i].width, WATCH_STYLE_PLAIN, cases[i].text);
		assert_whole(&frame);
		watch_frame_row(&frame, 0, &out);
		assert_string_equal(buf_text(&out), cases[i].expected);
		buf_free(&out);
	}
	watch_frame_free(&frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_fills_its_cells),
		cmocka_unit_test(half_a_wide_character_is_blank),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
