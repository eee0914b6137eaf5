/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/names.h"

#include "events.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *names_of_mac(const struct names *names, const struct mac *mac)
{
	struct names_answer answer = NAMES_NO_ANSWER;

	names_ask_mac(names, mac, &answer);
	return answer.name;
}

static const char *names_of_address(const struct names *names, const struct addr *addr)
{
	struct names_answer answer = NAMES_NO_ANSWER;

	names_ask_address(names, addr, &answer);
	return answer.name;
}

static void macs_and_addresses_have_names(void **state)
{
	struct names *names = names_new();
	/* The same bytes in three kinds of name. */
	struct mac mac = { { 10, 1, 2, 3, 0, 0 } };
	struct addr four = { .family = 4, .b = { 10, 1, 2, 3 } }, six = { .family = 6, .b = { 10, 1, 2, 3 } };
	char name[] = "desktop";

	(void)state;
	assert_null(names_of_mac(names, &mac));
	assert_null(names_of_address(names, &four));
	assert_int_equal(names_set_mac(names, NAMES_CONFIG, &mac, name), 0);
	name[0] = 'X'; /* it was copied */
	assert_string_equal(names_of_mac(names, &mac), "desktop");
	assert_null(names_of_address(names, &four));
	assert_int_equal(names_set_address(names, NAMES_CONFIG, &four, "peer"), 0);
	assert_null(names_of_address(names, &six));
	assert_int_equal(names_set_address(names, NAMES_CONFIG, &six, "peer6"), 0);
	assert_string_equal(names_of_mac(names, &mac), "desktop");
	assert_string_equal(names_of_address(names, &four), "peer");
	assert_string_equal(names_of_address(names, &six), "peer6");
	mac.b[5] = 1;
	assert_null(names_of_mac(names, &mac));
	names_free(names);
	names_free(NULL);
}

/* Of an address of the configuration, whatever MAC it is seen with. */
static void a_configured_address_has_an_owner(void **state)
{
	struct names *names = names_new();
	const struct mac desktop = event_mac(DESKTOP), laptop = event_mac(LAPTOP), visitor = event_mac(VISITOR);
	struct addr addr = event_ip("192.168.1.10"), six = event_ip("2001:db8:1::10"), other = event_ip("192.168.1.11");
	struct mac mac = visitor;

	(void)state;
	assert_int_equal(names_owner(names, &addr, &mac), NAMES_OWNER_NONE);
	names_set_address(names, NAMES_HOSTS, &addr, "by-hosts");
	assert_int_equal(names_owner(names, &addr, &mac), NAMES_OWNER_NONE);
	names_set_mac(names, NAMES_CONFIG, &visitor, "visitor");
	assert_int_equal(names_owner(names, &addr, &mac), NAMES_OWNER_NONE);
	names_set_address(names, NAMES_CONFIG, &addr, "both");
	assert_int_equal(names_owner(names, &other, &mac), NAMES_OWNER_NONE);
	assert_true(mac_equal(&mac, &visitor));
	assert_int_equal(names_owner(names, &addr, &mac), NAMES_OWNER_ADDRESS);
	names_set_mac(names, NAMES_CONFIG, &laptop, "both");
	names_set_mac(names, NAMES_CONFIG, &desktop, "both");
	names_set_address(names, NAMES_CONFIG, &six, "both");
	mac = visitor;
	assert_int_equal(names_owner(names, &addr, &mac), NAMES_OWNER_MAC);
	assert_true(mac_equal(&mac, &laptop));
	mac = desktop; /* one of its own */
	assert_int_equal(names_owner(names, &six, &mac), NAMES_OWNER_MAC);
	assert_true(mac_equal(&mac, &desktop));
	mac = (struct mac){ 0 };
	assert_int_equal(names_owner(names, &addr, &mac), NAMES_OWNER_MAC);
	assert_true(mac_equal(&mac, &laptop));
	names_free(names);
}

static void the_last_word_counts(void **state)
{
	struct names *names = names_new();
	struct mac mac = event_mac(DESKTOP), other = event_mac(LAPTOP);

	(void)state;
	names_set_mac(names, NAMES_CONFIG, &mac, "old");
	names_set_mac(names, NAMES_CONFIG, &other, "both"); /* one name for two MACs is fine */
	names_set_mac(names, NAMES_CONFIG, &mac, "both");
	assert_string_equal(names_of_mac(names, &mac), "both");
	assert_string_equal(names_of_mac(names, &other), "both");
	names_free(names);
}

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	return addr;
}

