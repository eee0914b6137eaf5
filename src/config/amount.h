/* SPDX-License-Identifier: GPL-2.0-or-later */
/* amount: how people and providers write a number of bytes. */
#pragma once

#include <stdint.h>

#define AMOUNT_MAX UINT64_C(1000000000000000000)

/*
 * Reads "750 GB", "1.5TiB" or "500000": a number, with a decimal point or without, and a unit. kB, MB, GB, TB and PB
 * are powers of 1000, KiB to PiB of 1024; the B may be left out, B or no unit is bytes, and capitals do not matter.
 * A part of a byte is dropped. -EINVAL: it is nothing such; -ERANGE: it is more than AMOUNT_MAX. Then *bytes is not
 * changed.
 */
int amount_parse(uint64_t *bytes, const char *text);
