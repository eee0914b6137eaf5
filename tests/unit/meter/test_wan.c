/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/wan.h"

#include "events.h"

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

/* --- Compared with the interface's own counters */

struct world {
	struct wan *wan;
	struct topology *topology;
	uint64_t bytes, packets; /* received by wan0, link headers included */
};

static const struct traffic_count nothing;

static int begin(void **state)
{
	static const char *const wans[] = { "wan0", "wan1", NULL };
	static const struct topology_config config = { .wan = wans };
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->wan = wan_new();
	w->topology = topology_new(&config, 10);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	topology_free(w->topology);
	wan_free(w->wan);
	free(w);
	return 0;
}

/* The interface has received so much in all; each packet has the header of Ethernet. */
static void read_interface(struct world *w, uint32_t ifindex, uint64_t bytes, uint64_t packets)
{
	struct rtnl_event link = event_link(ifindex, ifindex == WAN ? "wan0" : "wan1", 0, ARPHRD_ETHER);

	link.link.has_stats = true;
	link.link.rx_bytes = bytes + packets * 14;
	link.link.rx_packets = packets;
	topology_rtnl(w->topology, &link, 0);
	wan_read(w->wan, w->topology);
}

static void flows_have(struct world *w, uint32_t ifindex, uint64_t bytes, uint64_t packets)
{
	const struct traffic_count more = { bytes, packets };

	wan_count(w->wan, ifindex, HOST_FIRST, WAN_RX, &more);
}

static void check_unseen(const struct world *w, uint32_t ifindex, uint64_t bytes, uint64_t packets)
{
	const struct wan_link link = link_of(w->wan, ifindex);

	assert_int_equal(link.count[WAN_UNSEEN][WAN_RX].bytes, bytes);
	assert_int_equal(link.count[WAN_UNSEEN][WAN_RX].packets, packets);
	assert_int_equal(link.count[WAN_UNSEEN][WAN_TX].bytes, 0);
}

/* The first reading comes after a dump, the others before one: the flows are always ahead. */
static void steady_traffic_leaves_no_remainder(void **state)
{
	struct world *w = *state;

	flows_have(w, WAN, 500000, 500);
	read_interface(w, WAN, 7000100, 7001);
	for (uint64_t dump = 1; dump < 20; dump++) {
		read_interface(w, WAN, 7000100 + dump * 90000, 7001 + dump * 90);
		flows_have(w, WAN, 90000 + dump % 7 * 100 - (dump - 1) % 7 * 100, 90);
		wan_reconcile(w->wan, &nothing);
	}
	check_unseen(w, WAN, 0, 0);
	assert_int_equal(link_of(w->wan, WAN).header_bytes[WAN_RX], 19 * 90 * 14);
}

static void what_no_flow_has_is_unseen_at_the_second_dump(void **state)
{
	struct world *w = *state;

	flows_have(w, WAN, 5000, 5); /* of the time before the first reading */
	read_interface(w, WAN, 1000, 1);
	read_interface(w, WAN, 31000, 31);
	flows_have(w, WAN, 10000, 10);
	wan_reconcile(w->wan, &nothing);
	check_unseen(w, WAN, 0, 0);
	wan_reconcile(w->wan, &nothing); /* without a new reading it says nothing */
	check_unseen(w, WAN, 0, 0);
	read_interface(w, WAN, 36000, 36);
	wan_reconcile(w->wan, &nothing);
	check_unseen(w, WAN, 20000, 20);
	read_interface(w, WAN, 36000, 36);
	wan_reconcile(w->wan, &nothing);
	check_unseen(w, WAN, 25000, 25);
}

static void what_is_held_is_not_unseen(void **state)
{
	struct world *w = *state;
	const struct traffic_count held = { 900, 9 };

	read_interface(w, WAN, 0, 0);
	for (int dump = 0; dump < 3; dump++) {
		read_interface(w, WAN, 1000, 10);
		wan_reconcile(w->wan, &held);
	}
	check_unseen(w, WAN, 100, 1);
	flows_have(w, WAN, 900, 9);
	for (int dump = 0; dump < 3; dump++) {
		read_interface(w, WAN, 1000, 10);
		wan_reconcile(w->wan, &nothing);
	}
	check_unseen(w, WAN, 100, 1);
}

/* Flows whose interface is not known are taken off once, whichever interface it was. */
static void flows_of_no_known_interface_are_seen(void **state)
{
	struct world *w = *state;

	flows_have(w, 0, 77777, 77);
	read_interface(w, WAN, 0, 0);
	read_interface(w, WAN + 1, 0, 0);
	flows_have(w, 0, 1000, 10);
	for (int dump = 0; dump < 3; dump++) {
		read_interface(w, WAN, 800, 8);
		read_interface(w, WAN + 1, 700, 7);
		wan_reconcile(w->wan, &nothing);
	}
	check_unseen(w, WAN, 0, 0);
	check_unseen(w, WAN + 1, 500, 5);
}

/* PPP that dials in again: the counters begin anew, under the same name. */
static void an_interface_made_anew_goes_on(void **state)
{
	struct world *w = *state;
	struct rtnl_event old = event_gone(event_link(WAN, "wan0", 0, ARPHRD_ETHER));

	read_interface(w, WAN, 5000, 50);
	read_interface(w, WAN, 6000, 60);
	flows_have(w, WAN, 1000, 10);
	wan_reconcile(w->wan, &nothing);
	topology_rtnl(w->topology, &old, 0);
	flows_have(w, WAN + 5, 300, 3);
	for (int dump = 0; dump < 2; dump++) {
		struct rtnl_event link = event_link(WAN + 5, "wan0", 0, ARPHRD_ETHER);

		link.link.has_stats = true;
		link.link.rx_bytes = 400 + 4 * 14;
		link.link.rx_packets = 4;
		topology_rtnl(w->topology, &link, 0);
		wan_read(w->wan, w->topology);
		wan_reconcile(w->wan, &nothing);
	}
	check_unseen(w, WAN + 5, 100, 1);
	assert_int_equal(wan_links(w->wan, NULL, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_count_goes_to_its_link_kind_and_direction),
		cmocka_unit_test(too_many_links_share_one),
		cmocka_unit_test(links_add_up),
		cmocka_unit_test_setup_teardown(steady_traffic_leaves_no_remainder, begin, end),
		cmocka_unit_test_setup_teardown(what_no_flow_has_is_unseen_at_the_second_dump, begin, end),
		cmocka_unit_test_setup_teardown(what_is_held_is_not_unseen, begin, end),
		cmocka_unit_test_setup_teardown(flows_of_no_known_interface_are_seen, begin, end),
		cmocka_unit_test_setup_teardown(an_interface_made_anew_goes_on, begin, end),
	};

	return cmocka_run_group_tests_name("wan", tests, NULL, NULL);
}