/* A list with one name for a MAC; NULL: an empty one. */
static struct names_list *list_of(const struct mac *mac, const char *name)
{
	struct names_list *list = names_list_new();

	assert_non_null(list);
	if (name)
		assert_int_equal(names_list_mac(list, mac, name, false), 0);
	return list;
}

static void the_most_trusted_source_is_asked_first(void **state)
{
	static const char *const texts[] = { "config", "ethers", "leases", "odhcpd", "hosts" };
	struct names *names = names_new();
	struct mac mac = event_mac(DESKTOP), other = event_mac(LAPTOP);
	struct names_answer answer;

	(void)state;
	for (int source = NAMES_SOURCES - 1; source >= 0; source--) {
		assert_true(names_replace(names, source, 0, list_of(&mac, texts[source])));
		answer = NAMES_NO_ANSWER;
		names_ask_mac(names, &mac, &answer);
		assert_string_equal(answer.name, texts[source]);
		assert_int_equal(answer.source, source);
		assert_string_equal(names_source_name(answer.source), texts[source]);
	}
	for (int source = 0; source < NAMES_SOURCES; source++) {
		assert_string_equal(names_of_mac(names, &mac), texts[source]);
		assert_true(names_replace(names, source, 0, NULL));
	}
	assert_null(names_of_mac(names, &mac));
	answer = NAMES_NO_ANSWER;
	names_ask_mac(names, &other, &answer);
	assert_null(answer.name);
	assert_string_equal(names_source_name(answer.source), "none");
	names_free(names);
}

static void a_host_is_asked_for_by_all_it_has(void **state)
{
	struct names *names = names_new();
	struct names_list *hosts = names_list_new();
	struct mac mac = event_mac(DESKTOP);
	struct addr four = address("192.0.2.1"), six = address("2001:db8::1"), fd = address("fd00::1");
	struct names_answer answer = NAMES_NO_ANSWER;

	(void)state;
	names_list_address(hosts, &four, "from-hosts", false);
	names_list_address(hosts, &six, "from-hosts-too", false);
	names_replace(names, NAMES_HOSTS, 0, hosts);
	names_ask_mac(names, &mac, &answer);
	names_ask_address(names, &four, &answer);
	names_ask_address(names, &six, &answer);
	assert_string_equal(answer.name, "from-hosts"); /* of equals the first */
	names_set_address(names, NAMES_CONFIG, &fd, "configured");
	names_ask_address(names, &fd, &answer);
	assert_string_equal(answer.name, "configured");
	assert_int_equal(answer.source, NAMES_CONFIG);
	names_replace(names, NAMES_LEASES, 0, list_of(&mac, "lease"));
	names_ask_mac(names, &mac, &answer);
	assert_string_equal(answer.name, "configured"); /* the less trusted does not take it back */
	names_free(names);
}

static void a_file_is_replaced_at_once_and_alone(void **state)
{
	struct names *names = names_new();
	struct names_list *list = names_list_new();
	struct mac desktop = event_mac(DESKTOP), laptop = event_mac(LAPTOP), phone = event_mac("02:00:00:00:00:0c");

	(void)state;
	names_list_mac(list, &desktop, "desktop", false);
	names_list_mac(list, &laptop, "laptop", false);
	assert_true(names_replace(names, NAMES_LEASES, 1, list));
	assert_true(names_replace(names, NAMES_LEASES, 2, list_of(&phone, "phone")));
	assert_true(names_replace(names, NAMES_LEASES, 0, list_of(&desktop, "lower-file-first")));
	assert_string_equal(names_of_mac(names, &desktop), "lower-file-first");
	assert_true(names_replace(names, NAMES_LEASES, 0, list_of(&desktop, NULL)));
	assert_string_equal(names_of_mac(names, &desktop), "desktop");

	list = list_of(&laptop, "notebook");
	assert_string_equal(names_of_mac(names, &laptop), "laptop"); /* not in its place yet */
	assert_true(names_replace(names, NAMES_LEASES, 1, list));
	assert_null(names_of_mac(names, &desktop));
	assert_string_equal(names_of_mac(names, &laptop), "notebook");
	assert_string_equal(names_of_mac(names, &phone), "phone");
	names_free(names);
}

