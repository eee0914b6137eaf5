/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meter_setup: a meter as the configuration wants it, for the daemon and for a replay.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct hash_key;
struct meter;
struct names;
struct snapshot;
struct snapshot_alias;
struct tunnels_peer;

struct meter_setup {
	struct names *names;
	struct snapshot_alias *alias;
	size_t aliases;
	struct tunnels_peer *peer;
	struct meter *meter;
};

/* 0 or -ENOMEM, and then nothing is left to free. config is borrowed for as long as the meter lives. */
int meter_setup_make(struct meter_setup *setup, const struct config *config, const struct hash_key *hash,
	uint64_t start_real_ns);

/*
 * A running meter takes what a reload changed: sides, tunnels, forget-after and names of interfaces; and the host
 * sections, if hosts is true. A host that gets another name keeps its counts. 0, or -ENOMEM: to be called again with
 * the configuration from before.
 */
int meter_setup_configure(struct meter_setup *setup, const struct config *config, bool hosts, uint64_t now);

/* meter_snapshot(), with the configured names of the interfaces. 0 or -ENOMEM. */
int meter_setup_snapshot(const struct meter_setup *setup, struct snapshot *snapshot, uint64_t now);

void meter_setup_free(struct meter_setup *setup);
