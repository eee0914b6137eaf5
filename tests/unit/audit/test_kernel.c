/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the audit makes of the kernel's messages, with fake sockets. That the kernel sends them is seen in
 * tests/e2e/test_audit.py alone.
 */
#include "state.h"

#include "fake_nl.h"

#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { WAN = 2, LAN = 3, PPP = 4 };

struct world {
	struct audit *audit;
	struct audit_kernel *kernel;
	int calls, error; /* of done() */
	struct audit_flow flow[4];
	size_t flows;
};

static void done(void *ctx, int error)
{
	struct world *w = ctx;

	w->calls++;
	w->error = error;
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	fake_begin();
	assert_non_null(w);
	w->audit = audit_new(4);
	w->kernel = audit_kernel_new(&fake.loop, w->audit, done, w);
	assert_non_null(w->kernel);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	audit_kernel_free(w->kernel);
	audit_free(w->audit);
	free(w);
	return 0;
}

static struct ct_event flow(enum ct_event_type type, uint64_t bytes)
{
	struct addr a = build_addr("192.168.1.2"), b = build_addr("203.0.113.9");

	return (struct ct_event){ .type = type,
		.family = 4,
		.proto = 6,
		.id = 1,
		.has_counters = true,
		.tuple = { { a, b, 40000, 443 }, { b, a, 443, 40000 } },
		.bytes = { bytes, 2 * bytes } };
}

static void receive_flow(enum source source, enum ct_event_type type, uint64_t bytes)
{
	struct ct_event event = flow(type, bytes);
	union message m;

	fake_receive(source, build_ct(&m, &event, 0));
}

static void keep(void *ctx, const struct audit_flow *one)
{
	struct world *w = ctx;

	w->flow[w->flows++] = *one;
}

static void ends_are_not_waited_for(void **state)
{
	struct world *w = *state;

	assert_int_equal(audit_kernel_open(w->kernel), 0);
	fake_check("open-events unreliable open-dump open-rtnetlink ");
}

static void who_may_not_listen_is_told(void **state)
{
	struct world *w = *state;

	fake.fails[SOURCE_DUMP] = -EPERM;
	assert_int_equal(audit_kernel_open(w->kernel), -EPERM);
	fake_check("open-events unreliable open-dump ");
}

static void flows_are_read_until_the_dump_ends(void **state)
{
	struct world *w = *state;

	assert_int_equal(audit_kernel_flows(w->kernel), 0);
	fake_check("dump-flows ");
	receive_flow(SOURCE_DUMP, CT_ENTRY, 100);
	fake_advance(0);
	assert_int_equal(w->calls, 0);
	fake_done(SOURCE_DUMP, FAKE_CT_SEQ);
	assert_int_equal(w->calls, 0); /* not within the callback of the socket */
	fake_advance(0);
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->error, 0);
	fake_check("drain-events ");
	/* The next moment: it ended. */
	receive_flow(SOURCE_EVENTS, CT_DESTROY, 130);
	assert_int_equal(audit_kernel_flows(w->kernel), 0);
	fake_done(SOURCE_DUMP, FAKE_CT_SEQ);
	fake_advance(0);
	assert_int_equal(w->calls, 2);
	readings_each(w->audit->flows, keep, w);
	assert_int_equal(w->flows, 1);
	assert_int_equal(w->flow[0].value[AUDIT_BEGIN_LOW][CT_ORIGINAL], 100);
	assert_int_equal(w->flow[0].value[AUDIT_BEGIN_LOW][CT_REPLY], 200);
	assert_int_equal(w->flow[0].value[AUDIT_BEGIN_HIGH][CT_ORIGINAL], 130);
	assert_int_equal(w->flow[0].ended, AUDIT_BEGIN_HIGH);
}

static void a_dump_that_was_cut_short_is_asked_again(void **state)
{
	struct world *w = *state;

	assert_int_equal(audit_kernel_flows(w->kernel), 0);
	for (int i = 0; i < 5; i++)
		fake_overrun(SOURCE_DUMP);
	fake_check("dump-flows dump-flows dump-flows dump-flows dump-flows dump-flows ");
	fake_advance(0);
	assert_int_equal(w->calls, 0);
	fake_overrun(SOURCE_DUMP);
	fake_advance(0);
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->error, -ENOBUFS);
	/* The moment is not over: what is read next is still of the first. */
	assert_int_equal(audit_kernel_flows(w->kernel), 0);
	receive_flow(SOURCE_DUMP, CT_ENTRY, 100);
	fake_done(SOURCE_DUMP, FAKE_CT_SEQ);
	fake_advance(0);
	assert_int_equal(w->error, 0);
	readings_each(w->audit->flows, keep, w);
	assert_int_equal(w->flow[0].value[AUDIT_BEGIN_LOW][CT_ORIGINAL], 100);
}

