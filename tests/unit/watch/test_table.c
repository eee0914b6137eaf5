/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the list: their numbers, their order, the filter, the sum, and which columns a screen has room for. */
#include "parts.h"

#include "watch_world.h"

/* Bytes down of one host since it was read first: one value for each second. */
static void add_second(struct watch_history *history, uint64_t second, const char *const names[], const uint64_t *down,
	size_t count)
{
	struct watch_sample sample = sample_at(T0 + second * S);

	for (size_t i = 0; i < count; i++)
		put_host(&sample, names[i], "", down[i], 0, 0, 0);
	add(history, sample);
}

/* Builds the table and checks the names of its rows, which are separated by spaces. */
static void assert_rows(const struct watch_history *history, const struct watch_view *view, const char *names)
{
	struct watch_table table;
	char line[256] = "";

	assert_int_equal(watch_table_build(&table, history, view), 0);
	for (size_t i = 0; i < table.rows; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", i ? " " : "",
			table.row[i].host->label);
	assert_string_equal(line, names);
	assert_int_equal(table.hosts, history->tracks);
	watch_table_free(&table);
	assert_null(table.row);
	assert_int_equal(table.rows, 0);
}

/* ---- Numbers */

static void a_row_has_the_numbers_of_its_host(void **state)
{
	struct world w = { .view = watch_view_default() };
	struct watch_table table;
	const struct watch_row *row;

	(void)state;
	three_hosts(&w);
	assert_int_equal(watch_table_build(&table, &w.history, &w.view), 0);
	assert_int_equal(table.rows, 4);
	row = &table.row[0];
	assert_string_equal(row->host->label, "desktop");
	about(row->rate[WATCH_DOWN], 1500000);
	about(row->rate[WATCH_UP], 150000);
	assert_int_equal(row->total[WATCH_DOWN], 90000000);
	assert_int_equal(row->total[WATCH_UP], 9000000);
	about(row->both[WATCH_IPV4], 1100000);
	about(row->both[WATCH_IPV6], 550000);
	about(row->amount, 1650000);
	assert_int_equal(row->connections, 60000000 % 7 + 30000000 % 5);
	watch_table_free(&table);

	/* Of one family; the share of IPv6 needs both. */
	w.view.family = 6;
	assert_int_equal(watch_table_build(&table, &w.history, &w.view), 0);
	row = &table.row[0];
	about(row->rate[WATCH_DOWN], 500000);
	assert_int_equal(row->total[WATCH_DOWN], 30000000);
	about(row->amount, 550000);
	about(row->both[WATCH_IPV4], 1100000);
	assert_int_equal(row->connections, 30000000 % 5);
	watch_table_free(&table);

	/* Totals of the session. */
	w.view.family = 0;
	w.view.totals = true;
	assert_int_equal(watch_table_build(&table, &w.history, &w.view), 0);
	row = &table.row[0];
	assert_true(row->amount == 99000000);
	assert_true(row->both[WATCH_IPV6] == 33000000);
	watch_table_free(&table);
	finish(&w);
}

static void a_share_is_a_part_of_all(void **state)
{
	(void)state;
	assert_true(watch_table_share(1, 4) == 0.25);
	assert_true(watch_table_share(4, 4) == 1);
	assert_true(watch_table_share(0, 4) == 0);
	assert_true(watch_table_share(0, 0) == -1);
}

static void sums_add_up(void **state)
{
	struct world w = { .view = watch_view_default() };
	struct watch_table table;
	uint64_t total = 0;
	double shares = 0;

	(void)state;
	many_hosts(&w);
	assert_int_equal(watch_table_build(&table, &w.history, &w.view), 0);
	for (size_t i = 0; i < table.rows; i++) {
		total += table.row[i].total[WATCH_DOWN];
		shares += watch_table_share(table.row[i].amount, table.sum.amount);
	}
	assert_int_equal(table.sum.total[WATCH_DOWN], total);
	about(shares, 1);
	watch_table_free(&table);
	finish(&w);
}

