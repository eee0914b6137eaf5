/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * salvage: loads a checkpoint that may be damaged, or as much as can be proven of it and of the one before it.
 */
#pragma once

#include "hostmeter/os/blob_file.h"

struct meter;

enum { SALVAGE_TEXT = 160 };

struct salvage {
	const char *what; /* is wrong with the file; NULL: nothing */
	char consequence[SALVAGE_TEXT];
	bool is_damage, missing; /* not merely of an older version; there is no file at path, only the one before it */
	uint64_t damages;        /* blobs that are damaged, missing or repeated */
	struct blob_file_state current, before; /* version 0: was not read */
};

/*
 * Loads the best state there is into a meter that has metered nothing yet:
 *
 *   path, without damage or with records missing in its journal;
 *   else path.old, where everything is that happened until path was complete, and from then on the journal of path: the
 *   same state, if no record is missing;
 *   else the totals of path, or of path.old, and the flows that can be read: others are counted from now on.
 *
 * 0; -ENOENT: there is neither file; -EBADMSG or -errno: nothing could be loaded, and the meter must be freed.
 */
int salvage_load(const char *path, struct meter *meter, uint64_t now, struct salvage *found);
