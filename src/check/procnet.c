/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "procnet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MOST = 512, TCP_LISTEN = 0x0a };

/* The next line, cut to LINE_MOST. False at the end. */
static bool next_line(const char **text, const char *end, char line[static LINE_MOST])
{
	const char *newline;
	size_t len;

	if (*text >= end)
		return false;
	newline = memchr(*text, '\n', (size_t)(end - *text));
	len = (size_t)((newline ? newline : end) - *text);
	if (len > LINE_MOST - 1)
		len = LINE_MOST - 1;
	memcpy(line, *text, len);
	line[len] = '\0';
	*text = newline ? newline + 1 : end;
	return true;
}

bool procnet_parse_nflog(const char *text, size_t len, uint16_t group, uint32_t *port)
{
	const char *end = text + len;
	char line[LINE_MOST];
	uint32_t number;

	while (next_line(&text, end, line))
		if (sscanf(line, "%9" SCNu32 " %10" SCNu32, &number, port) == 2 && number == group)
			return true;
	return false;
}

bool procnet_parse_netlink(const char *text, size_t len, unsigned int protocol, uint32_t port, uint64_t *inode)
{
	const char *end = text + len;
	char line[LINE_MOST];
	uint32_t number, pid;

	/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode */
	while (next_line(&text, end, line))
		if (sscanf(line, "%*s %9" SCNu32 " %10" SCNu32 " %*s %*s %*s %*s %*s %*s %19" SCNu64, &number, &pid,
			    inode) == 3 &&
			number == protocol && pid == port)
			return true;
	return false;
}

bool procnet_parse_tcp(const char *text, size_t len, uint16_t port, uint64_t *inode)
{
	const char *end = text + len;
	char line[LINE_MOST];
	uint32_t number, state;

	/* sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode */
	while (next_line(&text, end, line))
		if (sscanf(line, "%*s %*[0-9A-F]:%4" SCNx32 " %*s %2" SCNx32 " %*s %*s %*s %*s %*s %19" SCNu64, &number,
			    &state, inode) == 3 &&
			number == port && state == TCP_LISTEN)
			return true;
	return false;
}
