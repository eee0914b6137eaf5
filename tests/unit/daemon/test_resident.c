/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resident.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

/* KiB of mappings whose pages are (not) to be released: those of libraries with these permissions. proc_pid_smaps(5) */
static unsigned long resident(const char *library, const char *permissions)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512];
	unsigned long total = 0, kib;
	bool counts = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char found[5];

		if (sscanf(line, "%*x-%*x %4s", found) == 1)
			counts = strstr(line, library) && strcmp(found, permissions) == 0;
		else if (counts && sscanf(line, "Rss: %lu", &kib) == 1)
			total += kib;
	}
	fclose(file);
	return total;
}

/* Reads all of a library's code that lies in memory anyway: the loader does as much with symbol tables. */
static uint32_t touch(void)
{
	return (uint32_t)crc32(0, (const Bytef *)crc32, 4096);
}

static void code_of_libraries_goes_and_comes_back(void **state)
{
	uint32_t before = touch();

	(void)state;
	assert_true(resident("/libz.so", "r-xp") > 0);
	resident_release_libraries();
	assert_int_equal(resident("/libz.so", "r-xp"), 0);
	assert_int_equal(touch(), before);
	assert_true(resident("/libz.so", "r-xp") > 0);
}

static void what_was_written_stays(void **state)
{
	unsigned long written = resident("/libc.so", "rw-p"), relocated = resident("/libz.so", "rw-p");

	(void)state;
	assert_true(written > 0);
	setenv("HOSTMETER_TEST", "kept", 1);
	resident_release_libraries();
	resident_release_libraries();
	assert_int_equal(resident("/libc.so", "rw-p"), written);
	assert_int_equal(resident("/libz.so", "rw-p"), relocated);
	assert_string_equal(getenv("HOSTMETER_TEST"), "kept");
}

static void the_program_itself_stays(void **state)
{
	unsigned long before = resident("/test_resident", "r-xp");

	(void)state;
	assert_true(before > 0);
	resident_release_libraries();
	assert_true(resident("/test_resident", "r-xp") >= before);
}

enum { PIECES = 4096, PIECE = 1024 };

/* Only under glibc's own malloc(): sanitizers keep what is freed on purpose. */
static void heap_is_given_back(void **state)
{
	static void *piece[PIECES];
	unsigned long before;

	(void)state;
	for (int i = 0; i < PIECES; i++) {
		piece[i] = malloc(PIECE);
		memset(piece[i], 'x', PIECE);
	}
	for (int i = 0; i < PIECES - 1; i++)
		free(piece[i]);
	before = resident("[heap]", "rw-p");
	resident_trim_heap();
#ifndef __SANITIZE_ADDRESS__
	assert_true(resident("[heap]", "rw-p") + PIECES * PIECE / 1024 / 2 < before);
#else
	(void)before;
#endif
	free(piece[PIECES - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_of_libraries_goes_and_comes_back),
		cmocka_unit_test(what_was_written_stays),
		cmocka_unit_test(the_program_itself_stays),
		cmocka_unit_test(heap_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
