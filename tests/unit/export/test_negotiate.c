/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "negotiate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OPEN PROMETHEUS_OPENMETRICS
#define TEXT PROMETHEUS_TEXT
#define OM "application/openmetrics-text"

static void formats(void **state)
{
	static const struct {
		const char *accept;
		enum prometheus_format want;
	} cases[] = {
		{ NULL, TEXT },
		{ "", TEXT },
		{ "*/*", TEXT },
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT },
		/* Prometheus 2.42, and 3. */
		{ OM ";version=1.0.0," OM ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPEN },
		{ OM ";version=1.0.0;escaping=allow-utf-8;q=0.6," OM ";version=0.0.1;q=0.5,"
		     "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
			OPEN },
		{ "text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT },
		{ OM, OPEN },
		{ OM ";version=1.0.0", OPEN },
		{ OM "; version=\"1.0.0\"", OPEN },
		{ "APPLICATION/OpenMetrics-Text ; VERSION = 1.0.0 ; Q=1", OPEN },
		{ "  " OM "\t", OPEN },
		/* Versions that we do not speak. */
		{ OM ";version=0.0.1", TEXT },
		{ OM ";version=2.0.0", TEXT },
		{ OM ";version=2.0.0, */*;q=0.1", TEXT },
		/* Weights. */
		{ OM ";q=0.5, text/plain;q=0.4", OPEN },
		{ OM ";q=0.4, text/plain;q=0.5", TEXT },
		{ "text/plain;q=0.499, " OM ";q=0.5", OPEN },
		{ OM ", text/plain", TEXT },
		{ OM ";q=0.5, text/plain;q=0.5", TEXT },
		{ OM ";q=0", TEXT },
		{ OM ";q=0, */*", TEXT },
		{ OM ";q=0.000, text/plain;q=0.001", TEXT },
		{ OM ";q=0.001", OPEN },
		/* A wildcard is no wish for the one or the other; a name is. */
		{ OM ", */*", OPEN },
		{ "*/*, " OM, OPEN },
		{ OM ", text/*", OPEN },
		{ "application/*", OPEN },
		{ "application/*, text/*", TEXT },
		{ "application/*;q=0.9, */*;q=0.1", OPEN },
		{ "text/*;q=0.2, application/*;q=0.1", TEXT },
		/* What names it best decides, not what weighs most: RFC 9110, section 12.5.1. */
		{ OM ";q=0.1, application/*, text/plain;q=0.5", TEXT },
		{ OM ";version=1.0.0;q=0.1, " OM ", text/plain;q=0.5", TEXT },
		{ "*/*, text/plain;q=0.1", OPEN },
		/* Badly formed: as if it was not there. */
		{ OM ";q=2", TEXT },
		{ OM ";q=1.001", TEXT },
		{ OM ";q=0.1234", TEXT },
		{ OM ";q=", TEXT },
		{ OM ";q=-1", TEXT },
		{ OM ";q=x", TEXT },
		{ OM ";q=.5", TEXT },
		{ OM ";q=1.", OPEN },
		{ OM ";q", OPEN },
		{ OM ";;", OPEN },
		{ OM "/x", TEXT },
		{ "application", TEXT },
		{ "application/", TEXT },
		{ "/openmetrics-text", TEXT },
		{ "*", TEXT },
		{ ",,, " OM " ,,", OPEN },
		/* Separators inside quotes are none. */
		{ "text/plain;x=\"," OM "\"", TEXT },
		{ "text/plain;x=\"\\\"," OM "\"", TEXT },
		{ "text/plain;x=\"," OM, TEXT },
		{ OM ";x=\";q=0\"", OPEN },
		{ "text/openmetrics-text", TEXT },
		{ "application/openmetrics-text2", TEXT },
		{ "application/openmetrics-tex", TEXT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (negotiate_format(cases[i].accept) != cases[i].want)
			fail_msg("Accept: %s", cases[i].accept ? cases[i].accept : "(none)");
	}
}

static void encodings(void **state)
{
	static const struct {
		const char *accept;
		bool want;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ "gzip", true },
		{ "GZip", true },
		{ "x-gzip", true },
		{ "gzip, deflate, br", true },
		{ "deflate, br", false },
		{ "br;q=1.0, gzip;q=0.8, *;q=0.1", true },
		{ "gzip;q=0", false },
		{ "gzip;q=0.000", false },
		{ "gzip; q = 0", false },
		{ "gzip;q=0.001", true },
		{ "gzip;q=0, *", false },
		{ "*", true },
		{ "*;q=0", false },
		{ "*;q=0.5", true },
		{ "identity", false },
		{ "identity, gzip", true },
		{ "identity, gzip;q=0.5", false },
		{ "identity;q=0.5, gzip;q=0.5", true },
		{ "identity;q=0.5, *;q=0.2", false },
		{ "identity;q=0", false },
		{ "identity;q=0, gzip;q=0.1", true },
		{ "gzip;q=7", false },
		{ "gzip;q=", false },
		{ "gzipped", false },
		{ "gzi", false },
		{ ",,gzip,,", true },
		{ ";", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (negotiate_gzip(cases[i].accept) != cases[i].want)
			fail_msg("Accept-Encoding: %s", cases[i].accept ? cases[i].accept : "(none)");
	}
}

static void hosts(void **state)
{
	static const char *const names[] = { "router", "Meter.example.net", "" };
	static const struct {
		const char *host;
		bool want;
	} cases[] = {
		{ NULL, true },
		{ "localhost", true },
		{ "LocalHost:10060", true },
		{ "localhost.", true },
		{ "router", true },
		{ "ROUTER:10060", true },
		{ "router.", true },
		/* What only a LAN calls its machines. */
		{ "openwrt", true },
		{ "evil-router", true },
		{ "my_router2:10060", true },
		{ "router.lan", true },
		{ "ROUTER.Lan.:10060", true },
		{ "a.b.home.arpa", true },
		{ "router.local", true },
		{ "router.localdomain", true },
		{ "router.home", true },
		{ "host.docker.internal", true },
		{ "meter.localhost", true },
		{ "router.arpa", false },
		{ "home.arpa.evil.example", false },
		{ "router.lan.evil.example", false },
		{ "router.evillan", false },
		{ ".lan", false },
		{ "router..lan", false },
		{ "router.lan..", false },
		{ "rou ter.lan", false },
		{ "r\xc3\xb6uter", false },
		{ "router\t.lan", false },
		{ "a12345678901234567890123456789012345678901234567890123456789012", true },
		{ "a123456789012345678901234567890123456789012345678901234567890123", false },
		{ "router.:10060", true },
		{ "meter.example.net", true },
		{ "meter.EXAMPLE.net:80", true },
		{ " router ", true },
		{ "192.168.1.1", true },
		{ "192.168.1.1:10060", true },
		{ "127.0.0.1:", true },
		{ "[::1]", true },
		{ "[::1]:10060", true },
		{ "[fd00::1]", true },
		{ "[FE80::1]:1", true },
		{ "", false },
		{ ".", false },
		{ ":10060", false },
		{ "evil.example", false },
		{ "router.evil.example", false },
		{ "localhost.evil.example", false },
		{ "192.168.1.1.evil.example", false },
		{ "192.168.1", false },
		{ "0300.0250.1.1", false },
		{ "3232235777", false },
		{ "::1", false },
		{ "[::1", false },
		{ "[::1]x", false },
		{ "[::1]:x", false },
		{ "[::1]:123456", false },
		{ "[192.168.1.1]", false },
		{ "[]", false },
		{ "[", false },
		{ "[evil.example]", false },
		{ "[fe80::1%eth0]", false },
		{ "router:80:80", false },
		{ "router:8o", false },
		{ "router:100600", false },
		{ "router..", false },
		{ "user@router", false },
		{ "router/", false },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (negotiate_host(cases[i].host, names, COUNT(names)) != cases[i].want)
			fail_msg("Host: %s", cases[i].host ? cases[i].host : "(none)");
	}
	assert_false(negotiate_host("meter.example.net", NULL, 0));
	assert_true(negotiate_host("10.0.0.1", NULL, 0));
}

static void long_hosts(void **state)
{
	char name[260];

	(void)state;
	for (size_t len = 250; len < 258; len++) {
		for (size_t i = 0; i < len; i++)
			name[i] = i % 50 == 49 ? '.' : 'a';
		memcpy(name + len - 4, ".lan", 5);
		assert_int_equal(negotiate_host(name, NULL, 0), len <= 253);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(encodings),
		cmocka_unit_test(hosts),
		cmocka_unit_test(long_hosts),
	};

	return cmocka_run_group_tests_name("negotiate", tests, NULL, NULL);
}
