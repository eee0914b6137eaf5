/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/sd_notify.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_MS = 5000 };

/* A supervisor's socket: at a path, or with a NUL first at an abstract name. */
static int supervisor(const char *name, size_t len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, name, len);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	return fd;
}

static void assert_received(int fd, const char *expected)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char bytes[128];
	ssize_t len;

	assert_int_equal(poll(&ready, 1, DEADLINE_MS), 1);
	len = recv(fd, bytes, sizeof(bytes), 0);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(bytes, expected, (size_t)len);
}

static void without_a_supervisor_nothing_is_sent(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(sd_notify_send("READY=1"), 0);
}

static void a_path_and_an_abstract_name_are_reached(void **state)
{
	char directory[] = "/tmp/test_notify.XXXXXX", path[64], name[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/socket", directory);
	fd = supervisor(path, strlen(path) + 1);
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(sd_notify_send("READY=1\nSTATUS=metering"), 0);
	assert_int_equal(sd_notify_send("WATCHDOG=1"), 0);
	assert_received(fd, "READY=1\nSTATUS=metering");
	assert_received(fd, "WATCHDOG=1");
	assert_int_equal(sd_notify_reloading(12345678), 0);
	assert_received(fd, "RELOADING=1\nMONOTONIC_USEC=12345");
	close(fd);
	assert_int_equal(sd_notify_send("STOPPING=1"), -ECONNREFUSED);
	unlink(path);
	assert_int_equal(sd_notify_send("STOPPING=1"), -ENOENT);
	rmdir(directory);

	snprintf(name, sizeof(name), "@test_notify.%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	fd = supervisor(name, 1 + strlen(name + 1));
	assert_int_equal(sd_notify_send("READY=1"), 0);
	assert_received(fd, "READY=1");
	close(fd);
}

static void a_supervisor_that_is_behind_is_not_waited_for(void **state)
{
	char name[64];
	int fd, error = 0;

	(void)state;
	snprintf(name, sizeof(name), "@test_notify.full.%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	fd = supervisor(name, 1 + strlen(name + 1));
	alarm(DEADLINE_MS / 1000);
	for (int i = 0; i < 100000 && !error; i++)
		error = sd_notify_send("WATCHDOG=1");
	alarm(0);
	assert_int_equal(error, -EAGAIN);
	close(fd);
}

static void a_bad_address_is_an_error(void **state)
{
	static const struct {
		const char *name;
		int error;
	} cases[] = { { "", -EAFNOSUPPORT }, { "vsock:2:1234", -EAFNOSUPPORT }, { "run/notify", -EAFNOSUPPORT },
		{ "@", -EINVAL }, { "/", -EINVAL } };
	char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("NOTIFY_SOCKET", cases[i].name, 1);
		assert_int_equal(sd_notify_send("READY=1"), cases[i].error);
	}
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	assert_int_equal(sd_notify_send("READY=1"), -ENAMETOOLONG);
	longest[sizeof(longest) - 2] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	assert_int_equal(sd_notify_send("READY=1"), -ENOENT);
}

static void nothing_stays_open(void **state)
{
	int before, after;

	(void)state;
	setenv("NOTIFY_SOCKET", "/tmp/no/such/socket", 1);
	before = dup(STDERR_FILENO);
	close(before);
	assert_int_equal(sd_notify_send("READY=1"), -ENOENT);
	after = dup(STDERR_FILENO);
	close(after);
	assert_int_equal(after, before);
}

static uint64_t watchdog(const char *usec, const char *pid)
{
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (usec)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	return sd_notify_watchdog_ns();
}

static void the_watchdog_is_for_this_process(void **state)
{
	char ours[24], parents[24];

	(void)state;
	snprintf(ours, sizeof(ours), "%d", (int)getpid());
	snprintf(parents, sizeof(parents), "%d", (int)getppid());
	assert_int_equal(watchdog(NULL, NULL), 0);
	assert_int_equal(watchdog(NULL, ours), 0);
	assert_int_equal(watchdog("30000000", NULL), 30000000000);
	assert_int_equal(watchdog("30000000", ours), 30000000000);
	assert_int_equal(watchdog("30000000", parents), 0);
	assert_int_equal(watchdog("30000000", ""), 0);
	assert_int_equal(watchdog("30000000", "1x"), 0);
}

static void nonsense_is_no_watchdog(void **state)
{
	static const char *const cases[] = { "", "0", "-1", " 5", "5s", "0x10", "18446744073709551615",
		"18446744073709552" /* too much as ns */, "18446744073709551617" /* 2^64 + 1 */ };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(watchdog(cases[i], NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_supervisor_nothing_is_sent),
		cmocka_unit_test(a_path_and_an_abstract_name_are_reached),
		cmocka_unit_test(a_supervisor_that_is_behind_is_not_waited_for),
		cmocka_unit_test(a_bad_address_is_an_error),
		cmocka_unit_test(nothing_stays_open),
		cmocka_unit_test(the_watchdog_is_for_this_process),
		cmocka_unit_test(nonsense_is_no_watchdog),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
