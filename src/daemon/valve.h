/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * valve: whether events may be delivered reliably. Reliable delivery keeps ended connections in the kernel's table
 * until the meter has read of them; when that table runs full, forwarding comes before counting.
 */
#ifndef HOSTMETER_DAEMON_VALVE_H
#define HOSTMETER_DAEMON_VALVE_H

#include <stdbool.h>
#include <stdint.h>

enum { VALVE_BACK_PERCENT = 70 };

struct valve {
	double fill_percent; /* above it reliability goes */
	bool open;           /* reliability is off */
	uint64_t openings;
};

/* The table holds count of at most max entries. True if open changed with it; it closes again below VALVE_BACK_PERCENT.
 */
bool valve_update(struct valve *valve, uint64_t count, uint64_t max);

#endif
