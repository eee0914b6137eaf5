/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "own_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The host name is the test's; the linker takes this before that of the library. */
static const char *own = "meter";

int gethostname(char *name, size_t size)
{
	snprintf(name, size, "%s", own);
	return 0;
}

static char path[] = "/tmp/test-own-names-XXXXXX";

static int setup(void **state)
{
	(void)state;
	own = "meter";
	strcpy(path + strlen(path) - 6, "XXXXXX");
	close(mkstemp(path));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static bool match(const char *host, const char *text)
{
	write_file(text, strlen(text));
	return own_names_match(host, path);
}

static void domains_are_those_of_the_file(void **state)
{
	static const struct {
		const char *host, *text;
		bool want;
	} cases[] = {
		{ "meter.example.net", "search example.net\n", true },
		{ "METER.Example.NET.:10060", "search example.net.\n", true },
		{ "meter.example.net", "domain example.net", true },
		{ "meter.b.example", "nameserver 192.0.2.1\nsearch\ta.example \t b.example\r\noptions edns0\n", true },
		{ "meter.b.example", "search a.example\nsearch b.example\n", true },
		{ "other.example.net", "search example.net\n", false },
		{ "x.meter.example.net", "search example.net\n", false },
		{ "example.net", "search example.net\n", false },
		{ "meter.example.net", "#search example.net\n; domain example.net\n", false },
		{ "meter.example.net", "nameserver example.net\nsearches example.net\n", false },
		{ "meter.example.net", "search .\n", false },
		{ "meter.example.net", "search\ndomain \n\n", false },
		{ "meter.", "search .\n", true }, /* one label */
		{ "evil.example", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (match(cases[i].host, cases[i].text) != cases[i].want)
			fail_msg("Host: %s with %s", cases[i].host, cases[i].text);
}

static void a_full_name_stands_and_gives_its_label(void **state)
{
	(void)state;
	own = "meter.example.org";
	assert_true(match("meter.example.org:10060", ""));
	assert_true(match("meter.example.net", "search example.net\n"));
	assert_false(match("meter.example.org.example.net", "search example.net\n"));
	own = "";
	assert_false(match("meter.example.net", "search example.net\n"));
	own = ".example.org";
	assert_false(match("meter.example.net", "search example.net\n"));
}

static void files_may_be_anything(void **state)
{
	static char big[20000];
	const char null[] = "search a.example\0b.example\nsearch c.example\n";
	char name[512];

	(void)state;
	assert_false(own_names_match("meter.example.net", "/nonexistent/resolv.conf"));
	assert_false(own_names_match("meter.example.net", "/dev/zero"));
	write_file(null, sizeof(null) - 1);
	assert_true(own_names_match("meter.a.example", path));
	assert_false(own_names_match("meter.b.example", path));
	/* A name that is cut is another name. */
	memset(big, 'a', sizeof(big));
	memcpy(big, "search ", 7);
	big[300] = '\n';
	memcpy(big + 301, "search example.net\n", 19);
	write_file(big, 16384);
	snprintf(name, sizeof(name), "meter.%.247s", big + 7);
	assert_false(own_names_match(name, path));
	assert_true(own_names_match("meter.example.net", path));
	write_file(big, 16385);
	assert_false(own_names_match("meter.example.net", path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(domains_are_those_of_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_name_stands_and_gives_its_label, setup, teardown),
		cmocka_unit_test_setup_teardown(files_may_be_anything, setup, teardown),
	};

	return cmocka_run_group_tests_name("own_names", tests, NULL, NULL);
}
