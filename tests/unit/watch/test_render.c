/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live view without a terminal, a meter or a clock: samples made by hand in, frames of text out. The golden frames
 * lie in golden/watch; UPDATE_GOLDEN=1 writes them anew, to be looked at before they are kept.
 */
#include "hostmeter/watch/render.h"

#include "hostmeter/watch/term.h"
#include "table.h"

#include <locale.h>

#include "watch_samples.h"

/* ---- Whole frames */

struct world {
	struct watch_history history;
	struct watch_view view;
	struct watch_frame frame;
};

static void render(struct world *w)
{
	assert_int_equal(watch_render(&w->frame, &w->history, &w->view), 0);
	assert_whole(&w->frame);
}

/* The row's text; valid until the next call. */
static const char *row(const struct world *w, int y)
{
	static struct buf out;

	buf_free(&out);
	watch_frame_row(&w->frame, y, &out);
	return buf_text(&out);
}

static bool shows(const struct world *w, const char *text)
{
	for (int y = 0; y < w->frame.height; y++)
		if (strstr(row(w, y), text))
			return true;
	return false;
}

static void press(struct world *w, const char *keys)
{
	for (; *keys; keys++)
		assert_int_equal(watch_view_key(&w->view, *keys), WATCH_NOTHING);
	render(w);
}

static void press_one(struct world *w, int key)
{
	watch_view_key(&w->view, key);
	render(w);
}

static void finish(struct world *w)
{
	watch_history_clear(&w->history);
	watch_frame_free(&w->frame);
}

static void common(struct watch_sample *sample, uint64_t t)
{
	put_link(sample, "pppoe-wan", 3000000 * t, 250000 * t);
	put_link(sample, "lte0", 1000 * t, 77 * t);
}

static void three_hosts(struct world *w)
{
	for (uint64_t t = 0; t <= 60; t++) {
		struct watch_sample sample = sample_at(T0 + t * S);
		uint64_t burst = t < 30 ? t : 30;
		struct watch_sample_host *host;

		common(&sample, t);
		host = put_host(&sample, "desktop", "00:00:5e:00:53:0b", 1000000 * t, 100000 * t, 500000 * t,
			50000 * t);
		host->first_seen = T0 - 3600 * S;
		host->last_seen = T0 + t * S;
		watch_sample_add_address(&sample, "192.168.77.11");
		watch_sample_add_address(&sample, "2001:db8:77::11");
		host = put_host(&sample, "phone", "00:00:5e:00:53:0d", 0, 0, 70000 * burst * burst / 30, 1000 * burst);
		host->last_seen = T0 + burst * S;
		watch_sample_add_address(&sample, "192.168.77.13");
		host = put_host(&sample, "00:00:5e:00:53:0c", "00:00:5e:00:53:0c", 5 * t, 0, 0, 0);
		host->last_seen = T0 + t * S;
		put_host(&sample, "router", "", 0, 0, 0, 0);
		if (t == 60) {
			watch_sample_add_warning(&sample,
				"7 times since the start that the kernel dropped messages for a full socket");
			watch_sample_add_warning(&sample, "3 live connections that the kernel does not count");
		}
		add(&w->history, sample);
	}
}

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

static void many_hosts(struct world *w)
{
	for (uint64_t t = 0; t <= 20; t++) {
		struct watch_sample sample = sample_at(T0 + t * S);

		common(&sample, t);
		for (uint64_t i = 0; i < 500; i++) {
			char label[32], mac[MAC_TEXT];
			struct watch_sample_host *host;

			snprintf(label, sizeof(label), "host-%03u", (unsigned int)i);
			snprintf(mac, sizeof(mac), "00:00:5e:00:%02x:%02x", (unsigned int)(i / 256),
				(unsigned int)(i % 256));
			host = put_host(&sample, label, mac, i * i * t, 10 * i * t, i % 3 ? 0 : i * i * t, 0);
			host->last_seen = T0 + (t > i ? t - i : 0) * S;
		}
		add(&w->history, sample);
	}
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

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "r");
	struct buf text = BUF_INIT;
	char chunk[4096];
	size_t len;

	while (file && (len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&text, chunk, len);
	if (file)
		fclose(file);
	buf_putc(&text, '\0');
	return text.data;
}

