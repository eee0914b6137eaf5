/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names_follow: reads the names of hosts from the files that the configuration lists, again whenever these change. */
#pragma once

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
 * Reads all files into names to their ends, then looks every every_ns whether they changed; changed is called, from the
 * loop or names_follow_look(), after names changed. config is borrowed for the call, names for as long as this lives.
 * NULL: out of memory.
 */
struct names_follow *names_follow_new(struct loop *loop, struct names *names, const struct config *config,
	uint64_t every_ns, void (*changed)(void *ctx), void *ctx);
void names_follow_free(struct names_follow *follow);

/*
 * Follows the files of another configuration from now on, reads them as names_follow_look() does, and calls changed.
 * Nothing if these are the same files. 0, or -ENOMEM and nothing changed.
 */
int names_follow_configure(struct names_follow *follow, const struct config *config);

/*
 * Looks at the files now, for somebody who is about to read the names. Small files that changed are read at once, large
 * ones a piece in each turn of the loop: until a file was read to its end, its earlier names count.
 */
void names_follow_look(struct names_follow *follow);

/*
 * Reads a file or pattern as names_follow_new() would, for somebody who has no meter. 0, also if there is none; -errno;
 * NAMES_USELESS.
 */
int names_follow_try(const char *path);

/* Each path, and the result of its last reading; *count of them, borrowed until names_follow_free(). */
const struct snapshot_names *names_follow_files(const struct names_follow *follow, size_t *count);
