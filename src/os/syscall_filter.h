/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscall_filter: a seccomp filter that lists the system calls which the meter and its children need. Any other one
 * ends the process by SIGSYS, after one log line with its number: a call that fails quietly would be a fault that
 * nobody sees. Only a few that the C library tries, and does without, fail with ENOSYS. It cannot be taken off again,
 * and whoever is forked has it too.
 */
#pragma once

enum syscall_filter {
	SYSCALL_FILTER_METER,
	SYSCALL_FILTER_CHILD, /* talks over descriptors it has, and opens nothing; within the meter's filter */
};

/*
 * Needs CAP_SYS_ADMIN or no_new_privs, and no other thread. 0 or -errno, and the process goes on without a filter;
 * -ENOTSUP: this program was built without filters, or with a sanitizer, whose own calls are not listed.
 */
int syscall_filter_load(enum syscall_filter filter);
