/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of what the meter reports: who is who, at which end, and whose the flows are. */
#include "state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MAC_A "00:00:5e:00:53:01"
#define MAC_B "00:00:5e:00:53:02"

static int begin(void **state)
{
	*state = audit_new(4);
	return *state ? 0 : -1;
}

static int end(void **state)
{
	audit_free(*state);
	return 0;
}

static struct audit_host *find(const struct audit *audit, const char *id)
{
	struct audit_host *host;

	HASH_FIND_STR(audit->table, id, host);
	return host;
}

static struct audit_reported_host host_of(const char *label, const char *mac, uint64_t bytes)
{
	struct audit_reported_host host = { .first_seen = bytes + 1 };

	strcpy(host.label, label);
	strcpy(host.mac, mac);
	host.bytes[AUDIT_LOCAL][AUDIT_IPV6][AUDIT_OUT] = bytes;
	return host;
}

static void router_and_other_are_there_from_the_start(void **state)
{
	struct audit *audit = *state;

	assert_int_equal(audit->hosts, 2);
	assert_int_equal(find(audit, "router")->number, AUDIT_ROUTER);
	assert_int_equal(find(audit, "other")->number, AUDIT_OTHER);
	assert_false(find(audit, "router")->present[AUDIT_BEGIN]);
}

/* A host is the same one by its MAC, whatever it is called by then; without a MAC by its label. */
static void a_host_is_known_by_its_mac(void **state)
{
	struct audit *audit = *state;
	struct audit_reported_host hosts[][2] = { { host_of("laptop", MAC_A, 10), host_of("10.0.0.7", "", 20) },
		{ host_of("renamed", MAC_A, 30), host_of("laptop", "", 40) } };
	const struct audit_host *host;

	for (enum audit_end at = 0; at < AUDIT_ENDS; at++) {
		struct audit_reported reported = { .host = hosts[at], .hosts = 2 };

		assert_int_equal(audit_take_reported(audit, at, &reported), 0);
	}
	assert_int_equal(audit->hosts, 5);
	host = find(audit, MAC_A);
	assert_non_null(host);
	assert_string_equal(host->label, "renamed");
	assert_string_equal(host->mac, MAC_A);
	assert_int_equal(host->first_seen, 31);
	assert_true(host->present[AUDIT_BEGIN] && host->present[AUDIT_END]);
	assert_int_equal(host->bytes[AUDIT_BEGIN][AUDIT_LOCAL][AUDIT_IPV6][AUDIT_OUT], 10);
	assert_int_equal(host->bytes[AUDIT_END][AUDIT_LOCAL][AUDIT_IPV6][AUDIT_OUT], 30);
	assert_int_equal(host->bytes[AUDIT_END][AUDIT_WAN][AUDIT_IPV6][AUDIT_OUT], 0);
	host = find(audit, "10.0.0.7");
	assert_true(host->present[AUDIT_BEGIN] && !host->present[AUDIT_END]);
	host = find(audit, "laptop");
	assert_true(!host->present[AUDIT_BEGIN] && host->present[AUDIT_END]);
	assert_int_equal(host->bytes[AUDIT_END][AUDIT_LOCAL][AUDIT_IPV6][AUDIT_OUT], 40);
}

static void each_end_has_its_own_times(void **state)
{
	struct audit *audit = *state;

	for (uint64_t at = 0; at < AUDIT_ENDS; at++) {
		const struct audit_reported reported = { .time = 100 + at,
			.uptime_ns = 200 + at,
			.overruns = 300 + at,
			.dump_interval_ns = 400 + at,
			.reliable = at };

		assert_int_equal(audit_take_reported(audit, (enum audit_end)at, &reported), 0);
	}
	for (uint64_t at = 0; at < AUDIT_ENDS; at++) {
		assert_int_equal(audit->time[at], 100 + at);
		assert_int_equal(audit->uptime_ns[at], 200 + at);
		assert_int_equal(audit->overruns[at], 300 + at);
		assert_int_equal(audit->reliable[at], at);
	}
	assert_int_equal(audit->dump_interval_ns, 401);
}

