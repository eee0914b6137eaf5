/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/netlink/ifnames.h"

#include "hostmeter/os/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <libnfnetlink/libnfnetlink.h>
#include <stdlib.h>

struct ifnames {
	struct nlif_handle *table;
	struct loop_io *io;
};

static void changed(void *ctx, int events)
{
	struct ifnames *names = ctx;

	(void)events;
	/* After an overrun, which is rare, the whole list is read again. */
	if (nlif_catch(names->table) < 0)
		nlif_query(names->table);
}

struct ifnames *ifnames_new(struct loop *loop)
{
	struct ifnames *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->table = nlif_open();
	if (names->table && nlif_query(names->table) >= 0) {
		fcntl(nlif_fd(names->table), F_SETFD, FD_CLOEXEC);
		names->io = loop_io_add(loop, nlif_fd(names->table), LOOP_READ, changed, names);
	}
	if (names->io)
		return names;
	ifnames_free(names);
	return NULL;
}

void ifnames_free(struct ifnames *names)
{
	if (!names)
		return;
	loop_io_del(names->io);
	if (names->table)
		nlif_close(names->table);
	free(names);
}

int ifnames_name(const struct ifnames *names, uint32_t ifindex, char name[static IFNAMES_LEN])
{
	/* The library has a wildcard for 0. */
	return ifindex && nlif_index2name(names->table, ifindex, name) >= 0 ? 0 : -ENXIO;
}
