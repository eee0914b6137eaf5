/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The meter of --standalone as its parent sees it: what it is given, and what stays when either of the two ends. */
#include "standalone.h"

#include "hostmeter/config/config.h"
#include "hostmeter/daemon/daemon.h"
#include "hostmeter/watch/sample.h"

#include "fake_meter.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#include <cmocka.h>

static enum { ANSWERS, ANSWERS_ONCE, FAILS } plan;

static void write_given(const struct config *config)
{
	char path[256], name[17] = "";
	FILE *out;

	prctl(PR_GET_NAME, name);
	snprintf(path, sizeof(path), "%s/given", config->runtime_dir);
	out = fopen(path, "w");
	if (!out)
		_exit(3);
	fprintf(out, "mode %d, %zu addresses, record %s, state in the same place: %d, wan %s\n", config->mode,
		config->listen.count, config->record ? config->record : "nothing",
		!strcmp(config->runtime_dir, config->state_dir), config->wan.item[0]);
	fprintf(out, "%s, session of its own: %d, supervised: %d\n", name, getsid(0) == getpid(),
		getenv("NOTIFY_SOCKET") || getenv("WATCHDOG_USEC"));
	fclose(out);
}

/* Instead of the real one. */
int daemon_run(struct config *config)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	sigset_t term;

	alarm(30);
	log_error("no such thing");
	log_info("not of interest");
	log_warning("half of it");
	if (plan == FAILS)
		return 1;
	write_given(config);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	fds[0].fd = signalfd(-1, &term, SFD_CLOEXEC);
	fds[1].fd = fake_meter_listen(config->socket);
	while (poll(fds, 2, -1) > 0 && !fds[0].revents) {
		static const char reply[] = "HTTP/1.0 200 OK\r\n\r\n";
		char request[1024];
		int client = accept(fds[1].fd, NULL, NULL);

		if (read(client, request, sizeof(request)) > 0) /* who asked may be gone by now */
			send(client, reply, strlen(reply), MSG_NOSIGNAL);
		close(client);
		if (plan == ANSWERS_ONCE)
			return 0;
	}
	return 0;
}

/* Its files are to be in the scratch directory. */
static int begin(void **state)
{
	if (scratch_enter(state))
		return -1;
	fake_meter_log(state);
	plan = ANSWERS;
	return setenv("TMPDIR", *state, 1);
}

static int start(struct standalone *standalone)
{
	static char *listen[] = { (char *)":10060", NULL }, *wan[] = { (char *)"ppp0", NULL };
	const struct config config = { .mode = CONFIG_WATCH,
		.listen = { listen, 1 },
		.wan = { wan, 1 },
		.socket = (char *)"/nowhere/socket",
		.runtime_dir = (char *)"/nowhere",
		.state_dir = (char *)"/nowhere/else",
		.record = (char *)"/nowhere/trace" };

	return standalone_start(standalone, &config);
}

/* Whether the path is gone within ten seconds. */
static bool goes_away(const char *path)
{
	for (int i = 0; i < 1000 && !access(path, F_OK); i++)
		poll(NULL, 0, 10);
	return access(path, F_OK) != 0;
}

static void it_has_nothing_of_a_running_meter(void **state)
{
	char path[160], text[512] = "";
	struct standalone standalone;
	FILE *file;

	setenv("NOTIFY_SOCKET", "/nowhere", 1);
	setenv("WATCHDOG_USEC", "1", 1);
	assert_int_equal(start(&standalone), 0);
	assert_memory_equal(standalone.directory, *state, strlen(*state));
	assert_int_equal(strncmp(standalone.socket, standalone.directory, strlen(standalone.directory)), 0);
	snprintf(path, sizeof(path), "%s/given", standalone.directory);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_string_equal(text,
		"mode 0, 0 addresses, record nothing, state in the same place: 1, wan ppp0\n"
		"hostmeter-alone, session of its own: 1, supervised: 0\n");
	assert_true(standalone_runs(&standalone));
	standalone_stop(&standalone);
	assert_int_not_equal(access(standalone.directory, F_OK), 0);
	assert_int_equal(kill(standalone.pid, 0), -1);
	assert_string_equal(scratch_read(state, "log"), "");
}

