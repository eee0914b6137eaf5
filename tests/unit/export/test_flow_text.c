/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/flow_text.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void scopes_have_names(void **state)
{
	(void)state;
	assert_string_equal(flow_text_scope(&(struct meter_flow){ .scope = FLOW_UNDECIDED }), "undecided");
	assert_string_equal(flow_text_scope(&(struct meter_flow){ .scope = FLOW_IGNORED }), "none");
	assert_string_equal(flow_text_scope(&(struct meter_flow){ .scope = FLOW_LOCAL }), "local");
	assert_string_equal(flow_text_scope(&(struct meter_flow){ .scope = FLOW_WAN }), "wan");
	assert_string_equal(flow_text_scope(&(struct meter_flow){ .scope = FLOW_WAN, .by = FLOW_BY_ROUTER }), "router");
	assert_string_equal(flow_text_scope(&(struct meter_flow){ .scope = FLOW_LOCAL, .by = FLOW_BY_ROUTER }),
		"local");
}

static void a_flow_is_of_its_host_and_its_peer(void **state)
{
	static const struct meter_flow flow = { .host = "desktop", .mac = DESKTOP, .peer = "tv", .peer_mac = VISITOR };
	const struct ct_event event = event_masqueraded("192.168.1.10", SERVER4);
	static const struct {
		const char *host;
		bool is_of;
	} rows[] = {
		{ "desktop", true },
		{ "DeskTop", true },
		{ "desk", false },
		{ DESKTOP, true },
		{ "02:00:00:00:00:0A", true },
		{ LAPTOP, false },
		{ "TV", true },
		{ VISITOR, true },
		{ "192.168.1.10", true },
		{ SERVER4, true },          /* the source of the reply */
		{ "198.51.100.2", false },  /* the router's, after address translation */
		{ "192.168.1.100", false }, /* only begins alike */
		{ "2001:db8::1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (flow_text_is_of(rows[i].host, &event, &flow) != rows[i].is_of)
			fail_msg("%s: should be %d", rows[i].host, rows[i].is_of);
}

static void a_word_stays_one_word(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	flow_text_put(&out, "host", "Anna's =big= TV");
	flow_text_put(&out, "mac", "");
	assert_string_equal(buf_text(&out), " host=Anna's__big__TV mac=");
	buf_free(&out);
}

static void check_event(const struct ct_event *event, const char *expected)
{
	struct buf out = BUF_INIT;

	flow_text_event(&out, event);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void an_event_is_printed_as_conntrack_does(void **state)
{
	struct ct_event tcp = event_masqueraded("192.168.1.10", SERVER4);
	struct ct_event ping = event_flow("2001:db8:1::a", SERVER6);

	(void)state;
	tcp.zone = 7;
	for (int dir = 0; dir < 2; dir++) {
		tcp.packets[dir] = 3 + (uint64_t)dir;
		tcp.bytes[dir] = 500 + (uint64_t)dir;
		ping.tuple[dir].sport = ping.tuple[dir].dport = 77;
	}
	check_event(&tcp,
		"tcp 6 src=192.168.1.10 dst=203.0.113.80 sport=40000 dport=443 packets=3 bytes=500"
		" src=203.0.113.80 dst=198.51.100.2 sport=443 dport=40000 packets=4 bytes=501 zone=7");
	ping.proto = 58;
	ping.icmp_type = 128;
	ping.icmp_code = 1;
	ping.has_counters = false;
	check_event(&ping,
		"icmpv6 58 src=2001:db8:1::a dst=2001:db8:feed::80 type=128 code=1 id=77"
		" src=2001:db8:feed::80 dst=2001:db8:1::a id=77");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes_have_names),
		cmocka_unit_test(a_flow_is_of_its_host_and_its_peer),
		cmocka_unit_test(a_word_stays_one_word),
		cmocka_unit_test(an_event_is_printed_as_conntrack_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
