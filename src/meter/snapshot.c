/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void rename_one(char name[static IFNAME_LEN], uint32_t ifindex, const struct snapshot_alias *alias, size_t count)
{
	const char *taken = NULL;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(alias[i].interface, name) == 0) {
			snprintf(name, IFNAME_LEN, "%s", alias[i].name);
			return;
		}
		if (strcmp(alias[i].name, name) == 0)
			taken = alias[i].name;
	}
	/* Also while the other one is away: its series must not change hands. */
	if (taken)
		snprintf(name, IFNAME_LEN, "#%" PRIu32, ifindex);
}

void snapshot_rename(struct snapshot *snapshot, const struct snapshot_alias *alias, size_t count)
{
	for (size_t i = 0; i < snapshot->links; i++)
		rename_one(snapshot->link[i].name, snapshot->link[i].ifindex, alias, count);
	for (size_t i = 0; i < snapshot->wans; i++)
		rename_one(snapshot->wan[i].name, snapshot->wan[i].ifindex, alias, count);
}

void snapshot_clear(struct snapshot *snapshot)
{
	free(snapshot->host);
	free(snapshot->address);
	free(snapshot->link);
	free(snapshot->wan);
	*snapshot = (struct snapshot){ 0 };
}
