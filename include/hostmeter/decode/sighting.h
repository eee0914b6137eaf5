/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sighting: the first packet of one direction of a flow, seen by NFLOG in the forward hook, in plain values.
 *
 * At that hook a packet's two ends are, whatever NAT does, the flow's original source and its reply source.
 */
#pragma once

#include "hostmeter/base/addr.h"

struct sighting {
	uint32_t indev, outdev; /* interface indexes, 0 if unknown */
	uint8_t family;         /* 4 or 6 */
	uint8_t proto;          /* upper-layer protocol, IPv6 extension headers skipped */
	bool has_mac;           /* false on links without hardware addresses (tun, WireGuard, PPP) */
	bool has_ports;         /* false for protocols without ports and where the packet was cut before them */
	struct mac mac;         /* link-layer source */
	struct addr src, dst;
	uint16_t zone; /* of its connection; 0 also where the kernel does not add the connection to the packet */
	uint16_t sport, dport; /* as in struct ct_tuple: an ICMP id stands in both */
};