/* The sum is of all hosts, also of those that the filter hides. */
static void the_sum_is_of_all(void **state)
{
	struct world w = { .view = watch_view_default() };
	struct watch_table table;

	(void)state;
	three_hosts(&w);
	strcpy(w.view.filter, "phone");
	assert_int_equal(watch_table_build(&table, &w.history, &w.view), 0);
	assert_int_equal(table.rows, 1);
	assert_int_equal(table.hosts, 4);
	assert_null(table.sum.host);
	assert_int_equal(table.sum.total[WATCH_DOWN], 90000000 + 2100000 + 300);
	assert_int_equal(table.sum.total[WATCH_UP], 9000000 + 30000);
	about(table.sum.rate[WATCH_DOWN], 1500005);
	about(table.sum.both[WATCH_IPV6], 550000);
	about(table.sum.amount, 1650005);
	watch_table_free(&table);
	finish(&w);
}

/* ---- The filter */

static void the_filter_finds_names_macs_and_addresses(void **state)
{
	static const struct {
		const char *filter, *names;
	} cases[] = {
		{ "", "desktop 00:00:5e:00:53:0c phone router" },
		{ "OUTE", "router" },
		{ "53:0D", "phone" },
		{ "00:00:5E", "desktop 00:00:5e:00:53:0c phone" },
		{ "2001:DB8:77::11", "desktop" }, /* its second address */
		{ "192.168.77.1", "desktop phone" },
		{ "192.168.77.12", "" },
	};
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(w.view.filter, cases[i].filter);
		assert_rows(&w.history, &w.view, cases[i].names);
	}
	finish(&w);
}

/* ---- The order */

static void keys_sort(void **state)
{
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	render(&w);
	ORDER(&w, "desktop", MACHINE, "phone", "router");
	press(&w, "1");
	ORDER(&w, MACHINE, "desktop", "phone", "router");
	press(&w, "r");
	ORDER(&w, "router", "phone", "desktop", MACHINE);
	press(&w, "2");
	ORDER(&w, "desktop", MACHINE, "phone", "router");
	press(&w, "3");
	ORDER(&w, "desktop", "phone", MACHINE, "router");
	press(&w, "4");
	ORDER(&w, "desktop", "phone", MACHINE, "router");
	press(&w, "5");
	ORDER(&w, "desktop", MACHINE, "phone", "router");
	press(&w, "t"); /* of the session the phone had more */
	ORDER(&w, "desktop", "phone", MACHINE, "router");
	press(&w, "6");
	ORDER(&w, "phone", "desktop", MACHINE, "router");
	press(&w, "7"); /* 60 % 7... the counts that put_host() makes up */
	ORDER(&w, MACHINE, "desktop", "phone", "router");
	press(&w, "s");
	assert_int_equal(w.view.sort, WATCH_COL_SEEN);
	ORDER(&w, "desktop", MACHINE, "phone", "router");
	press(&w, "s");
	assert_int_equal(w.view.sort, WATCH_COL_NAME);
	finish(&w);
}

/* A burst moves a host only after ten seconds' average, whatever average is shown; plain text has no such need. */
static void the_order_is_calm(void **state)
{
	static const char *const names[] = { "steady", "burst" };
	struct watch_history h = { 0 };
	struct watch_view view = watch_view_default();

	(void)state;
	for (uint64_t t = 0; t <= 20; t++)
		add_second(&h, t, names, (const uint64_t[]){ 1000 * t, t < 20 ? 0 : 5000 }, 2);
	for (view.window = 0; view.window < WATCH_WINDOWS; view.window++)
		assert_rows(&h, &view, "steady burst");
	view.plain = true;
	view.window = 0;
	assert_rows(&h, &view, "burst steady");
	watch_history_clear(&h);
}

static void idle_hosts_keep_their_places(void **state)
{
	static const char *const names[] = { "b", "much", "a", "some" };
	struct watch_history h = { 0 };
	struct watch_view view = watch_view_default();

	(void)state;
	for (uint64_t t = 0; t <= 90; t++)
		add_second(&h, t, names, (const uint64_t[]){ 0, t ? 900 : 0, 0, t ? 200 : 0 }, 4);
	assert_rows(&h, &view, "much some a b");
	view.reverse = true;
	assert_rows(&h, &view, "b a some much");
	watch_history_clear(&h);
}

