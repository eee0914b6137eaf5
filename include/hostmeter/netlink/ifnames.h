/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ifnames: interface names by index, from libnfnetlink's table (nlif_*), which follows the kernel live on a socket of
 * its own. For checking and labelling at the edge.
 */
#ifndef HOSTMETER_NETLINK_IFNAMES_H
#define HOSTMETER_NETLINK_IFNAMES_H

#include <stdint.h>

struct loop;
struct ifnames;

enum { IFNAMES_LEN = 16 }; /* IFNAMSIZ */

/* Waits for the kernel's list, so it is for start-up. NULL: errno. ifnames_free(NULL) is fine. */
struct ifnames *ifnames_new(struct loop *loop);
void ifnames_free(struct ifnames *names);

/* 0, or -ENXIO if there is no such interface and name is untouched. */
int ifnames_name(const struct ifnames *names, uint32_t ifindex, char name[static IFNAMES_LEN]);

/* 0 if there is no such interface, or while the table does not know it by that name yet. */
uint32_t ifnames_index(const struct ifnames *names, const char *name);

#endif
