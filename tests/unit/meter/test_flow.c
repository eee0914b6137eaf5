/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/flow.h"

#include "events.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct hash_key hash = { { 1, 2 } };

static void the_key_tells_flows_apart(void **state)
{
	struct ct_event e = event_flow("192.168.1.2", "203.0.113.9"), other = e;
	uint64_t key = flow_key(&hash, &e);

	(void)state;
	other.tuple[CT_REPLY].dport ^= 1; /* NAT may change: the original tuple is what counts */
	other.bytes[0] += 1;
	assert_true(flow_key(&hash, &other) == key);
	other = e;
	other.id++;
	assert_false(flow_key(&hash, &other) == key);
	other = e;
	other.zone++;
	assert_false(flow_key(&hash, &other) == key);
	other = e;
	other.start_ns = 1;
	assert_false(flow_key(&hash, &other) == key);
	other = e;
	other.tuple[CT_ORIGINAL].sport ^= 1;
	assert_false(flow_key(&hash, &other) == key);
}

static void a_pair_has_no_order(void **state)
{
	struct addr a = event_ip("192.168.1.2"), b = event_ip("203.0.113.9");
	bool first, second;
	uint64_t pair = flow_pair(&hash, IPPROTO_TCP, 0, &a, 1000, &b, 443, &first);

	(void)state;
	assert_true(flow_pair(&hash, IPPROTO_TCP, 0, &b, 443, &a, 1000, &second) == pair);
	assert_true(first != second);
	assert_false(flow_pair(&hash, IPPROTO_TCP, 0, &a, 443, &b, 1000, &second) == pair);
	assert_false(flow_pair(&hash, IPPROTO_UDP, 0, &a, 1000, &b, 443, &second) == pair);
	assert_false(flow_pair(&hash, IPPROTO_TCP, 1, &a, 1000, &b, 443, &second) == pair);
}

/* Source NAT changes the id outside; the forward hook sees the one inside in both directions. */
static void an_icmp_pair_has_the_original_id(void **state)
{
	struct ct_event e = event_flow("192.168.1.2", "203.0.113.9");
	struct ct_tuple *original = &e.tuple[CT_ORIGINAL], *reply = &e.tuple[CT_REPLY];
	bool swapped, of_packet;

	(void)state;
	e.proto = IPPROTO_ICMP;
	original->sport = original->dport = 7;
	reply->sport = reply->dport = 8;
	assert_true(flow_pair_of(&hash, &e, &swapped) ==
		flow_pair(&hash, IPPROTO_ICMP, 0, &original->src, 7, &reply->src, 7, &of_packet));
	assert_int_equal(swapped, of_packet);
}

static void sources_have_names(void **state)
{
	(void)state;
	assert_string_equal(flow_by_name(FLOW_BY_NFLOG), "nflog");
	assert_string_equal(flow_by_name(FLOW_BY_NEIGHBOUR), "neighbour");
	assert_string_equal(flow_by_name(FLOW_BY_COUNT), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_tells_flows_apart),
		cmocka_unit_test(a_pair_has_no_order),
		cmocka_unit_test(an_icmp_pair_has_the_original_id),
		cmocka_unit_test(sources_have_names),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
