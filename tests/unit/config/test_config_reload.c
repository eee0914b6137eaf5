/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reload finds changed, what of it a running meter takes, and that all can be undone. */
#include "config_cases.h"
#include "options.h"

static char *command_line[] = { "hostmeter", "--config", FILE_NAME, "--dump-share", "7", NULL };

static void load_file(struct config *config, const char *text)
{
	write_file(text, strlen(text));
	assert_int_equal(config_load(config, 5, command_line, stderr), 0);
}

static void differs(const struct config *config, const char *expected)
{
	struct buf out = BUF_INIT;

	show(&out, config);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

/* Loads the one, reloads the other; the line of the log, and what runs then. */
static void reloads(const char *before, const char *after, const char *line, const char *shown)
{
	struct config running, fresh;
	struct config_change change;
	struct buf text = BUF_INIT, first = BUF_INIT, again = BUF_INIT;

	load_file(&running, before);
	show(&first, &running);
	write_file(after, strlen(after));
	assert_int_equal(config_load_again(&fresh, &running, stderr), 0);
	change = config_compare(&running, &fresh);
	config_put_change(&text, &change);
	assert_string_equal(buf_text(&text), line);
	config_exchange(&running, &fresh, &change);
	differs(&running, shown);
	config_exchange(&running, &fresh, &change);
	show(&again, &running);
	assert_string_equal(buf_text(&again), buf_text(&first));
	config_free(&running);
	config_free(&fresh);
	buf_free(&text);
	buf_free(&first);
	buf_free(&again);
}

static void what_changed_is_named(void **state)
{
	(void)state;
	reloads("", "", "nothing changed", "dump-share=7 ");
	reloads("lan = a", "# the same\nlan = {\"a\"}", "nothing changed", "lan=a dump-share=7 ");
	reloads("lan = a", "lan = {a, b}", "changed: lan", "lan=a,b dump-share=7 ");
	reloads("lan = {a, b}", "lan = {b, a}", "changed: lan", "lan=b,a dump-share=7 ");
	reloads("lan = a", "", "changed: lan", "dump-share=7 ");
	reloads("dump-interval = 2\nlog-level = error", "dump-interval = 3", "changed: dump-interval, log-level",
		"dump-interval=3000000000 dump-share=7 ");
	reloads("", "web.config.file = /w\nforget-after = 9", "changed: forget-after, web.config.file",
		"dump-share=7 forget-after=9000000000 ");
}

static void sections_are_compared(void **state)
{
	static const char desk[] = "host desk { mac = 02:00:00:00:00:01 address = 10.0.0.1 }\n";

	(void)state;
	reloads(desk, desk, "nothing changed", "dump-share=7 host[desk 02:00:00:00:00:01 10.0.0.1] ");
	reloads(desk, "host desk { mac = 02:00:00:00:00:02 address = 10.0.0.1 }", "changed: host",
		"dump-share=7 host[desk 02:00:00:00:00:02 10.0.0.1] ");
	reloads(desk, "host desk { mac = 02:00:00:00:00:01 address = 10.0.0.2 }", "changed: host",
		"dump-share=7 host[desk 02:00:00:00:00:01 10.0.0.2] ");
	reloads(desk, "host table { mac = 02:00:00:00:00:01 address = 10.0.0.1 }", "changed: host",
		"dump-share=7 host[table 02:00:00:00:00:01 10.0.0.1] ");
	reloads(desk, "", "changed: host", "dump-share=7 ");
	reloads("interface a { name = b }", "interface a { name = c }", "changed: interface",
		"dump-share=7 interface[a c] ");
	reloads("interface a { name = b }", "lan = a\ninterface d { name = b }", "changed: lan, interface",
		"lan=a dump-share=7 interface[d b] ");
}

static void what_needs_a_restart_stays(void **state)
{
	(void)state;
	reloads("", "runtime-dir = /r\nnflog-group = 7",
		"nothing changed; needs a restart: nflog-group, socket, runtime-dir", "dump-share=7 ");
	reloads("max-hosts = 9", "allow = 10.0.0.0/8\nmax-hosts = 8\nevent-buffer = 5000\nreliable-fill = 50",
		"changed: allow; needs a restart: event-buffer, reliable-fill, max-hosts",
		"allow=10.0.0.0/8 dump-share=7 max-hosts=9 ");
	reloads("", "state-dir = /s\nuser = nobody\nseccomp = false",
		"nothing changed; needs a restart: state-dir, user, seccomp", "dump-share=7 ");
}

static void the_command_line_still_wins(void **state)
{
	(void)state;
	reloads("dump-share = 8", "dump-share = 9", "nothing changed", "dump-share=7 ");
}

static void what_did_not_change_stays_where_it_is(void **state)
{
	struct config running, fresh;
	struct config_change change;
	const char *socket, *lan;

	(void)state;
	load_file(&running, "socket = /s\nlan = a\nallow = 10.0.0.1");
	socket = running.socket;
	lan = running.lan.item[0];
	write_file("socket = /s\nlan = a", strlen("socket = /s\nlan = a"));
	assert_int_equal(config_load_again(&fresh, &running, stderr), 0);
	change = config_compare(&running, &fresh);
	assert_true(config_changed(&change, "allow"));
	assert_false(config_changed(&change, "lan"));
	assert_false(config_changed(&change, "no such key"));
	config_exchange(&running, &fresh, &change);
	config_free(&fresh);
	assert_ptr_equal(running.socket, socket);
	assert_ptr_equal(running.lan.item[0], lan);
	assert_int_equal(running.allow.count, 0);
	config_free(&running);
}

static void a_mistake_leaves_all_as_it_was(void **state)
{
	struct config running, fresh;
	size_t len = 0;
	char *text = NULL;
	FILE *err = open_memstream(&text, &len);

	(void)state;
	load_file(&running, "lan = a");
	write_file("lan = b\ncolour = 1\n", strlen("lan = b\ncolour = 1\n"));
	assert_int_equal(config_load_again(&fresh, &running, err), -EINVAL);
	assert_int_equal(fclose(err), 0);
	assert_string_equal(text, LINE(FILE_NAME ":2: unknown key \"colour\""));
	free(text);
	differs(&running, "lan=a dump-share=7 ");
	config_free(&running);
	config_free(&fresh);
}

/* hostmeter.conf(5) names them: a new key is in one of the two lists. */
static void keys_that_need_a_restart(void **state)
{
	static const char *const restart[] = { "socket", "runtime-dir", "state-dir", "nflog-group", "event-buffer",
		"reliable-fill", "max-hosts", "user", "seccomp" };
	uint64_t live = options_live();
	const char *key;
	size_t found = 0;
	bool list;

	(void)state;
	for (size_t row = 0; (key = options_next_key(&row, &list));) {
		bool needs = false;

		for (size_t i = 0; i < sizeof(restart) / sizeof(restart[0]); i++)
			needs |= !strcmp(restart[i], key);
		if (needs == !!(live & options_bit(key)))
			fail_msg("%s %s", key, needs ? "needs a restart" : "is taken by a reload");
		found += needs;
	}
	assert_int_equal(found, sizeof(restart) / sizeof(restart[0]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changed_is_named),
		cmocka_unit_test(sections_are_compared),
		cmocka_unit_test(what_needs_a_restart_stays),
		cmocka_unit_test(the_command_line_still_wins),
		cmocka_unit_test(what_did_not_change_stays_where_it_is),
		cmocka_unit_test(a_mistake_leaves_all_as_it_was),
		cmocka_unit_test(keys_that_need_a_restart),
	};

	return cmocka_run_group_tests_name("config_reload", tests, enter, leave);
}
