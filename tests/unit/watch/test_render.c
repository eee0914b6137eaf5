/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of hosts as whole screens, in all sizes, and what keys and clicks change in it. */
#include "hostmeter/watch/render.h"

#include "hostmeter/watch/term.h"

#include "watch_world.h"

/* ---- Whole frames */

/* What each host of a home does in a second, in kB down and up. */
static uint64_t wave(uint64_t t, uint64_t period, uint64_t least, uint64_t most)
{
	uint64_t at = t % period, half = period / 2;

	return least + (most - least) * (at < half ? at : period - at) / half;
}

/* The README's picture: an evening. */
static void a_home(struct world *w)
{
	struct {
		const char *name, *mac, *address;
		uint64_t down4, up4, down6, up6; /* so far, in kB */
		uint32_t connections[WATCH_FAMILIES];
		uint64_t last;
	} hosts[] = {
		{ .name = "tv", .mac = "00:00:5e:00:53:0e", .address = "192.168.77.14", .connections = { 3, 6 } },
		{ .name = "desktop",
			.mac = "00:00:5e:00:53:0b",
			.address = "192.168.77.11",
			.connections = { 87, 31 } },
		{ .name = "laptop", .mac = "00:00:5e:00:53:0c", .address = "192.168.77.12", .connections = { 12, 9 } },
		{ .name = "phone", .mac = "00:00:5e:00:53:0d", .address = "192.168.77.13", .connections = { 2, 17 } },
		{ .name = "printer", .mac = "00:00:5e:00:53:0f", .address = "192.168.77.15" },
		{ .name = "router", .mac = "", .connections = { 4, 1 } },
	};

	for (uint64_t t = 0; t <= 300; t++) {
		struct watch_sample sample = sample_at(T0 + t * S);
		uint64_t down = 0, up = 0;

		hosts[0].down6 += t % 10 < 3 ? 7000 : 30; /* a film comes in blocks */
		hosts[0].up6 += t % 10 < 3 ? 90 : 1;
		hosts[1].down4 += t > 264 ? wave(t, 36, 900, 4100) : wave(t, 9, 0, 60);
		hosts[1].up4 += t > 264 ? 60 : 3;
		hosts[2].down4 += wave(t, 14, 140, 260); /* a call */
		hosts[2].up4 += wave(t, 14, 150, 230);
		hosts[3].down6 += t % 37 < 4 ? 400 : 0;
		hosts[3].up6 += t % 37 < 4 ? 25 : 0;
		hosts[5].down4 += t % 30 == 0;
		for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
			uint64_t before = hosts[i].down4 + hosts[i].down6;
			struct watch_sample_host *host = put_host(&sample, hosts[i].name, hosts[i].mac,
				1000 * hosts[i].down4, 1000 * hosts[i].up4, 1000 * hosts[i].down6, 1000 * hosts[i].up6);

			memcpy(host->connections, hosts[i].connections, sizeof(host->connections));
			hosts[i].last = i == 3 && t % 37 >= 4 ? hosts[i].last :
				i == 4                        ? T0 - 7200 * S :
				i == 5 && t % 30              ? hosts[i].last :
								T0 + t * S;
			host->last_seen = hosts[i].last;
			if (hosts[i].address)
				watch_sample_add_address(&sample, hosts[i].address);
			down += before;
			up += hosts[i].up4 + hosts[i].up6;
		}
		put_link(&sample, "pppoe-wan", 1040 * down, 1060 * up);
		add(&w->history, sample);
	}
}

static void no_hosts(struct world *w)
{
	struct watch_sample sample = sample_at(T0);

	add(&w->history, sample);
}

