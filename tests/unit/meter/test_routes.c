/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a full table does; how routes and rules decide is in test_topology.c and test_sides_model.c. */
#include "routes.h"

#include "events.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MANY = 200000, LIMIT = 4096 };

static bool is_wan(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	return ifindex == WAN;
}

static struct rtnl_event numbered(uint32_t ifindex, uint8_t first, unsigned int i)
{
	struct rtnl_event e = event_route(ifindex, "0.0.0.0/24", NULL);

	e.route.dst.addr.b[0] = (uint8_t)(first + (i >> 16));
	e.route.dst.addr.b[1] = (uint8_t)(i >> 8);
	e.route.dst.addr.b[2] = (uint8_t)i;
	return e;
}

static const struct routes_hop *find(const struct routes *routes, const char *text)
{
	const struct addr addr = event_ip(text);

	return routes_find(routes, &addr);
}

/* A provider's full table: the LAN's routes are kept, whenever they come, and memory is bounded. */
static void a_full_table(void **state)
{
	struct routes *routes = routes_new(LIMIT, is_wan, NULL);
	struct rtnl_event lan = event_route(LAN, "192.168.1.0/24", NULL),
			  out = event_route(WAN, "0.0.0.0/0", "198.51.100.1"),
			  late = event_route(LAN, "192.168.2.0/24", NULL), rule = event_rule(4, 32766, RT_TABLE_MAIN);
	size_t before = mallinfo2().uordblks, most = 0;

	(void)state;
	routes_take(routes, &rule);
	routes_take(routes, &lan);
	routes_take(routes, &out);
	for (unsigned int i = 0; i < MANY; i++) {
		struct rtnl_event e = numbered(WAN, 20, i);
		size_t now;

		routes_take(routes, &e);
		now = i % 1000 ? 0 : mallinfo2().uordblks - before;
		most = now > most ? now : most;
	}
	routes_take(routes, &late);
	assert_int_equal(find(routes, "192.168.1.7")->ifindex, LAN);
	assert_int_equal(find(routes, "192.168.2.7")->ifindex, LAN);
	assert_int_equal(find(routes, "20.1.2.3")->ifindex, WAN);
	assert_int_equal(find(routes, "22.99.2.3")->ifindex, WAN);
	assert_int_equal(routes_dropped(routes), 0);
	if (mallinfo2().uordblks) /* the address sanitizer's allocator does not count */
		assert_in_range(most, 1, 2 << 20);
	/* All of it is withdrawn: nothing is left of it. */
	for (unsigned int i = 0; i < MANY; i++) {
		struct rtnl_event e = event_gone(numbered(WAN, 20, i));

		routes_take(routes, &e);
	}
	assert_int_equal(find(routes, "20.1.2.3")->dst.len, 0);
	routes_free(routes);
}

/* More routes into the LAN than there is room for: counted, and the first ones stay. */
static void what_finds_no_room_is_counted(void **state)
{
	struct routes *routes = routes_new(LIMIT, is_wan, NULL);
	struct rtnl_event rule = event_rule(4, 32766, RT_TABLE_MAIN);

	(void)state;
	routes_take(routes, &rule);
	for (unsigned int i = 0; i < LIMIT + 100; i++) {
		struct rtnl_event e = numbered(LAN, 10, i);

		routes_take(routes, &e);
	}
	assert_int_equal(routes_dropped(routes), 100);
	assert_int_equal(find(routes, "10.0.0.7")->ifindex, LAN);
	assert_null(find(routes, "10.16.99.7"));
	routes_forget_link(routes, LAN);
	assert_null(find(routes, "10.0.0.7"));
	routes_free(routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_table),
		cmocka_unit_test(what_finds_no_room_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
