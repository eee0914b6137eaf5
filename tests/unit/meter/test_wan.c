/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/wan.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wan_link link_of(const struct wan *wan, uint32_t ifindex)
{
	struct wan_link links[64] = { 0 };
	size_t count = wan_links(wan, links, 64);

	for (size_t i = 0; i < count; i++)
		if (links[i].ifindex == ifindex)
			return links[i];
	return (struct wan_link){ .ifindex = UINT32_MAX };
}

static void a_count_goes_to_its_link_kind_and_direction(void **state)
{
	const struct traffic_count delta = { 500, 5 };
	struct wan *wan = wan_new();
	struct wan_link link;

	(void)state;
	wan_count(wan, 2, HOST_ROUTER, WAN_TX, &delta);
	wan_count(wan, 2, HOST_UNKNOWN, WAN_RX, &delta);
	wan_count(wan, 2, HOST_FIRST, WAN_RX, &delta);
	wan_count(wan, 2, HOST_FIRST, WAN_RX, &delta);
	wan_count(wan, 3, HOST_FIRST, WAN_RX, &delta);
	link = link_of(wan, 2);
	assert_int_equal(link.count[WAN_ROUTER][WAN_TX].bytes, 500);
	assert_int_equal(link.count[WAN_ROUTER][WAN_RX].bytes, 0);
	assert_int_equal(link.count[WAN_UNKNOWN][WAN_RX].packets, 5);
	assert_int_equal(link.count[WAN_ATTRIBUTED][WAN_RX].bytes, 1000);
	assert_int_equal(link_of(wan, 3).count[WAN_ATTRIBUTED][WAN_RX].bytes, 500);
	wan_free(wan);
}

/* What has no entry of its own is counted as of no known interface, so that nothing is lost. */
static void too_many_links_share_one(void **state)
{
	const struct traffic_count delta = { 100, 1 };
	struct wan *wan = wan_new();

	(void)state;
	for (uint32_t ifindex = 1; ifindex <= 70; ifindex++)
		wan_count(wan, ifindex, HOST_FIRST, WAN_RX, &delta);
	assert_int_equal(wan_links(wan, NULL, 0), 64);
	assert_int_equal(link_of(wan, 63).count[WAN_ATTRIBUTED][WAN_RX].bytes, 100);
	assert_int_equal(link_of(wan, 0).count[WAN_ATTRIBUTED][WAN_RX].bytes, 700);
	wan_free(wan);
}

static void links_add_up(void **state)
{
	struct wan_link a = { .ifindex = 1, .count[WAN_UNSEEN][WAN_TX] = { 1, 2 } };
	const struct wan_link b = { .ifindex = 2, .count[WAN_UNSEEN][WAN_TX] = { 10, 20 }, .count[0][0] = { 5, 6 } };

	(void)state;
	wan_link_add(&a, &b);
	assert_int_equal(a.ifindex, 1);
	assert_int_equal(a.count[WAN_UNSEEN][WAN_TX].bytes, 11);
	assert_int_equal(a.count[WAN_UNSEEN][WAN_TX].packets, 22);
	assert_int_equal(a.count[WAN_ATTRIBUTED][WAN_RX].packets, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_count_goes_to_its_link_kind_and_direction),
		cmocka_unit_test(too_many_links_share_one),
		cmocka_unit_test(links_add_up),
	};

	return cmocka_run_group_tests_name("wan", tests, NULL, NULL);
}