static void hostile_hosts(struct world *w)
{
	static const char *const names[] = {
		"東京のデスクトップ東京のデスクトップ東京の",
		"e\xcc\x81te\xcc\x81",
		"\033[2J\033[H\033]0;owned\a",
		"a\nb\tc\rd",
		"\xe2\x80\xae"
		"drawkcab",
		"\xff\xfe\xfd",
		"👩‍👩‍👧‍👦 family",
		"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa flag",
		"Z\xcc\xb6\xcc\x9b\xcc\x93\xcc\x8d\xcc\xa7\xcc\xa8\xcc\xb8\xcc\xb7"
		"algo",
		"",
		"한국어 컴퓨터",
		"שלום",
		"a-name-of-sixty-three-bytes-which-is-what-dns-allows-a-label-ok",
		"wide at the edge 東",
	};

	for (uint64_t t = 0; t <= 3; t++) {
		struct watch_sample sample = sample_at(T0 + t * S);

		put_link(&sample, "w\033[1mn", 5000 * t, 10 * t);
		for (uint64_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			put_host(&sample, names[i], "02:00:00:00:00:01", (20 - i) * 1000 * t, 0, 0, 0);
		watch_sample_add_warning(&sample, "\033[31mred\033[0m 警告");
		add(&w->history, sample);
	}
}

static void frames_equal_the_golden_ones(void **state)
{
	static const struct {
		const char *name;
		void (*fill)(struct world *w);
	} worlds[] = { { "none", no_hosts }, { "three", three_hosts }, { "many", many_hosts },
		{ "hostile", hostile_hosts } };
	static const int sizes[][2] = { { 40, 12 }, { 80, 24 }, { 200, 50 } };

	(void)state;
	for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
		struct world w = { .view = watch_view_default() };

		strcpy(w.view.source, "router");
		worlds[i].fill(&w);
		for (size_t size = 0; size < 3; size++) {
			for (int utf8 = 0; utf8 < 2; utf8++) {
				w.view.width = sizes[size][0];
				w.view.height = sizes[size][1];
				w.view.utf8 = utf8;
				render(&w);
				check_golden(&w, worlds[i].name);
			}
		}
		finish(&w);
	}
}

/* Each line of the picture stands in the README as it is drawn. */
static void the_readme_shows_what_is_drawn(void **state)
{
	const char *tests = getenv("HOSTMETER_TESTS");
	struct world w = { .view = watch_view_default() };
	char path[256], *readme;

	(void)state;
	a_home(&w);
	strcpy(w.view.source, "router");
	w.view.utf8 = true;
	w.view.height = 12;
	render(&w);
	check_golden(&w, "home");
	snprintf(path, sizeof(path), "%s/../README.md", tests ? tests : "tests");
	readme = read_whole(path);
	for (int y = 0; y < w.frame.height; y++)
		if (!strstr(readme, row(&w, y)))
			fail_msg("README.md has no line '%s'", row(&w, y));
	free(readme);
	finish(&w);
}

static void plain_text_equals_the_golden_one(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	w.view.utf8 = true;
	w.view.plain = true;
	render(&w);
	w.view.height = w.frame.height;
	check_golden(&w, "plain");
	finish(&w);
}

/* Title, eight rows of WANs, notice, three warnings, columns, hosts or a line that there are none, totals. */
static void plain_text_is_as_high_as_it_takes(void **state)
{
	(void)state;
	for (int hosts = 0; hosts < 60; hosts += 20) {
		struct world w = { .view = watch_view_default() };
		struct watch_sample sample = sample_at(T0);
		char name[16];

		for (int i = 0; i < 10; i++) {
			put_link(&sample, "wan", 0, 0);
			watch_sample_add_warning(&sample, "lost");
		}
		for (int i = 0; i < hosts; i++) {
			snprintf(name, sizeof(name), "host-%d", i);
			put_host(&sample, name, "", 0, 0, 0, 0);
		}
		add(&w.history, sample);
		strcpy(w.view.notice, "The meter is lost.");
		w.view.plain = true;
		w.view.height = 5;
		render(&w);
		assert_int_equal(w.frame.height, 1 + 8 + 1 + 3 + 1 + (hosts ? hosts : 1) + 1);
		snprintf(name, sizeof(name), "%d hosts", hosts);
		assert_int_equal(strncmp(row(&w, w.frame.height - 1), name, strlen(name)), 0);
		finish(&w);
	}
}