static void what_fails_is_told(void **state)
{
	struct world *w = *state;

	assert_int_equal(audit_kernel_flows(w->kernel), 0);
	fake_failed(SOURCE_DUMP, -EIO);
	fake_advance(0);
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->error, -EIO);
	fake.dump_fails = -EBUSY;
	assert_int_equal(audit_kernel_flows(w->kernel), -EBUSY);
	fake_overrun(SOURCE_DUMP);
	fake_advance(0);
	assert_int_equal(w->error, -EBUSY);
}

static void lost_ends_are_counted(void **state)
{
	struct world *w = *state;

	assert_int_equal(audit_kernel_lost(w->kernel), 0);
	fake_overrun(SOURCE_EVENTS);
	fake_overrun(SOURCE_EVENTS);
	assert_int_equal(audit_kernel_lost(w->kernel), 2);
	fake_check("");
	fake_advance(0);
	assert_int_equal(w->calls, 0);
}

/* --- Interfaces and addresses */

static void receive_link_like(uint32_t ifindex, const struct rtnl_link *like, uint32_t seq)
{
	struct rtnl_event event = { .type = RTNL_LINK, .ifindex = ifindex, .link = *like };
	union message m;

	snprintf(event.link.name, sizeof(event.link.name), "x");
	event.link.has_stats = true;
	event.link.rx_bytes = 10 * (uint64_t)ifindex;
	event.link.tx_bytes = event.link.rx_bytes + 1;
	event.link.rx_packets = event.link.rx_bytes + 2;
	event.link.tx_packets = event.link.rx_bytes + 3;
	build_link(&m, &event);
	m.head.nlmsg_seq = seq;
	fake_receive(SOURCE_RTNL, &m.head);
}

static void receive_link(uint32_t ifindex, uint16_t arphrd, uint32_t seq)
{
	receive_link_like(ifindex, &(struct rtnl_link){ .arphrd = arphrd }, seq);
}

static void receive_address(uint32_t ifindex, const char *text, uint8_t len, uint32_t seq)
{
	struct rtnl_event event = {
		.type = RTNL_ADDR, .ifindex = ifindex, .addr = { .addr = build_addr(text), .prefix_len = len }
	};
	union message m;

	build_rtnl_addr(&m, &event, NULL);
	m.head.nlmsg_seq = seq;
	fake_receive(SOURCE_RTNL, &m.head);
}

static void request_next(uint16_t type)
{
	fake_request(SOURCE_RTNL, type, ++fake.nl->seq);
}

static const struct audit_reported reported = { .link = { { WAN, true }, { LAN, false }, { PPP, true } }, .links = 3 };

static void interfaces_of_the_wan_are_read(void **state)
{
	struct world *w = *state;
	const struct audit_link *link = w->audit->link[AUDIT_END];

	receive_link(WAN, ARPHRD_ETHER, 0); /* nobody asked */
	assert_int_equal(audit_kernel_links(w->kernel, AUDIT_END, &reported), 0);
	fake_check("dump-network ");
	receive_link(1, ARPHRD_LOOPBACK, fake.nl->seq);
	receive_link(WAN, ARPHRD_ETHER, 0); /* a change meanwhile: not of this dump */
	receive_link(WAN, ARPHRD_ETHER, fake.nl->seq);
	receive_link(LAN, ARPHRD_ETHER, fake.nl->seq);
	receive_link(PPP, ARPHRD_PPP, fake.nl->seq);
	assert_int_equal(w->audit->links[AUDIT_BEGIN], 0);
	assert_int_equal(w->audit->links[AUDIT_END], 2);
	assert_int_equal(link[0].ifindex, WAN);
	assert_true(link[0].has_mac);
	assert_int_equal(link[0].bytes[AUDIT_IN], 20);
	assert_int_equal(link[0].bytes[AUDIT_OUT], 21);
	assert_int_equal(link[0].packets[AUDIT_IN], 22);
	assert_int_equal(link[0].packets[AUDIT_OUT], 23);
	assert_int_equal(link[1].ifindex, PPP);
	assert_false(link[1].has_mac);
}

