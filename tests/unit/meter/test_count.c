/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct meter *make(void)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 10 };
	struct meter *meter = meter_new(&options);

	assert_non_null(meter);
	meter->now = 77;
	return meter;
}

static struct ct_event reading(uint64_t out, uint64_t in)
{
	return (struct ct_event){
		.type = CT_ENTRY, .has_counters = true, .bytes = { out, in }, .packets = { out / 100, in / 100 }
	};
}

/* An outbound IPv6 flow: only what is new since the last reading is added, the WAN's directions seen from there. */
static void differences_are_added(void **state)
{
	struct meter *m = make();
	struct flow flow = { .scope = FLOW_WAN, .v6 = 1, .host = HOST_ROUTER, .peer = HOST_NONE, .wan = 2 };
	struct ct_event first = reading(100, 1000), second = reading(300, 5000);
	const struct host *host = hosts_get(m->hosts, HOST_ROUTER);
	struct wan_link link;

	(void)state;
	meter_count(m, &flow, &first);
	meter_count(m, &flow, &second);
	meter_count(m, &flow, &second);
	assert_int_equal(host->wan.of[TRAFFIC_IPV6][TRAFFIC_OUT].bytes, 300);
	assert_int_equal(host->wan.of[TRAFFIC_IPV6][TRAFFIC_IN].packets, 50);
	assert_int_equal(host->wan.of[TRAFFIC_IPV4][TRAFFIC_OUT].bytes, 0);
	assert_int_equal(host->first_seen, 77);
	assert_int_equal(wan_links(m->wan, &link, 1), 1);
	assert_int_equal(link.count[WAN_ROUTER][WAN_TX].bytes, 300);
	assert_int_equal(link.count[WAN_ROUTER][WAN_RX].bytes, 5000);
	meter_free(m);
}

/* A local flow: what leaves one host enters the other. */
static void the_peer_has_it_the_other_way_round(void **state)
{
	struct meter *m = make();
	struct flow flow = { .scope = FLOW_LOCAL, .host = HOST_ROUTER, .peer = HOST_OTHER };
	struct ct_event event = reading(200, 900);

	(void)state;
	meter_count(m, &flow, &event);
	assert_int_equal(hosts_get(m->hosts, HOST_ROUTER)->local.of[TRAFFIC_IPV4][TRAFFIC_OUT].bytes, 200);
	assert_int_equal(hosts_get(m->hosts, HOST_OTHER)->local.of[TRAFFIC_IPV4][TRAFFIC_IN].bytes, 200);
	assert_int_equal(hosts_get(m->hosts, HOST_OTHER)->local.of[TRAFFIC_IPV4][TRAFFIC_OUT].bytes, 900);
	assert_int_equal(wan_links(m->wan, NULL, 0), 0);
	meter_free(m);
}

static void counters_that_fell_are_all_new(void **state)
{
	struct meter *m = make();
	struct flow flow = { .scope = FLOW_WAN, .host = HOST_ROUTER, .peer = HOST_NONE };
	struct ct_event first = reading(1000, 1000), second = reading(300, 1200);

	(void)state;
	meter_count(m, &flow, &first);
	meter_count(m, &flow, &second);
	assert_int_equal(m->stats.counter_resets, 1);
	assert_int_equal(hosts_get(m->hosts, HOST_ROUTER)->wan.of[TRAFFIC_IPV4][TRAFFIC_OUT].bytes, 1300);
	assert_int_equal(hosts_get(m->hosts, HOST_ROUTER)->wan.of[TRAFFIC_IPV4][TRAFFIC_IN].bytes, 2200);
	meter_free(m);
}

static void an_undecided_flow_counts_nothing(void **state)
{
	struct meter *m = make();
	struct flow flow = { .scope = FLOW_UNDECIDED };
	struct ct_event event = reading(1000, 1000);

	(void)state;
	meter_count(m, &flow, &event);
	assert_int_equal(flow.counts.bytes[0], 0);
	assert_false(m->journal.totals_moved);
	meter_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_are_added),
		cmocka_unit_test(the_peer_has_it_the_other_way_round),
		cmocka_unit_test(counters_that_fell_are_all_new),
		cmocka_unit_test(an_undecided_flow_counts_nothing),
	};

	return cmocka_run_group_tests_name("count", tests, NULL, NULL);
}
