/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real child, on a real netlink socket (nobody needs privileges for one), with two ordinary files as the kernel's
 * numbers.
 */
#include "hang_guard.h"
#include "hostmeter/os/ct_sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_MS = 10000, SILENCE_MS = 200, SEVERAL_SILENCES_MS = 3 * SILENCE_MS };

static char directory[64], count_path[96], max_path[96], exit_path[96];
static int event_socket;
static struct hang_guard *guard; /* freed after each test, also one that failed */

/* In one write over what was there, for the guard may be reading; "" leaves nothing to read. */
static void put_number(const char *path, const char *number)
{
	char text[12] = "\n\n\n\n\n\n\n\n\n\n\n";
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	if (*number) {
		memcpy(text, number, strlen(number));
		assert_int_equal(pwrite(fd, text, sizeof(text) - 1, 0), sizeof(text) - 1);
	} else {
		assert_int_equal(ftruncate(fd, 0), 0);
	}
	close(fd);
}

static void set_reliable(int on)
{
	assert_int_equal(setsockopt(event_socket, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &on, sizeof(on)), 0);
}

static bool is_reliable(void)
{
	int on = -1;
	socklen_t len = sizeof(on);

	assert_int_equal(getsockopt(event_socket, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &on, &len), 0);
	return on;
}

static bool is_let_go(void)
{
	return !is_reliable();
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static bool within_deadline(bool (*holds)(void))
{
	for (int64_t end = now_ms() + DEADLINE_MS; now_ms() < end; pause_ms(5))
		if (holds())
			return true;
	return holds();
}

/* Beats, or not, for so long, and looks that the guard does not act. */
static void stays_reliable(struct hang_guard *beaten)
{
	for (int64_t end = now_ms() + SEVERAL_SILENCES_MS; now_ms() < end; pause_ms(SILENCE_MS / 20)) {
		assert_int_equal(hang_guard_beat(beaten), 0);
		assert_true(is_reliable());
	}
}

static int try_start(void)
{
	const struct hang_guard_watch watch = { .socket = event_socket,
		.count_fd = open(count_path, O_RDONLY | O_CLOEXEC),
		.max_fd = open(max_path, O_RDONLY | O_CLOEXEC),
		.fill_percent = 90,
		.silence_ms = SILENCE_MS };
	int error = hang_guard_start(&guard, &watch);

	close(watch.count_fd);
	close(watch.max_fd);
	return error;
}

static void start_guard(void)
{
	assert_int_equal(try_start(), 0);
}

static void end_guard(void)
{
	hang_guard_free(guard);
	guard = NULL;
}

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_guard.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(count_path, sizeof(count_path), "%s/count", directory);
	snprintf(max_path, sizeof(max_path), "%s/max", directory);
	snprintf(exit_path, sizeof(exit_path), "%s/exit", directory);
	put_number(count_path, "91");
	put_number(max_path, "100");
	event_socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (event_socket < 0)
		return -1;
	set_reliable(1);
	/* A guard outlives its meter for a moment; it is then this process's to reap. */
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static bool all_children_are_gone(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static int teardown(void **state)
{
	(void)state;
	end_guard();
	if (!within_deadline(all_children_are_gone))
		return -1;
	close(event_socket);
	remove(count_path);
	remove(max_path);
	remove(exit_path);
	return rmdir(directory);
}

/* The value of a line of /proc/PID/status. */
static void read_status(pid_t pid, const char *key, char *value, size_t size)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	*value = '\0';
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':') {
			snprintf(value, size, "%s", line + strlen(key) + 2);
			value[strcspn(value, "\n")] = '\0';
		}
	}
	fclose(file);
}

static int count_open_files(pid_t pid)
{
	char path[64];
	DIR *directory_of_fds;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory_of_fds = opendir(path);
	assert_non_null(directory_of_fds);
	for (struct dirent *entry; (entry = readdir(directory_of_fds));)
		count += entry->d_name[0] != '.';
	closedir(directory_of_fds);
	return count;
}

