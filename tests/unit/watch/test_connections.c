/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two listings of one host's connections: the rates between them, since when each is known, and the order. */
#include "hostmeter/watch/connections.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)
#define T0 (UINT64_C(1795442400) * S)

static struct watch_connections listing(uint64_t time)
{
	return (struct watch_connections){ "desktop", "00:00:5e:00:53:0b", .time = time };
}

static struct watch_connection *put(struct watch_connections *list, uint16_t port, uint64_t down, uint64_t up)
{
	struct watch_connection *c = watch_connections_add(list);

	assert_non_null(c);
	assert_int_equal(addr_parse(&c->src, "192.168.77.11") | addr_parse(&c->dst, "198.51.100.1"), 0);
	c->sport = port;
	c->dport = 443;
	c->proto = 6;
	c->bytes[WATCH_DOWN] = down;
	c->bytes[WATCH_UP] = up;
	return c;
}

static const struct watch_connection *find(const struct watch_connections *list, uint16_t port)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->list[i].sport == port)
			return &list->list[i];
	fail_msg("no port %u", port);
	return NULL;
}

static void two_listings_make_rates(void **state)
{
	struct watch_connections known = { 0 }, fresh = listing(T0);

	(void)state;
	put(&fresh, 3, 5000, 500);
	put(&fresh, 1, 100, 0);
	put(&fresh, 2, 9000, 0);
	watch_connections_take(&known, &fresh);
	assert_null(fresh.list);
	assert_int_equal(known.count, 3);
	assert_false(find(&known, 3)->has_rate);
	fresh = listing(T0 + 2 * S);
	put(&fresh, 4, 600, 60); /* began since */
	put(&fresh, 3, 15000, 600);
	put(&fresh, 2, 50, 0);                      /* its counter was zeroed, or it is another */
	put(&fresh, 5, 1, 1)->began = T0 - 100 * S; /* the kernel says when */
	watch_connections_take(&known, &fresh);
	assert_int_equal(known.count, 4);
	assert_true(find(&known, 3)->has_rate);
	assert_true(find(&known, 3)->rate[WATCH_DOWN] == 5000);
	assert_true(find(&known, 3)->rate[WATCH_UP] == 50);
	assert_true(find(&known, 3)->older && find(&known, 3)->since == T0);
	assert_true(find(&known, 2)->rate[WATCH_DOWN] == 25);
	assert_true(find(&known, 4)->rate[WATCH_DOWN] == 300);
	assert_true(!find(&known, 4)->older && find(&known, 4)->since == T0 + 2 * S);
	assert_true(!find(&known, 5)->older && find(&known, 5)->since == T0 - 100 * S);
	fresh = listing(T0 + 3 * S);
	put(&fresh, 3, 15000, 600);
	put(&fresh, 4, 700, 60);
	watch_connections_take(&known, &fresh);
	assert_true(find(&known, 3)->rate[WATCH_DOWN] == 0);
	assert_true(find(&known, 3)->older && find(&known, 3)->since == T0);
	assert_true(!find(&known, 4)->older && find(&known, 4)->since == T0 + 2 * S);
	watch_connections_clear(&known);
}

static void another_host_begins_anew(void **state)
{
	struct watch_connections known = { 0 }, fresh = listing(T0);

	(void)state;
	put(&fresh, 1, 100, 0);
	watch_connections_take(&known, &fresh);
	fresh = listing(T0 + S);
	strcpy(fresh.mac, "00:00:5e:00:53:0c");
	put(&fresh, 1, 5000, 0);
	watch_connections_take(&known, &fresh);
	assert_false(find(&known, 1)->has_rate);
	assert_true(watch_connections_are_of(&known, "desktop", "00:00:5e:00:53:0c"));
	assert_false(watch_connections_are_of(&known, "desktop", "00:00:5e:00:53:0b"));
	/* And so does a clock that was set back. */
	fresh = listing(T0 - 100 * S);
	strcpy(fresh.mac, "00:00:5e:00:53:0c");
	put(&fresh, 1, 6000, 0);
	watch_connections_take(&known, &fresh);
	assert_false(find(&known, 1)->has_rate);
	watch_connections_clear(&known);
}

