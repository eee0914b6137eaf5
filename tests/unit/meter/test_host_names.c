/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct scene {
	struct names *names;
	struct meter *meter;
	uint32_t desktop;
	int asked;
};

static const char *vendor(void *ctx, const struct mac *mac)
{
	struct scene *scene = ctx;

	scene->asked++;
	return mac->b[5] == 0x0a ? "ACME" : "";
}

static int begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 10 };
	struct mac mac = event_mac(DESKTOP);

	assert_non_null(scene);
	options.names = scene->names = names_new();
	scene->meter = meter_new(&options);
	assert_non_null(scene->meter);
	meter_set_vendor(scene->meter, vendor, scene);
	scene->desktop = hosts_by_mac(scene->meter->hosts, &mac);
	*state = scene;
	return 0;
}

static int end(void **state)
{
	struct scene *scene = *state;

	meter_free(scene->meter);
	names_free(scene->names);
	free(scene);
	return 0;
}

static void a_new_host_is_looked_up_once(void **state)
{
	struct scene *scene = *state;
	const struct host *host = hosts_get(scene->meter->hosts, scene->desktop);
	struct mac mac = event_mac(DESKTOP);

	names_set_mac(scene->names, NAMES_ETHERS, &mac, "desktop");
	scene->meter->now = 5;
	meter_meet_host(scene->meter, scene->desktop);
	scene->meter->now = 6;
	meter_meet_host(scene->meter, scene->desktop);
	assert_string_equal(host->vendor, "ACME");
	assert_int_equal(scene->asked, 1);
	assert_string_equal(host->name, "desktop");
	assert_int_equal(host->name_source, NAMES_ETHERS);
	assert_int_equal(host->last_seen, 6);
}

/* A host of an address has no MAC to look up a vendor by, and the router has no name but its own. */
static void other_hosts_have_no_vendor(void **state)
{
	struct scene *scene = *state;
	struct addr addr = event_ip("10.9.0.7");
	uint32_t peer = hosts_by_address(scene->meter->hosts, &addr);

	names_set_address(scene->names, NAMES_CONFIG, &addr, "phone");
	meter_meet_host(scene->meter, peer);
	meter_meet_host(scene->meter, HOST_ROUTER);
	assert_int_equal(scene->asked, 0);
	assert_string_equal(hosts_get(scene->meter->hosts, peer)->vendor, "");
	assert_string_equal(hosts_get(scene->meter->hosts, peer)->name, "phone");
	assert_null(hosts_get(scene->meter->hosts, HOST_ROUTER)->name);
}

/* A name of an address is the host's that the address was seen with, until a more trusted one comes or it is gone. */
static void changed_names_are_looked_up_again(void **state)
{
	struct scene *scene = *state;
	const struct host *host = hosts_get(scene->meter->hosts, scene->desktop);
	struct addr addr = event_ip("192.168.1.10");
	struct mac mac = event_mac(DESKTOP);

	neigh_saw(scene->meter->neigh, LAN, &addr, &mac, 1);
	names_set_address(scene->names, NAMES_HOSTS, &addr, "by-address");
	assert_null(host->name);
	meter_names_changed(scene->meter);
	assert_string_equal(host->name, "by-address");
	assert_int_equal(host->name_source, NAMES_HOSTS);
	names_set_mac(scene->names, NAMES_LEASES, &mac, "by-lease");
	meter_names_changed(scene->meter);
	assert_string_equal(host->name, "by-lease");
	names_replace(scene->names, NAMES_LEASES, 0, NULL);
	names_replace(scene->names, NAMES_HOSTS, 0, NULL);
	meter_names_changed(scene->meter);
	assert_null(host->name);
	assert_int_equal(host->name_source, NAMES_SOURCES);
}

