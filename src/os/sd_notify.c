/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/sd_notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { NS_PER_US = 1000 };

/* 0 or -errno. An abstract name ("@...") starts with a NUL and ends at len. */
static int parse_address(const char *text, struct sockaddr_un *address, socklen_t *len)
{
	size_t text_len = strlen(text);

	if (text[0] != '/' && text[0] != '@')
		return -EAFNOSUPPORT;
	if (text_len < 2)
		return -EINVAL;
	if (text_len >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, text, text_len);
	if (text[0] == '@')
		address->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + text_len);
	return 0;
}

int sd_notify_send(const char *state)
{
	const char *text = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t len;
	int fd, error;

	if (!text)
		return 0;
	error = parse_address(text, &address, &len);
	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, len) < 0)
		error = -errno;
	close(fd);
	return error;
}

int sd_notify_reloading(uint64_t mono_ns)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, mono_ns / NS_PER_US);
	return sd_notify_send(state);
}

/* Unlike strtoull(), accepts nothing but digits. */
static bool parse_number(const char *text, uint64_t *value)
{
	errno = 0;
	*value = strtoull(text, NULL, 10);
	return *text && !text[strspn(text, "0123456789")] && !errno;
}

uint64_t sd_notify_watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t us, watched;

	if (pid && (!parse_number(pid, &watched) || watched != (uint64_t)getpid()))
		return 0;
	if (!usec || !parse_number(usec, &us) || us > UINT64_MAX / NS_PER_US)
		return 0;
	return us * NS_PER_US;
}
