/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "index_page.h"

#include "hostmeter/base/version.h"
#include "snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_page_says_what_is_metered(void **state)
{
	static const char *const wanted[] = { "<!DOCTYPE html>", ("hostmeter " HOSTMETER_VERSION),
		"<dt>WAN</dt>\n<dd>wan0</dd>", "<dt>LAN</dt>\n<dd>br-lan, wg0</dd>", "<dt>Hosts</dt>\n<dd>3</dd>",
		"<dt>Connections</dt>\n<dd>51</dd>", "href=\"/metrics\"", "href=\"/api/v1/hosts\"",
		"href=\"/api/v1/status\"", "href=\"/-/ready\"", "</html>\n" };
	struct snapshot snapshot = snapshots_full();
	struct buf out = BUF_INIT;

	(void)state;
	index_page_render(&out, &snapshot);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!strstr(buf_text(&out), wanted[i]))
			fail_msg("%s is not in\n%s", wanted[i], buf_text(&out));
	}
	assert_null(strstr(buf_text(&out), "<script"));
	buf_free(&out);
}

static void names_are_no_markup(void **state)
{
	struct snapshot snapshot = snapshots_full();
	struct buf out = BUF_INIT;

	(void)state;
	strcpy(snapshot.link[1].name, "<b>\"'&amp;");
	index_page_render(&out, &snapshot);
	assert_non_null(strstr(buf_text(&out), "<dd>&#60;b&#62;&#34;&#39;&#38;amp;</dd>"));
	buf_free(&out);
}

static void nothing_is_metered(void **state)
{
	struct snapshot snapshot = { 0 };
	struct buf out = BUF_INIT;

	(void)state;
	index_page_render(&out, &snapshot);
	assert_non_null(strstr(buf_text(&out), "<dt>WAN</dt>\n<dd>none</dd>"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_says_what_is_metered),
		cmocka_unit_test(names_are_no_markup),
		cmocka_unit_test(nothing_is_metered),
	};

	return cmocka_run_group_tests_name("index_page", tests, NULL, NULL);
}
