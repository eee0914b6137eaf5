/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages that take the place of the list: the keys, and one host with its connections; scrolling in them. */
#include "parts.h"

#include "hostmeter/watch/term.h"

#include "watch_world.h"

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
	finish(&w);
}

/* The page of one host of three_hosts(), whole. */
static void open_host(struct world *w, const char *label, const char *mac)
{
	w->view.page = WATCH_PAGE_HOST;
	w->view.selecting = true;
	strcpy(w->view.label, label);
	strcpy(w->view.mac, mac);
	w->view.height = 40;
	render(w);
}

/* ---- Keys */

static void help_has_each_warning_key_and_column(void **state)
{
	struct world w = { .view = watch_view_default() };
	const char *keys, *what;
	char line[100];

	(void)state;
	three_hosts(&w);
	w.view.height = 40;
	press(&w, "?");
	assert_string_equal(row(&w, 1), "What the meter warns of");
	assert_string_equal(row(&w, 3), "! 3 live connections that the kernel does not count");
	assert_string_equal(row(&w, 4), "Keys");
	for (size_t i = 0; watch_view_keys(false, i, &keys, &what); i++) {
		snprintf(line, sizeof(line), "%-14s%s", keys, what);
		assert_string_equal(row(&w, 5 + (int)i), line);
	}
	assert_string_equal(row(&w, 26), "Columns");
	assert_string_equal(row(&w, 27), "DOWN, UP      from and to the Internet, seen from the host; b bits, B bytes");
	assert_string_equal(row(&w, 32), "CONN, SEEN    connections that live, and when bytes came last");
	assert_string_equal(row(&w, 33), "");
	assert_string_equal(row(&w, 39), "Esc back");
	finish(&w);
}

static void a_page_scrolls_to_its_end(void **state)
{
	enum { LINES = 3 + 1 + 21 + 1 + 6, ROWS = 12 - 2 };
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	w.view.height = 12;
	press(&w, "?");
	assert_int_equal(w.view.page_top, 0);
	assert_string_equal(row(&w, 11), "Esc back, arrows for more");
	press_one(&w, WATCH_KEY_UP);
	assert_int_equal(w.view.page_top, 0);
	press_one(&w, WATCH_KEY_DOWN);
	assert_int_equal(w.view.page_top, 1);
	assert_string_equal(row(&w, 3), "Keys");
	press_one(&w, WATCH_KEY_PAGE_DOWN);
	assert_int_equal(w.view.page_top, 1 + ROWS - 1);
	press_one(&w, WATCH_KEY_END);
	assert_int_equal(w.view.page_top, LINES - ROWS);
	assert_true(strstr(row(&w, 10), "CONN, SEEN"));
	press_one(&w, WATCH_KEY_PAGE_UP);
	assert_int_equal(w.view.page_top, LINES - ROWS - (ROWS - 1));
	press_one(&w, WATCH_KEY_HOME);
	assert_int_equal(w.view.page_top, 0);
	assert_string_equal(row(&w, 1), "What the meter warns of");
	/* A larger screen has it all. */
	press_one(&w, WATCH_KEY_END);
	w.view.height = LINES + 1;
	render(&w);
	assert_int_equal(w.view.page_top, 1);
	assert_string_equal(row(&w, LINES), "Esc back, arrows for more");
	w.view.height = LINES + 2;
	render(&w);
	assert_int_equal(w.view.page_top, 0);
	assert_string_equal(row(&w, LINES + 1), "Esc back");
	finish(&w);
}

/* ---- One host */