/* A flowtable forwards past the counter of a VLAN, of PPPoE and of a bridge. */
static void what_runs_over_another_is_stacked(void **state)
{
	static const struct {
		struct rtnl_link link;
		bool is_stacked;
	} cases[] = {
		{ { .arphrd = ARPHRD_ETHER }, false },
		{ { .arphrd = ARPHRD_ETHER, .lower = 7 }, true },
		{ { .arphrd = ARPHRD_PPP }, true },
		{ { .arphrd = ARPHRD_ETHER, .kind = RTNL_KIND_BRIDGE }, true },
		{ { .arphrd = ARPHRD_NONE, .kind = RTNL_KIND_WIREGUARD }, false },
	};
	struct world *w = *state;

	assert_int_equal(audit_kernel_links(w->kernel, AUDIT_END, &reported), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		receive_link_like(WAN, &cases[i].link, fake.nl->seq);
		assert_int_equal(w->audit->link[AUDIT_END][i].is_stacked, cases[i].is_stacked);
		assert_int_equal(w->audit->link[AUDIT_END][i].is_wireguard, cases[i].link.kind == RTNL_KIND_WIREGUARD);
	}
}

/* Links, addresses, routes and neighbours follow one another: the end of the last is the end. */
static void the_end_of_the_last_dump_is_the_end(void **state)
{
	static const uint16_t types[] = { RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH };
	struct world *w = *state;

	assert_int_equal(audit_kernel_links(w->kernel, AUDIT_BEGIN, &reported), 0);
	for (size_t i = 0; i < 3; i++) {
		fake_done(SOURCE_RTNL, fake.nl->seq);
		fake_advance(0);
		assert_int_equal(w->calls, 0);
		request_next(types[i]);
	}
	fake_done(SOURCE_RTNL, fake.nl->seq - 1); /* of an earlier one */
	fake_advance(0);
	assert_int_equal(w->calls, 0);
	fake_done(SOURCE_RTNL, fake.nl->seq);
	fake_advance(0);
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->error, 0);
	fake_check("dump-network "); /* ends are drained after a dump of flows only */
}

static struct audit_owner owner_of(const struct world *w, const char *from, const char *to)
{
	struct ct_event event = { .tuple = { { .src = build_addr(from) }, { .src = build_addr(to) } } };

	return by_address_flow(w->audit->addresses, &event, 77);
}

static void addresses_are_the_routers(void **state)
{
	struct world *w = *state;

	assert_int_equal(audit_kernel_links(w->kernel, AUDIT_BEGIN, &reported), 0);
	request_next(RTM_GETADDR);
	receive_address(WAN, "198.51.100.2", 24, fake.nl->seq);
	receive_address(LAN, "192.168.1.1", 22, fake.nl->seq);
	receive_address(LAN, "2001:db8:1::1", 64, fake.nl->seq);
	receive_address(LAN, "10.0.0.1", 31, fake.nl->seq); /* RFC 3021: two addresses, no broadcast */
	receive_address(LAN, "172.16.0.1", 24, 0);          /* not of this dump */
	/* The router's own traffic. */
	assert_int_equal(owner_of(w, "198.51.100.2", "203.0.113.9").host, 77);
	assert_int_equal(owner_of(w, "198.51.100.2", "192.168.1.1").scope, AUDIT_IGNORED);
	assert_true(owner_of(w, "192.168.1.1", "203.0.113.9").given);
	assert_false(owner_of(w, "172.16.0.1", "203.0.113.9").given);
	assert_true(owner_of(w, "10.0.0.1", "203.0.113.9").began);
	/* To a broadcast address: nothing that leaves. */
	assert_int_equal(owner_of(w, "192.168.1.1", "192.168.3.255").scope, AUDIT_LOCAL);
	assert_true(owner_of(w, "192.168.1.1", "192.168.3.255").given);
	assert_false(owner_of(w, "192.168.1.1", "192.168.1.255").given);
	assert_false(owner_of(w, "192.168.1.1", "10.0.0.0").given);
	/* In the prefix of a LAN: of a host that the meter does not know. */
	assert_false(owner_of(w, "192.168.2.9", "203.0.113.9").given);
	assert_false(owner_of(w, "2001:db8:1::9", "203.0.113.9").given);
	assert_int_equal(owner_of(w, "198.51.100.2", "198.51.100.9").scope, AUDIT_WAN); /* that of a WAN is none */
	assert_true(owner_of(w, "198.51.100.2", "198.51.100.9").given);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ends_are_not_waited_for),
		TEST(who_may_not_listen_is_told),
		TEST(flows_are_read_until_the_dump_ends),
		TEST(a_dump_that_was_cut_short_is_asked_again),
		TEST(what_fails_is_told),
		TEST(lost_ends_are_counted),
		TEST(interfaces_of_the_wan_are_read),
		TEST(what_runs_over_another_is_stacked),
		TEST(the_end_of_the_last_dump_is_the_end),
		TEST(addresses_are_the_routers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
