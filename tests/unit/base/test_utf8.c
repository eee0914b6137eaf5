/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void characters_are_told_from_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t len, size;
		uint32_t code;
	} cases[] = {
		{ "a", 1, 1, 'a' },
		{ "", 1, 1, 0 },
		{ "a", 0, 0, 0 },
		{ "\xc3\xa4", 2, 2, 0xe4 },
		{ "\xc3\xa4", 1, 0, 0 }, /* cut */
		{ "\xe2\x82\xac", 3, 3, 0x20ac },
		{ "\xf0\x9f\x93\xb1", 4, 4, 0x1f4f1 },
		{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
		{ "\xf4\x90\x80\x80", 4, 0, 0 }, /* above the last */
		{ "\xc0\xaf", 2, 0, 0 },         /* too long for '/' */
		{ "\xe0\x9f\xbf", 3, 0, 0 },
		{ "\xf0\x8f\xbf\xbf", 4, 0, 0 },
		{ "\xed\xa0\x80", 3, 0, 0 }, /* half of a surrogate pair */
		{ "\x80", 1, 0, 0 },
		{ "\xf8\x88\x80\x80\x80", 5, 0, 0 },
		{ "\xff", 1, 0, 0 },
		{ "\xc3"
		  "a",
			2, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t code = 0;

		assert_int_equal(utf8_char(cases[i].text, cases[i].len, &code), cases[i].size);
		if (cases[i].size)
			assert_int_equal(code, cases[i].code);
	}
}

static void text_is_made_harmless(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "desktop", "desktop" },
		{ "Anna's phone", "Anna's phone" },
		{ "  in the middle  ", "in the middle" },
		{ "", "" },
		{ "   ", "" },
		{ "a\nb\tc\x7f", "a_b_c_" },
		{ "\x1b[31mred", "_[31mred" },
		{ "say \"hi\\\"", "say _hi__" },
		{ "\xff\xfe", "__" },
		{ "caf\xc3\xa9 \xe2\x82", "caf\xc3\xa9 __" },
		{ "x\xe2\x80\xaegnp.exe", "x_gnp.exe" }, /* right-to-left override */
		{ "zero\xe2\x80\x8bwidth", "zero_width" },
		{ "c1\xc2\x9bm", "c1_m" }, /* the one-byte escape of some terminals */
		{ "\xf0\x9f\x93\xb1", "\xf0\x9f\x93\xb1" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = utf8_clean(out, sizeof(out), cases[i].text, strlen(cases[i].text), "\"\\");

		assert_string_equal(out, cases[i].expected);
		assert_int_equal(len, strlen(cases[i].expected));
	}
	assert_int_equal(utf8_clean(out, sizeof(out), "a\0b", 3, ""), 3);
	assert_string_equal(out, "a_b");
}

static void what_leaves_is_disarmed_in_place(void **state)
{
	static const struct {
		const char *text, *line, *lines; /* NULL: as line */
	} cases[] = {
		{ "plain ~ text", "plain ~ text", NULL },
		{ "", "", NULL },
		{ "k\xc3\xbc"
		  "che \xf0\x9f\x93\xb1 \xe2\x82\xac",
			"k\xc3\xbc"
			"che \xf0\x9f\x93\xb1 \xe2\x82\xac",
			NULL },
		{ "a\tb\nc\r\nd", "a?b?c??d", "a\tb\nc\r\nd" },
		{ "over\rwritten\r", "over?written?", "over?written?" },
		{ "\x1b]0;title\x07\x08\x7f", "?]0;title???", NULL },
		{ "csi \xc2\x9b"
		  "2J nel \xc2\x85 apc \xc2\x9f nbsp \xc2\xa0",
			"csi ?2J nel ? apc ? nbsp \xc2\xa0", NULL },
		{ "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", "???????",
			NULL },                                                                /* marks of direction */
		{ "\xe2\x80\x8b\xe2\x80\x8d\xe2\x81\xa0\xef\xbb\xbf\xc2\xad", "?????", NULL }, /* no width */
		{ "\xe2\x80\xa8\xe2\x80\xa9", "??", NULL },                                    /* line ends */
		{ "\x9b"
		  "31m\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80",
			"?31m??????????", NULL },
		{ "cut \xe2\x82", "cut ??", NULL },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int lines = 0; lines < 2; lines++) {
			const char *expected = lines && cases[i].lines ? cases[i].lines : cases[i].line;

			strcpy(text, cases[i].text);
			text[utf8_disarm(text, strlen(text), lines)] = '\0';
			assert_string_equal(text, expected);
		}
	}
	memcpy(text, "a\0b", 3);
	assert_int_equal(utf8_disarm(text, 3, true), 3);
	assert_memory_equal(text, "a?b", 3);
	assert_int_equal(utf8_disarm(NULL, 0, true), 0);
}

static void what_does_not_fit_is_cut_between_characters(void **state)
{
	static const char euros[] = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
	char out[16];

	(void)state;
	for (size_t size = 1; size <= sizeof(euros); size++) {
		memset(out, 'X', sizeof(out));
		assert_int_equal(utf8_clean(out, size, euros, strlen(euros), ""), (size - 1) / 3 * 3);
		assert_memory_equal(out, euros, (size - 1) / 3 * 3);
		assert_int_equal(out[(size - 1) / 3 * 3], '\0');
		assert_int_equal(out[size], 'X');
	}
	assert_int_equal(utf8_clean(out, 5, "abc def", 7, ""), 3); /* no space at the new end */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_told_from_bytes),
		cmocka_unit_test(text_is_made_harmless),
		cmocka_unit_test(what_leaves_is_disarmed_in_place),
		cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
