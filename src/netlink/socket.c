/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/netlink/socket.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

static void set_receive_buffer(struct mnl_socket *socket, size_t wanted)
{
	/* The kernel doubles it, in an int. */
	int value = wanted < INT32_MAX / 2 ? (int)wanted : INT32_MAX / 2;
	int fd = mnl_socket_get_fd(socket);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof(value)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof(value));
}

int nl_socket_open(struct mnl_socket **out, uint16_t protocol, size_t receive_buffer)
{
	struct mnl_socket *socket = mnl_socket_open2(protocol, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (!socket)
		return -errno;
	set_receive_buffer(socket, receive_buffer);
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = -errno;

		mnl_socket_close(socket);
		return error;
	}
	*out = socket;
	return 0;
}

int nl_socket_set(struct mnl_socket *socket, int option, bool on)
{
	int value = on;

	return mnl_socket_setsockopt(socket, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

int nl_socket_join(struct mnl_socket *socket, const int *groups, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

/* Any process may send to a netlink socket; only the kernel's port is 0. */
static ssize_t checked_length(const struct msghdr *header, size_t len, size_t size)
{
	const struct sockaddr_nl *from = header->msg_name;

	if (header->msg_namelen != sizeof(*from) || from->nl_pid != 0)
		return 0;
	return len <= size ? (ssize_t)len : -EMSGSIZE;
}

int nl_socket_receive(struct mnl_socket *socket, void *buffer, size_t size, unsigned int count, ssize_t *got)
{
	struct mmsghdr message[NL_SOCKET_MANY];
	struct sockaddr_nl from[NL_SOCKET_MANY];
	struct iovec room[NL_SOCKET_MANY];
	int received;

	if (count > NL_SOCKET_MANY)
		count = NL_SOCKET_MANY;
	for (unsigned int i = 0; i < count; i++) {
		room[i] = (struct iovec){ (char *)buffer + i * size, size };
		message[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &room[i],
			.msg_iovlen = 1,
		};
	}
	received = recvmmsg(mnl_socket_get_fd(socket), message, count, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (received < 0)
		return -errno;
	for (int i = 0; i < received; i++)
		got[i] = checked_length(&message[i].msg_hdr, message[i].msg_len, size);
	return received;
}

bool nl_socket_wait(const struct mnl_socket *socket, int timeout_ms)
{
	struct pollfd pollfd = { .fd = mnl_socket_get_fd(socket), .events = POLLIN };

	return poll(&pollfd, 1, timeout_ms) > 0;
}