static void a_silent_meter_loses_reliability_when_the_table_is_full(void **state)
{
	int64_t last_beat;

	(void)state;
	start_guard();
	stays_reliable(guard);
	assert_true(within_deadline(is_let_go));

	/* It goes on: the meter came back, and hangs again. */
	assert_int_equal(hang_guard_beat(guard), 0);
	set_reliable(1);
	stays_reliable(guard);
	last_beat = now_ms();
	assert_int_equal(hang_guard_beat(guard), 0);
	assert_true(within_deadline(is_let_go));
	assert_true(now_ms() - last_beat >= SILENCE_MS);
}

static void a_table_with_room_is_left_alone(void **state)
{
	(void)state;
	put_number(count_path, "90");
	start_guard();
	stays_reliable(NULL);
	/* The limit moves, as a sysctl may. */
	put_number(max_path, "99");
	assert_true(within_deadline(is_let_go));
}

static void numbers_may_be_strange(void **state)
{
	(void)state;
	put_number(max_path, "0"); /* no limit, so never full */
	start_guard();
	stays_reliable(NULL);
	put_number(max_path, "2147483640");
	stays_reliable(NULL);
	/* What cannot be read may be full. */
	put_number(count_path, "");
	assert_true(within_deadline(is_let_go));
	put_number(count_path, "1");
	assert_int_equal(hang_guard_beat(guard), 0);
	set_reliable(1);
	stays_reliable(NULL);
	put_number(max_path, "");
	assert_true(within_deadline(is_let_go));
}

static void a_stopped_meter_is_helped(void **state)
{
	pid_t meter = fork();
	char name[32];

	(void)state;
	if (!meter) {
		if (try_start())
			_exit(1);
		raise(SIGSTOP);
		for (;;) {
			hang_guard_beat(guard);
			pause_ms(SILENCE_MS / 20);
		}
	}
	assert_true(meter > 0);
	assert_true(within_deadline(is_let_go));
	read_status(meter, "State", name, sizeof(name));
	assert_int_equal(name[0], 'T');
	kill(meter, SIGKILL);
	assert_int_equal(waitpid(meter, NULL, 0), meter);
}

static void it_holds_nothing_but_its_post(void **state)
{
	char value[64];
	pid_t pid;

	(void)state;
	start_guard();
	pid = hang_guard_pid(guard);
	read_status(pid, "Name", value, sizeof(value));
	assert_string_equal(value, "hostmeter-guard");
	read_status(pid, "CapEff", value, sizeof(value));
	assert_string_equal(value, "0000000000000000");
	read_status(pid, "CapPrm", value, sizeof(value));
	assert_string_equal(value, "0000000000000000");
	/* Standard error, the socket, its end of the pair, two files. */
	assert_int_equal(count_open_files(pid), 5);
	assert_int_equal(getsid(pid), pid);
}

static void signals_do_not_end_it(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGQUIT, SIGUSR1 };
	(void)state;
	start_guard();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		assert_int_equal(kill(hang_guard_pid(guard), signals[i]), 0);
	stays_reliable(guard);
	assert_true(within_deadline(is_let_go));
}

static pid_t orphan;

static bool orphan_is_gone(void)
{
	return waitpid(orphan, NULL, WNOHANG) == orphan;
}