/* Whether the host is new or known when the lease comes; a host of an address, which has no MAC to differ by, too. */
static void a_lease_cannot_take_a_configured_name(void **state)
{
	struct scene *scene = *state;
	const struct host *desktop = hosts_get(scene->meter->hosts, scene->desktop);
	struct mac mac = event_mac(DESKTOP), other = event_mac(LAPTOP);
	struct addr addr = event_ip("10.9.0.7");
	uint32_t laptop = hosts_by_mac(scene->meter->hosts, &other),
		 peer = hosts_by_address(scene->meter->hosts, &addr);

	names_set_mac(scene->names, NAMES_CONFIG, &mac, "desktop");
	names_set_mac(scene->names, NAMES_LEASES, &other, "desktop");
	meter_meet_host(scene->meter, scene->desktop);
	meter_meet_host(scene->meter, laptop);
	assert_string_equal(desktop->name, "desktop");
	assert_string_equal(hosts_get(scene->meter->hosts, laptop)->name, "desktop-host");
	assert_int_equal(hosts_get(scene->meter->hosts, laptop)->name_source, NAMES_LEASES);
	meter_meet_host(scene->meter, peer);
	assert_null(hosts_get(scene->meter->hosts, peer)->name);
	names_set_address(scene->names, NAMES_HOSTS, &addr, "desktop");
	meter_names_changed(scene->meter);
	assert_string_equal(desktop->name, "desktop");
	assert_string_equal(hosts_get(scene->meter->hosts, laptop)->name, "desktop-host");
	assert_string_equal(hosts_get(scene->meter->hosts, peer)->name, "desktop-host");
}

/* Configured by its address alone, with a lease of the same name: known from the start. */
static void a_configured_address_has_its_name_at_once(void **state)
{
	struct scene *scene = *state;
	struct mac mac = event_mac(DESKTOP);
	struct addr addr = event_ip("192.168.1.10");

	names_set_address(scene->names, NAMES_CONFIG, &addr, "desktop");
	names_set_mac(scene->names, NAMES_LEASES, &mac, "desktop");
	neigh_saw(scene->meter->neigh, LAN, &addr, &mac, 1);
	meter_meet_host(scene->meter, scene->desktop);
	assert_string_equal(hosts_get(scene->meter->hosts, scene->desktop)->name, "desktop");
	assert_int_equal(hosts_get(scene->meter->hosts, scene->desktop)->name_source, NAMES_CONFIG);
}

/* It may be an extender's, whose other hosts are not the configured one. */
static void a_shared_mac_is_not_named_by_a_configured_address(void **state)
{
	static const char *const others[] = { "192.168.1.11", "2001:db8:1::11" };

	for (size_t i = 0; i < 2; i++) {
		struct scene *scene;
		struct mac mac = event_mac(DESKTOP);
		struct addr addr = event_ip("192.168.1.10"), local = event_ip("fe80::10"), other = event_ip(others[i]);
		const struct host *host;

		end(state);
		begin(state);
		scene = *state;
		host = hosts_get(scene->meter->hosts, scene->desktop);
		names_set_address(scene->names, NAMES_CONFIG, &addr, "desktop");
		neigh_saw(scene->meter->neigh, LAN, &addr, &mac, 1);
		neigh_saw(scene->meter->neigh, LAN, &local, &mac, 1);
		meter_names_changed(scene->meter);
		assert_string_equal(host->name, "desktop");
		neigh_saw(scene->meter->neigh, LAN, &other, &mac, 1);
		meter_names_changed(scene->meter);
		assert_null(host->name);
		names_set_address(scene->names, NAMES_CONFIG, &other, "desktop"); /* of the same host */
		meter_names_changed(scene->meter);
		assert_string_equal(host->name, "desktop");
		names_set_address(scene->names, NAMES_CONFIG, &other, "laptop");
		meter_names_changed(scene->meter);
		assert_null(host->name);
		names_set_mac(scene->names, NAMES_LEASES, &mac, "desktop");
		meter_names_changed(scene->meter);
		assert_string_equal(host->name, "desktop-host");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_host_is_looked_up_once),
		TEST(other_hosts_have_no_vendor),
		TEST(changed_names_are_looked_up_again),
		TEST(a_lease_cannot_take_a_configured_name),
		TEST(a_configured_address_has_its_name_at_once),
		TEST(a_shared_mac_is_not_named_by_a_configured_address),
	};

	return cmocka_run_group_tests_name("host_names", tests, NULL, NULL);
}
