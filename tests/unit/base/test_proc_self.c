/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/proc_self.h"

#include "hostmeter/base/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static void memory_grows_with_use(void **state)
{
	const size_t size = 64 << 20;
	struct proc_self before, after;
	char *memory;

	(void)state;
	proc_self_read(&before);
	memory = malloc(size);
	assert_non_null(memory);
	memset(memory, 1, size);
	proc_self_read(&after);
	assert_in_range(after.resident_bytes, before.resident_bytes + size / 2, before.resident_bytes + size * 2);
	assert_in_range(after.virtual_bytes, before.virtual_bytes + size / 2, before.virtual_bytes + size * 2);
	assert_true(after.virtual_bytes >= after.resident_bytes);
	assert_in_range(after.cpu_ns, before.cpu_ns + 1, clock_cpu_ns());
	free(memory);
}

static void open_files_are_counted(void **state)
{
	struct proc_self before, after;
	struct rlimit limit;
	uint64_t open_now = 0;
	int fds[7];

	(void)state;
	proc_self_read(&before);
	for (int fd = 0; fd < 4096; fd++)
		open_now += fcntl(fd, F_GETFD) >= 0;
	assert_int_equal(before.open_fds, open_now);
	for (int i = 0; i < 7; i++)
		assert_true((fds[i] = open("/dev/null", O_RDONLY)) >= 0);
	proc_self_read(&after);
	assert_int_equal(after.open_fds, before.open_fds + 7);
	for (int i = 0; i < 7; i++)
		close(fds[i]);
	proc_self_read(&after);
	assert_int_equal(after.open_fds, before.open_fds);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur /= 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	proc_self_read(&after);
	assert_int_equal(after.max_fds, limit.rlim_cur);
}

/* The name of a process is anybody's, and stands in the middle of the line that is read. */
static void start_does_not_waver_with_the_name(void **state)
{
	static const char *const names[] = { ") R 1 2 3", "a b c d", "((", ")" };
	struct proc_self first, again;
	uint64_t now = clock_real_ns();

	(void)state;
	proc_self_read(&first);
	/* The kernel's boot time is cut to whole seconds. */
	assert_in_range(first.start_real_ns, now - 600 * CLOCK_NS_PER_S, now + CLOCK_NS_PER_S);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		prctl(PR_SET_NAME, names[i]);
		proc_self_read(&again);
		assert_true(again.start_real_ns == first.start_real_ns);
		assert_true(again.resident_bytes > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_grows_with_use),
		cmocka_unit_test(open_files_are_counted),
		cmocka_unit_test(start_does_not_waver_with_the_name),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