static void only_changes_are_changes(void **state)
{
	struct names *names = names_new();
	struct names_list *list = names_list_new();
	struct mac desktop = event_mac(DESKTOP), laptop = event_mac(LAPTOP);

	(void)state;
	assert_false(names_replace(names, NAMES_HOSTS, 0, NULL));
	assert_false(names_replace(names, NAMES_HOSTS, 0, list_of(&desktop, NULL)));
	assert_true(names_replace(names, NAMES_HOSTS, 0, list_of(&desktop, "a")));
	assert_false(names_replace(names, NAMES_HOSTS, 0, list_of(&desktop, "a")));
	assert_true(names_replace(names, NAMES_HOSTS, 0, list_of(&desktop, "b")));
	assert_true(names_replace(names, NAMES_HOSTS, 0, list_of(&laptop, "b")));
	/* In another order, with another second name: the same. */
	names_list_mac(list, &laptop, "b", false);
	names_list_mac(list, &desktop, "c", false);
	assert_true(names_replace(names, NAMES_HOSTS, 0, list));
	list = names_list_new();
	names_list_mac(list, &desktop, "c", false);
	names_list_mac(list, &laptop, "b", false);
	names_list_mac(list, &laptop, "second", false);
	assert_false(names_replace(names, NAMES_HOSTS, 0, list));
	assert_string_equal(names_of_mac(names, &laptop), "b");
	assert_true(names_replace(names, NAMES_HOSTS, 0, list_of(&desktop, NULL)));
	names_free(names);
}

static void hostile_names_are_cleaned(void **state)
{
	static const struct {
		const char *name, *expected;
	} cases[] = {
		{ "desktop", "desktop" },
		{ "K\xc3\xbc"
		  "che",
			"K\xc3\xbc"
			"che" },
		{ "a\"b\\c'd`e<f>g", "a_b_c_d_e_f_g" },
		{ "two\nlines", "two_lines" },
		{ "\xff", "_" },
		{ "", "" },
		{ "  ", "" },
		{ "router", "router-host" },
		{ " unknown ", "unknown-host" },
		{ "other", "other-host" },
		{ "Router", "Router" },
		{ "192.0.2.1", "" },
		{ "2001:db8::1", "" },
		{ "00:00:5e:00:53:01", "" },
		{ "00-00-5E-00-53-01", "" },
		{ "192-0-2-1", "" },
		{ "192.0.2.1/24", "" },
		{ "fe80::1%br-lan", "" },
		{ "192-0-2", "192-0-2" },
		{ "ip-192-0-2-1", "ip-192-0-2-1" },
	};
	char out[NAMES_BYTES + 1], ten_thousand[10001];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(names_clean(out, cases[i].name), strlen(cases[i].expected));
		assert_string_equal(out, cases[i].expected);
	}
	memset(ten_thousand, 'x', sizeof(ten_thousand) - 1);
	ten_thousand[sizeof(ten_thousand) - 1] = '\0';
	assert_int_equal(names_clean(out, ten_thousand), NAMES_BYTES);
	memcpy(ten_thousand + NAMES_BYTES - 1, "\xc3\xa4", 2);
	assert_int_equal(names_clean(out, ten_thousand), NAMES_BYTES - 1);
}

static void lists_clean_and_configured_names_stay(void **state)
{
	struct names *names = names_new();
	struct mac mac = event_mac(DESKTOP);

	(void)state;
	assert_false(names_replace(names, NAMES_LEASES, 0, list_of(&mac, "   ")));
	assert_true(names_replace(names, NAMES_LEASES, 0, list_of(&mac, "a\"b")));
	assert_string_equal(names_of_mac(names, &mac), "a_b");
	assert_int_equal(names_set_mac(names, NAMES_CONFIG, &mac, "the \"big\" one"), 0);
	assert_string_equal(names_of_mac(names, &mac), "the \"big\" one");
	names_free(names);
}

static void a_newer_name_replaces_those_before_it(void **state)
{
	struct names *names = names_new();
	struct names_list *list = names_list_new();
	struct mac desktop = event_mac(DESKTOP), laptop = event_mac(LAPTOP);

	(void)state;
	names_list_mac(list, &desktop, "first", false);
	names_list_mac(list, &desktop, "second", true);
	names_list_mac(list, &laptop, "laptop", true);
	names_list_mac(list, &desktop, "third", true);
	names_list_mac(list, &desktop, "fourth", false);
	assert_true(names_replace(names, NAMES_LEASES, 0, list));
	assert_string_equal(names_of_mac(names, &desktop), "third");
	assert_string_equal(names_of_mac(names, &laptop), "laptop");
	names_free(names);
}

