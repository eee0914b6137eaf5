/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctread: a reader of connection tracking that does nothing with what it reads: the floor that the meter is measured
 * against. Its sockets and buffers are the meter's; a message is received and counted, never looked into.
 */
#include "hostmeter/base/clock.h"
#include "hostmeter/netlink/socket.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DATAGRAM_MAX = 65536, EVENT_BUFFER = 8 << 20, DUMP_BUFFER = 512 << 10, PATIENCE_MS = 10000 };

static _Alignas(8) unsigned char datagram[DATAGRAM_MAX];
static volatile sig_atomic_t stop;

static struct {
	uint64_t datagrams, messages, bytes, overruns;
} read_so_far;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* Takes one datagram and waits for it if it must. The length, 0 for an interruption or an overrun, or -errno. */
static ssize_t take(const struct mnl_socket *socket)
{
	ssize_t len = recv(mnl_socket_get_fd(socket), datagram, sizeof(datagram), 0);

	if (len >= 0) {
		read_so_far.datagrams++;
		read_so_far.bytes += (uint64_t)len;
		return len;
	}
	if (errno == ENOBUFS)
		read_so_far.overruns++;
	return errno == EINTR || errno == ENOBUFS ? 0 : -errno;
}

/* Reading waits, so it needs a socket that does. */
static int open_socket(struct mnl_socket **socket, size_t buffer)
{
	struct mnl_socket *own = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int size = (int)buffer;

	if (!own)
		return -errno;
	if (setsockopt(mnl_socket_get_fd(own), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(mnl_socket_get_fd(own), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (mnl_socket_bind(own, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = -errno;

		mnl_socket_close(own);
		return error;
	}
	*socket = own;
	return 0;
}

static int events(bool with_new)
{
	static const int groups[] = { NFNLGRP_CONNTRACK_DESTROY, NFNLGRP_CONNTRACK_NEW };
	struct mnl_socket *socket;
	int error = open_socket(&socket, EVENT_BUFFER);

	if (error)
		return error;
	error = nl_socket_set(socket, NETLINK_BROADCAST_ERROR, true);
	if (!error)
		error = nl_socket_join(socket, groups, with_new ? 2 : 1);
	if (!error)
		fputs("ctread: ready\n", stderr);
	while (!error && !stop) {
		ssize_t len = take(socket);

		if (len < 0)
			error = (int)len;
		read_so_far.messages += len > 0;
	}
	mnl_socket_close(socket);
	return error;
}

/* Counts a datagram's messages by their lengths alone. 1: the dump ends here; 0; -errno of the kernel. */
static int count_messages(ssize_t len)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)datagram;

	for (int left = (int)len; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error;
		read_so_far.messages++;
	}
	return 0;
}

static int dump(const struct mnl_socket *socket, uint32_t seq)
{
	_Alignas(8) char buffer[64];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	int ended = 0;

	request->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = seq;
	mnl_nlmsg_put_extra_header(request, sizeof(struct nfgenmsg));
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (!ended && !stop) {
		ssize_t len = take(socket);

		ended = len < 0 ? (int)len : count_messages(len);
	}
	return ended < 0 ? ended : 0;
}

static int dumps(uint32_t count)
{
	struct mnl_socket *socket;
	int error = open_socket(&socket, DUMP_BUFFER);

	if (error)
		return error;
	for (uint32_t i = 0; i < count && !error && !stop; i++)
		error = dump(socket, i + 1);
	mnl_socket_close(socket);
	return error;
}

static int usage(int status)
{
	fputs("usage: ctread            receive NEW and DESTROY events until SIGTERM\n"
	      "       ctread --ends     DESTROY events alone\n"
	      "       ctread --dump=N   receive the table of connections N times\n\n"
	      "Discards what it receives; at the end a JSON object on stdout tells how much that was and its CPU "
	      "time.\n",
		status ? stderr : stdout);
	return status;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "dump", required_argument, NULL, 'd' },
		{ "ends", no_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const struct sigaction action = { .sa_handler = on_signal };
	unsigned long count = 0;
	bool with_new = true;
	int c, error;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd')
			count = strtoul(optarg, NULL, 10);
		else if (c == 'e')
			with_new = false;
		else
			return usage(c == 'h' ? 0 : 2);
		if (c == 'd' && (!count || count > UINT32_MAX))
			return usage(2);
	}
	if (optind < argc)
		return usage(2);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	error = count ? dumps((uint32_t)count) : events(with_new);
	if (error) {
		fprintf(stderr, "ctread: %s\n", strerror(-error));
		return 1;
	}
	printf("{\"datagrams\": %" PRIu64 ", \"messages\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"overruns\": %" PRIu64
	       ", \"cpu_seconds\": %.6f}\n",
		read_so_far.datagrams, read_so_far.messages, read_so_far.bytes, read_so_far.overruns,
		(double)clock_cpu_ns() / 1e9);
	return 0;
}
