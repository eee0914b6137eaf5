/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as programs write them, and as attackers make them write; out comes "MAC|ADDRESS=NAME" for each
 * name, "=>" for one that is newer. */
#include "parse.h"

#include "hostmeter/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void show(void *ctx, const struct mac *mac, const struct addr *addr, const char *name, bool newer)
{
	char text[ADDR_TEXT];

	assert_true(!mac != !addr);
	buf_printf(ctx, "%s%s%s ", mac ? mac_format(mac, text) : addr_format(addr, text), newer ? "=>" : "=", name);
}

/* As the whole text in one piece gives it, and in pieces of a few bytes: a file is read in pieces. */
static bool names_parse(const char *text, size_t len, names_parse_each *each, void *ctx)
{
	struct buf whole = BUF_INIT;
	struct names_parser *one = names_parser_new(each, ctx), *many = names_parser_new(show, &whole);
	const size_t before = ((struct buf *)ctx)->len;
	bool known;

	names_parser_feed(one, text, len);
	for (size_t at = 0; at < len; at += 7)
		names_parser_feed(many, text + at, len - at < 7 ? len - at : 7);
	known = names_parser_end(one, false);
	assert_int_equal(names_parser_end(many, false), known);
	assert_string_equal(buf_text(&whole), buf_text(ctx) + before);
	buf_free(&whole);
	return known;
}

struct test_case {
	const char *text, *expected;
};

static void run(const struct test_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct buf out = BUF_INIT;

		names_parse(cases[i].text, strlen(cases[i].text), show, &out);
		assert_string_equal(buf_text(&out), cases[i].expected);
		buf_free(&out);
	}
}

#define RUN(cases) run(cases, sizeof(cases) / sizeof((cases)[0]))

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
	RUN(cases);
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
		{ "\xef\xbb\xbf"
		  "192.0.2.1 a\n",
			"192.0.2.1=a " },
		{ "\xef\xbb", "" },
	};

	(void)state;
	RUN(cases);
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
	RUN(cases);
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
	RUN(cases);
}

/* As OpenWrt's odhcpd writes it since 2025: a name that is invalid in DNS is marked, and may have spaces. */
static void odhcpd_of_today(void **state)
{
	static const struct test_case cases[] = {
		{ "# br-lan 0003000100005e005332 0 broken\\x20Omars\\x20Phone 1713258215 d09 128 "
		  "2001:db8:77::d09/128\n",
			"00:00:5e:00:53:32=Omars Phone 2001:db8:77::d09=Omars Phone " },
		{ "# br-lan 0003000100005e005332 0 broken\\x20Omars Phone 1713258215 d09 128 2001:db8:77::d09/128\n",
			"00:00:5e:00:53:32=Omars Phone 2001:db8:77::d09=Omars Phone " },
		{ "# br-lan 0003000100005e005332 0 broken a\\x2fb 1713258215 d09 128\n", "00:00:5e:00:53:32=a/b " },
		{ "# br-lan 00005e005332 ipv4 Omars\\x20Phone\\x2elan 1713258215 32 32 192.168.77.50/32\n",
			"00:00:5e:00:53:32=Omars Phone " },
		{ "# br-lan 00005e005332 ipv4 - 1713258215 32 32 192.168.77.50/32\n", "" },
		{ "# br-lan 00005e005332 ipv4 broken\\x20- 1713258215 32 32 192.168.77.50/32\n", "" },
		{ "# br-lan 00:00:5e:00:53:32 ipv4 tv -1 32 32 192.168.77.50/32\n", "00:00:5e:00:53:32=tv " },
		/* A MAC, a DUID with another MAC and several addresses, a DUID without, one that asked for a prefix. */
		{ "# br-lan 00005e005332 1 tv -1 5 128 2001:db8::5/128\n", "00:00:5e:00:53:32=tv 2001:db8::5=tv " },
		{ "# br-lan 000100012a2b2c2d00005e005333 5e0053 tv 0 5 128 2001:db8::5/128 fd00::5/128 fe80::5/64\n",
			"00:00:5e:00:53:33=tv 2001:db8::5=tv fd00::5=tv " },
		{ "# br-lan 0004aabbccddee 1 tv 1713258215 5 128 2001:db8::5/128\n", "2001:db8::5=tv " },
		{ "# br-lan 0003000100005e005334 1 r2 1713258215 8 60 2001:db8:0:80::/60\n", "00:00:5e:00:53:34=r2 " },
		/* What is no byte stays; a byte that ends no line and no name. */
		{ "# br-lan 00005e005332 ipv4 a\\xzz\\x2\\x00b 1 32 32 192.168.77.50/32\n",
			"00:00:5e:00:53:32=a\\xzz\\x2\1b " },
		/* A name cannot pass for the rest of its line. */
		{ "# br-lan 0004 1 tv 1 1 128 2001:db8::bad/128 1713258215 5 128 2001:db8::5/128\n",
			"2001:db8::5=tv 1 1 128 2001:db8::bad/128 " },
	};

	(void)state;
	RUN(cases);
}

