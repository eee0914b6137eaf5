/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/listen.h"

#include "emulated.h"
#include "scratch_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void is_ready_for_the_loop(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len), 0);
	assert_int_equal(on, 1);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* Opens PREFIX and a free port; its number. */
static int open_free(const char *prefix, int *fd, char where[static 32])
{
	*fd = -EADDRINUSE;
	for (int port = 20000 + getpid() % 10000; *fd == -EADDRINUSE && port < 40000; port += 7) {
		snprintf(where, 32, "%s%d", prefix, port);
		*fd = listen_tcp(where);
	}
	return *fd;
}

/* Connects to each of a socket's families: the handshake comes by the loopback interface. */
static void the_arrival_is_told(void **state)
{
	static const char *const prefixes[] = { "127.0.0.1:", ":" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_in six_or_four = { 0 };
		struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t len = sizeof(six_or_four);
		int fd, client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), accepted;
		char where[32];

		open_free(prefixes[i], &fd, where);
		to.sin_port = htons((uint16_t)atoi(where + strlen(prefixes[i])));
		assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
		accepted = accept(fd, (struct sockaddr *)&six_or_four, &len);
		assert_true(accepted >= 0);
		assert_int_equal(listen_arrival(accepted), emulated_arrival("lo"));
		assert_int_equal(listen_arrival(-1), 0);
		close(accepted);
		close(client);
		close(fd);
	}
}

static void tcp_sockets(void **state)
{
	char where[32];
	struct sockaddr_in6 address = { 0 };
	socklen_t len = sizeof(address);
	int fd;

	(void)state;
	is_ready_for_the_loop(open_free("127.0.0.1:", &fd, where));
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(address.sin6_family, AF_INET);
	assert_int_equal(listen_tcp(where), -EADDRINUSE);
	close(fd);
	/* Taken again at once. */
	fd = listen_tcp(where);
	is_ready_for_the_loop(fd);
	close(fd);
	is_ready_for_the_loop(open_free(":", &fd, where));
	close(fd);
	assert_int_equal(listen_tcp("192.0.2.1:10060"), -EADDRNOTAVAIL);
	assert_int_equal(listen_tcp("localhost:10060"), -EINVAL);
	assert_int_equal(listen_tcp(""), -EINVAL);
}

static void unix_sockets(void **state)
{
	const char *path = scratch_path(state, "sock");
	struct stat st;
	int fd = listen_unix(path);

	is_ready_for_the_loop(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(listen_unix(path), -EADDRINUSE);
	/* Left over: nobody listens any more. */
	close(fd);
	fd = listen_unix(path);
	is_ready_for_the_loop(fd);
	close(fd);
	scratch_write(state, "file", "w", "text");
	assert_int_equal(listen_unix(scratch_path(state, "file")), -ENOTSOCK);
	assert_int_equal(listen_unix(""), -EINVAL);
	assert_int_equal(listen_unix("/nonexistent/sock"), -ENOENT);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_sockets),
		cmocka_unit_test(the_arrival_is_told),
		cmocka_unit_test_setup_teardown(unix_sockets, scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
