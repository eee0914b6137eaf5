/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/protocol.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/*
 * A line of protocols(5): "name number alias ...". Not getprotobyname(), which may load code from a file for what
 * nsswitch.conf(5) has: a running meter has no right to that.
 */
static bool is_line_of(char *line, const char *name, int *number)
{
	char *save = NULL, *word = NULL, *end;
	bool named = false, numbered = false;

	line[strcspn(line, "#\n")] = '\0';
	for (int i = 0; (word = strtok_r(i ? NULL : line, " \t", &save)); i++) {
		if (i == 1) {
			unsigned long value = strtoul(word, &end, 10);

			numbered = end != word && !*end && value <= UINT8_MAX;
			*number = (int)value;
		} else {
			named |= !strcmp(word, name);
		}
	}
	return named && numbered;
}

int protocol_number(const char *name)
{
	FILE *file;
	char line[256];
	int number = -ENOENT;
	bool found = false;

	for (size_t i = 0; i < PROTOCOLS; i++)
		if (protocols[i].name && !strcasecmp(protocols[i].name, name))
			return protocols[i].number;
	file = fopen("/etc/protocols", "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = is_line_of(line, name, &number);
	if (file)
		fclose(file);
	return found ? number : -ENOENT;
}