/* Every size, every world: never a cell that lies, never a row that is lost. */
static void any_size_is_drawn(void **state)
{
	void (*const fill[])(struct world * w) = { no_hosts, three_hosts, hostile_hosts };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct world w = { .view = watch_view_default() };

		fill[i](&w);
		strcpy(w.view.notice, "The meter is lost: nobody answers. Trying again.");
		for (int page = WATCH_PAGE_LIST; page <= WATCH_PAGE_HOST; page++) {
			for (int width = 1; width <= 210; width += width < 130 ? 1 : 13) {
				w.view.page = (enum watch_page)page;
				w.view.width = width;
				w.view.height = 1 + width * 7 % 31;
				w.view.utf8 = width % 2;
				render(&w);
				w.view.move = 5;
				render(&w);
			}
		}
		finish(&w);
	}
}

/* ---- Keys */

static void keys_change_units(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	render(&w);
	assert_true(shows(&w, "12.0M")); /* 1.5 MB/s down */
	press(&w, "u");
	assert_true(shows(&w, "1.50M") && shows(&w, "bytes/s"));
	press(&w, "i");
	assert_true(shows(&w, "1.43Mi"));
	press(&w, "ui");
	assert_true(shows(&w, "12.0M"));
	press(&w, "t");
	assert_true(shows(&w, "90.0M") && shows(&w, "bytes of the session"));
	press(&w, "ti");
	assert_true(shows(&w, "11.4Mi"));
	press(&w, "i");
	assert_true(shows(&w, "10 s average"));
	press(&w, "a");
	assert_true(shows(&w, "40 s average"));
	press(&w, "a");
	assert_true(shows(&w, "2 s average"));
	press(&w, "f");
	assert_true(shows(&w, "IPv4 only") && shows(&w, "8.00M"));
	press(&w, "f");
	assert_true(shows(&w, "IPv6 only") && shows(&w, "4.00M"));
	press(&w, "f");
	assert_false(shows(&w, "only"));
	press(&w, " ");
	assert_true(w.view.paused && shows(&w, "PAUSED"));
	finish(&w);
}

/* Only hosts are counted: not the router, unknown and other; a host may have such a name. */
static void the_sum_counts_hosts(void **state)
{
	static const char *const names[] = { "router", "unknown", "other" };
	struct world w = { .view = watch_view_default() };
	struct watch_sample sample = sample_at(T0);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		put_host(&sample, names[i], "", 0, 0, 0, 0);
	put_host(&sample, "phone", "00:00:5e:00:53:0d", 0, 0, 0, 0);
	add(&w.history, sample);
	render(&w);
	assert_true(shows(&w, "1 host ") && shows(&w, "unknown"));
	press(&w, "/router");
	assert_true(shows(&w, "all (0 of 1)"));
	press_one(&w, WATCH_KEY_ESCAPE);
	sample = sample_at(T0 + S);
	put_host(&sample, "other", "00:00:5e:00:53:0c", 0, 0, 0, 0);
	put_host(&sample, "other", "", 0, 0, 0, 0);
	put_host(&sample, "tunnel", "", 0, 0, 0, 0);
	add(&w.history, sample);
	render(&w);
	assert_true(shows(&w, "2 hosts"));
	finish(&w);
}

/* Every number says what it counts. */
static void numbers_have_units(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	render(&w);
	assert_true(shows(&w, "12.0Mb/s 1.20Mb/s") && shows(&w, " 99.0MB ") && shows(&w, "down 24.0Mb/s"));
	press(&w, "u");
	assert_true(shows(&w, "1.50MB/s  150kB/s") && shows(&w, " 99.0MB "));
	press(&w, "i");
	assert_true(shows(&w, "1.43MiB/s  146KiB/s") && shows(&w, " 94.4MiB "));
	press(&w, "ut");
	assert_true(shows(&w, " 85.8MiB   8.58MiB"));
	finish(&w);
}