static void what_differs_at_all_is_another(void **state)
{
	struct watch_connections known = { 0 }, fresh = listing(T0);
	struct watch_connection *c;

	(void)state;
	put(&fresh, 1, 10, 0);
	put(&fresh, 1, 10, 0); /* a dump may list one twice */
	put(&fresh, 1, 10, 0)->id = 7;
	put(&fresh, 1, 10, 0)->proto = 17;
	put(&fresh, 1, 10, 0)->dport = 80;
	c = put(&fresh, 1, 10, 0);
	addr_parse(&c->dst, "198.51.100.2");
	c = put(&fresh, 1, 10, 0);
	addr_parse(&c->src, "192.168.77.12");
	watch_connections_take(&known, &fresh);
	assert_int_equal(known.count, 6);
	watch_connections_clear(&known);
}

static void assert_order(const struct watch_connections *list, bool by_total, bool reverse, const uint16_t *ports)
{
	const struct watch_choice choice = { .sort = WATCH_BY_BOTH, .totals = by_total, .reverse = reverse };
	struct watch_connections_shown shown;

	assert_int_equal(watch_connections_show(&shown, list, &choice), 0);
	assert_int_equal(shown.rows, list->count);
	for (size_t i = 0; i < list->count; i++)
		assert_int_equal(shown.row[i]->sport, ports[i]);
	watch_connections_shown_free(&shown);
}

static void they_stand_by_rate_or_total(void **state)
{
	struct watch_connections known = { 0 }, fresh;

	(void)state;
	for (uint64_t t = 0; t <= 20; t++) {
		fresh = listing(T0 + t * S);
		put(&fresh, 1, 1000000, 0); /* idle, and had much */
		put(&fresh, 2, 500 * t, 500 * t);
		put(&fresh, 3, 2000 * t, 0);
		put(&fresh, 4, t < 20 ? 0 : 4000, 0); /* one burst does not put it above those that go on */
		watch_connections_take(&known, &fresh);
	}
	assert_order(&known, false, false, (uint16_t[]){ 3, 2, 4, 1 });
	assert_order(&known, true, false, (uint16_t[]){ 1, 3, 2, 4 });
	assert_order(&known, true, true, (uint16_t[]){ 4, 2, 3, 1 });
	watch_connections_clear(&known);
	assert_order(&known, false, false, NULL);
}

/* Two remotes over IPv4 and one over IPv6; the ports of the rows, in order. */
static void assert_shown(const struct watch_choice *choice, size_t connections, const char *ports)
{
	struct watch_connections known = { 0 };
	struct watch_connections_shown shown;
	char line[64] = "";

	for (uint64_t t = 0; t <= 2; t++) {
		struct watch_connections fresh = listing(T0 + t * S);
		struct watch_connection *c;

		put(&fresh, 1, 100 * t, 7 * t)->began = T0 - 50 * S;
		put(&fresh, 2, 900 * t, t)->began = T0 - 10 * S;
		c = put(&fresh, 3, 50 * t, 2000 * t);
		addr_parse(&c->dst, "198.51.100.9");
		c->dport = 53;
		c->proto = 17;
		c->began = T0 - 90 * S;
		c = put(&fresh, 4, 300 * t, 0);
		c->inbound = true;
		addr_parse(&c->src, "2001:db8:ff::7");
		addr_parse(&c->dst, "2001:db8:77::11");
		c->own_port = 22;
		c->began = T0 - 20 * S;
		watch_connections_take(&known, &fresh);
	}
	assert_int_equal(watch_connections_show(&shown, &known, choice), 0);
	for (size_t i = 0; i < shown.rows; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%u", i ? " " : "",
			choice->grouped ? shown.row[i]->members : shown.row[i]->sport);
	assert_string_equal(line, ports);
	assert_int_equal(shown.connections, connections);
	watch_connections_shown_free(&shown);
	watch_connections_clear(&known);
}

static void they_are_filtered(void **state)
{
	static const struct {
		const char *filter;
		int family;
		size_t count;
		const char *ports;
	} cases[] = {
		{ "", 0, 4, "3 2 4 1" }, { "", 4, 3, "3 2 1" }, { "", 6, 1, "4" }, { "DB8:FF", 0, 1, "4" },
		{ "DB8:FF", 4, 0, "" }, { "100.9 udp", 0, 1, "3" }, { "udp 53", 0, 1, "3" },
		{ " 22", 0, 1, "4" },                            /* its own port */
		{ "443", 0, 2, "2 1" }, { "192.168", 0, 0, "" }, /* the host's own address is that of all */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct watch_choice choice = { .family = cases[i].family, .sort = WATCH_BY_BOTH };

		strcpy(choice.filter, cases[i].filter);
		assert_shown(&choice, cases[i].count, cases[i].ports);
	}
}

