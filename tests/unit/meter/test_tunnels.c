/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/tunnels.h"

#include "events.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { WG = 30, WG2 = 31, WG_PORT = 51820 };

static struct rtnl_event wireguard(uint32_t ifindex)
{
	struct rtnl_event e = event_link(ifindex, "wg0", 0, ARPHRD_NONE);

	e.link.kind = RTNL_KIND_WIREGUARD;
	return e;
}

static enum tunnels_answer ask(const struct tunnels *t, uint8_t proto, uint16_t own, uint16_t other, const char *peer)
{
	const struct addr addr = event_ip(peer);

	return tunnels_carries(t, &(struct tunnels_flow){ proto, own, other, &addr });
}

static void protocols_and_ports_of_tunnels(void **state)
{
	static const uint8_t yes[] = { IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE, IPPROTO_ESP, IPPROTO_AH, 115 },
			     no[] = { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_UDP, IPPROTO_TCP, IPPROTO_SCTP };
	struct tunnels *t = tunnels_new(&(struct tunnels_config){ .peers = 0 });

	(void)state;
	for (size_t i = 0; i < sizeof(yes); i++)
		assert_int_equal(ask(t, yes[i], 0, 0, "203.0.113.9"), TUNNELS_YES);
	for (size_t i = 0; i < sizeof(no); i++)
		assert_int_equal(ask(t, no[i], 4242, 443, "203.0.113.9"), TUNNELS_NO);
	assert_int_equal(ask(t, IPPROTO_UDP, 4500, 4500, "203.0.113.9"), TUNNELS_YES);
	assert_int_equal(ask(t, IPPROTO_TCP, 4500, 4500, "203.0.113.9"), TUNNELS_NO);
	assert_int_equal(ask(t, IPPROTO_UDP, 40000, 1194, "2001:db8::9"), TUNNELS_YES);
	assert_int_equal(ask(t, IPPROTO_TCP, 1194, 40000, "2001:db8::9"), TUNNELS_YES);
	/* The id of an echo request is no port. */
	assert_int_equal(ask(t, IPPROTO_ICMP, 1194, 1194, "203.0.113.9"), TUNNELS_NO);
	tunnels_free(t);
}

static void the_configuration_names_other_ends(void **state)
{
	const struct tunnels_peer peer[] = { { event_ip("203.0.113.9"), 0 }, { event_ip("203.0.113.10"), 443 },
		{ .port = 5555 } };
	struct tunnels *t = tunnels_new(&(struct tunnels_config){ peer, 3 });

	(void)state;
	assert_int_equal(ask(t, IPPROTO_TCP, 40000, 80, "203.0.113.9"), TUNNELS_YES);
	assert_int_equal(ask(t, IPPROTO_TCP, 40000, 443, "203.0.113.10"), TUNNELS_YES);
	assert_int_equal(ask(t, IPPROTO_TCP, 40000, 80, "203.0.113.10"), TUNNELS_NO);
	assert_int_equal(ask(t, IPPROTO_TCP, 40000, 443, "203.0.113.11"), TUNNELS_NO);
	assert_int_equal(ask(t, IPPROTO_UDP, 5555, 40000, "203.0.113.11"), TUNNELS_YES);
	assert_int_equal(ask(t, IPPROTO_ICMP, 5555, 5555, "203.0.113.11"), TUNNELS_NO);
	tunnels_free(t);
}

static void wireguard_tells_its_port(void **state)
{
	struct tunnels *t = tunnels_new(&(struct tunnels_config){ .peers = 0 });
	struct rtnl_event wg = wireguard(WG), wg2 = wireguard(WG2), other = event_link(2, "eth0", 0, ARPHRD_ETHER);
	uint32_t ifindex[4];

	(void)state;
	tunnels_rtnl(t, &other);
	tunnels_port(t, 2, WG_PORT); /* is no WireGuard */
	assert_int_equal(ask(t, IPPROTO_UDP, WG_PORT, 40000, "203.0.113.9"), TUNNELS_NO);
	tunnels_rtnl(t, &wg);
	assert_int_equal(tunnels_wireguards(t, ifindex, 4), 1);
	assert_int_equal(ifindex[0], WG);
	assert_int_equal(ask(t, IPPROTO_UDP, WG_PORT, 40000, "203.0.113.9"), TUNNELS_MAYBE);
	assert_int_equal(ask(t, IPPROTO_TCP, WG_PORT, 40000, "203.0.113.9"), TUNNELS_NO);
	tunnels_port(t, WG, WG_PORT);
	assert_int_equal(ask(t, IPPROTO_UDP, WG_PORT, 40000, "203.0.113.9"), TUNNELS_YES);
	/* Only its own port: that of the other end is another machine's. */
	assert_int_equal(ask(t, IPPROTO_UDP, 40000, WG_PORT, "203.0.113.9"), TUNNELS_NO);
	tunnels_rtnl(t, &wg2);
	tunnels_port(t, WG2, 0); /* listens on none */
	assert_int_equal(ask(t, IPPROTO_UDP, 40000, 0, "203.0.113.9"), TUNNELS_NO);
	wg.gone = true;
	tunnels_rtnl(t, &wg);
	assert_int_equal(ask(t, IPPROTO_UDP, WG_PORT, 40000, "203.0.113.9"), TUNNELS_NO);
	tunnels_sync_begin(t);
	tunnels_sync_end(t);
	assert_int_equal(tunnels_wireguards(t, NULL, 0), 0);
	tunnels_free(t);
}

static void the_table_is_bounded(void **state)
{
	struct tunnels *t = tunnels_new(&(struct tunnels_config){ .peers = 0 });

	(void)state;
	for (uint32_t i = 1; i < 1000; i++) {
		struct rtnl_event wg = wireguard(i);

		tunnels_rtnl(t, &wg);
		tunnels_rtnl(t, &wg);
	}
	assert_int_equal(tunnels_wireguards(t, NULL, 0), 64);
	tunnels_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocols_and_ports_of_tunnels),
		cmocka_unit_test(the_configuration_names_other_ends),
		cmocka_unit_test(wireguard_tells_its_port),
		cmocka_unit_test(the_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
