/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wireguard_decode: what generic netlink says of WireGuard interfaces (linux/wireguard.h): the UDP port that one
 * listens on. Nothing else of it is read: the rest are keys and peers.
 */
#pragma once

#include <stdint.h>

struct nlmsghdr;

/* The number of a family of generic netlink (linux/genetlink.h). 0; -ENOMSG if the message is no such answer; -EBADMSG.
 */
int wireguard_decode_family(const struct nlmsghdr *message, uint16_t *family);

struct wireguard_device {
	uint32_t ifindex;
	uint16_t port; /* 0: none */
};

/* 0; -ENOMSG for another message, or one that only lists more peers of the device before; -EBADMSG. */
int wireguard_decode_device(const struct nlmsghdr *message, uint16_t family, struct wireguard_device *device);
