/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * naming: keeps the names of the hosts as the files of this router have them: those that the configuration lists,
 * read now and again whenever they change.
 */
#ifndef HOSTMETER_NAMES_FOLLOW_H
#define HOSTMETER_NAMES_FOLLOW_H

#include <stddef.h>
#include <stdint.h>

/* How often the meter looks at the files. */
#define NAMES_FOLLOW_EVERY_NS (UINT64_C(3) * 1000000000)

struct config;
struct loop;
struct names;
struct names_follow;
struct snapshot_names;

/*
 * Reads all files into names, then looks every every_ns whether they changed; changed is called, from the loop, after
 * names changed. config is borrowed for the call, names for as long as this lives. Where files cannot be followed a
 * warning says so and they are read once. NULL: out of memory.
 */
struct names_follow *names_follow_new(struct loop *loop, struct names *names, const struct config *config,
	uint64_t every_ns, void (*changed)(void *ctx), void *ctx);

/* Each path, and how its last reading went. Borrowed, *count of them; names_follow_free() ends it. */
const struct snapshot_names *names_follow_files(const struct names_follow *naming, size_t *count);
void names_follow_free(struct names_follow *naming);

#endif
