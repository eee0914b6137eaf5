/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs: their output, their failures, and those that do not end or print for ever. */
#include "run_program.h"

#include "hostmeter/base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int run(struct buf *out, const char *script)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	return run_program(argv, out, 1000, 2000);
}

static void takes_what_is_printed(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	buf_puts(&out, "before:");
	assert_int_equal(run(&out, "printf out; echo err >&2; echo $LC_ALL; cat"), 0);
	assert_string_equal(buf_text(&out), "before:outC\n");
	buf_free(&out);
}

static void no_shell_is_between(void **state)
{
	const char *const argv[] = { "echo", "$HOME; exit 1", NULL };
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(run_program(argv, &out, 1000, 2000), 0);
	assert_string_equal(buf_text(&out), "$HOME; exit 1\n");
	buf_free(&out);
}

static void failures_are_told(void **state)
{
	const char *const nowhere[] = { "hostmeter-no-such-program", NULL }, *const directory[] = { "/", NULL };
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(run_program(nowhere, &out, 1000, 2000), -ENOENT);
	assert_true(run_program(directory, &out, 1000, 2000) < 0);
	assert_int_equal(run(&out, "exit 3"), -EIO);
	assert_int_equal(run(&out, "kill -9 $$"), -EIO);
	buf_free(&out);
}

static void output_is_bounded(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(run(&out, "while :; do echo 0123456789; done"), -EFBIG);
	assert_int_equal(out.len, 1000);
	buf_free(&out);
}

static void time_is_bounded(void **state)
{
	const char *const argv[] = { "sh", "-c", "echo begun; exec sleep 60", NULL };
	uint64_t began = clock_mono_ns();
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(run_program(argv, &out, 1000, 300), -ETIMEDOUT);
	assert_true(clock_mono_ns() - began < 30 * CLOCK_NS_PER_S);
	buf_free(&out);
}

/* Ours are found without a PATH, strangers' in the current directory never. */
static void where_programs_are_looked_for(void **state)
{
	const char *const ip[] = { "ip", "-V", NULL }, *const sh[] = { "sh", "-c", ":", NULL };
	struct buf out = BUF_INIT;
	char *path = strdup(getenv("PATH"));

	(void)state;
	setenv("PATH", ".:", 1);
	assert_int_equal(run_program(ip, &out, 1000, 2000), 0);
	unsetenv("PATH");
	assert_int_equal(run_program(ip, &out, 1000, 2000), 0);
	setenv("PATH", "/nowhere:relative", 1);
	assert_int_equal(run_program(sh, &out, 1000, 2000), -ENOENT);
	setenv("PATH", path, 1);
	free(path);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_printed),
		cmocka_unit_test(no_shell_is_between),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(output_is_bounded),
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(where_programs_are_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
