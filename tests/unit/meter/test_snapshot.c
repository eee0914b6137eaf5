/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void interfaces_get_their_aliases(void **state)
{
	static const struct snapshot_alias aliases[] = { { "wan0", "wan" }, { "br-lan", "eth1" }, { "absent", "dmz" } };
	struct snapshot s = snapshots_full();

	(void)state;
	snapshot_rename(&s, aliases, 3);
	assert_string_equal(s.link[0].name, "lo");
	assert_string_equal(s.link[1].name, "wan");
	assert_string_equal(s.link[2].name, "eth1");
	/* Their names are others' now, also where the other is away. */
	assert_string_equal(s.link[3].name, "#4");
	assert_string_equal(s.link[4].name, "#5");
	assert_string_equal(s.link[5].name, "wg0");
	assert_string_equal(s.wan[0].name, "");
	assert_string_equal(s.wan[1].name, "wan");
}

static void two_may_change_names(void **state)
{
	static const struct snapshot_alias aliases[] = { { "wan0", "dmz" }, { "dmz", "wan0" } };
	struct snapshot s = snapshots_full();

	(void)state;
	snapshot_rename(&s, aliases, 2);
	assert_string_equal(s.link[1].name, "dmz");
	assert_string_equal(s.link[4].name, "wan0");
}

static void without_aliases_nothing_changes(void **state)
{
	struct snapshot s = snapshots_full();

	(void)state;
	snapshot_rename(&s, NULL, 0);
	assert_string_equal(s.link[1].name, "wan0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_get_their_aliases),
		cmocka_unit_test(two_may_change_names),
		cmocka_unit_test(without_aliases_nothing_changes),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
