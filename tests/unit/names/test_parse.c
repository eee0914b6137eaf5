/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as programs write them, and as attackers make them write; out comes "MAC|ADDRESS=NAME" for each name. */
#include "parse.h"

#include "hostmeter/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void show(void *ctx, const struct mac *mac, const struct addr *addr, const char *name)
{
	char text[ADDR_TEXT];

	assert_true(!mac != !addr);
	buf_printf(ctx, "%s=%s ", mac ? mac_format(mac, text) : addr_format(addr, text), name);
}

struct test_case {
	const char *text, *expected;
};

static void run(enum names_format format, const struct test_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct buf out = BUF_INIT;

		names_parse(format, cases[i].text, strlen(cases[i].text), show, &out);
		assert_string_equal(buf_text(&out), cases[i].expected);
		buf_free(&out);
	}
}

#define RUN(format, cases) run(format, cases, sizeof(cases) / sizeof((cases)[0]))

static void ethers(void **state)
{
	static const struct test_case cases[] = {
		{ "00:00:5e:00:53:01 desktop\n00:00:5E:00:53:02\tlaptop",
			"00:00:5e:00:53:01=desktop 00:00:5e:00:53:02=laptop " },
		{ "0:0:5e:0:53:1 desktop\n", "00:00:5e:00:53:01=desktop " },
		{ "# 00:00:5e:00:53:01 a\n\n   \n00:00:5e:00:53:02 b#c\n00:00:5e:00:53:03 #d\n",
			"00:00:5e:00:53:02=b " },
		{ "00:00:5e:00:53:01 desktop.lan\r\n", "00:00:5e:00:53:01=desktop " },
		{ "00:00:5e:00:53:01 192.0.2.1\n00:00:5e:00:53:01 2001:db8::1\n", "" },
		{ "00:00:5e:00:53 a\n00:00:5e:00:53:01:02 b\n00:00:5e:00:53:g1 c\n000:0:5e:00:53:01 d\n", "" },
		{ "00:00:5e:00-53:01 a\n:00:5e:00:53:01 b\n00:00:5e:00:53: c\n", "" },
		{ "ff:ff:ff:ff:ff:ff all\n00:00:00:00:00:00 none\n01:00:5e:00:00:01 group\n", "" },
		{ "00:00:5e:00:53:01\n00:00:5e:00:53:01 .lan\n00:00:5e:00:53:01 *\n", "" },
	};

	(void)state;
	RUN(NAMES_FORMAT_ETHERS, cases);
}

static void hosts(void **state)
{
	static const struct test_case cases[] = {
		{ "192.0.2.20 nas.home.example nas store # the box\n", "192.0.2.20=nas " },
		{ "2001:db8::20\tnas\n192.0.2.21 tv", "2001:db8::20=nas 192.0.2.21=tv " },
		{ "127.0.0.1 localhost\n127.0.1.1 me\n::1 localhost\nff02::1 ip6-allnodes\n0.0.0.0 ads.example\n:: x\n",
			"" },
		{ "fe80::1%eth0 x\n192.0.2 y\n192.0.2.1\n#192.0.2.1 z\n", "" },
		{ "192.0.2.1 a\n192.0.2.1 b\n", "192.0.2.1=a 192.0.2.1=b " },
	};

	(void)state;
	RUN(NAMES_FORMAT_HOSTS, cases);
}

static void leases(void **state)
{
	static const struct test_case cases[] = {
		{ "1700000000 00:00:5e:00:53:01 192.0.2.10 desktop 01:00:00:5e:00:53:01\n",
			"00:00:5e:00:53:01=desktop " },
		{ "0 00:00:5e:00:53:01 192.0.2.10 desktop *\n", "00:00:5e:00:53:01=desktop " },
		{ "1700000000 00:00:5e:00:53:02 192.0.2.11 * *\n", "" },
		/* Another kind of hardware: nothing but the address tells it. */
		{ "1700000000 20-00:00:5e:00:53:03:04 192.0.2.12 ppp *\n", "192.0.2.12=ppp " },
		{ "duid 00:01:00:01:2c:8a:11:22:00:00:5e:00:53:ff\n", "" },
		{ "1700000000 11189196 2001:db8::10 desktop 00:01:00:01:2a:2b:2c:2d:00:00:5e:00:53:01\n",
			"00:00:5e:00:53:01=desktop 2001:db8::10=desktop " },
		{ "1700000000 T1 2001:db8::11 phone 00:03:00:01:02:00:5e:00:53:04\n",
			"02:00:5e:00:53:04=phone 2001:db8::11=phone " },
		/* DUIDs that no MAC is in: of a vendor, a UUID, other hardware, too short, too long, no hex. */
		{ "1 5 2001:db8::12 tv 00:02:00:00:ab:11:00:00:5e:00:53:01\n", "2001:db8::12=tv " },
		{ "1 5 2001:db8::12 tv 00:04:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10\n", "2001:db8::12=tv " },
		{ "1 5 2001:db8::12 tv 00:03:00:20:00:00:5e:00:53:01\n", "2001:db8::12=tv " },
		{ "1 5 2001:db8::12 tv 00:03:00:01:00:00:5e:00:53\n", "2001:db8::12=tv " },
		{ "1 5 2001:db8::12 tv 00:03:00:01:00:00:5e:00:53:01:02\n", "2001:db8::12=tv " },
		{ "1 5 2001:db8::12 tv 00:03:00:01:00:00:5e:00:53:0\n", "2001:db8::12=tv " },
		{ "1 5 2001:db8::12 tv 00:03:00:01:ff:ff:ff:ff:ff:ff\n", "2001:db8::12=tv " },
		{ "1 5 2001:db8::12 tv *\n1 5 2001:db8::13 tv2\n", "2001:db8::12=tv 2001:db8::13=tv2 " },
		{ "1 5 2001:db8::12 * 00:03:00:01:00:00:5e:00:53:01\n", "" },
		{ "x 00:00:5e:00:53:01 192.0.2.10 a *\n1 00:00:5e:00:53:01 192.0.2.10\n\n1\n", "" },
		{ "1 00:00:5e:00:53:01 192.0.2.10 router *\n", "00:00:5e:00:53:01=router " }, /* cleaning is names' */
	};

	(void)state;
	RUN(NAMES_FORMAT_LEASES, cases);
}

