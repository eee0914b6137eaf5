/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/protocol.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <strings.h>

/* name: that of conntrack(8), NULL where it has none. */
static const struct protocol {
	uint8_t number;
	const char *name, *short_name;
} protocols[] = {
	{ IPPROTO_ICMP, "icmp", "icmp" },
	{ IPPROTO_TCP, "tcp", "tcp" },
	{ IPPROTO_UDP, "udp", "udp" },
	{ IPPROTO_DCCP, "dccp", "dccp" },
	{ IPPROTO_GRE, "gre", "gre" },
	{ IPPROTO_ICMPV6, "icmpv6", "icmp6" },
	{ IPPROTO_SCTP, "sctp", "sctp" },
	{ IPPROTO_UDPLITE, "udplite", "udpl" },
	{ IPPROTO_IGMP, NULL, "igmp" },
	{ IPPROTO_IPV6, NULL, "6in4" },
	{ IPPROTO_ESP, NULL, "esp" },
	{ IPPROTO_AH, NULL, "ah" },
};

enum { PROTOCOLS = sizeof(protocols) / sizeof(protocols[0]) };

static const struct protocol *find(uint8_t number)
{
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (protocols[i].number == number)
			return &protocols[i];
	return NULL;
}

const char *protocol_name(uint8_t number)
{
	const struct protocol *protocol = find(number);

	return protocol && protocol->name ? protocol->name : "unknown";
}

const char *protocol_short_name(uint8_t number, char text[static PROTOCOL_TEXT])
{
	const struct protocol *protocol = find(number);

	if (protocol)
		return protocol->short_name;
	snprintf(text, PROTOCOL_TEXT, "%u", number);
	return text;
}

int protocol_number(const char *name)
{
	const struct protoent *entry;

	for (size_t i = 0; i < PROTOCOLS; i++)
		if (protocols[i].name && !strcasecmp(protocols[i].name, name))
			return protocols[i].number;
	entry = getprotobyname(name);
	return entry ? entry->p_proto : -ENOENT;
}
