/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/names/vendor.h"

#include "scratch_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "Registry,Assignment,Organization Name,Organization Address\r\n"

static void write_bytes(void **state, const char *name, const char *text, size_t len)
{
	FILE *file = fopen(scratch_path(state, name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void write_text(void **state, const char *name, const char *text)
{
	write_bytes(state, name, text, strlen(text));
}

static void expect(struct vendor *vendor, const char *mac_text, const char *expected)
{
	char text[VENDOR_TEXT] = "left over";
	struct mac mac;

	assert_int_equal(mac_parse(&mac, mac_text), 0);
	assert_ptr_equal(vendor_name(vendor, &mac, text), text);
	assert_string_equal(text, expected);
}

static void the_longest_assignment_wins(void **state)
{
	struct vendor *vendor = vendor_new(*state);

	write_text(state, "oui.csv",
		HEAD "MA-L,70B3D5,IEEE Registration Authority,x\r\nMA-L,00005E,\"ICANN, IANA\",y\r\n"
		     "MA-L,0050C2,IEEE,z\r\n");
	write_text(state, "mam.csv", HEAD "MA-M,741AE09,Middle,\r\n");
	write_text(state, "oui36.csv", HEAD "MA-S,70B3D5F2F,Small,\r\nMA-S,70B3D5000,First,\r\n");
	write_text(state, "iab.csv", HEAD "IAB,0050C27D5,Block,\r\n");
	expect(vendor, "00:00:5e:00:53:01", "ICANN, IANA");
	expect(vendor, "70:b3:d5:f2:f0:00", "Small");
	expect(vendor, "70:b3:d5:f2:ff:ff", "Small");
	expect(vendor, "70:b3:d5:f3:00:00", "IEEE Registration Authority");
	expect(vendor, "70:b3:d5:00:0f:ff", "First");
	expect(vendor, "74:1a:e0:9f:ff:ff", "Middle");
	expect(vendor, "74:1a:e0:80:00:00", "");
	expect(vendor, "00:50:c2:7d:51:23", "Block");
	expect(vendor, "00:50:c2:7d:61:23", "IEEE");
	expect(vendor, "fc:ff:ff:ff:ff:ff", "");
	vendor_free(vendor);
}

static void randomised_macs_have_none(void **state)
{
	struct vendor *vendor = vendor_new(*state);

	write_text(state, "oui.csv", "MA-L,02005E,Not asked,\nMA-L,000000,Not asked,\nMA-L,01005E,Not asked,\n");
	expect(vendor, "02:00:5e:00:53:01", "");
	expect(vendor, "00:00:00:00:00:00", "");
	expect(vendor, "01:00:5e:00:00:01", "");
	vendor_free(vendor);
}

static void oui_txt_stands_in(void **state)
{
	static const char text[] =
		"OUI/MA-L                    Organization\r\ncompany_id                  Organization\r\n\r\n"
		"00-00-5E   (hex)\t\tICANN, \"IANA\" Department\r\n00005E     (base 16)\t\tICANN, IANA Department\r\n"
		"\t\t\t\tStreet\r\n\r\n28-6F-B9   (hex)\t\tNokia\n";
	struct vendor *vendor = vendor_new(*state);

	write_text(state, "oui.txt", text);
	expect(vendor, "00:00:5e:00:53:01", "ICANN, _IANA_ Department");
	expect(vendor, "28:6f:b9:00:00:00", "Nokia");
	vendor_free(vendor);

	vendor = vendor_new(*state);
	write_text(state, "oui.csv", "MA-L,00005E,From the table,\n");
	expect(vendor, "00:00:5e:00:53:01", "From the table");
	expect(vendor, "28:6f:b9:00:00:00", "");
	vendor_free(vendor);
}

static void odd_tables_are_read_as_far_as_they_go(void **state)
{
	static const char text[] =
		"MA-L,00005E,\"Quoted \"\"Name\"\"\",\"An address\nMA-L of two lines, "
		"00AA00,no\n,000001,no\n000002,no\n"
		"a,000003,no\n\"\n"
		"MA-L,000004,Caf\xc3\xa9 \xff\x1b[31m\n"
		"MA-L,000005\nMA-L,00000,short\nMA-L,0000060,long\nMA-L,00000G,no hex\nMA-L,\nMA-L\n\n"
		"MA-L,000007,\nMA-L,000008,\"never closed\n"
		"MA-L,00000a,0123456789012345678901234567890123456789012345678901234567890123456789,x\n"
		"MA-L,00000B,No line end";
	struct vendor *vendor = vendor_new(*state);

	write_text(state, "oui.csv", text);
	expect(vendor, "00:00:5e:00:53:01", "Quoted _Name_");
	expect(vendor, "00:aa:00:00:00:00", "");
	expect(vendor, "00:00:01:00:00:00", "");
	expect(vendor, "00:00:02:00:00:00", "");
	expect(vendor, "00:00:03:00:00:00", "");
	expect(vendor, "00:00:04:00:00:00", "Caf\xc3\xa9 __[31m");
	expect(vendor, "00:00:05:00:00:00", "");
	expect(vendor, "00:00:06:00:00:00", "");
	expect(vendor, "00:00:07:00:00:00", "");
	expect(vendor, "00:00:08:00:00:00", "never closed");
	expect(vendor, "00:00:0a:00:00:00", "012345678901234567890123456789012345678901234567890123456789012");
	expect(vendor, "00:00:0b:00:00:00", "No line end");
	vendor_free(vendor);
}

static void long_lines_and_nul_bytes_confuse_nobody(void **state)
{
	struct vendor *vendor = vendor_new(*state);
	char text[5000];

	/* What stands at the 511th byte of a line does not begin one. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "MA-L,000001,A", 13);
	memcpy(text + 511, "MA-L,000002,B,", 14);
	memcpy(text + 3000, "\nMA-L,000003,C\n", 15);
	write_bytes(state, "oui.csv", text, sizeof(text));
	expect(vendor, "00:00:02:00:00:00", "");
	expect(vendor, "00:00:03:00:00:00", "C");
	vendor_free(vendor);

	/* No list has NUL bytes; behind one there are no names, above all no wrong ones. */
	vendor = vendor_new(*state);
	memset(text, 0, sizeof(text));
	memcpy(text + 100, "\nMA-L,000001,A\nMA-L,000002,B\n", 29);
	write_bytes(state, "oui.csv", text, sizeof(text));
	expect(vendor, "00:00:01:00:00:00", "");
	expect(vendor, "00:00:02:00:00:00", "");
	vendor_free(vendor);
}

static void without_lists_there_are_no_names(void **state)
{
	struct vendor *vendor = vendor_new("/nowhere/at/all");
	expect(vendor, "00:00:5e:00:53:01", "");
	vendor_free(vendor);
	vendor_free(NULL);

	/* Something else of that name must not stop anybody. */
	assert_int_equal(mkfifo(scratch_path(state, "oui.csv"), 0600), 0);
	vendor = vendor_new(*state);
	expect(vendor, "00:00:5e:00:53:01", "");
	vendor_free(vendor);
}

static void a_list_that_is_replaced_still_answers(void **state)
{
	struct vendor *vendor = vendor_new(*state);
	write_text(state, "oui.csv", "MA-L,000001,One,\nMA-L,000002,Two,\n");
	expect(vendor, "00:00:01:00:00:00", "One");
	assert_int_equal(unlink(scratch_path(state, "oui.csv")), 0);
	write_text(state, "oui.csv", "MA-L,000002,Other,\n");
	expect(vendor, "00:00:02:00:00:00", "Two");
	vendor_free(vendor);

	/* Written over in place: no answer rather than a wrong one. */
	vendor = vendor_new(*state);
	write_text(state, "oui.csv", "MA-L,000001,One,\nMA-L,000002,Two,\n");
	expect(vendor, "00:00:01:00:00:00", "One");
	write_text(state, "oui.csv", "MA-L,000009,Nine and some,\n");
	expect(vendor, "00:00:02:00:00:00", "");
	expect(vendor, "00:00:01:00:00:00", "");
	vendor_free(vendor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(the_longest_assignment_wins),
		SCRATCH_TEST(randomised_macs_have_none),
		SCRATCH_TEST(oui_txt_stands_in),
		SCRATCH_TEST(odd_tables_are_read_as_far_as_they_go),
		SCRATCH_TEST(long_lines_and_nul_bytes_confuse_nobody),
		SCRATCH_TEST(without_lists_there_are_no_names),
		SCRATCH_TEST(a_list_that_is_replaced_still_answers),
	};

	return cmocka_run_group_tests_name("vendor", tests, NULL, NULL);
}
