/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hashtable.h"

#include "hostmeter/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct record {
	uint64_t key, value, spare[4];
};

static const struct hash_key secret = { { 1, 2 } };

static uint64_t fingerprint(uint64_t i)
{
	uint64_t key = hash_bytes(&secret, &i, sizeof(i));

	return key ? key : 1;
}

/* --- The table against an array that says what it must hold */

enum { UNIVERSE = 900, STEPS = 200000 };

struct model {
	uint64_t key[UNIVERSE], value[UNIVERSE];
	bool present[UNIVERSE], visited[UNIVERSE];
	size_t count;
	uint64_t random, doomed;
};

static uint64_t draw(struct model *m)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	return m->random ^= m->random << 17;
}

/* Three shards; a third of the keys share one home slot, a third sit at the end of the array and wrap around. */
static void make_keys(struct model *m)
{
	static const uint64_t shards[] = { 0, 128, 255 };

	for (uint64_t i = 0; i < UNIVERSE; i++) {
		uint64_t low = i % 3 == 0 ? 7 : i % 3 == 1 ? UINT32_MAX - i : draw(m) & UINT32_MAX;

		m->key[i] = shards[i / 3 % 3] << 56 | (i + 1) << 32 | low;
	}
}

static void check_all(const struct hashtable *table, const struct model *m)
{
	assert_int_equal(hashtable_count(table), m->count);
	for (size_t i = 0; i < UNIVERSE; i++) {
		const struct record *r = hashtable_find(table, m->key[i]);

		assert_int_equal(r != NULL, m->present[i]);
		if (r) {
			assert_true(r->key == m->key[i]);
			assert_true(r->value == m->value[i]);
		}
	}
}

static void put(struct hashtable *table, struct model *m, size_t i)
{
	bool fresh;
	struct record *r = hashtable_put(table, m->key[i], &fresh);

	assert_non_null(r);
	assert_int_equal(fresh, !m->present[i]);
	if (fresh) {
		assert_true(r->key == m->key[i]);
		for (size_t j = 0; j < 4; j++)
			assert_true(r->spare[j] == 0);
		assert_true(r->value == 0);
		m->present[i] = true;
		m->count++;
		memset(r->spare, 0xff, sizeof(r->spare));
		r->value = m->value[i] = draw(m);
	}
	assert_true(r->value == m->value[i]);
}

static void remove_one(struct hashtable *table, struct model *m, size_t i)
{
	struct record *r = hashtable_find(table, m->key[i]);

	assert_int_equal(r != NULL, m->present[i]);
	if (!r)
		return;
	hashtable_remove(table, r);
	m->present[i] = false;
	m->count--;
}

static bool visit(void *ctx, void *record)
{
	struct model *m = ctx;
	const struct record *r = record;

	for (size_t i = 0; i < UNIVERSE; i++) {
		if (m->key[i] != r->key)
			continue;
		assert_true(m->present[i]);
		m->visited[i] = true;
		if (m->value[i] % 4 != m->doomed)
			return false;
		m->present[i] = false;
		m->count--;
		return true;
	}
	fail_msg("a record that nobody put");
	return false;
}

static void sweep(struct hashtable *table, struct model *m, unsigned int shard)
{
	bool before[UNIVERSE];

	memcpy(before, m->present, sizeof(before));
	memset(m->visited, 0, sizeof(m->visited));
	m->doomed = draw(m) % 4;
	hashtable_sweep(table, shard, visit, m);
	for (size_t i = 0; i < UNIVERSE; i++)
		assert_int_equal(m->visited[i], before[i] && m->key[i] >> 56 == shard);
}

