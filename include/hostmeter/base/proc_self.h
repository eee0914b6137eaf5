/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc_self: the resources that this process uses, from /proc/self; Prometheus' client libraries show the same. */
#pragma once

#include <stdint.h>

/* What could not be read is 0. */
struct proc_self {
	uint64_t cpu_ns;
	uint64_t resident_bytes, virtual_bytes;
	uint64_t open_fds, max_fds;
	uint64_t start_real_ns; /* when it was started, since 1970 */
};

void proc_self_read(struct proc_self *usage);
