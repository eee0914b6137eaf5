/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory for one test, with everything in it gone afterwards, and files in it. */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Paths stay valid for the next seven calls. */
static inline const char *scratch_path(void **state, const char *name)
{
	static char paths[8][256];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", (const char *)*state, name);
	return path;
}

static inline int scratch_enter(void **state)
{
	char dir[] = "/tmp/hostmeter-unit.XXXXXX";

	*state = mkdtemp(dir) ? strdup(dir) : NULL;
	return *state ? 0 : -1;
}

static inline int scratch_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static inline int scratch_leave(void **state)
{
	int ret = nftw(*state, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return ret;
}

/* mode: as fopen() takes it. */
static inline void scratch_write(void **state, const char *name, const char *mode, const char *text)
{
	FILE *file = fopen(scratch_path(state, name), mode);
	int failed = !file || fputs(text, file) < 0;

	failed |= file && fclose(file);
	if (failed) {
		perror(name);
		abort();
	}
}

/* As careful programs write: aside, then renamed. */
static inline void scratch_replace(void **state, const char *name, const char *text)
{
	scratch_write(state, "aside", "w", text);
	if (rename(scratch_path(state, "aside"), scratch_path(state, name)))
		abort();
}

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)
