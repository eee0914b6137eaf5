/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This process is found by a port that it listens on. */
#include "hostmeter/check/socket_owner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
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

static FILE *table_of(const char *text, size_t len)
{
	FILE *table = fmemopen((char *)text, len, "r");

	assert_non_null(table);
	return table;
}

static bool parse_nflog(const char *text, size_t len, uint16_t group, uint32_t *port)
{
	FILE *table = table_of(text, len);
	bool found = socket_owner_parse_nflog(table, group, port);

	fclose(table);
	return found;
}

static bool parse_netlink(const char *text, size_t len, unsigned int protocol, uint32_t port, uint64_t *inode)
{
	FILE *table = table_of(text, len);
	bool found = socket_owner_parse_netlink(table, protocol, port, inode);

	fclose(table);
	return found;
}

static bool parse_tcp(const char *text, size_t len, uint16_t port, uint64_t *inode)
{
	FILE *table = table_of(text, len);
	bool found = socket_owner_parse_tcp(table, port, inode);

	fclose(table);
	return found;
}

static void nflog_groups(void **state)
{
	static const char text[] =
		"    6      7     0 2   128     10  1\n   60 2333387269     0 2   128     10  1\njunk\n";
	uint32_t port = 1;

	(void)state;
	assert_true(parse_nflog(text, strlen(text), 60, &port));
	assert_true(port == 2333387269u);
	assert_true(parse_nflog(text, strlen(text), 6, &port));
	assert_int_equal(port, 7);
	assert_false(parse_nflog(text, strlen(text), 0, &port));
	assert_false(parse_nflog(text, 3, 6, &port));
}

static void netlink_sockets(void **state)
{
	static const char text[] =
		"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
		"00000000706d9f43 0   17714      00000001 0        0        0     2        0        53874   \n"
		"000000000ea84c31 12  2333387269 00000000 0        0        0     2        0        52740   \n"
		"00000000bbac29f5 12  17714      00000004 0        0        0     2        0        53882\n";
	uint64_t inode = 0;

	(void)state;
	assert_true(parse_netlink(text, strlen(text), 12, 2333387269u, &inode));
	assert_int_equal(inode, 52740);
	assert_true(parse_netlink(text, strlen(text), 12, 17714, &inode));
	assert_int_equal(inode, 53882);
	assert_false(parse_netlink(text, strlen(text), 4, 17714, &inode));
}

static void tcp_listeners(void **state)
{
	static const char text[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
		"   0: 0100007F:274C 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0\n"
		"   1: 0100007F:274C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0\n";
	static const char six[] =
		"  sl  local_address                         remote_address                        st tx_queue\n"
		"   0: 00000000000000000000000000000000:274D 00000000000000000000000000000000:0000 0A "
		"00000000:00000000 "
		"00:00000000 00000000     0        0 333 1 0000000000000000 100 0 0 10 0\n";
	uint64_t inode = 0;

	(void)state;
	assert_true(parse_tcp(text, strlen(text), 10060, &inode));
	assert_int_equal(inode, 222);
	assert_true(parse_tcp(six, strlen(six), 10061, &inode));
	assert_int_equal(inode, 333);
	assert_false(parse_tcp(text, strlen(text), 10061, &inode));
}

static void unix_listeners(void **state)
{
	static const char text[] = "Num       RefCount Protocol Flags    Type St Inode Path\n"
				   "0000000000000000: 00000002 00000000 00010000 0001 01 111 /run/a b.sock\n"
				   "0000000000000000: 00000003 00000000 00000000 0001 03 222 /run/connected.sock\n"
				   "0000000000000000: 00000002 00000000 00010000 0001 01 333 @abstract\n"
				   "0000000000000000: 00000002 00000000 00010000 0001 01 444\n";
	static const struct {
		uint64_t inode;
		const char *path;
	} cases[] = { { 111, "/run/a b.sock" }, { 222, "" }, { 333, "" }, { 444, "" }, { 11, "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[SOCKET_OWNER_PATH] = "";
		FILE *table = table_of(text, strlen(text));

		assert_int_equal(socket_owner_parse_unix(table, cases[i].inode, path), *cases[i].path != 0);
		assert_string_equal(path, cases[i].path);
		fclose(table);
	}
}

static void the_socket_of_a_process(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char directory[] = "/tmp/test_socket_owner.XXXXXX", path[SOCKET_OWNER_PATH];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_false(socket_owner_unix(getpid(), path));
	assert_non_null(mkdtemp(directory));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_true(socket_owner_unix(getpid(), path));
	assert_string_equal(path, at.sun_path);
	close(fd);
	unlink(at.sun_path);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_listens),
		cmocka_unit_test(nobody_logs),
		cmocka_unit_test(nflog_groups),
		cmocka_unit_test(netlink_sockets),
		cmocka_unit_test(tcp_listeners),
		cmocka_unit_test(unix_listeners),
		cmocka_unit_test(the_socket_of_a_process),
	};

	return cmocka_run_group_tests_name("socket_owner", tests, NULL, NULL);
}