static void it_ends_with_its_meter(void **state)
{
	int tell[2];
	pid_t meter;

	(void)state;
	assert_int_equal(pipe(tell), 0);
	meter = fork();
	if (!meter) {
		pid_t pid = try_start() ? -1 : hang_guard_pid(guard);

		if (write(tell[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(read(tell[0], &orphan, sizeof(orphan)), sizeof(orphan));
	assert_int_equal(waitpid(meter, NULL, 0), meter);
	assert_true(within_deadline(orphan_is_gone));
	close(tell[0]);
	close(tell[1]);
}

static void it_is_reaped(void **state)
{
	int before, after;
	pid_t pid;

	(void)state;
	start_guard();
	pid = hang_guard_pid(guard);
	end_guard();
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);

	/* Stopped itself, it must not hold up the meter's end. */
	before = dup(STDERR_FILENO);
	close(before);
	start_guard();
	kill(hang_guard_pid(guard), SIGSTOP);
	alarm(DEADLINE_MS / 1000);
	end_guard();
	alarm(0);
	after = dup(STDERR_FILENO);
	close(after);
	assert_int_equal(after, before);
	hang_guard_free(NULL);
}

static bool death_is_told(void)
{
	return hang_guard_beat(guard) == -ECHILD;
}

static void the_meter_hears_of_its_death(void **state)
{
	(void)state;
	start_guard();
	assert_int_equal(hang_guard_beat(guard), 0);
	kill(hang_guard_pid(guard), SIGKILL);
	assert_true(within_deadline(death_is_told));
	assert_int_equal(hang_guard_pid(guard), -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_true(death_is_told());
	assert_int_equal(hang_guard_beat(NULL), 0);
}

/* A guard that is stopped reads no beats; they must not pile up, nor the meter wait. */
static void beats_never_wait(void **state)
{
	(void)state;
	start_guard();
	kill(hang_guard_pid(guard), SIGSTOP);
	alarm(DEADLINE_MS / 1000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(hang_guard_beat(guard), 0);
	alarm(0);
}

/* The guard has no file open to tell by. */
static void tell_exit(void)
{
	mkdir(exit_path, 0700);
}

/* The meter's end of the socket pair, the only such socket opened since the event socket. */
static int find_heart(void)
{
	for (int fd = event_socket + 1; fd < 1024; fd++) {
		int domain = 0;
		socklen_t len = sizeof(domain);

		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX)
			return fd;
	}
	return -1;
}

/*
 * Where the pair ends and the meter does not, only the pair can have ended it, and its own way out is gone. The meter
 * is a process of its own, for atexit() cannot be undone.
 */
static void it_leaves_without_the_meters_handlers(void **state)
{
	pid_t meter = fork();
	int status;

	(void)state;
	if (!meter) {
		alarm(DEADLINE_MS / 1000);
		atexit(tell_exit);
		if (try_start())
			_exit(1);
		shutdown(find_heart(), SHUT_RDWR);
		_exit(waitpid(hang_guard_pid(guard), NULL, 0) == hang_guard_pid(guard) ? 0 : 1);
	}
	assert_int_equal(waitpid(meter, &status, 0), meter);
	assert_int_equal(status, 0);
	assert_int_equal(rmdir(exit_path), -1);
	assert_int_equal(errno, ENOENT);
}

static void what_is_missing_is_an_error(void **state)
{
	struct hang_guard_watch watch = { .socket = event_socket,
		.count_fd = ct_sysctl_open("no_such_file"),
		.max_fd = STDERR_FILENO,
		.silence_ms = SILENCE_MS };
	int before, after;

	(void)state;
	before = dup(STDERR_FILENO);
	close(before);
	assert_int_equal(hang_guard_start(&guard, &watch), -ENOENT);
	assert_null(guard);
	watch.max_fd = watch.count_fd;
	watch.count_fd = STDERR_FILENO;
	assert_int_equal(hang_guard_start(&guard, &watch), -ENOENT);
	watch.max_fd = STDERR_FILENO;
	watch.socket = -1;
	assert_int_equal(hang_guard_start(&guard, &watch), -EBADF);
	after = dup(STDERR_FILENO);
	close(after);
	assert_int_equal(after, before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_silent_meter_loses_reliability_when_the_table_is_full, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_table_with_room_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_may_be_strange, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stopped_meter_is_helped, setup, teardown),
		cmocka_unit_test_setup_teardown(it_holds_nothing_but_its_post, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_do_not_end_it, setup, teardown),
		cmocka_unit_test_setup_teardown(it_ends_with_its_meter, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_reaped, setup, teardown),
		cmocka_unit_test_setup_teardown(the_meter_hears_of_its_death, setup, teardown),
		cmocka_unit_test_setup_teardown(beats_never_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(it_leaves_without_the_meters_handlers, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