static void they_are_sorted_by_any_column(void **state)
{
	static const struct {
		enum watch_connection_sort sort;
		bool totals;
		const char *ports;
	} cases[] = {
		{ WATCH_BY_REMOTE, false, "2 1 3 4" },
		{ WATCH_BY_DOWN, false, "2 4 1 3" },
		{ WATCH_BY_UP, false, "3 1 2 4" },
		{ WATCH_BY_UP, true, "3 1 2 4" },
		{ WATCH_BY_TOTAL, false, "3 2 4 1" },
		{ WATCH_BY_PORT, false, "4 3 2 1" },
		{ WATCH_BY_AGE, false, "3 1 4 2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_shown(&(struct watch_choice){ .sort = cases[i].sort, .totals = cases[i].totals }, 4,
			cases[i].ports);
	assert_shown(&(struct watch_choice){ .sort = WATCH_BY_AGE, .reverse = true }, 4, "2 4 1 3");
}

static void a_remote_has_the_sums_of_its_connections(void **state)
{
	struct watch_connections known = { 0 };
	struct watch_connections_shown shown;

	(void)state;
	for (uint64_t t = 0; t < 2; t++) {
		struct watch_connections fresh = listing(T0 + 10 * t * S);

		put(&fresh, 1, 1000 * t, 10)->began = T0 - 50 * S;
		put(&fresh, 2, 3000 * t, 30)->local = true;
		if (t)
			put(&fresh, 3, 500, 0);
		watch_connections_take(&known, &fresh);
	}
	assert_int_equal(watch_connections_show(&shown, &known, &(struct watch_choice){ .grouped = true }), 0);
	assert_int_equal(shown.rows, 1);
	assert_int_equal(shown.connections, 3);
	assert_int_equal(shown.row[0]->members, 3);
	assert_int_equal(shown.row[0]->bytes[WATCH_DOWN], 4500);
	assert_int_equal(shown.row[0]->bytes[WATCH_UP], 40);
	assert_true(shown.row[0]->rate[WATCH_DOWN] == 450);
	assert_true(shown.row[0]->has_rate && !shown.row[0]->local);
	assert_true(shown.row[0]->since == T0 - 50 * S && !shown.row[0]->older);
	watch_connections_shown_free(&shown);
	watch_connections_clear(&known);
	assert_shown(&(struct watch_choice){ .grouped = true, .sort = WATCH_BY_BOTH }, 4, "1 2 1");
	assert_shown(&(struct watch_choice){ .grouped = true, .sort = WATCH_BY_PORT }, 4, "2 1 1");
	assert_shown(&(struct watch_choice){ .grouped = true, .family = 6 }, 1, "1");
	assert_shown(&(struct watch_choice){ .grouped = true, .filter = "no such" }, 0, "");
}

static void there_is_an_end_to_them(void **state)
{
	struct watch_connections list = { 0 };

	(void)state;
	while (watch_connections_add(&list))
		assert_false(list.cut);
	assert_int_equal(list.count, WATCH_CONNECTIONS_MOST);
	assert_true(list.cut);
	watch_connections_clear(&list);
}

static void the_other_ends_port_depends_on_the_direction(void **state)
{
	struct watch_connection c = { .sport = 40000, .dport = 443, .own_port = 40000, .proto = 6 };
	char address[ADDR_TEXT];

	(void)state;
	addr_parse(&c.src, "192.168.77.11");
	addr_parse(&c.dst, "198.51.100.1");
	assert_string_equal(addr_format(watch_connection_remote(&c), address), "198.51.100.1");
	assert_int_equal(watch_connection_remote_port(&c), 443);
	c.inbound = true;
	assert_string_equal(addr_format(watch_connection_remote(&c), address), "192.168.77.11");
	assert_int_equal(watch_connection_remote_port(&c), 40000);
	c.proto = 1;
	assert_int_equal(watch_connection_remote_port(&c) + watch_connection_own_port(&c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_listings_make_rates),
		cmocka_unit_test(another_host_begins_anew),
		cmocka_unit_test(what_differs_at_all_is_another),
		cmocka_unit_test(they_stand_by_rate_or_total),
		cmocka_unit_test(they_are_filtered),
		cmocka_unit_test(they_are_sorted_by_any_column),
		cmocka_unit_test(a_remote_has_the_sums_of_its_connections),
		cmocka_unit_test(there_is_an_end_to_them),
		cmocka_unit_test(the_other_ends_port_depends_on_the_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
