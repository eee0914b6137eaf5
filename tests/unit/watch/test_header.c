/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows above the list: the title's settings, the WANs, warnings, the notice of a lost meter. */
#include "parts.h"

#include "watch_world.h"

#define SCREEN(w) (&(struct watch_screen){ &(w)->frame, &(w)->history, &(w)->view })

static void blank(struct world *w, int width)
{
	assert_int_equal(watch_frame_begin(&w->frame, width, 12, w->view.utf8), 0);
}

static void assert_style(const struct world *w, int x, int y, enum watch_style style)
{
	assert_int_equal(w->frame.cell[y * w->frame.width + x].style, style);
}

/* ---- The title */

static void assert_title(struct world *w, int width, const char *text)
{
	blank(w, width);
	assert_int_equal(watch_header_title(SCREEN(w)), 1);
	assert_string_equal(row(w, 0), text);
	assert_string_equal(row(w, 1), "");
}

static void the_title_says_how_to_read_the_numbers(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	w.history.sample.time = T0;
	strcpy(w.view.source, "router");
	assert_title(&w, 80, "hostmeter router             bit/s, 10 s average  every 1 s  2026-11-23 14:00:00");
	assert_style(&w, 0, 0, WATCH_STYLE_TITLE);
	assert_style(&w, 79, 0, WATCH_STYLE_DIM);
	w.view.bytes = true;
	w.view.window = 2;
	w.view.interval_ns = S / 5;
	assert_title(&w, 80, "hostmeter router         bytes/s, 40 s average  every 0.2 s  2026-11-23 14:00:00");
	w.view.plain = true;
	assert_title(&w, 80, "hostmeter router                       bytes/s  every 0.2 s  2026-11-23 14:00:00");
	w.view.bytes = false;
	assert_title(&w, 80, "hostmeter router                         bit/s  every 0.2 s  2026-11-23 14:00:00");
	w.view.totals = true;
	assert_title(&w, 80, "hostmeter router          bytes of the session  every 0.2 s  2026-11-23 14:00:00");
	w.history.sample.date_unknown = true;
	assert_title(&w, 80, "hostmeter router                 bytes of the session  every 0.2 s  date unknown");
	w.history.sample.date_unknown = false;
	w.view.family = 6;
	assert_title(&w, 80, "hostmeter      IPv6 only  bytes of the session  every 0.2 s  2026-11-23 14:00:00");
	w.view.paused = true;
	assert_title(&w, 95,
		"hostmeter router      PAUSED  IPv6 only  bytes of the session  every 0.2 s  2026-11-23 14:00:00");
	assert_style(&w, 94, 0, WATCH_STYLE_WARNING);
	finish(&w);
}

/* What does not fit goes from the end, and so does the source where it has less than eight cells. */
static void a_narrow_title_says_the_most_important(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	w.history.sample.time = T0;
	strcpy(w.view.source, "my-router");
	assert_title(&w, 61, "hostmeter bit/s, 10 s average  every 1 s  2026-11-23 14:00:00");
	assert_title(&w, 60, "hostmeter my-router           bit/s, 10 s average  every 1 s");
	assert_title(&w, 50, "hostmeter my-rout~  bit/s, 10 s average  every 1 s");
	assert_title(&w, 49, "hostmeter          bit/s, 10 s average  every 1 s");
	assert_title(&w, 20, "hostmeter my-rout~");
	w.view.paused = true;
	assert_title(&w, 20, "hostmeter     PAUSED");
	finish(&w);
}

/* ---- The WANs */

/* WAN number i moves i kB a second down and i / 10 up, for ten seconds. */
static void wans(struct world *w, uint64_t count)
{
	for (uint64_t t = 0; t <= 10; t += 10) {
		struct watch_sample sample = sample_at(T0 + t * S);
		char name[WATCH_LINK];

		for (uint64_t i = 1; i <= count; i++) {
			snprintf(name, sizeof(name), "wan%u", (unsigned int)i);
			put_link(&sample, name, 1000 * i * t, 100 * i * t);
		}
		add(&w->history, sample);
	}
}

/* Draws the WANs into a screen of this height; returns how many rows they take. */
static int draw_wans(struct world *w, int width, int height)
{
	int rows;

	blank(w, width);
	w->view.height = height;
	rows = watch_header_links(SCREEN(w), 0);
	assert_string_equal(row(w, rows), "");
	return rows;
}

static void each_wan_has_its_rates_and_its_minute(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	wans(&w, 2);
	w.view.bytes = true;
	assert_int_equal(draw_wans(&w, 80, 24), 2);
	assert_string_equal(row(&w, 0),
		"wan1            down 1.00kB/s  up 100B/s                                  @@@@@");
	assert_string_equal(row(&w, 1),
		"wan2            down 2.00kB/s  up 200B/s                                  @@@@@");
	assert_style(&w, 21, 0, WATCH_STYLE_DOWN);
	assert_style(&w, 34, 0, WATCH_STYLE_UP);
	assert_style(&w, 74, 0, WATCH_STYLE_SPARK);
	draw_wans(&w, 79, 24);
	assert_string_equal(row(&w, 0), "wan1            down 1.00kB/s  up 100B/s");
	draw_wans(&w, 59, 24);
	assert_string_equal(row(&w, 0), "wan1      down 1.00kB/s  up 100B/s");
	draw_wans(&w, 120, 24); /* a step for each second */
	assert_true(strstr(row(&w, 0), " @@@@@@@@@@"));
	w.view.bytes = false;
	w.view.utf8 = true;
	draw_wans(&w, 59, 24);
	assert_string_equal(row(&w, 1), "wan2      ↓ 16.0kb/s  ↑ 1.60kb/s");
	finish(&w);
}

