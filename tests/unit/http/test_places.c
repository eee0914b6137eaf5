/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define S CLOCK_NS_PER_S

static struct place_client client_of(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	return place_client_of_address(&addr);
}

static bool is_same(const char *a, const char *b)
{
	struct place_client x = client_of(a), y = client_of(b);

	return memcmp(&x, &y, sizeof(x)) == 0;
}

static void a_client_is_an_address_or_a_64(void **state)
{
	(void)state;
	assert_true(is_same("192.0.2.1", "192.0.2.1"));
	assert_false(is_same("192.0.2.1", "192.0.2.2"));
	assert_true(is_same("2001:db8:1:2::3", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
	assert_false(is_same("2001:db8:1:2::3", "2001:db8:1:3::3"));
	assert_false(is_same("32.1.13.184", "2001:db8::"));
}

/* Ten of one client: the ninth has one too many. */
static void a_client_has_its_share(void **state)
{
	struct place_client clients[] = { client_of("192.0.2.1"), client_of("2001:db8::1"),
		place_client_of_user(1000) };

	(void)state;
	for (size_t c = 0; c < sizeof(clients) / sizeof(clients[0]); c++) {
		struct place place[PLACES_SHARE + 1], other, *list = NULL, *instead;
		struct place_client stranger = client_of("192.0.2.99");

		for (int i = 0; i < PLACES_SHARE; i++) {
			places_add(&list, &place[i], &clients[c], 0);
			assert_false(places_is_over(list, &place[i], &instead));
		}
		places_add(&list, &other, &stranger, 0);
		assert_false(places_is_over(list, &other, &instead));
		places_add(&list, &place[PLACES_SHARE], &clients[c], 0);
		assert_true(places_is_over(list, &place[PLACES_SHARE], &instead));
		assert_null(instead);
		/* One that leaves does not count, nor one that has left. */
		place[3].is_leaving = true;
		assert_false(places_is_over(list, &place[PLACES_SHARE], &instead));
		place[3].is_leaving = false;
		places_remove(&list, &place[3]);
		assert_false(places_is_over(list, &place[PLACES_SHARE], &instead));
	}
}

static void an_idle_connection_of_ones_own_leaves_instead(void **state)
{
	struct place place[PLACES_SHARE + 1], other, *list = NULL, *instead;
	struct place_client client = client_of("192.0.2.1"), stranger = client_of("192.0.2.2");

	(void)state;
	places_add(&list, &other, &stranger, 0);
	place_set_state(&other, PLACE_IDLE, 0);
	for (int i = 0; i <= PLACES_SHARE; i++)
		places_add(&list, &place[i], &client, 0);
	place_set_state(&place[2], PLACE_IDLE, 9 * S);
	place_set_state(&place[5], PLACE_IDLE, 8 * S);
	assert_true(places_is_over(list, &place[PLACES_SHARE], &instead));
	assert_ptr_equal(instead, &place[5]);
}

static void root_has_no_limit(void **state)
{
	struct place place[PLACES], *list = NULL, *instead;
	struct place_client root = place_client_of_user(0);

	(void)state;
	for (int i = 0; i < PLACES; i++) {
		places_add(&list, &place[i], &root, 0);
		assert_false(places_is_over(list, &place[i], &instead));
	}
}

static void answers_of_a_client_are_counted(void **state)
{
	struct place place[4], *list = NULL;
	struct place_client client = client_of("192.0.2.1"), stranger = client_of("192.0.2.2");

	(void)state;
	for (int i = 0; i < 4; i++)
		places_add(&list, &place[i], i == 3 ? &stranger : &client, 0);
	assert_int_equal(places_answers(list, &place[0]), 0);
	for (int i = 0; i < 4; i++)
		place_set_state(&place[i], PLACE_ANSWER, 0);
	assert_int_equal(places_answers(list, &place[0]), 2);
	assert_int_equal(places_answers(list, &place[3]), 0);
	place[1].is_leaving = true;
	place_set_state(&place[2], PLACE_IDLE, 0);
	assert_int_equal(places_answers(list, &place[0]), 0);
}

/* One place in some state since 0, that took so many bytes at some time: who leaves, and from when on. */
static void each_leaves_in_its_time(void **state)
{
	static const struct {
		enum place_state place;
		unsigned int wanted;
		uint64_t taken, taken_at, stays_until;
		enum place_end why;
	} cases[] = {
		{ PLACE_HEADERS, 0, 0, 0, 30 * S, PLACE_END_HEADERS },
		{ PLACE_HEADERS, PLACES_FULL, 0, 0, 4 * S, PLACE_END_HEADERS },
		{ PLACE_HEADERS, PLACES_MEMORY, 0, 0, 30 * S, PLACE_END_HEADERS },
		{ PLACE_IDLE, 0, 0, 0, 60 * S, PLACE_END_IDLE },
		{ PLACE_IDLE, PLACES_MEMORY, 0, 0, 60 * S, PLACE_END_IDLE },
		{ PLACE_IDLE, PLACES_FULL, 0, 0, 0, PLACE_END_IDLE },
		{ PLACE_ANSWER, 0, 0, 0, 600 * S, PLACE_END_SLOW },
		{ PLACE_ANSWER, PLACES_FULL, 0, 0, 4 * S, PLACE_END_SLOW },
		{ PLACE_ANSWER, PLACES_MEMORY, 0, 0, 4 * S, PLACE_END_SLOW },
		/* Drops are no progress. */
		{ PLACE_ANSWER, PLACES_MEMORY, 65535, 3 * S, 4 * S, PLACE_END_SLOW },
		{ PLACE_ANSWER, PLACES_MEMORY, 65536, 3 * S, 7 * S, PLACE_END_SLOW },
		{ PLACE_ANSWER, PLACES_FULL, 65536, 29 * S, 30 * S, PLACE_END_SLOW },
	};
	const struct place_client client = client_of("192.0.2.1");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct place place, *list = NULL;
		enum place_end why;

		places_add(&list, &place, &client, 0);
		place_set_state(&place, cases[i].place, 0);
		place_take(&place, cases[i].taken, cases[i].taken_at);
		if (cases[i].stays_until)
			assert_null(places_leaver(list, cases[i].wanted, cases[i].stays_until - 1, &why));
		assert_ptr_equal(places_leaver(list, cases[i].wanted, cases[i].stays_until, &why), &place);
		assert_int_equal(why, cases[i].why);
		place.is_leaving = true;
		assert_null(places_leaver(list, cases[i].wanted, cases[i].stays_until, &why));
	}
}

static void who_waits_for_us_may_stay(void **state)
{
	const struct place_client client = client_of("192.0.2.1");
	struct place place, *list = NULL;
	enum place_end why;

	(void)state;
	places_add(&list, &place, &client, 0);
	place_set_state(&place, PLACE_ANSWER, 0);
	place.is_patient = true;
	assert_null(places_leaver(list, PLACES_FULL | PLACES_MEMORY, 1000 * S, &why));
}

static void the_longest_idle_leaves_first(void **state)
{
	const struct place_client client = client_of("192.0.2.1");
	struct place place[3], *list = NULL;
	enum place_end why;

	(void)state;
	for (int i = 0; i < 3; i++)
		places_add(&list, &place[i], &client, 0);
	place_set_state(&place[1], PLACE_IDLE, 9 * S);
	place_set_state(&place[2], PLACE_IDLE, 8 * S);
	for (int i = 2; i >= 0; i--) {
		assert_ptr_equal(places_leaver(list, PLACES_FULL, 10 * S, &why), &place[i]);
		assert_int_equal(why, i ? PLACE_END_IDLE : PLACE_END_HEADERS);
		place[i].is_leaving = true;
	}
	assert_null(places_leaver(list, PLACES_FULL, 10 * S, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_an_address_or_a_64),
		cmocka_unit_test(a_client_has_its_share),
		cmocka_unit_test(an_idle_connection_of_ones_own_leaves_instead),
		cmocka_unit_test(root_has_no_limit),
		cmocka_unit_test(answers_of_a_client_are_counted),
		cmocka_unit_test(each_leaves_in_its_time),
		cmocka_unit_test(who_waits_for_us_may_stay),
		cmocka_unit_test(the_longest_idle_leaves_first),
	};

	return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