static void a_host_has_its_numbers(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	open_host(&w, "desktop", "00:00:5e:00:53:0b");
	assert_string_equal(row(&w, 1), "desktop");
	assert_string_equal(row(&w, 2), "MAC             00:00:5e:00:53:0b");
	assert_string_equal(row(&w, 3), "addresses       192.168.77.11");
	assert_string_equal(row(&w, 4), "                2001:db8:77::11");
	assert_string_equal(row(&w, 6), "IPv4             8.00Mb/s   800kb/s     60.0MB   6.00MB");
	assert_string_equal(row(&w, 7), "IPv6             4.00Mb/s   400kb/s     30.0MB   3.00MB");
	assert_string_equal(row(&w, 9), "connections     4 IPv4, 0 IPv6");
	assert_string_equal(row(&w, 10), "first seen      1h ago");
	assert_string_equal(row(&w, 11), "last seen       now");
	press(&w, "ui");
	assert_string_equal(row(&w, 6), "IPv4             977KiB/s 97.7KiB/s    57.2MiB  5.72MiB");
	/* A narrow screen has rates only. */
	w.view.width = 59;
	render(&w);
	assert_string_equal(row(&w, 6), "IPv4             977KiB/s 97.7KiB/s");
	open_host(&w, "phone", "00:00:5e:00:53:0d");
	assert_true(shows(&w, "last seen       30s ago"));
	assert_true(shows(&w, "first seen      -"));
	open_host(&w, "router", "");
	assert_false(shows(&w, "MAC "));
	assert_false(shows(&w, "addresses"));
	finish(&w);
}

static void a_host_that_is_gone_says_so(void **state)
{
	struct world w = { .view = watch_view_default() }, nobody = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	open_host(&w, "desktop", "00:00:5e:00:53:ff");
	assert_string_equal(row(&w, 1), "The meter does not list this host any more.");
	assert_string_equal(row(&w, 2), "");
	finish(&w);
	open_host(&nobody, "desktop", "");
	assert_string_equal(row(&nobody, 1), "The meter does not list this host any more.");
	finish(&nobody);
}

/* ---- Its connections */

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

static const char columns[] = "REMOTE                               PROTO  PORT     DOWN       UP   TOTAL   AGE";

/* One listing knows no rates; two give them, and ages that are exact for what began between them. */
static void connections_have_rates_and_ages(void **state)
{
	struct world w = { .view = watch_view_default() };
	struct watch_connections fresh = { "phone", "00:00:5e:00:53:0d", .time = T0 };

	(void)state;
	three_hosts(&w);
	put_connection(&fresh, "192.168.77.13", 1, "198.51.100.1", 443, 6, 1000, 10);
	watch_connections_take(&w.history.connections, &fresh);
	open_host(&w, "phone", "00:00:5e:00:53:0d");
	assert_string_equal(row(&w, 11), "1 connection, by rate");
	assert_string_equal(row(&w, 12), columns);
	assert_string_equal(row(&w, 13),
		"> 198.51.100.1                         tcp   443        -        -  1.01kB     -");
	fresh = (struct watch_connections){ "phone", "00:00:5e:00:53:0d", .time = T0 + 12 * S };
	put_connection(&fresh, "192.168.77.13", 1, "198.51.100.1", 443, 6, 13000, 130);
	put_connection(&fresh, "192.168.77.13", 2, "198.51.100.2", 53, 17, 1200, 0);
	put_connection(&fresh, "192.168.77.13", 3, "198.51.100.3", 53, 17, 1, 0);
	fresh.list[2].began = T0 - 7190 * S;
	fresh.cut = true;
	watch_connections_take(&w.history.connections, &fresh);
	render(&w);
	assert_string_equal(row(&w, 11), "3 and more connections, by rate");
	assert_string_equal(row(&w, 13),
		"> 198.51.100.1                         tcp   443 8.00kb/s    80b/s  13.1kB  >12s");
	assert_string_equal(row(&w, 14),
		"> 198.51.100.2                         udp    53   800b/s     0b/s  1.20kB   now");
	assert_string_equal(row(&w, 15),
		"> 198.51.100.3                         udp    53     1b/s     0b/s      1B    2h");
	press(&w, "ut");
	assert_string_equal(row(&w, 11), "3 and more connections, by total");
	assert_string_equal(row(&w, 13),
		"> 198.51.100.1                         tcp   443   13.0kB     130B  13.1kB  >12s");
	press(&w, "r");
	assert_true(strstr(row(&w, 13), "198.51.100.3"));
	assert_string_equal(row(&w, 39),
		"Esc back, t rates or totals, r reverse, c by remote, / filter, s sort, f family");
	finish(&w);
}

