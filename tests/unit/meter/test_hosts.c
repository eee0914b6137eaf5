/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/hosts.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *label(const struct hosts *hosts, uint32_t index)
{
	static char text[ADDR_TEXT];

	return hosts_label(hosts, index, text);
}

static void three_are_there_from_the_start(void **state)
{
	struct hosts *hosts = hosts_new(10);

	(void)state;
	assert_int_equal(hosts_count(hosts), HOST_FIRST);
	assert_string_equal(label(hosts, HOST_ROUTER), "router");
	assert_string_equal(label(hosts, HOST_UNKNOWN), "unknown");
	assert_string_equal(label(hosts, HOST_OTHER), "other");
	for (uint32_t i = 0; i < HOST_FIRST; i++)
		assert_int_equal(hosts_get(hosts, i)->kind, HOST_KIND_SPECIAL);
	hosts_free(hosts);
	hosts_free(NULL);
}

static void one_host_per_mac_or_address(void **state)
{
	struct hosts *hosts = hosts_new(10);
	/* The same bytes in three kinds of name; the MAC even begins like a family. */
	struct mac mac = { { 4, 10, 1, 2, 3, 0 } };
	struct addr four = { .family = 4, .b = { 10, 1, 2, 3 } }, six = { .family = 6, .b = { 10, 1, 2, 3 } };
	uint32_t a = hosts_by_mac(hosts, &mac), b = hosts_by_address(hosts, &four), c = hosts_by_address(hosts, &six);

	(void)state;
	assert_int_equal(a, HOST_FIRST);
	assert_int_equal(b, HOST_FIRST + 1);
	assert_int_equal(c, HOST_FIRST + 2);
	assert_int_equal(hosts_by_mac(hosts, &mac), a);
	assert_int_equal(hosts_by_address(hosts, &four), b);
	assert_int_equal(hosts_by_address(hosts, &six), c);
	assert_int_equal(hosts_count(hosts), HOST_FIRST + 3);
	assert_int_equal(hosts_get(hosts, a)->kind, HOST_KIND_MAC);
	assert_true(mac_equal(&hosts_get(hosts, a)->mac, &mac));
	assert_int_equal(hosts_get(hosts, b)->kind, HOST_KIND_ADDRESS);
	assert_true(addr_equal(&hosts_get(hosts, c)->addr, &six));
	mac.b[5] = 1; /* the last byte tells too */
	assert_int_equal(hosts_by_mac(hosts, &mac), HOST_FIRST + 3);
	hosts_free(hosts);
}

static void what_does_not_fit_is_other(void **state)
{
	struct hosts *hosts = hosts_new(2);
	struct mac first = event_mac(DESKTOP), second = event_mac(LAPTOP), third = event_mac(VISITOR);
	struct addr addr = event_ip("10.9.0.2");

	(void)state;
	hosts_by_mac(hosts, &first);
	hosts_by_mac(hosts, &second);
	assert_int_equal(hosts_folded(hosts), 0);
	assert_int_equal(hosts_by_mac(hosts, &third), HOST_OTHER);
	assert_int_equal(hosts_by_address(hosts, &addr), HOST_OTHER);
	assert_int_equal(hosts_folded(hosts), 2);
	assert_int_equal(hosts_count(hosts), HOST_FIRST + 2);
	assert_int_equal(hosts_by_mac(hosts, &second), HOST_FIRST + 1);
	/* Nobody's name or MAC got onto the shared one. */
	assert_int_equal(hosts_get(hosts, HOST_OTHER)->kind, HOST_KIND_SPECIAL);
	hosts_free(hosts);
}

static void hosts_stay_where_they_are(void **state)
{
	struct hosts *hosts = hosts_new(1000);
	struct host *router = hosts_get(hosts, HOST_ROUTER);

	(void)state;
	router->wan.of[TRAFFIC_IPV6][TRAFFIC_OUT].bytes = 7;
	for (uint32_t i = 0; i < 1000; i++) {
		struct mac mac = { { 2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } };

		assert_int_equal(hosts_by_mac(hosts, &mac), HOST_FIRST + i);
	}
	assert_ptr_equal(hosts_get(hosts, HOST_ROUTER), router);
	assert_int_equal(router->wan.of[TRAFFIC_IPV6][TRAFFIC_OUT].bytes, 7);
	hosts_free(hosts);
}

static void labels(void **state)
{
	struct hosts *hosts = hosts_new(10);
	struct mac mac = event_mac("02:00:00:00:00:0A");
	struct addr addr = event_ip("2001:DB8::1");
	uint32_t by_mac = hosts_by_mac(hosts, &mac), by_address = hosts_by_address(hosts, &addr);
	char name[] = "desktop";

	(void)state;
	assert_string_equal(label(hosts, by_mac), "02:00:00:00:00:0a");
	assert_string_equal(label(hosts, by_address), "2001:db8::1");
	assert_int_equal(hosts_set_name(hosts_get(hosts, by_mac), name), 0);
	name[0] = 'X'; /* it was copied */
	assert_string_equal(label(hosts, by_mac), "desktop");
	assert_int_equal(hosts_set_name(hosts_get(hosts, by_mac), "laptop"), 0);
	assert_string_equal(label(hosts, by_mac), "laptop");
	assert_int_equal(hosts_set_name(hosts_get(hosts, by_mac), NULL), 0);
	assert_string_equal(label(hosts, by_mac), "02:00:00:00:00:0a");
	hosts_free(hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_are_there_from_the_start),
		cmocka_unit_test(one_host_per_mac_or_address),
		cmocka_unit_test(what_does_not_fit_is_other),
		cmocka_unit_test(hosts_stay_where_they_are),
		cmocka_unit_test(labels),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
