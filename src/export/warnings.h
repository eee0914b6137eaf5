/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * warnings: what makes the numbers of a snapshot incomplete, for every page that warns.
 */
#pragma once

#include "hostmeter/meter/snapshot.h"

struct warning {
	const char *id;   /* for programs: docs/api.md */
	uint64_t count;   /* of what the text says */
	const char *text; /* reads well behind the number */
};

/* The next that holds; *i starts at 0. False: there is no other. */
bool warnings_next(const struct snapshot *snapshot, size_t *i, struct warning *warning);