static void write_whole(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void check_golden(struct world *w, const char *name)
{
	const char *tests = getenv("HOSTMETER_TESTS");
	struct buf out = BUF_INIT;
	char path[256], *golden;

	snprintf(path, sizeof(path), "%s/unit/golden/watch/%s-%dx%d%s.txt", tests ? tests : "tests", name,
		w->view.width, w->view.height, w->view.utf8 ? "" : "-ascii");
	for (int y = 0; y < w->frame.height; y++) {
		watch_frame_row(&w->frame, y, &out);
		buf_putc(&out, '\n');
	}
	if (getenv("UPDATE_GOLDEN"))
		write_whole(path, buf_text(&out));
	golden = read_whole(path);
	if (strcmp(buf_text(&out), golden) != 0)
		print_error("%s is not\n%s\nbut\n%s\n", path, golden, buf_text(&out));
	assert_string_equal(buf_text(&out), golden);
	free(golden);
	buf_free(&out);
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

static void put_connection(struct watch_connections *list, const char *src, uint16_t sport, const char *dst,
	uint16_t dport, uint8_t proto, uint64_t down, uint64_t up)
{
	struct watch_connection *c = watch_connections_add(list);

	assert_non_null(c);
	assert_int_equal(addr_parse(&c->src, src) | addr_parse(&c->dst, dst), 0);
	c->sport = sport;
	c->dport = dport;
	c->proto = proto;
	c->own_port = sport;
	c->bytes[WATCH_DOWN] = down;
	c->bytes[WATCH_UP] = up;
}

/* A download, a tunnel that came from outside, and a ping that began between the two listings; seen 75 seconds apart.
 */
static void connections_of_the_desktop(struct watch_history *history)
{
	for (uint64_t t = 0; t < 2; t++) {
		struct watch_connections fresh = { "desktop", "00:00:5e:00:53:0b", .time = T0 - 15 * S + 75 * S * t };

		put_connection(&fresh, "2001:db8:77::11", 50000, "2001:db8:ff::1", 443, 6, 75000000 * t + 5000,
			75000 * t);
		put_connection(&fresh, "198.51.100.1", 40000, "198.51.100.2", 51820, 17, 3000, 2000000);
		fresh.list[1].inbound = true;
		fresh.list[1].own_port = 51821;
		fresh.list[1].began = T0 - 90 * 60 * S;
		put_connection(&fresh, "192.168.77.11", 40000, "192.168.77.13", 445, 6, 100, 100);
		fresh.list[2].local = true;
		if (t)
			put_connection(&fresh, "192.168.77.11", 77, "198.51.100.1", 77, 1, 7500, 7500);
		watch_connections_take(&history->connections, &fresh);
		assert_null(fresh.list);
	}
}

static void other_pages_equal_the_golden_ones(void **state)
{
	static const int sizes[][2] = { { 40, 12 }, { 80, 24 }, { 200, 50 } };
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	connections_of_the_desktop(&w.history);
	w.view.utf8 = true;
	for (size_t size = 0; size < 3; size++) {
		w.view.width = sizes[size][0];
		w.view.height = sizes[size][1];
		press(&w, "?");
		check_golden(&w, "help");
		press(&w, "?");
		press_one(&w, WATCH_KEY_ENTER);
		check_golden(&w, "host");
		press_one(&w, WATCH_KEY_END);
		press(&w, "t");
		check_golden(&w, "host-end");
		press(&w, "t");
		press_one(&w, WATCH_KEY_ESCAPE);
	}
	w.view.plain = true;
	w.view.width = 80;
	w.view.height = 24;
	render(&w);
	w.view.height = w.frame.height;
	check_golden(&w, "plain");
	finish(&w);
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

static void columns_give_way(void **state)
{
	static const struct {
		int width;
		const char *columns[12];
	} cases[] = {
		{ 40, { "NAME", "DOWN", "UP", "SHARE" } },
		{ 48, { "NAME", "DOWN", "UP", "TOTAL", "SHARE" } },
		{ 60, { "NAME", "DOWN", "UP", "LAST MIN", "TOTAL", "SHARE" } },
		{ 80, { "NAME", "DOWN", "UP", "LAST MIN", "TOTAL", "SHARE", "IPv6", "CONN", "SEEN" } },
		{ 120, { "NAME", "DOWN", "UP", "LAST MIN", "TOTAL", "SHARE", "IPv6", "CONN", "SEEN", "MAC" } },
	};
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w.view.width = cases[i].width;
		render(&w);

		char *at = strdup(row(&w, w.view.header_row)), *from = at;
		size_t shown = 0;

		for (int c = 0; c < WATCH_COLUMNS; c++)
			shown += w.view.header[c].width > 0;
		for (size_t c = 0; cases[i].columns[c]; c++, shown--) {
			from = strstr(from, cases[i].columns[c]);
			assert_non_null(from);
		}
		assert_int_equal(shown, 0);
		free(at);
	}
	finish(&w);
}

/* ---- Keys */

/* The names of the hosts from the first row on. */
static void assert_order(const struct world *w, const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *line = row(w, w->view.first_row + (int)i);

		if (strncmp(line, names[i], strlen(names[i])) != 0)
			fail_msg("row %zu is \"%s\", not of %s", i, line, names[i]);
	}
}

#define ORDER(w, ...)                                                                                                  \
	assert_order(w, (const char *const[]){ __VA_ARGS__ },                                                          \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

#define MACHINE "00:00:5e:00:53:0c"

static void keys_sort(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	render(&w);
	ORDER(&w, "desktop", MACHINE, "phone", "router");
	press(&w, "1");
	ORDER(&w, MACHINE, "desktop", "phone", "router");
	press(&w, "r");
	ORDER(&w, "router", "phone", "desktop", MACHINE);
	press(&w, "2");
	ORDER(&w, "desktop", MACHINE, "phone", "router");
	press(&w, "3");
	ORDER(&w, "desktop", "phone", MACHINE, "router");
	press(&w, "4");
	ORDER(&w, "desktop", "phone", MACHINE, "router");
	press(&w, "5");
	ORDER(&w, "desktop", MACHINE, "phone", "router");
	press(&w, "t"); /* of the session the phone had more */
	ORDER(&w, "desktop", "phone", MACHINE, "router");
	press(&w, "6");
	ORDER(&w, "phone", "desktop", MACHINE, "router");
	press(&w, "7"); /* 60 % 7... the counts that put_host() makes up */
	ORDER(&w, MACHINE, "desktop", "phone", "router");
	press(&w, "s");
	assert_int_equal(w.view.sort, WATCH_COL_SEEN);
	ORDER(&w, "desktop", MACHINE, "phone", "router");
	press(&w, "s");
	assert_int_equal(w.view.sort, WATCH_COL_NAME);
	finish(&w);
}

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
	assert_true(shows(&w, "all (1 of 4)"));
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

static void a_host_without_connections_says_why(void **state)
{
	struct world w = { .view = watch_view_default() };
	struct watch_connections none = { .label = "phone", .mac = "00:00:5e:00:53:0d" };

	(void)state;
	three_hosts(&w);
	connections_of_the_desktop(&w.history);
	press(&w, "jjj");
	press_one(&w, WATCH_KEY_ENTER);
	assert_string_equal(w.view.label, "phone");
	assert_true(shows(&w, "Its connections are being read."));
	assert_false(shows(&w, "198.51.100.1"));
	strcpy(w.view.connections_notice, "They are told elsewhere.");
	render(&w);
	assert_true(shows(&w, "They are told elsewhere."));
	watch_connections_take(&w.history.connections, &none);
	render(&w);
	assert_true(shows(&w, "It has no connections."));
	finish(&w);
}

static void sums_add_up(void **state)
{
	struct world w = { .view = watch_view_default() };
	struct watch_table table;
	uint64_t total = 0;
	double shares = 0;

	(void)state;
	many_hosts(&w);
	assert_int_equal(watch_table_build(&table, &w.history, &w.view), 0);
	for (size_t i = 0; i < table.rows; i++) {
		total += table.row[i].total[WATCH_DOWN];
		shares += watch_table_share(table.row[i].amount, table.sum.amount);
	}
	assert_int_equal(table.sum.total[WATCH_DOWN], total);
	about(shares, 1);
	watch_table_free(&table);
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_equal_the_golden_ones),
		cmocka_unit_test(the_readme_shows_what_is_drawn),
		cmocka_unit_test(other_pages_equal_the_golden_ones),
		cmocka_unit_test(any_size_is_drawn),
		cmocka_unit_test(columns_give_way),
		cmocka_unit_test(keys_sort),
		cmocka_unit_test(keys_change_units),
		cmocka_unit_test(keys_choose_and_open),
		cmocka_unit_test(keys_filter),
		cmocka_unit_test(the_list_scrolls),
		cmocka_unit_test(clicks_sort_and_choose),
		cmocka_unit_test(a_host_without_connections_says_why),
		cmocka_unit_test(sums_add_up),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
