/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/socket_owner.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/os/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROTOCOL_NETFILTER = 12, PATH = 64 }; /* NETLINK_NETFILTER */

/* --- Tables of /proc/net */
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

bool socket_owner_parse_nflog(const char *text, size_t len, uint16_t group, uint32_t *port)
{
	const char *end = text + len;
	char line[LINE_MOST];
	uint32_t number;

	while (next_line(&text, end, line))
		if (sscanf(line, "%9" SCNu32 " %10" SCNu32, &number, port) == 2 && number == group)
			return true;
	return false;
}

bool socket_owner_parse_netlink(const char *text, size_t len, unsigned int protocol, uint32_t port, uint64_t *inode)
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

bool socket_owner_parse_tcp(const char *text, size_t len, uint16_t port, uint64_t *inode)
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

/* --- The processes that have a socket */

/* Whether the process has the link target among its open files. */
static bool has_file(const char *pid, const char *target)
{
	char path[PATH], link[PATH];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (len > 0)
			link[len] = '\0';
		found = len > 0 && !strcmp(link, target);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The name is the process's own choice: what does not print is replaced. */
static void name_process(struct socket_owner *owner)
{
	struct buf text = BUF_INIT;
	char path[PATH];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)owner->pid);
	file_read_matching(path, &text);
	snprintf(owner->name, sizeof(owner->name), "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
	for (char *c = owner->name; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	buf_free(&text);
}

static void find_owner(uint64_t inode, struct socket_owner *owner)
{
	char target[PATH];
	const struct dirent *entry;
	DIR *dir = opendir("/proc");

	snprintf(target, sizeof(target), "socket:[%" PRIu64 "]", inode);
	while (dir && !owner->pid && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && has_file(entry->d_name, target))
			owner->pid = (pid_t)atol(entry->d_name);
	if (dir)
		closedir(dir);
	if (owner->pid)
		name_process(owner);
}

int socket_owner_nflog(uint16_t group, struct socket_owner *owner)
{
	static const char path[] = "/proc/net/netfilter/nfnetlink_log";
	struct buf text = BUF_INIT;
	uint64_t inode;
	uint32_t port;
	int bound;

	*owner = (struct socket_owner){ 0 };
	if (access(path, R_OK))
		return -ENOENT;
	file_read_matching(path, &text);
	bound = text.len && socket_owner_parse_nflog(text.data, text.len, group, &port);
	if (bound) {
		buf_reset(&text);
		file_read_matching("/proc/net/netlink", &text);
		if (text.len && socket_owner_parse_netlink(text.data, text.len, PROTOCOL_NETFILTER, port, &inode))
			find_owner(inode, owner);
	}
	buf_free(&text);
	return bound;
}

bool socket_owner_tcp(uint16_t port, struct socket_owner *owner)
{
	static const char *const paths[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	bool found = false;

	*owner = (struct socket_owner){ 0 };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && !found; i++) {
		struct buf text = BUF_INIT;
		uint64_t inode;

		file_read_matching(paths[i], &text);
		found = text.len && socket_owner_parse_tcp(text.data, text.len, port, &inode);
		if (found)
			find_owner(inode, owner);
		buf_free(&text);
	}
	return found;
}