static const char *distinct(const struct names *names, const char *name, enum names_source source, char *text)
{
	struct names_answer answer = { name, source };

	names_make_distinct(names, &answer, text);
	assert_int_equal(answer.source, answer.name ? source : NAMES_SOURCES);
	return answer.name;
}

static void a_configured_name_is_of_its_host_alone(void **state)
{
	struct names *names = names_new();
	struct mac desktop = event_mac(DESKTOP), laptop = event_mac(LAPTOP);
	char text[NAMES_BYTES + 1], longest[NAMES_BYTES + 1];

	(void)state;
	memset(longest, 'x', NAMES_BYTES);
	longest[NAMES_BYTES] = '\0';
	memcpy(longest + NAMES_BYTES - 6, "\xc3\xa4", 2); /* a character that the cut would halve */
	names_set_mac(names, NAMES_CONFIG, &desktop, "nas");
	names_set_mac(names, NAMES_CONFIG, &laptop, longest);
	names_set_mac(names, NAMES_ETHERS, &desktop, "printer"); /* another source reserves nothing */
	assert_string_equal(distinct(names, "nas", NAMES_CONFIG, text), "nas");
	assert_string_equal(distinct(names, "nas", NAMES_LEASES, text), "nas-host");
	assert_string_equal(distinct(names, "nas", NAMES_HOSTS, text), "nas-host");
	assert_string_equal(distinct(names, "Nas", NAMES_LEASES, text), "Nas");
	assert_string_equal(distinct(names, "printer", NAMES_LEASES, text), "printer");
	assert_null(distinct(names, NULL, NAMES_SOURCES, text));
	distinct(names, longest, NAMES_LEASES, text);
	assert_int_equal(strlen(text), NAMES_BYTES - 6 + strlen("-host"));
	assert_string_equal(text + NAMES_BYTES - 6, "-host");
	/* With both names configured, it has none. */
	names_set_address(names, NAMES_CONFIG, &(struct addr){ .family = 4, .b = { 192, 0, 2, 1 } }, "nas-host");
	assert_null(distinct(names, "nas", NAMES_LEASES, text));
	names_replace(names, NAMES_CONFIG, 0, NULL);
	assert_string_equal(distinct(names, "nas", NAMES_LEASES, text), "nas");
	assert_true(names_replace(names, NAMES_CONFIG, 0, list_of(&desktop, "nas")));
	assert_string_equal(distinct(names, "nas", NAMES_LEASES, text), "nas-host");
	names_free(names);
}

static void lists_are_bounded(void **state)
{
	struct names *names = names_new();
	struct names_list *list = names_list_new();
	struct mac mac = { { 0 } };

	(void)state;
	for (uint32_t i = 0; i < NAMES_LIST_LIMIT; i++) {
		/* Scattered, so that sorting has something to do. */
		uint32_t scattered = i * UINT32_C(2654435761);

		memcpy(&mac.b[2], &scattered, sizeof(scattered));
		assert_int_equal(names_list_mac(list, &mac, "flood", false), 0);
	}
	mac.b[0] = 2;
	assert_int_equal(names_list_mac(list, &mac, "flood", false), -ENOSPC);
	assert_true(names_replace(names, NAMES_LEASES, 0, list));
	assert_null(names_of_mac(names, &mac));
	mac.b[0] = 0;
	for (uint32_t i = 0; i < NAMES_LIST_LIMIT; i++) {
		uint32_t scattered = i * UINT32_C(2654435761);

		memcpy(&mac.b[2], &scattered, sizeof(scattered));
		assert_string_equal(names_of_mac(names, &mac), "flood");
	}
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs_and_addresses_have_names),
		cmocka_unit_test(a_configured_address_has_an_owner),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(the_most_trusted_source_is_asked_first),
		cmocka_unit_test(a_host_is_asked_for_by_all_it_has),
		cmocka_unit_test(a_file_is_replaced_at_once_and_alone),
		cmocka_unit_test(only_changes_are_changes),
		cmocka_unit_test(hostile_names_are_cleaned),
		cmocka_unit_test(lists_clean_and_configured_names_stay),
		cmocka_unit_test(a_newer_name_replaces_those_before_it),
		cmocka_unit_test(a_configured_name_is_of_its_host_alone),
		cmocka_unit_test(lists_are_bounded),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
