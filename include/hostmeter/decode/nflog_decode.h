/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nflog_decode: a message of an NFLOG group into a struct sighting. The packet in it is hostile. Follows
 * net/netfilter/nfnetlink_log.c, RFC 791, RFC 8200 (extension headers), RFC 792, RFC 4443.
 */
#pragma once

#include "hostmeter/decode/sighting.h"

#include <stddef.h>

struct nlmsghdr;

/*
 * Decodes one whole message. 0; -ENOMSG if it is no logged packet; -EBADMSG if it is damaged, or if the packet in it is
 * too short to name both addresses. A packet cut after its addresses gives has_ports = false. For an ICMP error
 * (a RELATED packet) the ids are 0. A later fragment has no ports. A source MAC counts only if mac_is_host().
 */
int nflog_decode(const struct nlmsghdr *message, struct sighting *sighting);

/* The part that reads the IP packet; for the fuzzer and the tests. 0 or -EBADMSG. Sets family to dst port only. */
int nflog_decode_packet(const void *packet, size_t len, struct sighting *sighting);
