/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wall_clock: whether the date of this machine is known. A router boots in 1970, or at the date of its newest file,
 * until something sets its clock. The functions that are asked get the readings as arguments.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether a date may be believed: the kernel says that the clock is synchronized, or it is later than the build of this
 * program and than every date that was known before (after_ns, since 1970; 0: none).
 */
bool wall_clock_is_set(uint64_t real_ns, bool synchronized, uint64_t after_ns);

/* What adjtimex(2) says: true if something keeps the clock right. */
bool wall_clock_synchronized(void);

/* Nanoseconds since 1970 by wall_clock_is_set(), or 0: the date is not known. */
uint64_t wall_clock_ns(uint64_t after_ns);

/* The date of a file's last change, since 1970; 0: there is none. For after_ns. */
uint64_t wall_clock_of_file(const char *path);
