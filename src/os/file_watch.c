/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/file_watch.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/hash.h"
#include "hostmeter/os/file.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Before Linux 6.13, times of files advance by ticks of up to 10 ms. A second write of the same size within a tick
 * leaves no trace, so files that were written to within a few ticks before a look are read again after the next one.
 */
#define RECENT_NS (50 * CLOCK_NS_PER_MS)

static uint64_t ns_of(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * CLOCK_NS_PER_S + (uint64_t)time->tv_nsec;
}

bool file_watch_look(struct file_watch *watch)
{
	static const struct hash_key key; /* not secret: a collision harms only the owner of the files */
	const struct file_watch before = *watch;
	glob_t found = { 0 };

	watch->state = 0;
	watch->recent = false;
	if (!glob(watch->path, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc && i < FILE_READ_MATCHES; i++) {
			const char *name = found.gl_pathv[i];
			struct stat st = { 0 };
			/* Who may read it can change with the user that this process is. */
			int error = stat(name, &st) || access(name, R_OK) ? errno : 0;
			/* The change time also moves when the modification time is set back or the mode changes. */
			const uint64_t facts[] = { watch->state, hash_bytes(&key, name, strlen(name)), (uint64_t)error,
				st.st_dev, st.st_ino, (uint64_t)st.st_size, ns_of(&st.st_mtim), ns_of(&st.st_ctim) };

			watch->state = hash_bytes(&key, facts, sizeof(facts));
			watch->recent |= clock_real_ns() - ns_of(&st.st_ctim) < RECENT_NS;
		}
	} else if (file_is_hidden(watch->path)) {
		watch->state = 1; /* to be read, which says so */
	}
	globfree(&found);
	return watch->state != before.state || before.recent;
}