static void macs_have_several_shapes(void **state)
{
	static const struct test_case cases[] = {
		{ "00005e005353 printer\n00005E00535a Printer2\n",
			"00:00:5e:00:53:53=printer 00:00:5e:00:53:5a=Printer2 " },
		{ "0000.5e00.5353 ap\n00-00-5e-00-53-54 nas\n00.00.5e.00.53.55 tv\n",
			"00:00:5e:00:53:53=ap 00:00:5e:00:53:54=nas 00:00:5e:00:53:55=tv " },
		{ "1700000000 00-00-5e-00-53-54 192.0.2.10 nas *\n", "00:00:5e:00:53:54=nas " },
		/* All of digits: not the time of a lease. */
		{ "020000005353 name 192.0.2.1 words\n", "02:00:00:00:53:53=name " },
		{ "00005e00535 a\n00005e0053533 b\n0000.5e00.535 c\n0000.5e.005353 d\n0000:5e00-5353 e\n", "" },
		{ "00.00.5e.00.53 f\n0x:00:5e:00:53:01 g\n00 h\n. i\n", "" },
	};

	(void)state;
	RUN(cases);
}

static void names_that_are_addresses_are_none(void **state)
{
	static const struct test_case cases[] = {
		{ "192.168.77.92 192.168.77.92.lan\n192.168.77.93 192.168.77.93\n192.168.77.94 "
		  "94.77.168.192.in-addr.arpa\n",
			"" },
		{ "192.168.77.92 192.168.77.92.lan nas.lan store\n", "192.168.77.92=nas " },
		{ "192.168.77.92 192.168.77.lan\n2001:db8::92 2001:db8::92\n00:00:5e:00:53:01 10.0.0.1.\n", "" },
		{ "1700000000 00:00:5e:00:53:01 192.0.2.10 192.0.2.11.lan *\n", "" },
		{ "192.168.77.92 42.lan 3com\n192.168.77.93 3com.lan\n", "192.168.77.92=42 192.168.77.93=3com " },
	};

	(void)state;
	RUN(cases);
}

static void dhcp_host(void **state)
{
	static const struct test_case cases[] = {
		{ "00:00:5e:00:53:40,192.168.77.64,nas,infinite\n", "00:00:5e:00:53:40=nas " },
		{ "00:00:5e:00:53:40 , 192.168.77.64 ,nas\n06-00:00:5e:00:53:41 ,tv\n",
			"00:00:5e:00:53:40=nas 00:00:5e:00:53:41=tv " },
		{ "dhcp-host=00:00:5e:00:53:40,nas.lan\ndhcp-host = 00-00-5E-00-53-41, tv , 24h # Sony\n",
			"00:00:5e:00:53:40=nas 00:00:5e:00:53:41=tv " },
		{ "00:00:5e:00:53:40,00:00:5e:00:53:41,set:known,laptop,192.168.77.65,3600\n",
			"00:00:5e:00:53:40=laptop 00:00:5e:00:53:41=laptop " },
		{ "set:red,tag:lan,00:00:5e:00:53:40,45m,phone,ignore\n", "00:00:5e:00:53:40=phone " },
		{ "00005e005340,00005e005341\n", "00:00:5e:00:53:40=00005e005341 " },
		/* Without a MAC. An address in brackets is IPv6; its end alone, or a range, is no host's. */
		{ "id:00:01:00:01:2a:2b:2c:2d:00:00:5e:00:53:40,[2001:db8::40],nas\n",
			"00:00:5e:00:53:40=nas 2001:db8::40=nas " },
		{ "id:01:00:00:5e:00:53:40,192.168.77.64,nas\n", "00:00:5e:00:53:40=nas 192.168.77.64=nas " },
		{ "nas,192.168.77.64\nid:*,tv,[2001:db8::41],[::42],[2001:db8::44/126]\n",
			"192.168.77.64=nas 2001:db8::41=tv " },
		{ "00:00:5e:*:*:*,192.168.77.64,nas\n", "192.168.77.64=nas " },
		{ "00:00:5e:00:53:40,192.168.77.64\n00:00:5e:00:53:41,ignore\n00:00:5e:00:53:42,infinite\n", "" },
		{ "00:00:5e:00:53:40,,nas,,\n,\n,,,\n", "00:00:5e:00:53:40=nas " },
		/* Other options of dnsmasq, other lines with commas. */
		{ "dhcp-range=192.168.77.100,192.168.77.150,12h\ndhcp-option=3,192.168.77.1\ndhcp-host\ndhcp-host=\n",
			"" },
		{ "#00:00:5e:00:53:40,nas\n#dhcp-host=00:00:5e:00:53:40,nas\nhello,world\n", "" },
	};

	(void)state;
	RUN(cases);
}

