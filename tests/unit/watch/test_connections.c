/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two listings of one host's connections: the rates between them, since when each is known, and the order. */
#include "hostmeter/watch/connections.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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
	const struct watch_connection **sorted = watch_connections_sorted(list, by_total, reverse);

	assert_non_null(sorted);
	for (size_t i = 0; i < list->count; i++)
		assert_int_equal(sorted[i]->sport, ports[i]);
	free(sorted);
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
		cmocka_unit_test(there_is_an_end_to_them),
		cmocka_unit_test(the_other_ends_port_depends_on_the_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