/* Five minutes on a wide screen: what was four minutes ago shows there, and only there. */
static void a_wide_screen_has_five_minutes(void **state)
{
	struct world w = { .view = watch_view_default() };
	char line[256];

	(void)state;
	for (uint64_t t = 0; t <= 300; t += 2) {
		struct watch_sample sample = sample_at(T0 + t * S);

		put_link(&sample, "wan", t < 60 ? 0 : 5000, 0);
		put_host(&sample, "desktop", "00:00:5e:00:53:0b", t < 60 ? 0 : 5000, 0, 0, 0);
		add(&w.history, sample);
	}
	w.view.width = 200;
	render(&w);
	assert_true(shows(&w, "LAST 5 MIN"));
	snprintf(line, sizeof(line), "%s", row(&w, w.view.first_row));
	assert_int_equal(strspn(line + w.view.header[WATCH_COL_SPARK].x, " "), 10);
	assert_int_equal(line[w.view.header[WATCH_COL_SPARK].x + 10], '@');
	assert_int_equal(row(&w, 1)[200 - 60 + 10], '@');
	w.view.width = 179;
	render(&w);
	assert_false(shows(&w, "@"));
	assert_true(shows(&w, "LAST MIN"));
	finish(&w);
}

/* l: local traffic, from the first reading on that has it; the Internet's goes on meanwhile. */
static void local_traffic_has_its_own_numbers(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	press(&w, "l");
	for (uint64_t t = 0; t <= 20; t++) {
		struct watch_sample sample = sample_at(T0 + t * S);
		struct watch_sample_host *host = put_host(&sample, "nas", "00:00:5e:00:53:0b", 1000 * t, 0, 0, 0);

		host->local[WATCH_IPV4][WATCH_UP] = 7000000 + 250000 * t;
		sample.has_local = t >= 10;
		add(&w.history, sample);
		render(&w);
		if (t <= 10) {
			assert_true(shows(&w, "nas                       -        -"));
			assert_false(shows(&w, "Mb/s"));
		}
	}
	assert_true(shows(&w, "local traffic  bit/s, 10 s average"));
	assert_true(shows(&w, "    0b/s 2.00Mb/s") && shows(&w, " 2.50MB "));
	press(&w, "l");
	assert_true(shows(&w, " 8.00kb/s     0b/s") && shows(&w, " 20.0kB "));
	watch_history_zero(&w.history);
	press(&w, "l");
	assert_true(shows(&w, " 2.00Mb/s") && shows(&w, " 0B "));
	finish(&w);
}

static void keys_choose_and_open(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	render(&w);
	assert_false(w.view.selecting);
	press(&w, "j");
	assert_string_equal(w.view.label, "desktop");
	press(&w, "jj");
	assert_string_equal(w.view.label, "phone");
	press(&w, "1"); /* chosen is the host, not the line */
	assert_string_equal(w.view.label, "phone");
	press(&w, "k");
	assert_string_equal(w.view.label, "desktop");
	press_one(&w, WATCH_KEY_END);
	assert_string_equal(w.view.label, "router");
	press_one(&w, WATCH_KEY_DOWN);
	assert_string_equal(w.view.label, "router");
	press_one(&w, WATCH_KEY_HOME);
	assert_string_equal(w.view.label, MACHINE);
	press_one(&w, WATCH_KEY_PAGE_DOWN);
	assert_string_equal(w.view.label, "router");
	press_one(&w, WATCH_KEY_UP);
	press_one(&w, WATCH_KEY_UP);
	press_one(&w, WATCH_KEY_ENTER);
	assert_int_equal(w.view.page, WATCH_PAGE_HOST);
	assert_true(shows(&w, "2001:db8:77::11") && shows(&w, "00:00:5e:00:53:0b"));
	assert_false(shows(&w, "Connections"));
	press_one(&w, WATCH_KEY_ESCAPE);
	assert_int_equal(w.view.page, WATCH_PAGE_LIST);
	assert_true(w.view.selecting);
	press_one(&w, WATCH_KEY_ESCAPE);
	assert_false(w.view.selecting);
	assert_int_equal(watch_view_key(&w.view, 'q'), WATCH_QUIT);
	assert_int_equal(watch_view_key(&w.view, 'z'), WATCH_ZERO);
	finish(&w);
}

