/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/history.h"

#include "watch_samples.h"

#define BOTH (1u << WATCH_IPV4 | 1u << WATCH_IPV6)

/* One host "a", its bytes down over IPv4. */
static void add_one(struct watch_history *history, uint64_t time, uint64_t down)
{
	struct watch_sample sample = sample_at(time);

	put_host(&sample, "a", "", down, 0, 0, 0);
	add(history, sample);
}

static double rate(const struct watch_history *history, double seconds)
{
	return watch_history_rate(history, history->track[0], BOTH, WATCH_DOWN, seconds);
}

static void averages_are_of_their_windows(void **state)
{
	struct watch_history h = { 0 };

	(void)state;
	for (int i = 0; i <= 30; i++) {
		/* 1000 a second, and from the 20th on 5000 */
		add_one(&h, T0 + (uint64_t)i * S, (uint64_t)(i <= 20 ? 1000 * i : 20000 + 5000 * (i - 20)));
		if (i == 0)
			assert_false(watch_history_has_rates(&h));
	}
	about(rate(&h, 2), 5000);
	about(rate(&h, 10), 5000);
	about(rate(&h, 20), 3000);
	about(rate(&h, 40), (20000 + 50000) / 30.0); /* no longer than it has been watched */
	assert_int_equal(h.track[0]->session[WATCH_IPV4][WATCH_DOWN], 70000);
	watch_history_clear(&h);
}

/* The same traffic, read at whatever moments, has the same averages. */
static void averages_do_not_depend_on_the_interval(void **state)
{
	static const uint64_t intervals[] = { S / 5, S / 2, 3 * S / 10, S, 7 * S / 3, 5 * S, 10 * S, 90 * S, 3600 * S };

	(void)state;
	for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
		struct watch_history h = { 0 };

		for (uint64_t t = 0; t <= 100 * S || t <= 2 * intervals[i]; t += intervals[i])
			add_one(&h, T0 + 400000000 + t, t / 1000000); /* 1000 a second */
		for (int w = 0; w < WATCH_WINDOWS; w++)
			about(rate(&h, watch_windows[w]), 1000);
		watch_history_clear(&h);
	}
}

static void a_window_has_what_was_in_it(void **state)
{
	struct watch_history h = { 0 };

	(void)state;
	/* Quarters of a second from an odd moment; 4000 bytes in one of them. */
	for (int i = 0; i <= 200; i++)
		add_one(&h, T0 + 130000000 + (uint64_t)i * S / 4, i < 180 ? 0 : 4000);
	about(rate(&h, 2), 0);
	about(rate(&h, 10), 400);
	about(rate(&h, 40), 100);
	watch_history_clear(&h);
}

static void same_reading_counts_once(void **state)
{
	struct watch_history h = { 0 };
	struct watch_sample sample;

	(void)state;
	add_one(&h, T0, 0);
	add_one(&h, T0 + S, 1000);
	/* The counters were not read again, only some ends came in: they wait for the next reading. */
	sample = sample_at(T0 + 2 * S);
	sample.taken = T0 + S + 1000000; /* milliseconds are rounded */
	put_host(&sample, "a", "", 1500, 0, 0, 0)->connections[0] = 9;
	add(&h, sample);
	about(rate(&h, 2), 1000);
	assert_int_equal(h.track[0]->session[0][0], 1000);
	assert_int_equal(h.sample.host[0].connections[0], 9);
	about(rate(&h, 0), 1000);
	add_one(&h, T0 + 3 * S, 3000);
	about(rate(&h, 2), 1000);
	assert_int_equal(h.track[0]->session[0][0], 3000);
	about(rate(&h, 0), 1000);
	watch_history_clear(&h);
}

/* To the byte, however short and uneven the time between two readings is, and beyond what the seconds remember. */
static void the_latest_rate_is_exact(void **state)
{
	static const struct {
		uint64_t time, bytes;
		double rate;
	} readings[] = {
		{ T0 + S / 3, 0, 0 },
		{ T0 + S / 2, 700000, 4200000 },
		{ T0 + 2 * S, 700001, 2 / 3.0 },
		{ T0 + 200 * S, 700001, 0 },
		{ T0 + 4400 * S, 700001 + 42000, 10 },
	};
	struct watch_history h = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		add_one(&h, readings[i].time, readings[i].bytes);
		if (fabs(rate(&h, 0) - readings[i].rate) > 1e-6 * readings[i].rate)
			fail_msg("reading %zu: %.9g", i, rate(&h, 0));
	}
	watch_history_clear(&h);
}

