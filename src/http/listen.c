/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/listen.h"

#include "hostmeter/base/url.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Half of the bytes that the kernel keeps for a client that does not read. It would let them grow to megabytes. */
enum { BACKLOG = 32, SEND_BUFFER = 128 << 10 };

/* --- TCP */

static int open_tcp(const struct addr *addr, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool is_v4 = addr->family == 4;
	int only_v6 = addr->family == 6, on = 1, send_buffer = SEND_BUFFER, fd, error;

	memcpy(&in.sin_addr, addr->b, sizeof(in.sin_addr));
	memcpy(&in6.sin6_addr, addr->b, sizeof(in6.sin6_addr));
	fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer)); /* connections inherit it */
	if (is_v4) {
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
	if (bind(fd, is_v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6, is_v4 ? sizeof(in) : sizeof(in6)) == 0 &&
		listen(fd, BACKLOG) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int listen_tcp(const char *where)
{
	struct addr addr;
	uint16_t port;
	int fd;

	if (url_read_port(where, &addr, &port) != 0)
		return -EINVAL;
	fd = open_tcp(&addr, port);
	if (fd == -EAFNOSUPPORT && addr.family == 0) {
		/* A machine without IPv6: all of IPv4. */
		addr.family = 4;
		fd = open_tcp(&addr, port);
	}
	return fd;
}

/* The options of a connection are its listening socket's: see IP_PKTOPTIONS in ip(7). */
uint32_t listen_arrival(int fd)
{
	_Alignas(struct cmsghdr) char buffer[256];
	socklen_t v4_len = sizeof(buffer), v6_len = sizeof(buffer);
	bool is_v6 = getsockopt(fd, IPPROTO_IPV6, IPV6_2292PKTOPTIONS, buffer, &v6_len) == 0;
	struct msghdr options = { .msg_control = buffer };

	if (!is_v6 && getsockopt(fd, IPPROTO_IP, IP_PKTOPTIONS, buffer, &v4_len) != 0)
		return 0;
	options.msg_controllen = is_v6 ? v6_len : v4_len;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&options); c; c = CMSG_NXTHDR(&options, c)) {
		struct in6_pktinfo six;
		struct in_pktinfo four;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
			c->cmsg_len >= CMSG_LEN(sizeof(four))) {
			memcpy(&four, CMSG_DATA(c), sizeof(four));
			return (uint32_t)four.ipi_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
			c->cmsg_len >= CMSG_LEN(sizeof(six))) {
			memcpy(&six, CMSG_DATA(c), sizeof(six));
			return six.ipi6_ifindex;
		}
	}
	return 0;
}

/* --- UNIX sockets */

/* Whether a socket file may be replaced: 0 if nobody listens on it, else -errno. */
static int check_left_over(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, error = 0;

	if (lstat(address->sun_path, &st) != 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		error = -errno;
	close(fd);
	/* EAGAIN: somebody listens, and the queue is full. */
	if (error == 0 || error == -EAGAIN)
		return -EADDRINUSE;
	return error == -ECONNREFUSED ? 0 : error;
}

static int bind_unix(int fd, const struct sockaddr_un *address)
{
	/* The mode is right from the start, so that nobody else can connect in between. */
	mode_t mask = umask(0117);
	int error = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : -errno;

	umask(mask);
	return error;
}

int listen_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error;

	if (!path[0] || strlen(path) >= sizeof(address.sun_path))
		return path[0] ? -ENAMETOOLONG : -EINVAL;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = bind_unix(fd, &address);
	if (error == -EADDRINUSE) {
		error = check_left_over(&address);
		if (!error)
			error = unlink(path) == 0 ? bind_unix(fd, &address) : -errno;
	}
	if (!error && listen(fd, BACKLOG) != 0)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}
