/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This process is found by a port that it listens on. */
#include "hostmeter/check/socket_owner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static uint16_t listen_somewhere(int *fd)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(*fd, 1), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static void who_listens(void **state)
{
	struct socket_owner owner;
	int fd;
	uint16_t port = listen_somewhere(&fd);

	(void)state;
	prctl(PR_SET_NAME, "lis\x1bten");
	assert_true(socket_owner_tcp(port, &owner));
	assert_int_equal(owner.pid, getpid());
	assert_string_equal(owner.name, "lis?ten");
	close(fd);
	assert_false(socket_owner_tcp(port, &owner));
	assert_int_equal(owner.pid, 0);
}

/* Nobody in a test has an NFLOG group; the kernel may not even say so. */
static void nobody_logs(void **state)
{
	struct socket_owner owner = { 1, "x" };
	int bound = socket_owner_nflog(65535, &owner);

	(void)state;
	assert_true(bound == 0 || bound == -ENOENT);
	assert_int_equal(owner.pid, 0);
	assert_string_equal(owner.name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_listens),
		cmocka_unit_test(nobody_logs),
	};

	return cmocka_run_group_tests_name("socket_owner", tests, NULL, NULL);
}
