/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/snapshot.h"

#include <stdlib.h>

void snapshot_clear(struct snapshot *snapshot)
{
	free(snapshot->host);
	free(snapshot->link);
	free(snapshot->wan);
	*snapshot = (struct snapshot){ 0 };
}
