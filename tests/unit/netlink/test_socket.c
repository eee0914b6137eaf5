/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On real netlink sockets: none of this needs privileges. */
#include "hostmeter/netlink/socket.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { SIZE = 256 };

static _Alignas(8) char buffer[4 * SIZE];

static struct mnl_socket *open_socket(uint16_t protocol)
{
	struct mnl_socket *socket;

	assert_int_equal(nl_socket_open(&socket, protocol, 1 << 16), 0);
	return socket;
}

/* The kernel acknowledges it with one datagram. */
static void send_noop(struct mnl_socket *socket, uint32_t seq)
{
	const struct nlmsghdr message = { sizeof(message), NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, seq, 0 };

	assert_int_equal(mnl_socket_sendto(socket, &message, sizeof(message)), sizeof(message));
	assert_true(nl_socket_wait(socket, 10000));
}

static void test_datagrams_of_the_kernel(void **state)
{
	const struct nlmsghdr *first = (void *)buffer, *second = (void *)(buffer + SIZE);
	struct mnl_socket *socket = open_socket(NETLINK_ROUTE);
	ssize_t got[NL_SOCKET_MANY];

	(void)state;
	assert_int_equal(nl_socket_receive(socket, buffer, SIZE, 4, got), -EAGAIN);
	assert_false(nl_socket_wait(socket, 0));
	send_noop(socket, 7);
	send_noop(socket, 8);
	assert_int_equal(nl_socket_receive(socket, buffer, SIZE, 4, got), 2);
	assert_int_equal(got[0], first->nlmsg_len);
	assert_int_equal(first->nlmsg_type, NLMSG_ERROR);
	assert_int_equal(first->nlmsg_seq, 7);
	assert_int_equal(got[1], second->nlmsg_len);
	assert_int_equal(second->nlmsg_seq, 8);
	send_noop(socket, 9);
	assert_int_equal(nl_socket_receive(socket, buffer, 16, 1, got), 1);
	assert_int_equal(got[0], -EMSGSIZE);
	assert_int_equal(nl_socket_receive(socket, buffer, SIZE, 1, got), -EAGAIN);
	mnl_socket_close(socket);
}

static void test_datagrams_of_others_are_dropped(void **state)
{
	struct mnl_socket *ours = open_socket(NETLINK_USERSOCK), *other = open_socket(NETLINK_USERSOCK);
	const struct nlmsghdr message = { sizeof(message), NLMSG_DONE, 0, 7, 0 };
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = mnl_socket_get_portid(ours) };
	ssize_t got;

	(void)state;
	assert_int_equal(sendto(mnl_socket_get_fd(other), &message, sizeof(message), 0, (void *)&to, sizeof(to)),
		sizeof(message));
	assert_int_equal(nl_socket_receive(ours, buffer, SIZE, 1, &got), 1);
	assert_int_equal(got, 0);
	mnl_socket_close(other);
	mnl_socket_close(ours);
}

static void test_options(void **state)
{
	static const int no_group[] = { 1 << 20 };
	struct mnl_socket *socket = open_socket(NETLINK_ROUTE);
	int value = 0;
	socklen_t len = sizeof(value);

	(void)state;
	assert_int_equal(nl_socket_set(socket, NETLINK_BROADCAST_ERROR, true), 0);
	assert_int_equal(mnl_socket_getsockopt(socket, NETLINK_BROADCAST_ERROR, &value, &len), 0);
	assert_int_equal(value, 1);
	assert_int_equal(nl_socket_set(socket, 12345, true), -ENOPROTOOPT);
	assert_int_equal(nl_socket_join(socket, no_group, 0), 0);
	assert_int_equal(nl_socket_join(socket, no_group, 1), -EINVAL);
	mnl_socket_close(socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams_of_the_kernel),
		cmocka_unit_test(test_datagrams_of_others_are_dropped),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