/* The addresses of all hosts stand in one list. */
static void addresses_go_to_their_host(void **state)
{
	static const char *const text[] = { "192.168.1.2", "2001:db8::2", "192.168.1.3" };
	struct audit *audit = *state;
	struct audit_reported_host hosts[] = { host_of("a", MAC_A, 1), host_of("b", MAC_B, 2) };
	struct addr address[3];
	const struct audit_reported reported = { .host = hosts, .hosts = 2, .address = address, .addresses = 3 };

	for (int i = 0; i < 3; i++)
		assert_int_equal(addr_parse(&address[i], text[i]), 0);
	hosts[0].addresses = 2;
	hosts[1].address = 2;
	hosts[1].addresses = 1;
	assert_int_equal(audit_take_reported(audit, AUDIT_BEGIN, &reported), 0);
	assert_int_equal(by_address_find(audit->addresses, &address[0]), find(audit, MAC_A)->number);
	assert_int_equal(by_address_find(audit->addresses, &address[1]), find(audit, MAC_A)->number);
	assert_int_equal(by_address_find(audit->addresses, &address[2]), find(audit, MAC_B)->number);
}

/* --- Flows */

static struct audit_owner seen;

static void look(void *ctx, const struct audit_flow *flow)
{
	seen = flow->reported[*(const enum audit_end *)ctx];
}

/* What is kept of it. */
static struct audit_owner take(struct audit *audit, enum audit_end at, const struct audit_reported_flow *flow)
{
	assert_int_equal(audit_take_flow(audit, at, flow), 0);
	readings_each(audit->flows, look, &at);
	return seen;
}

static void a_flow_has_its_host_and_its_peer(void **state)
{
	struct audit *audit = *state;
	struct audit_reported_flow flow = { .flow = { .family = 4, .proto = 6, .id = 1 },
		.scope = AUDIT_LOCAL,
		.began = true,
		.host = "a",
		.mac = MAC_A,
		.peer = "b",
		.peer_mac = MAC_B };
	struct audit_owner owner = take(audit, AUDIT_END, &flow);

	assert_true(owner.given);
	assert_true(owner.began);
	assert_int_equal(owner.scope, AUDIT_LOCAL);
	assert_int_equal(owner.host, find(audit, MAC_A)->number); /* hosts that are in no list yet */
	assert_int_equal(owner.peer, find(audit, MAC_B)->number);
	flow.scope = AUDIT_WAN;
	flow.began = false;
	strcpy(flow.host, "router");
	flow.mac[0] = flow.peer[0] = '\0';
	owner = take(audit, AUDIT_BEGIN, &flow);
	assert_int_equal(owner.scope, AUDIT_WAN);
	assert_false(owner.began);
	assert_int_equal(owner.host, AUDIT_ROUTER);
	assert_int_equal(owner.peer, AUDIT_NOBODY);
	assert_int_equal(audit->hosts, 4);
}

static void a_flow_that_is_not_decided_has_no_host(void **state)
{
	struct audit *audit = *state;
	const struct audit_reported_flow flow = { .flow = { .family = 4, .id = 1 }, .scope = AUDIT_UNDECIDED };
	struct audit_owner owner = take(audit, AUDIT_BEGIN, &flow);

	assert_true(owner.given);
	assert_int_equal(owner.scope, AUDIT_UNDECIDED);
	assert_int_equal(owner.host, AUDIT_NOBODY);
	assert_int_equal(owner.peer, AUDIT_NOBODY);
	assert_int_equal(audit->hosts, 2); /* "" is no host */
}

static void the_list_of_interfaces_has_an_end(void **state)
{
	struct audit *audit = *state;

	for (uint32_t i = 1; i <= AUDIT_LINKS + 2; i++)
		audit_take_link(audit, AUDIT_END, &(struct audit_link){ .ifindex = i });
	assert_int_equal(audit->links[AUDIT_BEGIN], 0);
	assert_int_equal(audit->links[AUDIT_END], AUDIT_LINKS);
	assert_int_equal(audit->link[AUDIT_END][0].ifindex, 1);
	assert_int_equal(audit->link[AUDIT_END][AUDIT_LINKS - 1].ifindex, AUDIT_LINKS);
	assert_false(audit->cut);
	audit_take_cut(audit);
	assert_true(audit->cut);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(router_and_other_are_there_from_the_start),
		TEST(a_host_is_known_by_its_mac),
		TEST(each_end_has_its_own_times),
		TEST(addresses_go_to_their_host),
		TEST(a_flow_has_its_host_and_its_peer),
		TEST(a_flow_that_is_not_decided_has_no_host),
		TEST(the_list_of_interfaces_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
