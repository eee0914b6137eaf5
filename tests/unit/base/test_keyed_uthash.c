/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/keyed_uthash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { KEYS = 1024, LONGEST = 40 };

struct entry {
	uint64_t key;
	UT_hash_handle hh;
};

/* Keys that uthash's own function puts into one bucket of as many: whoever chooses MACs can do so. */
static void chosen_keys_are_spread(void **state)
{
	static struct entry entries[KEYS];
	struct entry *table = NULL, *found;
	uint64_t next = 0;

	(void)state;
	for (int i = 0; i < KEYS; i++) {
		unsigned int hash;

		do {
			entries[i].key = ++next;
			HASH_JEN(&entries[i].key, sizeof(uint64_t), hash);
		} while (hash % KEYS);
		HASH_ADD(hh, table, key, sizeof(uint64_t), &entries[i]);
	}
	for (unsigned int i = 0; i < table->hh.tbl->num_buckets; i++)
		assert_in_range(table->hh.tbl->buckets[i].count, 0, LONGEST);
	for (int i = 0; i < KEYS; i++) {
		HASH_FIND(hh, table, &entries[i].key, sizeof(uint64_t), found);
		assert_ptr_equal(found, &entries[i]);
	}
	HASH_CLEAR(hh, table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chosen_keys_are_spread),
	};

	return cmocka_run_group_tests_name("keyed_uthash", tests, NULL, NULL);
}