static void names_are_sorted_in_any_case(void **state)
{
	struct watch_history h = { 0 };
	struct watch_view view = watch_view_default();
	struct watch_sample sample = sample_at(T0);

	(void)state;
	put_host(&sample, "Zebra", "", 0, 0, 0, 0);
	put_host(&sample, "ant", "00:00:5e:00:53:02", 0, 0, 0, 0)->last_seen = 1;
	put_host(&sample, "Bee", "", 0, 0, 0, 0);
	put_host(&sample, "ANT", "00:00:5e:00:53:01", 0, 0, 0, 0)->last_seen = 2;
	add(&h, sample);
	view.sort = WATCH_COL_NAME;
	assert_rows(&h, &view, "ANT ant Bee Zebra");
	view.sort = WATCH_COL_SEEN;
	assert_rows(&h, &view, "ANT ant Bee Zebra");
	view.reverse = true;
	assert_rows(&h, &view, "Zebra Bee ant ANT");
	watch_history_clear(&h);
}

/* ---- Columns */

static void columns_give_way(void **state)
{
	static const struct {
		int width;
		const char *columns[12];
	} cases[] = {
		{ 40, { "NAME", "DOWN", "UP", "SHARE" } },
		{ 48, { "NAME", "DOWN", "UP", "TOTAL", "SHARE" } },
		{ 60, { "NAME", "DOWN", "UP", "LAST MIN", "TOTAL", "SHARE" } },
		{ 80, { "NAME", "DOWN", "UP", "LAST MIN", "TOTAL", "SHARE", "IPv6", "CONN", "SEEN" } },
		{ 120, { "NAME", "DOWN", "UP", "LAST MIN", "TOTAL", "SHARE", "IPv6", "CONN", "SEEN", "MAC" } },
	};
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w.view.width = cases[i].width;
		render(&w);

		char *at = strdup(row(&w, w.view.header_row)), *from = at;
		size_t shown = 0;

		for (int c = 0; c < WATCH_COLUMNS; c++)
			shown += w.view.header[c].width > 0;
		for (size_t c = 0; cases[i].columns[c]; c++, shown--) {
			from = strstr(from, cases[i].columns[c]);
			assert_non_null(from);
		}
		assert_int_equal(shown, 0);
		free(at);
	}
	finish(&w);
}

/* Each column comes at its own width of the screen, not one cell before, and the name has the rest. */
static void columns_come_at_their_width(void **state)
{
	static const struct {
		enum watch_column column;
		int from, width; /* without the gap */
	} cases[] = {
		{ WATCH_COL_SHARE, 40, 6 },
		{ WATCH_COL_TOTAL, 48, 7 },
		{ WATCH_COL_SPARK, 60, 10 },
		{ WATCH_COL_CONNECTIONS, 67, 5 },
		{ WATCH_COL_IPV6, 74, 5 },
		{ WATCH_COL_SEEN, 80, 5 },
		{ WATCH_COL_MAC, 120, 18 },
	};
	struct world w = { .view = watch_view_default() };

	(void)state;
	three_hosts(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w.view.width = cases[i].from - 1;
		render(&w);
		assert_int_equal(w.view.header[cases[i].column].width, 0);
		w.view.width = cases[i].from;
		render(&w);
		assert_int_equal(w.view.header[cases[i].column].width, cases[i].width);
	}
	w.view.width = 80;
	render(&w);
	assert_int_equal(w.view.header[WATCH_COL_NAME].width, 80 - 9 - 9 - 11 - 8 - 7 - 6 - 6 - 6);
	w.view.width = 20;
	render(&w);
	assert_int_equal(w.view.header[WATCH_COL_NAME].width, 2);
	w.view.width = 300;
	render(&w);
	assert_int_equal(w.view.header[WATCH_COL_NAME].width, 40);
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_has_the_numbers_of_its_host),
		cmocka_unit_test(a_share_is_a_part_of_all),
		cmocka_unit_test(sums_add_up),
		cmocka_unit_test(the_sum_is_of_all),
		cmocka_unit_test(the_filter_finds_names_macs_and_addresses),
		cmocka_unit_test(keys_sort),
		cmocka_unit_test(the_order_is_calm),
		cmocka_unit_test(idle_hosts_keep_their_places),
		cmocka_unit_test(names_are_sorted_in_any_case),
		cmocka_unit_test(columns_give_way),
		cmocka_unit_test(columns_come_at_their_width),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
