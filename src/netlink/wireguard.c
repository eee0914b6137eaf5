/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/netlink/wireguard.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/decode/nlattr.h"
#include "hostmeter/decode/wireguard_decode.h"
#include "hostmeter/netlink/socket.h"
#include "hostmeter/os/loop.h"

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <stdlib.h>

enum { RECEIVE_BUFFER = 262144, DATAGRAM_MAX = 32768, REQUEST_MAX = 128 };

#define ANSWER_NS (2 * CLOCK_NS_PER_S)

struct wireguard {
	struct loop *loop;
	void (*listens)(void *ctx, uint32_t ifindex, uint16_t port);
	void *ctx;
	struct mnl_socket *socket; /* NULL while nothing is asked */
	struct loop_io *io;
	struct loop_timer *timeout;
	uint16_t family; /* of generic netlink; 0: not known */
	uint32_t seq;
	uint32_t ifindex[WIREGUARD_MOST]; /* still to ask, the next one last */
	size_t count;
};

/* Closes the socket. Without WireGuard in the kernel's generic netlink, interfaces of that kind listen nowhere. */
static void end(struct wireguard *w)
{
	loop_timer_stop(w->timeout);
	if (w->socket) {
		loop_io_del(w->io);
		mnl_socket_close(w->socket);
	}
	w->io = NULL;
	w->socket = NULL;
	while (w->count && !w->family)
		w->listens(w->ctx, w->ifindex[--w->count], 0);
	w->count = 0;
}

static void on_timeout(void *ctx)
{
	end(ctx);
}

struct wireguard *wireguard_new(struct loop *loop, void (*listens)(void *ctx, uint32_t ifindex, uint16_t port),
	void *ctx)
{
	struct wireguard *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct wireguard){ .loop = loop, .listens = listens, .ctx = ctx };
	w->timeout = loop_timer_add(loop, on_timeout, w);
	if (w->timeout)
		return w;
	free(w);
	return NULL;
}

void wireguard_free(struct wireguard *wireguard)
{
	if (!wireguard)
		return;
	wireguard->count = 0;
	end(wireguard);
	loop_timer_del(wireguard->timeout);
	free(wireguard);
}

static struct nlmsghdr *begin(struct wireguard *w, void *buffer, uint16_t type, uint16_t flags, uint8_t command)
{
	struct nlmsghdr *head = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	head->nlmsg_type = type;
	head->nlmsg_flags = NLM_F_REQUEST | flags;
	head->nlmsg_seq = ++w->seq;
	genl = mnl_nlmsg_put_extra_header(head, sizeof(*genl));
	genl->cmd = command;
	genl->version = 1;
	return head;
}

/* Asks for the family, then for the last interface of the list. */
static void ask_next(struct wireguard *w)
{
	_Alignas(8) unsigned char buffer[REQUEST_MAX];
	struct nlmsghdr *head;

	if (!w->count) {
		end(w);
		return;
	}
	if (!w->family) {
		head = begin(w, buffer, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
		mnl_attr_put_strz(head, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	} else {
		head = begin(w, buffer, w->family, NLM_F_DUMP, WG_CMD_GET_DEVICE);
		mnl_attr_put_u32(head, WGDEVICE_A_IFINDEX, w->ifindex[w->count - 1]);
	}
	if (mnl_socket_sendto(w->socket, head, head->nlmsg_len) < 0)
		end(w);
	else
		loop_timer_set(w->timeout, ANSWER_NS);
}

/* True: the answer to the question is complete. */
static bool take(struct wireguard *w, const struct nlmsghdr *message)
{
	struct wireguard_device device;

	if (message->nlmsg_seq != w->seq)
		return false;
	if (message->nlmsg_type == NLMSG_ERROR && !w->family) {
		end(w); /* the kernel has no WireGuard */
		return false;
	}
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		w->count--;
		return true;
	}
	if (!w->family)
		return !wireguard_decode_family(message, &w->family);
	if (!wireguard_decode_device(message, w->family, &device))
		w->listens(w->ctx, device.ifindex, device.port);
	return false;
}

static void on_readable(void *ctx, int events)
{
	static _Alignas(8) unsigned char buffer[DATAGRAM_MAX];
	struct wireguard *w = ctx;
	bool complete = false;
	ssize_t got = 0;
	size_t at = 0;

	(void)events;
	if (nl_socket_receive(w->socket, buffer, sizeof(buffer), 1, &got) < 1 || got <= 0)
		return;
	while (w->socket && at < (size_t)got) {
		const struct nlmsghdr *message = (const void *)(buffer + at);

		if (!nlattr_is_whole(message, (size_t)got - at))
			break;
		complete |= take(w, message);
		at += NLMSG_ALIGN((size_t)message->nlmsg_len);
	}
	if (complete && w->socket)
		ask_next(w);
}

void wireguard_ask(struct wireguard *wireguard, const uint32_t *ifindex, size_t count)
{
	struct wireguard *w = wireguard;

	if (w->socket || !count)
		return;
	for (w->count = 0; w->count < count && w->count < WIREGUARD_MOST; w->count++)
		w->ifindex[w->count] = ifindex[w->count];
	if (!nl_socket_open(&w->socket, NETLINK_GENERIC, RECEIVE_BUFFER))
		w->io = loop_io_add(w->loop, mnl_socket_get_fd(w->socket), LOOP_READ, on_readable, w);
	if (w->io)
		ask_next(w);
	else
		end(w);
}