static void sessions_begin_where_they_begin(void **state)
{
	struct watch_history h = { 0 };
	struct watch_sample sample = sample_at(T0);

	(void)state;
	put_host(&sample, "a", "", 1u << 30, 5, 0, 0);
	put_link(&sample, "wan", 1u << 30, 0);
	add(&h, sample);
	sample = sample_at(T0 + S);
	put_host(&sample, "b", "", 300, 0, 0, 0); /* new: all of it is of this session */
	put_host(&sample, "a", "", (1u << 30) + 100, 5, 0, 7);
	put_link(&sample, "wan", (1u << 30) + 400, 0);
	put_link(&sample, "lte", 1u << 20, 0); /* new too, but not since now */
	add(&h, sample);
	assert_string_equal(h.track[0]->label, "b");
	assert_int_equal(h.track[0]->session[0][0], 300);
	assert_int_equal(h.track[1]->session[0][0], 100);
	assert_int_equal(h.track[1]->session[WATCH_IPV6][WATCH_UP], 7);
	assert_int_equal(h.link[0].session[0][0], 400);
	assert_int_equal(h.link[1].session[0][0], 0);
	watch_history_zero(&h);
	sample = sample_at(T0 + 2 * S);
	put_host(&sample, "a", "", 40, 5, 0, 8); /* fell: it began anew */
	add(&h, sample);
	assert_int_equal(h.tracks, 1);
	assert_int_equal(h.links, 0);
	assert_int_equal(h.track[0]->session[0][0], 40);
	assert_int_equal(h.track[0]->session[WATCH_IPV6][WATCH_UP], 1);
	watch_history_clear(&h);
}

static void hosts_are_known_wherever_they_stand(void **state)
{
	struct watch_history h = { 0 };
	char label[16];

	(void)state;
	for (unsigned int round = 0; round < 5; round++) {
		struct watch_sample sample = sample_at(T0 + round * S);

		for (unsigned int i = 0; i < 100; i++) {
			unsigned int n = (i * 37 + round * 11) % 100;

			snprintf(label, sizeof(label), "h%u", n % 50);
			put_host(&sample, label, n < 50 ? "m1" : "m2", n * round, 0, 0, 0);
		}
		/* Listed twice: once is enough. */
		put_host(&sample, "h3", "m1", 12345678, 0, 0, 0);
		add(&h, sample);
		assert_int_equal(h.tracks, 100);
	}
	for (size_t i = 0; i < h.tracks; i++) {
		unsigned int n = (unsigned int)atoi(h.track[i]->label + 1) + (h.track[i]->mac[1] == '2' ? 50 : 0);

		assert_int_equal(h.track[i]->session[0][0], 4 * n);
	}
	watch_history_clear(&h);
}

static void a_clock_set_back_is_survived(void **state)
{
	struct watch_history h = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		add_one(&h, T0 + (uint64_t)i * S, (uint64_t)(1000000 * i));
	add_one(&h, T0 - 3600 * S, 9000010);
	assert_false(watch_history_has_rates(&h));
	assert_int_equal(h.track[0]->session[0][0], 9000010);
	add_one(&h, T0 - 3599 * S, 9000110);
	about(rate(&h, 10), 100);
	watch_history_clear(&h);
}

static void sparklines_move_in_whole_steps(void **state)
{
	struct watch_history h = { 0 };
	float step[WATCH_SLOTS];

	(void)state;
	/* 6000 bytes between the 30th and the 36th second, which is one step of ten. */
	for (int i = 0; i <= 59; i++)
		add_one(&h, T0 + (uint64_t)i * S, (uint64_t)(i <= 30 ? 0 : i <= 36 ? 1000 * (i - 30) : 6000));
	watch_history_spark(&h, h.track[0], BOTH, step, 10);
	for (int i = 0; i < 10; i++)
		about(step[i], i == 5 ? 1000 : 0);
	for (int i = 60; i <= 66; i++)
		add_one(&h, T0 + (uint64_t)i * S, 6000);
	watch_history_spark(&h, h.track[0], BOTH, step, 10);
	for (int i = 0; i < 10; i++)
		about(step[i], i == 3 ? 1000 : 0);
	watch_history_spark(&h, h.track[0], 1u << WATCH_IPV6, step, 10);
	about(step[4], 0);
	watch_history_clear(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(averages_are_of_their_windows),
		cmocka_unit_test(averages_do_not_depend_on_the_interval),
		cmocka_unit_test(a_window_has_what_was_in_it),
		cmocka_unit_test(same_reading_counts_once),
		cmocka_unit_test(the_latest_rate_is_exact),
		cmocka_unit_test(sessions_begin_where_they_begin),
		cmocka_unit_test(hosts_are_known_wherever_they_stand),
		cmocka_unit_test(a_clock_set_back_is_survived),
		cmocka_unit_test(sparklines_move_in_whole_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