/* Narrow screens have one port: the one that was asked for. Connections within the LAN are dim. */
static void a_connection_shows_its_ports(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	connections_of_the_desktop(&w.history);
	w.view.width = 90;
	open_host(&w, "desktop", "00:00:5e:00:53:0b");
	assert_true(shows(&w, "PROTO  PORT   OWN "));
	assert_true(shows(&w, "< 198.51.100.1                             udp 40000 51821 "));
	assert_true(shows(&w, "> 198.51.100.1                            icmp     -     - "));
	w.view.width = 89;
	render(&w);
	assert_false(shows(&w, " OWN "));
	assert_true(shows(&w, " udp 51821 "));
	for (int y = 0; y < w.frame.height; y++) {
		if (strstr(row(&w, y), "> 192.168.77.13"))
			assert_int_equal(w.frame.cell[y * w.frame.width].style, WATCH_STYLE_DIM);
		if (strstr(row(&w, y), "> 2001:db8:ff::1"))
			assert_int_equal(w.frame.cell[y * w.frame.width].style, WATCH_STYLE_PLAIN);
	}
	finish(&w);
}

/* f, the filter, the order and the groups are the page's own; Esc drops the filter first. */
static void the_connections_are_chosen(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	connections_of_the_desktop(&w.history);
	open_host(&w, "desktop", "00:00:5e:00:53:0b");
	assert_true(shows(&w, "4 connections, by rate"));
	press(&w, "f");
	assert_true(shows(&w, "3 of 4 connections, by rate") && !shows(&w, "2001:db8:ff::1"));
	press(&w, "f");
	assert_true(shows(&w, "1 of 4 connections, by rate") && shows(&w, "> 2001:db8:ff::1"));
	assert_false(shows(&w, "> 198.51.100.1") || shows(&w, "192.168.77.13"));
	press(&w, "f/198.51");
	assert_true(shows(&w, "2 of 4 connections, by rate") && shows(&w, "/198.51_  Enter keeps it"));
	assert_int_equal(w.view.page, WATCH_PAGE_HOST);
	press_one(&w, WATCH_KEY_ENTER);
	assert_true(shows(&w, "/198.51  Esc shows all"));
	press(&w, "c");
	assert_true(shows(&w, "2 of 4 connections with 1 remote, by rate"));
	assert_true(shows(&w, "REMOTE                                      CONN     DOWN       UP   TOTAL   AGE"));
	assert_true(shows(&w, "198.51.100.1                                   2   800b/s   800b/s  2.02MB    1h"));
	press_one(&w, WATCH_KEY_ESCAPE);
	assert_int_equal(w.view.page, WATCH_PAGE_HOST);
	assert_true(shows(&w, "4 connections with 3 remotes, by rate"));
	press(&w, "1");
	assert_true(shows(&w, "4 connections with 3 remotes, by remote"));
	press(&w, "sr");
	assert_true(shows(&w, "4 connections with 3 remotes, by down, reversed"));
	press(&w, "6");
	assert_true(shows(&w, "4 connections with 3 remotes, by connections"));
	press(&w, "c/nothing");
	assert_true(shows(&w, "0 of 4 connections, by port"));
	assert_true(shows(&w, "no connection has this in address, protocol or port"));
	press_one(&w, WATCH_KEY_ESCAPE);
	press_one(&w, WATCH_KEY_ESCAPE);
	assert_int_equal(w.view.page, WATCH_PAGE_LIST);
	/* The list has its own. */
	assert_int_equal(w.view.sort, WATCH_COL_SHARE);
	assert_false(w.view.reverse || w.view.filter[0]);
	press(&w, "/phone");
	assert_string_equal(w.view.filter, "phone");
	assert_string_equal(w.view.connections.filter, "");
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_pages_equal_the_golden_ones),
		cmocka_unit_test(help_has_each_warning_key_and_column),
		cmocka_unit_test(a_page_scrolls_to_its_end),
		cmocka_unit_test(a_host_has_its_numbers),
		cmocka_unit_test(a_host_that_is_gone_says_so),
		cmocka_unit_test(a_host_without_connections_says_why),
		cmocka_unit_test(connections_have_rates_and_ages),
		cmocka_unit_test(a_connection_shows_its_ports),
		cmocka_unit_test(the_connections_are_chosen),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