static void behaves_like_an_array(void **state)
{
	struct model *m = calloc(1, sizeof(*m));
	struct hashtable *table = hashtable_new(sizeof(struct record), UNIVERSE);

	(void)state;
	assert_non_null(m);
	assert_non_null(table);
	m->random = 88172645463325252;
	make_keys(m);
	for (unsigned int step = 0; step < STEPS; step++) {
		/* It grows for a while, then shrinks, so that every capacity is passed both ways. */
		unsigned int puts = step / 4000 % 2 ? 20 : 75, what = (unsigned int)(draw(m) % 100);
		size_t i = (size_t)(draw(m) % UNIVERSE);

		if (what < puts)
			put(table, m, i);
		else if (what < 99 || step % 16)
			remove_one(table, m, i);
		else
			sweep(table, m, (unsigned int[]){ 0, 128, 255 }[draw(m) % 3]);
		if (step % 101 == 0)
			check_all(table, m);
	}
	check_all(table, m);
	hashtable_free(table);
	free(m);
}

/* --- Memory */

enum { MANY = 1000000 };

static void fill(struct hashtable *table, uint64_t from, uint64_t to)
{
	bool fresh;

	for (uint64_t i = from; i < to; i++) {
		struct record *r = hashtable_put(table, fingerprint(i), &fresh);

		assert_non_null(r);
		assert_true(fresh);
	}
}

static bool remove_most(void *ctx, void *record)
{
	const struct record *r = record;

	(void)ctx;
	return r->key % 20;
}

static void a_million_flows_fit(void **state)
{
	struct hashtable *table = hashtable_new(48, MANY);
	size_t empty = hashtable_memory(table);

	(void)state;
	assert_int_equal(sizeof(struct record), 48);
	for (uint64_t count = 0; count < MANY; count += 50000) {
		fill(table, count, count + 50000);
		/* Just after an array has grown by a quarter it is 60 % full, and never less. */
		assert_in_range((hashtable_memory(table) - empty) / (count + 50000), 48, 81);
	}
	assert_in_range(hashtable_memory(table) / MANY, 48, 80);

	for (unsigned int shard = 0; shard < HASHTABLE_SHARDS; shard++)
		hashtable_sweep(table, shard, remove_most, NULL);
	assert_in_range(hashtable_count(table), MANY / 25, MANY / 15);
	assert_in_range((hashtable_memory(table) - empty) / hashtable_count(table), 48, 140);

	for (uint64_t i = 0; i < MANY; i++) {
		void *r = hashtable_find(table, fingerprint(i));

		if (r)
			hashtable_remove(table, r);
	}
	assert_int_equal(hashtable_count(table), 0);
	assert_int_equal(hashtable_memory(table), empty);
	hashtable_free(table);
}

/* However large the whole is, one call moves no more than one of the 256 arrays. */
static void no_call_moves_much(void **state)
{
	struct hashtable *table = hashtable_new(sizeof(struct record), 60000);
	size_t before;
	bool fresh;

	(void)state;
	fill(table, 0, 50000);
	before = hashtable_memory(table);
	for (uint64_t i = 50000; i < 60000; i++) {
		size_t after;

		assert_non_null(hashtable_put(table, fingerprint(i), &fresh));
		after = hashtable_memory(table);
		assert_in_range(after - before, 0, before / 128);
		before = after;
	}
	hashtable_free(table);
}

static void the_limit_holds(void **state)
{
	struct hashtable *table = hashtable_new(16, 10);
	bool fresh = false;

	(void)state;
	assert_int_equal(hashtable_limit(table), 10);
	for (uint64_t i = 0; i < 10; i++)
		assert_non_null(hashtable_put(table, fingerprint(i), &fresh));
	assert_null(hashtable_put(table, fingerprint(10), &fresh));
	assert_int_equal(hashtable_count(table), 10);
	assert_null(hashtable_find(table, fingerprint(10)));
	/* What is there already is still found. */
	assert_non_null(hashtable_put(table, fingerprint(3), &fresh));
	assert_false(fresh);
	hashtable_remove(table, hashtable_find(table, fingerprint(4)));
	assert_non_null(hashtable_put(table, fingerprint(10), &fresh));
	assert_true(fresh);
	hashtable_free(table);
	hashtable_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(behaves_like_an_array),
		cmocka_unit_test(a_million_flows_fit),
		cmocka_unit_test(no_call_moves_much),
		cmocka_unit_test(the_limit_holds),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
