/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "amount.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void amounts_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "500000", 500000 },
		{ "500000 B", 500000 },
		{ "750 GB", UINT64_C(750000000000) },
		{ "750GB", UINT64_C(750000000000) },
		{ "750  gb", UINT64_C(750000000000) },
		{ "750G", UINT64_C(750000000000) },
		{ "1 kB", 1000 },
		{ "1 KiB", 1024 },
		{ "1k", 1000 },
		{ "1 ki", 1024 },
		{ "3 MiB", 3145728 },
		{ "3 MB", 3000000 },
		{ "1.5 TiB", UINT64_C(1649267441664) },
		{ "0.1 GiB", 107374182 },
		{ "1 PiB", UINT64_C(1125899906842624) },
		{ "1000 PB", AMOUNT_MAX },
		{ "1000000000000000000", AMOUNT_MAX },
		{ "000000000000000000000000000001", 1 },
		{ "12.999", 12 },
		{ "123.456789012345678901234567890 GB", UINT64_C(123456789012) },
		{ "0.999999999999999999999999999999 PB", UINT64_C(999999999999999) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t bytes = 7;

		assert_int_equal(amount_parse(&bytes, cases[i].text), 0);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void what_is_no_amount_is_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "", -EINVAL },
		{ "GB", -EINVAL },
		{ " 1", -EINVAL },
		{ "-1 GB", -EINVAL },
		{ "+1", -EINVAL },
		{ "1e9", -EINVAL },
		{ "0x10", -EINVAL },
		{ "1.", -EINVAL },
		{ "1. GB", -EINVAL },
		{ ".5 GB", -EINVAL },
		{ "1,5 GB", -EINVAL },
		{ "1.5.5 GB", -EINVAL },
		{ "1 GB ", -EINVAL },
		{ "1 GBs", -EINVAL },
		{ "1 GiiB", -EINVAL },
		{ "1 iB", -EINVAL },
		{ "1 Gbit", -EINVAL },
		{ "1\tGB", -EINVAL },
		{ "1 GB/s", -EINVAL },
		{ "1 EB", -EINVAL },
		{ "inf", -EINVAL },
		{ "1000.000000000000001 PB", -ERANGE },
		{ "1001 PB", -ERANGE },
		{ "1000000000000000001", -ERANGE },
		{ "99999999999999999999999999999999 GB", -ERANGE },
		{ "18446744073709551616", -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t bytes = 7;

		assert_int_equal(amount_parse(&bytes, cases[i].text), cases[i].error);
		assert_int_equal(bytes, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amounts_are_read),
		cmocka_unit_test(what_is_no_amount_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
