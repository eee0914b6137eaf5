/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock: the two clocks, read by the loop and main only. Everybody else gets the time as an argument.
 */
#ifndef HOSTMETER_BASE_CLOCK_H
#define HOSTMETER_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_S UINT64_C(1000000000)
#define CLOCK_NS_PER_MS UINT64_C(1000000)

/* Nanoseconds that never step back: CLOCK_MONOTONIC. For intervals and deadlines. */
uint64_t clock_mono_ns(void);

/* Nanoseconds since 1970, CLOCK_REALTIME. For people, traces and the kernel's conntrack time stamps. */
uint64_t clock_real_ns(void);

/* CPU nanoseconds this process has used, CLOCK_PROCESS_CPUTIME_ID. */
uint64_t clock_cpu_ns(void);

#endif
