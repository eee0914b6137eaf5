/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/view.h"

#include "watch_samples.h"

static void keys_change_the_interval(void **state)
{
	struct watch_view view = watch_view_default();

	(void)state;
	assert_int_equal(watch_view_key(&view, '+'), WATCH_INTERVAL);
	assert_int_equal(view.interval_ns, 2 * S);
	watch_view_key(&view, '-');
	assert_int_equal(view.interval_ns, S);
	view.interval_ns = 3 * S;
	watch_view_key(&view, '-');
	assert_int_equal(view.interval_ns, 2 * S);
	for (int i = 0; i < 20; i++)
		watch_view_key(&view, '-');
	assert_int_equal(view.interval_ns, S / 5);
	for (int i = 0; i < 20; i++)
		watch_view_key(&view, '+');
	assert_int_equal(view.interval_ns, 3600 * S);
}

/* Each key of the table is told of, and each that is told of does something. */
static void help_and_keys_are_one(void **state)
{
	static const char *const promised[] = { "q", "?", "space", "s", "1 to 7", "r", "u", "i", "t", "a", "f", "l",
		"/", "Enter", "c", "Esc", "+ -", "arrows, j k", "PgUp PgDn", "Home End", "z" };
	const char *keys, *what;
	size_t count = 0;

	(void)state;
	for (; watch_view_keys(false, count, &keys, &what); count++) {
		bool found = false;

		for (size_t i = 0; i < sizeof(promised) / sizeof(promised[0]); i++)
			found |= !strcmp(promised[i], keys);
		assert_true(found);
		assert_true(strlen(what) > 3);
	}
	assert_int_equal(count, sizeof(promised) / sizeof(promised[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_change_the_interval),
		cmocka_unit_test(help_and_keys_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
