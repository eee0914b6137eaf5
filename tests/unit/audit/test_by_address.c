/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose a flow is by its addresses: each row of docs/attribution.md, and what addresses do not say. */
#include "by_address.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	addr_parse(&a, text);
	return a;
}

static void addresses_tell_whose(void **state)
{
	enum { ROUTER = 9, A = 1, B = 2 };
	static const struct {
		const char *from, *to;
		bool given;
		enum audit_scope scope;
		uint32_t host, peer;
		bool began;
	} cases[] = {
		{ "192.168.1.2", "203.0.113.9", true, AUDIT_WAN, A, AUDIT_NOBODY, true },
		{ "203.0.113.9", "192.168.1.2", true, AUDIT_WAN, A, AUDIT_NOBODY, false },
		{ "192.168.1.2", "192.168.1.3", true, AUDIT_LOCAL, A, B, true },
		{ "192.168.1.2", "192.168.1.1", true, AUDIT_LOCAL, A, AUDIT_NOBODY, true },
		{ "192.168.1.1", "192.168.1.3", true, AUDIT_LOCAL, B, AUDIT_NOBODY, false },
		{ "192.168.1.2", "192.168.1.255", true, AUDIT_LOCAL, A, AUDIT_NOBODY, true },
		{ "192.168.1.2", "224.0.0.251", true, AUDIT_LOCAL, A, AUDIT_NOBODY, true },
		{ "198.51.100.2", "203.0.113.9", true, AUDIT_WAN, ROUTER, AUDIT_NOBODY, true },
		{ "203.0.113.9", "198.51.100.2", true, AUDIT_WAN, ROUTER, AUDIT_NOBODY, false },
		{ "127.0.0.1", "127.0.0.1", true, AUDIT_IGNORED, AUDIT_NOBODY, AUDIT_NOBODY, false },
		{ "203.0.113.9", "203.0.113.10", false, 0, 0, 0, false },
		{ "192.168.1.99", "203.0.113.9", false, 0, 0, 0, false }, /* of the LAN, and unknown */
		{ "192.168.1.77", "203.0.113.9", false, 0, 0, 0, false }, /* of two */
		{ "fe80::99", "2001:db8::1", false, 0, 0, 0, false },
		{ "fe80::1", "ff02::1", false, 0, 0, 0, false }, /* the router's, on which link? */
	};
	struct by_address *addresses = by_address_new();
	struct addr addr;
	struct prefix lan;

	(void)state;
	prefix_parse(&lan, "192.168.1.0/24");
	by_address_add_lan(addresses, &lan);
	addr = address("192.168.1.2");
	by_address_add(addresses, &addr, ADDRESS_HOST, A);
	addr = address("192.168.1.3");
	by_address_add(addresses, &addr, ADDRESS_HOST, B);
	addr = address("192.168.1.77");
	by_address_add(addresses, &addr, ADDRESS_HOST, A);
	by_address_add(addresses, &addr, ADDRESS_HOST, B);
	assert_int_equal(by_address_find(addresses, &addr), AUDIT_NOBODY);
	addr = address("192.168.1.1");
	by_address_add(addresses, &addr, ADDRESS_HOST, A); /* whoever says so: it is the router's */
	by_address_add(addresses, &addr, ADDRESS_ROUTER, AUDIT_NOBODY);
	addr = address("fe80::1");
	by_address_add(addresses, &addr, ADDRESS_ROUTER, AUDIT_NOBODY);
	addr = address("198.51.100.2");
	by_address_add(addresses, &addr, ADDRESS_ROUTER, AUDIT_NOBODY);
	addr = address("192.168.1.255");
	by_address_add(addresses, &addr, ADDRESS_GROUP, AUDIT_NOBODY);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ct_event e = { .family = 4 };
		struct audit_owner owner;

		e.tuple[CT_ORIGINAL].src = address(cases[i].from);
		e.tuple[CT_REPLY].src = address(cases[i].to);
		owner = by_address_flow(addresses, &e, ROUTER);
		if (owner.given != cases[i].given)
			fail_msg("%s to %s: %d", cases[i].from, cases[i].to, owner.given);
		if (!owner.given)
			continue;
		assert_int_equal(owner.scope, cases[i].scope);
		assert_int_equal(owner.host, cases[i].host);
		assert_int_equal(owner.peer, cases[i].peer);
		if (owner.scope != AUDIT_IGNORED)
			assert_int_equal(owner.began, cases[i].began);
	}
	by_address_free(addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_tell_whose),
	};

	return cmocka_run_group_tests_name("by_address", tests, NULL, NULL);
}