#define KEA4 "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"
#define KEA6                                                                                                           \
	"address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,"     \
	"hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"

static void kea(void **state)
{
	static const struct test_case cases[] = {
		{ KEA4 "192.0.2.10,00:00:5e:00:53:01,01:00:00:5e:00:53:01,3600,1700000000,1,0,0,desk.lan.,0,\n",
			"00:00:5e:00:53:01=>desk " },
		/* Each change of a lease is a line. */
		{ KEA4 "192.0.2.10,00:00:5e:00:53:01,,3600,1,1,0,0,old,0,\n192.0.2.10,00:00:5e:00:53:01,,3600,2,1,0,0,"
		       "new,0,\n",
			"00:00:5e:00:53:01=>old 00:00:5e:00:53:01=>new " },
		{ KEA4 "192.0.2.10,,ff:01,3600,1,1,0,0,tv,0,\n192.0.2.11,00:00:5e:00:53:01,,3600,1,1,0,0,,0,\n",
			"192.0.2.10=>tv " },
		{ KEA4 "192.0.2.10,00:00:5e:00:53:01,,1,1,1,0,0,my&#x2cown&#x20tv&#xzz,0,{\"a\":1&#x2c \"b\":2}\n",
			"00:00:5e:00:53:01=>my,own tv&#xzz " },
		{ KEA6 "2001:db8::1,00:01:00:01:2a:2b:2c:2d:00:00:5e:00:53:01,1,1,1,1,0,7,128,0,0,nas,,0,,,,0\n",
			"00:00:5e:00:53:01=>nas 2001:db8::1=>nas " },
		{ KEA6 "2001:db8::1,00:02:00:00:ab:11,1,1,1,1,0,7,128,0,0,nas,00:00:5e:00:53:02,0,,1,2,0\n",
			"00:00:5e:00:53:02=>nas 2001:db8::1=>nas " },
		/* A prefix that was delegated; 2.0 wrote no prefix length of 128 into old files. */
		{ KEA6 "2001:db8:1::,00:03:00:01:00:00:5e:00:53:03,1,1,1,1,2,7,60,0,0,r2,,0,,,,0\n",
			"00:00:5e:00:53:03=>r2 " },
		/* The titles say which column is which. */
		{ "address,duid,hostname,state\n2001:db8::1,00:02,nas,0\n", "2001:db8::1=>nas " },
		{ "address,hostname,hwaddr\r\n192.0.2.1,nas,00:00:5e:00:53:01\r\n", "00:00:5e:00:53:01=>nas " },
		{ "address,state\n192.0.2.1,nas\n", "" },
		{ KEA4 "192.0.2.10\n192.0.2.10,00:00:5e:00:53:01\n" KEA4 ",,,,,,,,x\nx,00:00:5e:00:53,,,,,,,x\n", "" },
	};

	(void)state;
	RUN(cases);
}

