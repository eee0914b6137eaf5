/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic_link: one AF_PACKET socket on one interface: a mapped ring to receive, batches to send.
 *
 * A frame is counted when the kernel has taken it, never before, and offered again until then. packet(7).
 */
#pragma once

#include "traffic_frame.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINK_BATCH = 64, LINK_SLOT = 256, LINK_SLOTS = 65536, LINK_BLOCK = 65536, LINK_MTU = 65535 };

struct counter {
	uint64_t packets, bytes;
};

struct link {
	int fd;
	unsigned int mtu;
	uint8_t *ring;
	size_t next;       /* slot to be read next */
	unsigned int held; /* frames that wait in the batch */
	uint64_t retries;  /* times the kernel had no room */
	struct mmsghdr message[LINK_BATCH];
	struct iovec part[LINK_BATCH][2];
	struct counter *count[LINK_BATCH];
	uint32_t l3_bytes[LINK_BATCH];
	uint8_t headers[LINK_BATCH][FRAME_HEADERS];
};

static const uint8_t link_zeros[LINK_MTU];

/* Set by signals and by the end of stdin: finish and report. */
static volatile sig_atomic_t link_stop;

static inline int link_map(struct link *link)
{
	const struct tpacket_req ring = {
		.tp_block_size = LINK_BLOCK,
		.tp_block_nr = (unsigned int)LINK_SLOTS * LINK_SLOT / LINK_BLOCK,
		.tp_frame_size = LINK_SLOT,
		.tp_frame_nr = LINK_SLOTS,
	};
	const int version = TPACKET_V2;

	if (setsockopt(link->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
		setsockopt(link->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)))
		return -errno;
	link->ring = mmap(NULL, (size_t)LINK_SLOTS * LINK_SLOT, PROT_READ | PROT_WRITE, MAP_SHARED, link->fd, 0);
	return link->ring == MAP_FAILED ? -errno : 0;
}

/* Opens the socket on an interface; from then on frames to any MAC are received. 0 or -errno. */
static inline int link_open(struct link *link, const char *interface)
{
	const int on = 1;
	struct ifreq ifr = { 0 };
	struct packet_mreq promiscuous = { .mr_type = PACKET_MR_PROMISC };
	struct sockaddr_ll where = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int error;

	where.sll_ifindex = promiscuous.mr_ifindex = (int)if_nametoindex(interface);
	if (!where.sll_ifindex)
		return -errno;
	/* Protocol 0: deaf until it is bound, so that nothing of other interfaces slips in. */
	link->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", interface);
	if (ioctl(link->fd, SIOCGIFMTU, &ifr))
		return -errno;
	link->mtu = (unsigned int)ifr.ifr_mtu;
	error = link_map(link);
	if (error)
		return error;
	if (setsockopt(link->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) ||
		setsockopt(link->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) ||
		bind(link->fd, (struct sockaddr *)&where, sizeof(where)))
		return -errno;
	for (unsigned int i = 0; i < LINK_BATCH; i++) {
		link->part[i][0].iov_base = link->headers[i];
		link->part[i][1].iov_base = (void *)(uintptr_t)link_zeros;
		link->message[i].msg_hdr.msg_iov = link->part[i];
	}
	return 0;
}

static inline struct tpacket2_hdr *link_slot(struct link *link)
{
	return (struct tpacket2_hdr *)(void *)(link->ring + link->next * LINK_SLOT);
}

/* The next received frame, cut to a slot's size, or NULL; borrowed until link_done(). */
static inline const uint8_t *link_receive(struct link *link, size_t *len)
{
	const struct tpacket2_hdr *slot = link_slot(link);

	if (!(__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return NULL;
	*len = slot->tp_snaplen;
	return (const uint8_t *)slot + slot->tp_mac;
}

/* Whether the frame is one that this machine itself sent out there. */
static inline bool link_is_outgoing(struct link *link)
{
	const uint8_t *slot = (const uint8_t *)link_slot(link);
	const struct sockaddr_ll *from = (const void *)(slot + TPACKET_ALIGN(sizeof(struct tpacket2_hdr)));

	return from->sll_pkttype == PACKET_OUTGOING;
}

static inline void link_done(struct link *link)
{
	__atomic_store_n(&link_slot(link)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	link->next = (link->next + 1) % LINK_SLOTS;
}

/* Sends the batch to its last frame, or as far as it came when link_stop was set. 0 or -errno. */
static inline int link_flush(struct link *link)
{
	unsigned int sent = 0;

	while (sent < link->held && !link_stop) {
		int n = sendmmsg(link->fd, link->message + sent, link->held - sent, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
			return -errno;
		if (n < 0) {
			link->retries++;
			poll(&(struct pollfd){ .fd = link->fd, .events = POLLOUT }, 1, 1);
			continue;
		}
		for (int i = 0; i < n; i++, sent++) {
			link->count[sent]->packets++;
			link->count[sent]->bytes += link->l3_bytes[sent];
		}
	}
	link->held = 0;
	return 0;
}

/* Where the headers of the next frame go; the batch must have room, see link_room(). */
static inline uint8_t *link_headers(struct link *link)
{
	return link->headers[link->held];
}

static inline bool link_room(const struct link *link)
{
	return link->held < LINK_BATCH;
}

/* Adds the frame at link_headers() to the batch; once sent, it is added to *count with l3_bytes. */
static inline void link_add(struct link *link, size_t header, uint32_t payload, uint32_t l3_bytes,
	struct counter *count)
{
	unsigned int i = link->held++;

	link->part[i][0].iov_len = header;
	link->part[i][1].iov_len = payload;
	link->message[i].msg_hdr.msg_iovlen = payload ? 2 : 1;
	link->l3_bytes[i] = l3_bytes;
	link->count[i] = count;
}

/* Frames that the ring had no room for since the last call. */
static inline unsigned int link_drops(const struct link *link)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);

	return getsockopt(link->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) ? 0 : stats.tp_drops;
}

/* Frames that the interface dropped after the socket took them, since the interface exists; 0 where unknown. */
static inline uint64_t link_interface_dropped(const char *interface)
{
	FILE *file = fopen("/proc/net/dev", "re");
	char line[512];
	uint64_t dropped = 0;

	while (file && fgets(line, sizeof(line), file)) {
		char *name = line + strspn(line, " "), *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		if (strcmp(name, interface) == 0)
			sscanf(colon + 1, "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &dropped);
	}
	if (file)
		fclose(file);
	return dropped;
}
