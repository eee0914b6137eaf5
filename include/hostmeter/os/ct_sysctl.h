/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ct_sysctl: numbers of connection tracking in this network namespace, /proc/sys/net/netfilter/NAME. */
#pragma once

#include <stdint.h>

#define CT_SYSCTL_NONE UINT64_MAX

/* Opens a file for ct_sysctl_read_fd(). A descriptor that the caller closes, or -errno. */
int ct_sysctl_open(const char *name);

/* The number in an open file; CT_SYSCTL_NONE if there is none or fd is negative. */
uint64_t ct_sysctl_read_fd(int fd);

/* The number in the file called name; CT_SYSCTL_NONE if the kernel has no such file. */
uint64_t ct_sysctl_read(const char *name);
