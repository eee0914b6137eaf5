/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock: reads clocks. The modules that count get the time as an argument instead. */
#pragma once

#include <stdint.h>

#define CLOCK_NS_PER_S UINT64_C(1000000000)
#define CLOCK_NS_PER_MS UINT64_C(1000000)

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_mono_ns(void);

/* Nanoseconds since 1970, CLOCK_REALTIME. */
uint64_t clock_real_ns(void);

/* Nanoseconds of CPU time of this process. */
uint64_t clock_cpu_ns(void);
