/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/ct_sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t number_in(const char *text)
{
	FILE *file = tmpfile();
	uint64_t number;

	assert_non_null(file);
	fputs(text, file);
	fflush(file);
	number = ct_sysctl_read_fd(fileno(file));
	assert_true(number == ct_sysctl_read_fd(fileno(file))); /* again, from the start */
	fclose(file);
	return number;
}

static void test_numbers(void **state)
{
	(void)state;
	assert_true(number_in("65536\n") == 65536);
	assert_true(number_in("0") == 0);
	assert_true(number_in("") == CT_SYSCTL_NONE);
	assert_true(number_in("none\n") == CT_SYSCTL_NONE);
	assert_true(ct_sysctl_read_fd(-1) == CT_SYSCTL_NONE);
}

static void test_what_no_kernel_has(void **state)
{
	(void)state;
	assert_int_equal(ct_sysctl_open("hostmeter_no_such_setting"), -ENOENT);
	assert_true(ct_sysctl_read("hostmeter_no_such_setting") == CT_SYSCTL_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_what_no_kernel_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
