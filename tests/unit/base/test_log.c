/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2]; /* a pipe: what was logged is read from [0] */
static char text[8192];

static int open_pipe(void **state)
{
	(void)state;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -1;
	log_set_fd(ends[1]);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static int close_pipe(void **state)
{
	(void)state;
	log_set_fd(STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* All that is in the pipe now; "" if nothing. */
static const char *logged(void)
{
	ssize_t len = read(ends[0], text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void a_commands_complaints_are_for_people(void **state)
{
	(void)state;
	log_for_people();
	log_error("no meter runs here");
	assert_string_equal(logged(), "hostmeter: error: no meter runs here\n");
	log_set_fd(ends[1]);
	log_error("e");
	assert_string_equal(logged(), "<3>e\n");
}

static void lines_carry_the_journals_priority(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	log_error("e %d", 1);
	log_warning("w %s", "x");
	log_info("i");
	log_debug("d");
	assert_string_equal(logged(), "<3>e 1\n<4>w x\n<6>i\n<7>d\n");
}

static void levels_above_are_dropped(void **state)
{
	(void)state;
	log_debug("d");
	assert_string_equal(logged(), "");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("w");
	log_info("i");
	log_error("e");
	assert_string_equal(logged(), "<3>e\n");
}

static void a_name_cannot_forge_a_line(void **state)
{
	(void)state;
	log_info("host %s", "a\n<3>b\r\x1b[2J\x7f\tc");
	assert_string_equal(logged(), "<6>host a?<3>b??[2J??c\n");
	log_info("host %s",
		"k\xc3\xbc"
		"che");
	assert_string_equal(logged(),
		"<6>host k\xc3\xbc"
		"che\n");
}

/* The same on a terminal and in the journal: a reader of the journal is a terminal, too. */
static void a_name_cannot_control_a_terminal(void **state)
{
	static const char name[] = "\xc2\x9b"
				   "31mred \xe2\x80\xaegnp.exe \xe2\x81\xa6 \xe2\x80\x8b \xe2\x80\xa8 \xff\x7f";

	(void)state;
	log_info("host %s", name);
	assert_string_equal(logged(), "<6>host ?31mred ?gnp.exe ? ? ? ??\n");
	log_for_people();
	log_error("host %s", name);
	assert_string_equal(logged(), "hostmeter: error: host ?31mred ?gnp.exe ? ? ? ??\n");
	/* A name that is cut within a character, as by "%.64s", ends in no half one. */
	log_error("%.4s", "abc\xe2\x82\xac");
	assert_string_equal(logged(), "hostmeter: error: abc?\n");
}

static void a_long_line_is_cut_to_one(void **state)
{
	static char huge[4000];

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	log_info("%s", huge);
	log_info("next");
	assert_int_equal(strchr(logged(), '\n') - text, 1023);
	assert_string_equal(strchr(text, '\n'), "\n<6>next\n");
}

static void a_terminal_gets_words(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	ssize_t len;

	(void)state;
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	log_set_fd(slave);
	log_warning("text");
	len = read(master, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	assert_string_equal(text, "hostmeter: warning: text\r\n");
	close(slave);
	close(master);
}

static void errno_survives(void **state)
{
	(void)state;
	log_set_fd(-1);
	errno = EPERM;
	log_error("nobody reads this");
	assert_int_equal(errno, EPERM);
}

static void level_names_parse(void **state)
{
	enum log_level level = LOG_LEVEL_DEBUG;

	(void)state;
	assert_int_equal(log_level_parse(&level, "loud"), -EINVAL);
	assert_int_equal(log_level_parse(&level, ""), -EINVAL);
	assert_int_equal(log_level_parse(&level, "infos"), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse(&level, "error"), 0);
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse(&level, "warning"), 0);
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_int_equal(log_level_parse(&level, "info"), 0);
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_int_equal(log_level_parse(&level, "debug"), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

static void what_repeats_is_said_once_a_period(void **state)
{
	struct log_limit limit = { 0 }, other = { 0 };

	(void)state;
	log_repeated(&limit, 100, 1000, "source %s failed", "nflog");
	assert_string_equal(logged(), "<4>source nflog failed\n");
	log_repeated(&limit, 100, 1000, "again");
	log_repeated(&limit, 100, 1099, "again");
	assert_string_equal(logged(), "");
	/* Another cause is another matter. */
	log_repeated(&other, 100, 1099, "the other");
	assert_string_equal(logged(), "<4>the other\n");
	log_repeated(&limit, 100, 1100, "again");
	assert_string_equal(logged(), "<4>again (and 2 times since this was last said)\n");
	log_repeated(&limit, 100, 1300, "again");
	assert_string_equal(logged(), "<4>again\n");
	log_set_level(LOG_LEVEL_ERROR);
	log_repeated(&limit, 100, 1500, "again");
	assert_string_equal(logged(), "");
}

static void text_that_was_asked_for_is_written_at_every_level(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	log_text("one\n\ntwo\x1b[1m\nlast");
	assert_string_equal(logged(), "<6>one\n<6>\n<6>two?[1m\n<6>last\n");
	log_text("");
	log_info("hidden");
	assert_string_equal(logged(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_commands_complaints_are_for_people, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(lines_carry_the_journals_priority, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(levels_above_are_dropped, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(a_name_cannot_forge_a_line, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(a_name_cannot_control_a_terminal, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(a_long_line_is_cut_to_one, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(a_terminal_gets_words, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(errno_survives, open_pipe, close_pipe),
		cmocka_unit_test(level_names_parse),
		cmocka_unit_test_setup_teardown(what_repeats_is_said_once_a_period, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(text_that_was_asked_for_is_written_at_every_level, open_pipe,
			close_pipe),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
