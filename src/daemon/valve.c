/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "valve.h"

bool valve_update(struct valve *valve, uint64_t count, uint64_t max)
{
	double fill = max ? (double)count * 100 / (double)max : 0;
	double back = valve->fill_percent < VALVE_BACK_PERCENT ? valve->fill_percent : VALVE_BACK_PERCENT;
	bool open = valve->open ? fill >= back : fill > valve->fill_percent;

	if (open == valve->open)
		return false;
	valve->open = open;
	valve->openings += open;
	return true;
}