static void keys_filter(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	press(&w, "/DESKx");
	assert_true(shows(&w, "no host has this"));
	press_one(&w, WATCH_KEY_BACKSPACE);
	ORDER(&w, "desktop");
	assert_false(shows(&w, "phone"));
	assert_true(shows(&w, "all (1 of 3)"));
	press(&w, "q"); /* a letter like others here */
	assert_true(w.view.typing && shows(&w, "/DESKq_"));
	watch_view_key(&w.view, WATCH_KEY_BACKSPACE);
	press_one(&w, WATCH_KEY_ENTER);
	assert_false(w.view.typing);
	assert_true(shows(&w, "/DESK") && !shows(&w, "phone"));
	press_one(&w, WATCH_KEY_ESCAPE);
	assert_true(shows(&w, "phone"));
	press(&w, "/53:0d");
	ORDER(&w, "phone");
	watch_view_key(&w.view, 0x15);
	press(&w, "192.168.77.13");
	ORDER(&w, "phone");
	watch_view_key(&w.view, 0x15);
	watch_view_key(&w.view, 0x6771);
	watch_view_key(&w.view, 0x1f600);
	assert_string_equal(w.view.filter, "東😀");
	watch_view_key(&w.view, WATCH_KEY_BACKSPACE);
	assert_string_equal(w.view.filter, "東");
	for (int i = 0; i < 100; i++)
		watch_view_key(&w.view, 'x');
	assert_in_range(strlen(w.view.filter), 50, sizeof(w.view.filter) - 1);
	press_one(&w, WATCH_KEY_ESCAPE);
	assert_true(shows(&w, "router") && !w.view.typing);
	finish(&w);
}

static void the_list_scrolls(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	many_hosts(&w);
	press(&w, "1");
	ORDER(&w, "host-000", "host-001");
	press_one(&w, WATCH_KEY_END);
	assert_int_equal(w.view.top, 500 - w.view.rows);
	assert_string_equal(w.view.label, "host-499");
	press_one(&w, WATCH_KEY_PAGE_UP);
	press_one(&w, WATCH_KEY_HOME);
	assert_int_equal(w.view.top, 0);
	press_one(&w, WATCH_KEY_WHEEL_DOWN);
	assert_string_equal(w.view.label, "host-003");
	for (int i = 0; i < 10; i++)
		press_one(&w, WATCH_KEY_PAGE_DOWN);
	assert_true(shows(&w, w.view.label));
	assert_int_equal(w.view.top + w.view.rows - 1, 3 + 10 * (w.view.rows - 1));
	finish(&w);
}

static void clicks_sort_and_choose(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	render(&w);
	watch_view_click(&w.view, 2, w.view.header_row);
	assert_int_equal(w.view.sort, WATCH_COL_NAME);
	watch_view_click(&w.view, 2, w.view.header_row);
	assert_true(w.view.reverse);
	watch_view_click(&w.view, w.view.header[WATCH_COL_UP].x + 1, w.view.header_row);
	assert_int_equal(w.view.sort, WATCH_COL_UP);
	assert_false(w.view.reverse);
	render(&w);
	watch_view_click(&w.view, 5, w.view.first_row + 1);
	render(&w);
	assert_string_equal(w.view.label, "phone");
	watch_view_click(&w.view, 5, w.view.first_row + 9); /* below the last */
	render(&w);
	assert_string_equal(w.view.label, "phone");
	assert_int_equal(w.frame.cell[(w.view.first_row + 1) * w.frame.width].style, WATCH_STYLE_SELECTED);
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_equal_the_golden_ones),
		cmocka_unit_test(the_readme_shows_what_is_drawn),
		cmocka_unit_test(plain_text_equals_the_golden_one),
		cmocka_unit_test(plain_text_is_as_high_as_it_takes),
		cmocka_unit_test(any_size_is_drawn),
		cmocka_unit_test(keys_change_units),
		cmocka_unit_test(the_sum_counts_hosts),
		cmocka_unit_test(numbers_have_units),
		cmocka_unit_test(a_wide_screen_has_five_minutes),
		cmocka_unit_test(local_traffic_has_its_own_numbers),
		cmocka_unit_test(keys_choose_and_open),
		cmocka_unit_test(keys_filter),
		cmocka_unit_test(the_list_scrolls),
		cmocka_unit_test(clicks_sort_and_choose),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