static void uci(void **state)
{
	static const struct test_case cases[] = {
		{ "config dnsmasq\n\toption domain 'lan'\n\nconfig dhcp 'lan'\n\toption interface 'lan'\n\n"
		  "config host\n\toption name 'nas'\n\toption dns '1'\n\toption mac '00:00:5E:00:53:40'\n\toption ip "
		  "'192.168.77.64'\n",
			"00:00:5e:00:53:40=nas " },
		/* The order is free; several MACs in one option or in a list; all kinds of quotes. */
		{ "config 'host' 'x'\n list mac \"00:00:5e:00:53:40\"\n list mac 00:00:5e:00:53:41 # two\n option "
		  "'name' tv\n"
		  "config host\noption mac '00:00:5e:00:53:42 00:00:5e:00:53:43'\noption name \"a \\\"b\\\" c\"\n",
			"00:00:5e:00:53:40=tv 00:00:5e:00:53:41=tv 00:00:5e:00:53:42=a \"b\" c 00:00:5e:00:53:43=a "
			"\"b\" c " },
		{ "config host\n\toption name 'it'\\''s'\n\toption duid '0003000100005e005344%a1'\n\toption ip "
		  "'192.168.77.64'\n",
			"00:00:5e:00:53:44=it's 192.168.77.64=it's " },
		{ "config domain\n\toption name 'cam.lan'\n\toption ip '192.168.77.65'\n", "192.168.77.65=cam " },
		/* No host, no name, no MAC. A section ends where the next begins. */
		{ "config host\n\toption mac '00:00:5e:00:53:40'\nconfig dhcp\n\toption name 'nas'\n"
		  "config host\n\toption name 'nas'\n\toption mac '*'\n\toption ip 'ignore'\n",
			"" },
		{ "option name 'nas'\noption mac '00:00:5e:00:53:40'\nconfig\noption\nlist mac\nconfig host\noption "
		  "name\noption\n",
			"" },
		{ "package dhcp\nconfig host\n#option name 'a'\noption name 'b'\noption mac '00:00:5e:00:53:40",
			"00:00:5e:00:53:40=b " },
	};

	(void)state;
	RUN(cases);
}

static void isc(void **state)
{
	static const struct test_case cases[] = {
		{ "# The format of this file is documented in the dhcpd.leases(5) manual page.\nauthoring-byte-order "
		  "little-endian;\n\n"
		  "lease 192.0.2.10 {\n  starts 4 2026/11/26 10:00:00;\n  binding state active;\n"
		  "  hardware ethernet 00:00:5e:00:53:01;\n  uid \"\\001\\000\\000^\\000S\\001\";\n"
		  "  set vendor-class-identifier = \"MSFT 5.0\";\n  client-hostname \"desktop\";\n}\n",
			"00:00:5e:00:53:01=>desktop " },
		{ "lease 192.0.2.10 {\n hardware ethernet 00:00:5e:00:53:01;\n client-hostname \"old\";\n}\n"
		  "lease 192.0.2.11 { hardware ethernet 00:00:5e:00:53:01; client-hostname \"new\"; }\n",
			"00:00:5e:00:53:01=>old 00:00:5e:00:53:01=>new " },
		{ "lease 192.0.2.10 {\n uid \"x\";\n client-hostname \"tv\";\n on expiry {\n client-hostname "
		  "\"bad\";\n }\n}\n",
			"192.0.2.10=>tv " },
		/* Escapes; what looks like the end of a block is in quotes. */
		{ "lease 192.0.2.10 {\n hardware ethernet 00:00:5e:00:53:01;\n"
		  " client-hostname \"K\\303\\274che; } lease 192.0.2.99 { \\\"\\\\\\000\";\n}\n",
			"00:00:5e:00:53:01=>K\303\274che; } lease 192 " },
		{ "lease 192.0.2.10 {\n hardware token-ring 00:00:5e:00:53:01;\n client-hostname \"tr\";\n}\n",
			"192.0.2.10=>tr " },
		{ "lease 192.0.2.10 {\n hardware ethernet 00:00:5e:00:53:01;\n binding state free;\n}\n", "" },
		/* One that was not written to its end, and the next. */
		{ "lease 192.0.2.10 {\n hardware ethernet 00:00:5e:00:53:01;\nlease 192.0.2.11 {\n"
		  " hardware ethernet 00:00:5e:00:53:02;\n client-hostname \"b\";\n}\nclient-hostname \"c\";\n",
			"00:00:5e:00:53:02=>b " },
		/* dhcpd.conf, also within other blocks. */
		{ "subnet 192.0.2.0 netmask 255.255.255.0 {\n  option domain-name \"lan\";\n"
		  "  host nas { hardware ethernet 00:00:5e:00:53:03; fixed-address 192.0.2.3; }\n}\n"
		  "host box {\n  option host-name \"printer\"; # the old one\n  hardware ethernet "
		  "00:00:5e:00:53:04;\n}\n"
		  "host v6 { host-identifier option dhcp6.client-id 00:01; fixed-address6 2001:db8::6, 2001:db8::7; "
		  "}\n",
			"00:00:5e:00:53:03=>nas 00:00:5e:00:53:04=>printer 2001:db8::6=>v6 2001:db8::7=>v6 " },
		{ "lease {\n  interface \"wan\";\n  option host-name \"router\";\n}\nlease x {}}}{{;;\n{ lease\nhost\n",
			"" },
	};

	(void)state;
	RUN(cases);
}