static void odhcpd(void **state)
{
	static const struct test_case cases[] = {
		{ "# br-lan 000100012a2b2c2d00005e005301 1 desktop 1700000000 10 128 2001:db8::10/128 fd00::10/128\n"
		  "2001:db8::10\tdesktop.lan\tdesktop\n",
			"00:00:5e:00:53:01=desktop 2001:db8::10=desktop fd00::10=desktop 2001:db8::10=desktop " },
		{ "# br-lan 00005e005302 ipv4 laptop 1700000000 c000020b 32 192.0.2.11/32\n192.0.2.11\tlaptop\n",
			"00:00:5e:00:53:02=laptop 192.0.2.11=laptop " },
		/* Later versions write the MAC as ether_ntoa(3) does. */
		{ "# br-lan 0:0:5e:0:53:2 ipv4 laptop 1700000000 c000020b 32 192.0.2.11/32\n",
			"00:00:5e:00:53:02=laptop " },
		{ "# br-lan 00005e005302 ipv4 broken\\x20my_tv -1 c000020b 32 192.0.2.11/32\n",
			"00:00:5e:00:53:02=my_tv " },
		{ "# br-lan 00005e005302 ipv4 - -1 c000020b 32 192.0.2.11/32\n", "" },
		/* A delegated prefix is no host's address. */
		{ "# br-lan 000300010200005e0053 2 r2 0 1 60 2001:db8:1::/60\n", "02:00:00:5e:00:53=r2 " },
		{ "# br-lan 0004 2 r2 0 1 60 2001:db8:1::/60 2001:db8:1::1/12 2001:db8:1::1\n", "" },
		{ "# br-lan\n#\n# a b c d e f\n#br-lan 00005e005302 ipv4 x 1 2 32 192.0.2.11/32\n", "" },
		{ "# br-lan zz ipv4 x 1 2 32 192.0.2.11/32\n", "" },
	};

	(void)state;
	RUN(NAMES_FORMAT_ODHCPD, cases);
}

static void hostile_lines_hurt_nobody(void **state)
{
	static const char nul[] = "192.0.2.1 a\0b\n192.0.2.2 c\n";
	char line[20000];
	struct buf out = BUF_INIT;

	(void)state;
	names_parse(NAMES_FORMAT_HOSTS, nul, sizeof(nul) - 1, show, &out);
	assert_string_equal(buf_text(&out), "192.0.2.1=a\1b 192.0.2.2=c ");
	buf_reset(&out);

	/* 10 KB of name: cut with its line, and the next line is a line again. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "192.0.2.1 ", 10);
	memcpy(line + 10000, "\n192.0.2.2 c", 12);
	names_parse(NAMES_FORMAT_HOSTS, line, 10012, show, &out);
	assert_int_equal(out.len, NAMES_PARSE_LINE + 1 + strlen("192.0.2.2=c "));
	assert_string_equal(buf_text(&out) + NAMES_PARSE_LINE + 1, "192.0.2.2=c ");
	buf_reset(&out);

	/* An address that the cut would change is not read. */
	memset(line, ' ', sizeof(line));
	memcpy(line, "# br-lan 0004 1 tv 1 1 128", 26);
	memcpy(line + NAMES_PARSE_LINE - 12, "2001:db8::1/128", 15);
	names_parse(NAMES_FORMAT_ODHCPD, line, 2000, show, &out);
	assert_string_equal(buf_text(&out), "");

	/* More words than anybody needs. */
	for (size_t i = 0; i < sizeof(line); i += 2)
		memcpy(line + i, "# ", 2);
	for (int format = NAMES_FORMAT_ETHERS; format <= NAMES_FORMAT_HOSTS; format++) {
		names_parse(format, line, sizeof(line), show, &out);
		names_parse(format, line, 0, show, &out);
	}
	assert_string_equal(buf_text(&out), "");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethers),
		cmocka_unit_test(hosts),
		cmocka_unit_test(leases),
		cmocka_unit_test(odhcpd),
		cmocka_unit_test(hostile_lines_hurt_nobody),
	};

	return cmocka_run_group_tests_name("names_parse", tests, NULL, NULL);
}