static void many_wans_are_added_up(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	wans(&w, 10);
	w.view.bytes = true;
	assert_int_equal(draw_wans(&w, 60, 30), 8);
	assert_string_equal(row(&w, 6), "wan7            down 7.00kB/s  up 700B/s");
	assert_string_equal(row(&w, 7), "3 other WANs    down 27.0kB/s  up 2.70kB/s");
	assert_int_equal(draw_wans(&w, 60, 29), 3);
	assert_string_equal(row(&w, 2), "8 other WANs    down 52.0kB/s  up 5.20kB/s");
	assert_int_equal(draw_wans(&w, 60, 16), 3);
	assert_int_equal(draw_wans(&w, 60, 15), 1);
	assert_string_equal(row(&w, 0), "10 WANs         down 55.0kB/s  up 5.50kB/s");
	finish(&w);
}

static void without_wans_there_is_no_row(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	wans(&w, 0);
	assert_int_equal(draw_wans(&w, 80, 24), 0);
	finish(&w);
}

/* ---- Warnings */

static int draw_warnings(struct world *w, int width, int height)
{
	int rows;

	blank(w, width);
	w->view.height = height;
	rows = watch_header_warnings(SCREEN(w), 0);
	assert_string_equal(row(w, rows), "");
	return rows;
}

static void warnings_are_few_and_counted(void **state)
{
	static const char *const texts[] = { "one", "two", "a warning that is long", "four", "five" };
	struct world w = { .view = watch_view_default() };

	(void)state;
	assert_int_equal(draw_warnings(&w, 40, 24), 0);
	for (int i = 0; i < 3; i++)
		watch_sample_add_warning(&w.history.sample, texts[i]);
	assert_int_equal(draw_warnings(&w, 40, 24), 3);
	assert_string_equal(row(&w, 0), "! one");
	assert_string_equal(row(&w, 2), "! a warning that is long");
	assert_style(&w, 0, 0, WATCH_STYLE_WARNING);
	for (int i = 3; i < 5; i++)
		watch_sample_add_warning(&w.history.sample, texts[i]);
	assert_int_equal(draw_warnings(&w, 60, 16), 3);
	assert_string_equal(row(&w, 2), "! a warning that is long (and 2 more: ?)");
	/* The text is cut, not how many there are. */
	draw_warnings(&w, 30, 16);
	assert_string_equal(row(&w, 2), "! a warning t~ (and 2 more: ?)");
	assert_int_equal(draw_warnings(&w, 40, 15), 1);
	assert_string_equal(row(&w, 0), "! one (and 4 more: ?)");
	finish(&w);
}

static void a_lost_meter_comes_first(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	watch_sample_add_warning(&w.history.sample, "one");
	strcpy(w.view.notice, "The meter is lost: nobody answers. Trying again.");
	assert_int_equal(draw_warnings(&w, 80, 24), 2);
	assert_string_equal(row(&w, 0), "The meter is lost: nobody answers. Trying again.");
	assert_string_equal(row(&w, 1), "! one");
	assert_style(&w, 0, 0, WATCH_STYLE_ERROR);
	/* It takes no warning's place, also on a low screen. */
	assert_int_equal(draw_warnings(&w, 30, 10), 2);
	assert_string_equal(row(&w, 0), "The meter is lost: nobody ans~");
	finish(&w);
}

/* ---- Small parts */

static void sparklines_have_eight_levels(void **state)
{
	static const float steps[] = { 0, 0.1F, 1, 2, 3, 4, 5, 6, 7.9F, 8 };
	struct world w = { .view = watch_view_default() };

	(void)state;
	blank(&w, 20);
	watch_header_spark(&w.frame, 2, 1, steps, 10, 8);
	assert_string_equal(row(&w, 1), "   .:-=+*#@@");
	watch_header_spark(&w.frame, 0, 2, steps, 1, 0);
	assert_string_equal(row(&w, 2), "");
	w.view.utf8 = true;
	blank(&w, 20);
	watch_header_spark(&w.frame, 2, 1, steps, 10, 8);
	assert_string_equal(row(&w, 1), "   ▁▂▃▄▅▆▇██");
	finish(&w);
}

static void rates_have_the_units_chosen(void **state)
{
	struct world w = { .view = watch_view_default() };
	char text[WATCH_NUMBER];

	(void)state;
	assert_string_equal(watch_header_rate(text, SCREEN(&w), 125), "-");
	wans(&w, 1);
	assert_string_equal(watch_header_rate(text, SCREEN(&w), 125), "1.00kb/s");
	w.view.binary = true;
	assert_string_equal(watch_header_rate(text, SCREEN(&w), 125), "1000b/s");
	assert_string_equal(watch_header_rate(text, SCREEN(&w), 128), "1.00Kib/s");
	w.view.bytes = true;
	assert_string_equal(watch_header_rate(text, SCREEN(&w), 128), "128B/s");
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_title_says_how_to_read_the_numbers),
		cmocka_unit_test(a_narrow_title_says_the_most_important),
		cmocka_unit_test(each_wan_has_its_rates_and_its_minute),
		cmocka_unit_test(many_wans_are_added_up),
		cmocka_unit_test(without_wans_there_is_no_row),
		cmocka_unit_test(warnings_are_few_and_counted),
		cmocka_unit_test(a_lost_meter_comes_first),
		cmocka_unit_test(sparklines_have_eight_levels),
		cmocka_unit_test(rates_have_the_units_chosen),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
