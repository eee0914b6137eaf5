/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void take(void *ctx, const struct rtnl_event *event)
{
	meter_rtnl(ctx, event, 1);
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

static struct snapshot look(const struct meter *m)
{
	struct snapshot snapshot;

	assert_int_equal(meter_snapshot(m, &snapshot, 99), 0);
	return snapshot;
}

/* Two addresses of one name, without MACs: one row with their sums, and both addresses. */
static void hosts_of_one_name_are_one_row(void **state)
{
	struct meter *m = *state;
	struct addr addr[2] = { event_ip("10.9.0.8"), event_ip("10.9.0.7") };
	struct snapshot s;

	for (int i = 0; i < 2; i++) {
		struct host *host = hosts_get(m->hosts, hosts_by_address(m->hosts, &addr[i]));

		hosts_set_name(host, "phone");
		host->wan.of[TRAFFIC_IPV4][TRAFFIC_IN].bytes = 100 * (i + 1);
		host->connections[TRAFFIC_IPV4] = 1;
		host->first_seen = 20 - i;
		host->last_seen = 30 - i;
	}
	s = look(m);
	assert_int_equal(s.hosts, HOST_FIRST + 1);
	assert_string_equal(s.host[HOST_FIRST].label, "phone");
	assert_int_equal(s.host[HOST_FIRST].wan.of[TRAFFIC_IPV4][TRAFFIC_IN].bytes, 300);
	assert_int_equal(s.host[HOST_FIRST].connections[TRAFFIC_IPV4], 2);
	assert_int_equal(s.host[HOST_FIRST].first_seen, 19);
	assert_int_equal(s.host[HOST_FIRST].last_seen, 30);
	assert_int_equal(s.addresses, 2);
	assert_int_equal(s.address[0].host, HOST_FIRST);
	assert_true(addr_equal(&s.address[0].addr, &addr[1])); /* in order */
	assert_true(addr_equal(&s.address[1].addr, &addr[0]));
	snapshot_clear(&s);
}

/* A name that looks like another host's MAC does not make the two one. */
static void a_label_is_no_mac(void **state)
{
	struct meter *m = *state;
	struct mac mac = event_mac(DESKTOP);
	struct addr seen = event_ip("192.168.1.10"), addr = event_ip("10.9.0.7");
	struct snapshot s;

	hosts_by_mac(m->hosts, &mac);
	neigh_saw(m->neigh, LAN, &seen, &mac, 1);
	hosts_set_name(hosts_get(m->hosts, hosts_by_address(m->hosts, &addr)), DESKTOP);
	s = look(m);
	assert_int_equal(s.hosts, HOST_FIRST + 2);
	assert_int_equal(s.addresses, 2);
	assert_int_equal(s.address[0].host, HOST_FIRST);
	assert_true(addr_equal(&s.address[0].addr, &seen));
	assert_int_equal(s.address[1].host, HOST_FIRST + 1);
	snapshot_clear(&s);
}

/* Totals are not shown below the floor, and forgotten hosts are left out. */
static void the_floor_is_shown(void **state)
{
	struct meter *m = *state;
	struct mac mac = event_mac(DESKTOP), other = event_mac(LAPTOP);
	uint32_t gone = hosts_by_mac(m->hosts, &other), desktop = hosts_by_mac(m->hosts, &mac);
	struct snapshot s;

	hosts_get(m->hosts, desktop)->wan_floor.of[TRAFFIC_IPV6][TRAFFIC_OUT].bytes = 700;
	hosts_leave(m->hosts, gone, HOSTS_LEFT_SILENT);
	s = look(m);
	assert_int_equal(s.hosts, HOST_FIRST + 1);
	assert_string_equal(s.host[HOST_FIRST].mac, DESKTOP);
	assert_int_equal(s.host[HOST_FIRST].wan.of[TRAFFIC_IPV6][TRAFFIC_OUT].bytes, 700);
	snapshot_clear(&s);
}

/* Links are in the order of ifindex; a WAN that was not reconciled has the link's name, or "#" and its ifindex. */
static void links_have_names(void **state)
{
	static const uint32_t crossed[] = { 0, WAN, 77 };
	const struct traffic_count delta = { 10, 1 };
	struct meter *m = *state;
	struct snapshot s;

	for (int i = 0; i < 3; i++)
		wan_count(m->wan, crossed[i], HOST_ROUTER, WAN_TX, &delta);
	s = look(m);
	assert_int_equal(s.links, 6);
	assert_string_equal(s.link[0].name, "lo");
	assert_string_equal(s.link[5].name, "eth1");
	assert_int_equal(s.wans, 3);
	assert_string_equal(s.wan[0].name, "");
	assert_string_equal(s.wan[1].name, "wan0");
	assert_string_equal(s.wan[2].name, "#77");
	assert_int_equal(s.now, 99);
	snapshot_clear(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hosts_of_one_name_are_one_row),
		TEST(a_label_is_no_mac),
		TEST(the_floor_is_shown),
		TEST(links_have_names),
	};

	return cmocka_run_group_tests_name("snapshot_take", tests, NULL, NULL);
}
