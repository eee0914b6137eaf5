/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ifnames: interface names by index, from libnfnetlink's table (nlif_*), which follows the kernel on its own socket.
 */
#pragma once

#include <stdint.h>

struct loop;
struct ifnames;

enum { IFNAMES_LEN = 16 }; /* IFNAMSIZ */

/* Waits for the kernel's list: for the start. NULL: it cannot be had. ifnames_free(NULL) is fine. */
struct ifnames *ifnames_new(struct loop *loop);
void ifnames_free(struct ifnames *names);

/* 0; -ENXIO: there is no such interface, and name is unchanged. */
int ifnames_name(const struct ifnames *names, uint32_t ifindex, char name[static IFNAMES_LEN]);
