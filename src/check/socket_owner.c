/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/socket_owner.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MOST = 512, PATH = 64, PROTOCOL_NETFILTER = 12 /* NETLINK_NETFILTER */, TCP_LISTEN = 0x0a };
enum { UNIX_ACCEPTS = 0x10000 /* __SO_ACCEPTCON */ };

/* --- Tables of /proc/net */

bool socket_owner_parse_nflog(FILE *table, uint16_t group, uint32_t *port)
{
	char line[LINE_MOST];
	uint32_t number;

	while (fgets(line, sizeof(line), table))
		if (sscanf(line, "%9" SCNu32 " %10" SCNu32, &number, port) == 2 && number == group)
			return true;
	return false;
}

bool socket_owner_parse_netlink(FILE *table, unsigned int protocol, uint32_t port, uint64_t *inode)
{
	char line[LINE_MOST];
	uint32_t number, pid;

	/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode */
	while (fgets(line, sizeof(line), table))
		if (sscanf(line, "%*s %9" SCNu32 " %10" SCNu32 " %*s %*s %*s %*s %*s %*s %19" SCNu64, &number, &pid,
			    inode) == 3 &&
			number == protocol && pid == port)
			return true;
	return false;
}

bool socket_owner_parse_tcp(FILE *table, uint16_t port, uint64_t *inode)
{
	char line[LINE_MOST];
	uint32_t number, state;

	/* sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode */
	while (fgets(line, sizeof(line), table))
		if (sscanf(line, "%*s %*[0-9A-F]:%4" SCNx32 " %*s %2" SCNx32 " %*s %*s %*s %*s %*s %19" SCNu64, &number,
			    &state, inode) == 3 &&
			number == port && state == TCP_LISTEN)
			return true;
	return false;
}

bool socket_owner_parse_unix(FILE *table, uint64_t inode, char path[static SOCKET_OWNER_PATH])
{
	char line[LINE_MOST];
	uint32_t flags;
	uint64_t number;
	int at;

	/* Num RefCount Protocol Flags Type St Inode Path */
	while (fgets(line, sizeof(line), table)) {
		line[strcspn(line, "\n")] = '\0';
		at = 0;
		if (sscanf(line, "%*s %*s %*s %8" SCNx32 " %*s %*s %19" SCNu64 " %n", &flags, &number, &at) == 2 &&
			at && number == inode && flags & UNIX_ACCEPTS && line[at] == '/' &&
			strlen(line + at) < SOCKET_OWNER_PATH) {
			strcpy(path, line + at);
			return true;
		}
	}
	return false;
}

/* --- The process that has a socket */

/* The name is the process's own choice: what does not print is replaced. */
static void name_process(struct socket_owner *owner)
{
	char path[PATH];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)owner->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(owner->name, sizeof(owner->name), file))
		owner->name[strcspn(owner->name, "\n")] = '\0';
	fclose(file);
	for (char *c = owner->name; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

/* The inode of the socket that is open there, 0 if it is none. */
static uint64_t socket_at(const char *file)
{
	char link[PATH];
	ssize_t len = readlink(file, link, sizeof(link) - 1);
	uint64_t inode;

	link[len > 0 ? len : 0] = '\0';
	return sscanf(link, "socket:[%19" SCNu64, &inode) == 1 ? inode : 0;
}

static void find_owner(uint64_t inode, struct socket_owner *owner)
{
	glob_t files;

	if (glob("/proc/[0-9]*/fd/*", GLOB_NOSORT, NULL, &files))
		return;
	for (size_t i = 0; i < files.gl_pathc && !owner->pid; i++) {
		if (socket_at(files.gl_pathv[i]) == inode)
			owner->pid = (pid_t)atol(files.gl_pathv[i] + strlen("/proc/"));
	}
	globfree(&files);
	if (owner->pid)
		name_process(owner);
}

int socket_owner_nflog(uint16_t group, struct socket_owner *owner)
{
	FILE *table = fopen("/proc/net/netfilter/nfnetlink_log", "re");
	uint64_t inode;
	uint32_t port;
	int bound;

	*owner = (struct socket_owner){ 0 };
	if (!table)
		return -ENOENT;
	bound = socket_owner_parse_nflog(table, group, &port);
	fclose(table);
	table = bound ? fopen("/proc/net/netlink", "re") : NULL;
	if (!table)
		return bound;
	if (socket_owner_parse_netlink(table, PROTOCOL_NETFILTER, port, &inode))
		find_owner(inode, owner);
	fclose(table);
	return bound;
}

bool socket_owner_tcp(uint16_t port, struct socket_owner *owner)
{
	static const char *const paths[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	bool found = false;

	*owner = (struct socket_owner){ 0 };
	for (size_t i = 0; i < 2 && !found; i++) {
		FILE *table = fopen(paths[i], "re");
		uint64_t inode;

		if (!table)
			continue;
		found = socket_owner_parse_tcp(table, port, &inode);
		fclose(table);
		if (found)
			find_owner(inode, owner);
	}
	return found;
}

bool socket_owner_unix(pid_t pid, char path[static SOCKET_OWNER_PATH])
{
	char pattern[PATH];
	glob_t files;
	bool found = false;

	*path = '\0';
	snprintf(pattern, sizeof(pattern), "/proc/%d/fd/*", (int)pid);
	if (glob(pattern, GLOB_NOSORT, NULL, &files))
		return false;
	for (size_t i = 0; i < files.gl_pathc && !found; i++) {
		uint64_t inode = socket_at(files.gl_pathv[i]);
		FILE *table = inode ? fopen("/proc/net/unix", "re") : NULL;

		if (!table)
			continue;
		found = socket_owner_parse_unix(table, inode, path);
		fclose(table);
	}
	globfree(&files);
	return found;
}
