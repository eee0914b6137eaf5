/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit_kernel: the auditor's own readings: ends of flows, dumps of all flows, interfaces and the router's addresses,
 * from sockets of its own.
 *
 * Its socket of ends is not reliable: an auditor that is stopped must not fill the kernel's table. audit_kernel_lost()
 * counts what it missed.
 */
#pragma once

#include "hostmeter/audit/audit.h"

struct audit_kernel;
struct loop;

/* done: a dump that was asked for is in (0), or was not to be had (-errno). NULL: out of memory. */
struct audit_kernel *audit_kernel_new(struct loop *loop, struct audit *audit, void (*done)(void *ctx, int error),
	void *ctx);
void audit_kernel_free(struct audit_kernel *kernel);

/* Listens from now on. 0 or -errno: -EPERM without CAP_NET_ADMIN. */
int audit_kernel_open(struct audit_kernel *kernel);

/* Ask for the flows of the next moment; for interfaces and addresses at one end; reported is used until done(). */
int audit_kernel_flows(struct audit_kernel *kernel);
int audit_kernel_links(struct audit_kernel *kernel, enum audit_end end, const struct audit_reported *reported);

/* How often the kernel dropped ends for this socket: then nothing is certain. */
unsigned int audit_kernel_lost(const struct audit_kernel *kernel);
