/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl: connection tracking's settings and counts, /proc/sys/net/netfilter/NAME of this network namespace
 * (Documentation/networking/nf_conntrack-sysctl.rst).
 */
#ifndef HOSTMETER_OS_CT_SYSCTL_H
#define HOSTMETER_OS_CT_SYSCTL_H

#include <stdint.h>

#define CT_SYSCTL_NONE UINT64_MAX

/*
 * The file of one of them, to be read again and again by ct_sysctl_read_fd(); the caller closes it. A descriptor or
 * -errno.
 */
int ct_sysctl_open(const char *name);

/* The number from the start of an open file; CT_SYSCTL_NONE if there is none, also for a negative fd. */
uint64_t ct_sysctl_read_fd(int fd);

/* The number called name; CT_SYSCTL_NONE if this kernel does not have it. */
uint64_t ct_sysctl_read(const char *name);

#endif
