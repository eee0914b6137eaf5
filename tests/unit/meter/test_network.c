/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First packets get the side that their interface had when they passed. */
#include "state.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOW (UINT64_C(1000) * CLOCK_NS_PER_S)

static void take(void *ctx, const struct rtnl_event *event)
{
	meter_rtnl(ctx, event, NOW);
}

static int begin(void **state)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 10 };

	*state = meter_new(&options);
	assert_non_null(*state);
	events_of_network(take, *state);
	return 0;
}

static int end(void **state)
{
	meter_free(*state);
	return 0;
}

/* A first packet of a guest, read at this time; the side of its interface as it was recorded. */
static uint8_t side_at(struct meter *m, uint64_t now)
{
	struct ct_event flow = event_flow("192.168.2.10", SERVER4);
	struct sighting s = event_sighting(&flow, CT_ORIGINAL, GUEST, WAN, VISITOR);
	struct sightings_end ends[2];
	bool swapped;
	uint64_t pair = flow_pair_of(&m->options.hash, &flow, &swapped);

	meter_sighting(m, &s, now);
	assert_true(sightings_find(m->sightings, pair, ends));
	assert_true(ends[swapped].seen);
	return ends[swapped].side;
}

static void a_packet_teaches_its_address(void **state)
{
	struct meter *m = *state;
	struct addr addr = event_ip("192.168.2.10");
	struct mac mac, visitor = event_mac(VISITOR);
	uint32_t ifindex;

	assert_int_equal(side_at(m, NOW), SIDE_LAN);
	assert_int_equal(m->stats.sightings, 1);
	assert_true(neigh_last_seen(m->neigh, &addr, &mac, &ifindex));
	assert_memory_equal(&mac, &visitor, sizeof(mac));
	assert_int_equal(ifindex, GUEST);
}

/* NFLOG is late: a bridge that became a port a moment ago is still a LAN for its packets. */
static void a_former_side_holds_for_one_flush(void **state)
{
	struct meter *m = *state;
	struct rtnl_event port = event_link(GUEST, "br-guest", LAN, ARPHRD_ETHER);

	meter_rtnl(m, &port, NOW);
	assert_int_equal(topology_interface(m->topology, GUEST), SIDE_OTHER);
	assert_int_equal(side_at(m, NOW + METER_FLUSH_NS - 1), SIDE_LAN);
	assert_int_equal(side_at(m, NOW + METER_FLUSH_NS), SIDE_OTHER);
}

static void an_unchanged_link_is_not_remembered(void **state)
{
	struct meter *m = *state;
	struct rtnl_event again = event_link(GUEST, "br-guest", 0, ARPHRD_ETHER);

	m->network.next = 0;
	meter_rtnl(m, &again, NOW);
	assert_int_equal(m->network.next, 0);
	again = event_gone(again);
	meter_rtnl(m, &again, NOW);
	assert_int_equal(m->network.next, 1);
	assert_int_equal(m->network.left[0].ifindex, GUEST);
	assert_int_equal(m->network.left[0].side, SIDE_LAN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_teaches_its_address),
		TEST(a_former_side_holds_for_one_flush),
		TEST(an_unchanged_link_is_not_remembered),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