static void its_warnings_are_shown_and_its_errors_told(void **state)
{
	struct standalone standalone;
	struct watch_sample sample = { 0 };

	assert_int_equal(start(&standalone), 0);
	standalone_read_log(&standalone, &sample);
	assert_int_equal(sample.warnings, 2);
	assert_string_equal(sample.warning[0], "no such thing");
	assert_string_equal(sample.warning[1], "half of it");
	assert_string_equal(scratch_read(state, "log"), "");
	standalone_read_log(&standalone, NULL);
	assert_string_equal(scratch_read(state, "log"), "hostmeter: error: no such thing\n");
	watch_sample_clear(&sample);
	standalone_stop(&standalone);
}

static void one_that_fails_says_why(void **state)
{
	struct standalone standalone;

	plan = FAILS;
	assert_int_equal(start(&standalone), -ECHILD);
	assert_false(standalone_runs(&standalone));
	assert_int_not_equal(access(standalone.directory, F_OK), 0);
	assert_string_equal(scratch_read(state, "log"), "hostmeter: error: no such thing\n");
}

static void one_that_ends_by_itself_is_noticed(void **state)
{
	struct standalone standalone;
	bool runs = true;

	(void)state;
	plan = ANSWERS_ONCE;
	assert_int_equal(start(&standalone), 0);
	for (int i = 0; i < 1000 && (runs = standalone_runs(&standalone)); i++)
		poll(NULL, 0, 10);
	assert_false(runs);
	assert_int_equal(standalone.pid, 0); /* so that no other process of this number is ended */
	standalone_stop(&standalone);
	assert_int_not_equal(access(standalone.directory, F_OK), 0);
}

/* However the view ends, the meter ends too, and leaves nothing. */
static void it_ends_with_its_view(void **state)
{
	const char *path = scratch_path(state, "where");
	pid_t view = fork();
	char directory[256];
	int status;

	if (view == 0) {
		struct standalone standalone;

		if (start(&standalone))
			_exit(1);
		scratch_write(state, "where", "w", standalone.directory);
		_exit(0);
	}
	assert_int_equal(waitpid(view, &status, 0), view);
	assert_int_equal(status, 0);
	snprintf(directory, sizeof(directory), "%s", scratch_read(state, "where"));
	assert_true(goes_away(directory));
	assert_int_equal(access(path, F_OK), 0);
}

/* The path of a socket has 107 bytes at most. */
static void a_long_tmpdir_is_not_used(void **state)
{
	static const char *const unusable[] = { "relative",
		"/123456789/123456789/123456789/123456789/123456789/123456789/123456789/1234567890123456" };
	struct standalone standalone;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		setenv("TMPDIR", unusable[i], 1);
		assert_int_equal(start(&standalone), 0);
		assert_memory_equal(standalone.directory, "/tmp/hostmeter-", 15);
		standalone_stop(&standalone);
	}
	unsetenv("TMPDIR");
	assert_int_equal(start(&standalone), 0);
	assert_memory_equal(standalone.directory, "/tmp/hostmeter-", 15);
	standalone_stop(&standalone);
}

static void without_a_directory_it_says_so(void **state)
{
	struct standalone standalone;

	setenv("TMPDIR", scratch_path(state, "missing"), 1);
	assert_int_equal(start(&standalone), -ENOENT);
	assert_int_equal(standalone.pid, 0);
	assert_string_equal(scratch_read(state, "log"),
		"hostmeter: error: cannot start a meter: No such file or directory\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_has_nothing_of_a_running_meter),
		TEST(its_warnings_are_shown_and_its_errors_told),
		TEST(one_that_fails_says_why),
		TEST(one_that_ends_by_itself_is_noticed),
		TEST(it_ends_with_its_view),
		TEST(a_long_tmpdir_is_not_used),
		TEST(without_a_directory_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