static void a_text_of_no_format_is_useless(void **state)
{
	static const struct {
		const char *text;
		bool known;
	} cases[] = {
		{ "", true },
		{ "# nothing\n\n \t\n", true },
		{ "127.0.0.1 localhost\n", true },
		{ "1700000000 00:00:5e:00:53:01 192.0.2.10 * *\n", true },
		{ "duid 00:01:00:01:2c:8a:11:22:00:00:5e:00:53:ff\n", true },
		{ "# br-lan 00005e005332 ipv4 - 1713258215 32 32 192.168.77.50/32\n", true },
		{ "00:00:5e:00:53:01 192.0.2.1\n", true },
		{ KEA4, true },
		{ "config dnsmasq\n\toption domain 'lan'\n", true },
		{ "authoring-byte-order little-endian;\n", true },
		{ "server-duid \"\\000\\001\";\n", true },
		{ "hello\n127.0.0.1 localhost\n", true },
		{ "hello\n", false },
		{ "# comment\nname=desktop mac=00:00:5e:00:53:01\n", false },
		{ "[{\"mac\": \"00:00:5e:00:53:01\", \"name\": \"desktop\"}]\n", false },
		{ "desktop 00:00:5e:00:53:01\n", false },
		{ "option name 'nas'\n", false },
		{ "lease {\n  interface \"wan\";\n}\n", false },
		{ "interface=br-lan\ndhcp-range=192.168.77.100,192.168.77.150,12h\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT;

		if (names_parse(cases[i].text, strlen(cases[i].text), show, &out) != cases[i].known)
			fail_msg("\"%s\"", cases[i].text);
		assert_int_equal(out.len, 0);
		buf_free(&out);
	}
}

static void hostile_lines_hurt_nobody(void **state)
{
	static const char nul[] = "192.0.2.1 a\0b\n192.0.2.2 c\n";
	char line[20000];
	struct buf out = BUF_INIT;

	(void)state;
	names_parse(nul, sizeof(nul) - 1, show, &out);
	assert_string_equal(buf_text(&out), "192.0.2.1=a\1b 192.0.2.2=c ");
	buf_reset(&out);

	/* 10 KB of name: cut with its line, and the next line is a line again. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "192.0.2.1 ", 10);
	memcpy(line + 10000, "\n192.0.2.2 c", 12);
	names_parse(line, 10012, show, &out);
	assert_int_equal(out.len, NAMES_PARSE_LINE + 1 + strlen("192.0.2.2=c "));
	assert_string_equal(buf_text(&out) + NAMES_PARSE_LINE + 1, "192.0.2.2=c ");
	buf_reset(&out);

	/* An address that the cut would change is not read. */
	memset(line, ' ', sizeof(line));
	memcpy(line, "# br-lan 0004 1 tv 1 1 128", 26);
	memcpy(line + NAMES_PARSE_LINE - 12, "2001:db8::1/128", 15);
	names_parse(line, 2000, show, &out);
	assert_string_equal(buf_text(&out), "");

	/* More words than anybody needs. */
	for (size_t i = 0; i < sizeof(line); i += 2)
		memcpy(line + i, "# ", 2);
	names_parse(line, sizeof(line), show, &out);
	names_parse(line, 0, show, &out);
	assert_string_equal(buf_text(&out), "");
	buf_free(&out);
}

/* The end of a file that is too long: what is left of a name there is another name. */
static void a_line_that_was_cut_does_not_count(void **state)
{
	static const char text[] = "192.0.2.1 a\n192.0.2.2 tele";
	struct buf out = BUF_INIT;
	struct names_parser *parser = names_parser_new(show, &out);

	(void)state;
	names_parser_feed(parser, text, sizeof(text) - 1);
	assert_true(names_parser_end(parser, true));
	assert_string_equal(buf_text(&out), "192.0.2.1=a ");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethers),
		cmocka_unit_test(hosts),
		cmocka_unit_test(leases),
		cmocka_unit_test(odhcpd),
		cmocka_unit_test(odhcpd_of_today),
		cmocka_unit_test(macs_have_several_shapes),
		cmocka_unit_test(names_that_are_addresses_are_none),
		cmocka_unit_test(dhcp_host),
		cmocka_unit_test(kea),
		cmocka_unit_test(uci),
		cmocka_unit_test(isc),
		cmocka_unit_test(a_line_that_was_cut_does_not_count),
		cmocka_unit_test(a_text_of_no_format_is_useless),
		cmocka_unit_test(hostile_lines_hurt_nobody),
	};

	return cmocka_run_group_tests_name("names_parse", tests, NULL, NULL);
}
