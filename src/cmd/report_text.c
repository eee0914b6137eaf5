/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report_text.h"

#include "hostmeter/base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum { LEAST_WIDTH = 40, MOST_WIDTH = 400, TEXT = 256, NUMBER = 24, GAP = 2, GAPS = 5 };
enum { LEAST_NAME = 12, MOST_NAME = 40, LEAST_BAR = 8, MOST_BAR = 50 };

#define RANDOM_MARK " *"

struct page {
	struct buf *out;
	const struct report_style *style;
	const json_t *report;
	const char *by; /* also the key of what names a row; of rows of time that is "label" */
	int width;
	int name, group, bar; /* cells of these columns; 0: they are not shown */
	bool has_directions, has_ipv6;
	uint64_t total, most; /* bytes of all rows, and of the largest */
};

/* --- Text of a known width */

/* Cells of a character of text, which begins with a whole one. *len: its bytes. */
static int char_cells(const char *text, size_t *len)
{
	uint32_t code;
	int cells;

	*len = utf8_char(text, strlen(text), &code);
	if (!*len)
		*len = 1;
	cells = *len == 1 ? 1 : wcwidth((wchar_t)code);
	return cells < 0 ? 1 : cells;
}

/* A copy that is fit for a terminal of this style, with room for the mark after it. */
static void clean(char to[static TEXT], const char *text, const struct report_style *style)
{
	size_t used = 0, len;
	char whole[TEXT - sizeof(RANDOM_MARK) + 1];

	snprintf(whole, sizeof(whole), "%s", text);
	whole[utf8_disarm(whole, strlen(whole), false)] = '\0';
	for (const char *at = whole; *at; at += len) {
		char_cells(at, &len);
		if (style->utf8 || len == 1) {
			memcpy(to + used, at, len);
			used += len;
		} else {
			to[used++] = '?';
		}
	}
	to[used] = '\0';
}

static int cells_of_some(const char *text, size_t bytes)
{
	int cells = 0;
	size_t len;

	for (const char *end = text + bytes; text < end; text += len)
		cells += char_cells(text, &len);
	return cells;
}

static int cells_of(const char *text)
{
	return cells_of_some(text, strlen(text));
}

static void put_spaces(struct buf *out, int count)
{
	for (; count > 0; count--)
		buf_putc(out, ' ');
}

/* Text that is clean, padded or cut to a width. */
static void put_left(const struct page *page, const char *text, int width)
{
	bool fits = cells_of(text) <= width;
	int room = fits ? width : width - 1;
	size_t len;

	for (; *text; text += len) {
		int cells = char_cells(text, &len);

		if (cells > room)
			break;
		buf_add(page->out, text, len);
		room -= cells;
	}
	if (!fits)
		buf_puts(page->out, page->style->utf8 ? "…" : "~");
	put_spaces(page->out, room);
}

/* A number or its title, after the gap between columns. */
static void put_right(const struct page *page, const char *text, int width)
{
	put_spaces(page->out, GAP + width - (int)strlen(text));
	buf_puts(page->out, text);
}

/* Lines end without spaces. */
static void end_line(const struct page *page)
{
	struct buf *out = page->out;

	while (out->len && out->data[out->len - 1] == ' ')
		out->len--;
	buf_putc(out, '\n');
}

/* --- Numbers */

enum { AMOUNT = 9, SHARE = 6, IPV6 = 4 }; /* "999.99 GB", "100.0%", "100%" */

static const char *write_amount(char text[static NUMBER], uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double amount = (double)bytes;
	size_t unit = 0;

	/* 999.996 would be printed as 1000.00: it is 1.00 of the next unit. */
	while (unit + 1 < sizeof(units) / sizeof(units[0]) && amount >= (unit ? 999.995 : 1000)) {
		amount /= 1000;
		unit++;
	}
	snprintf(text, NUMBER, "%.*f %s", unit ? 2 : 0, amount, units[unit]);
	return text;
}

/* In per cent; "-" of nothing. */
static const char *write_share(char text[static NUMBER], uint64_t part, uint64_t all, int decimals)
{
	double percent = all ? 100.0 * (double)part / (double)all : 0;
	double least = decimals ? 0.05 : 0.5;

	if (!all)
		snprintf(text, NUMBER, "-");
	else if (part && percent < least)
		snprintf(text, NUMBER, "%s", decimals ? "<0.1%" : "<1%");
	else
		snprintf(text, NUMBER, "%.*f%%", decimals, percent > 100 ? 100 : percent);
	return text;
}

static uint64_t in_bytes(const json_t *row)
{
	return json_get_u64(row, "in_bytes");
}

/* Numbers of JSON are INT64_MAX at most, so this does not overflow. */
static uint64_t bytes_of(const json_t *row)
{
	return in_bytes(row) + json_get_u64(row, "out_bytes");
}

/* --- Rows */

static bool is_by(const struct page *page, const char *by)
{
	return !strcmp(page->by, by);
}

static void write_name(const struct page *page, const json_t *row, char name[static TEXT])
{
	bool is_named = is_by(page, "device") || is_by(page, "group") || is_by(page, "wan");
	const char *text = json_get_text(row, is_named ? page->by : "label");

	clean(name, is_by(page, "group") && !*text ? "(no group)" : text, page->style);
	if (json_get_bool(row, "random_mac"))
		strcat(name, RANDOM_MARK);
}

static void put_bar(const struct page *page, const json_t *row)
{
	uint64_t bytes = bytes_of(row);
	int cells = page->most ? (int)(page->bar * ((double)bytes / (double)page->most) + 0.5) : 0;
	int in = bytes ? (int)(cells * ((double)in_bytes(row) / (double)bytes) + 0.5) : 0;

	put_spaces(page->out, GAP);
	for (int i = 0; i < cells; i++)
		buf_puts(page->out, i < in ? (page->style->utf8 ? "█" : "#") : (page->style->utf8 ? "░" : "-"));
}

static void put_numbers(const struct page *page, const json_t *row)
{
	char text[NUMBER];

	if (page->has_directions) {
		put_right(page, write_amount(text, in_bytes(row)), AMOUNT);
		put_right(page, write_amount(text, json_get_u64(row, "out_bytes")), AMOUNT);
	}
	put_right(page, write_amount(text, bytes_of(row)), AMOUNT);
}

/* A name that is cut keeps its mark. */
static void put_name(const struct page *page, const json_t *row)
{
	char name[TEXT];

	write_name(page, row, name);
	if (cells_of(name) <= page->name || !json_get_bool(row, "random_mac")) {
		put_left(page, name, page->name);
		return;
	}
	put_left(page, name, page->name - (int)strlen(RANDOM_MARK));
	buf_puts(page->out, RANDOM_MARK);
}

static void put_row(const struct page *page, const json_t *row)
{
	char text[TEXT], number[NUMBER];

	put_name(page, row);
	if (page->group) {
		clean(text, json_get_text(row, "group"), page->style);
		put_spaces(page->out, GAP);
		put_left(page, text, page->group);
	}
	put_numbers(page, row);
	put_right(page, write_share(number, bytes_of(row), page->total, 1), SHARE);
	if (page->has_ipv6)
		put_right(page, write_share(number, json_get_u64(row, "ipv6_bytes"), bytes_of(row), 0), IPV6);
	if (page->bar)
		put_bar(page, row);
	end_line(page);
}

static void put_titles(const struct page *page)
{
	put_left(page, page->by, page->name);
	if (page->group) {
		put_spaces(page->out, GAP);
		put_left(page, "group", page->group);
	}
	if (page->has_directions) {
		put_right(page, "in", AMOUNT);
		put_right(page, "out", AMOUNT);
	}
	put_right(page, "total", AMOUNT);
	put_right(page, "share", SHARE);
	if (page->has_ipv6)
		put_right(page, "IPv6", IPV6);
	end_line(page);
}

/* A line below the rows; its share of IPv6 too if that is known. */
static void put_sum(const struct page *page, const char *name, const json_t *sum, bool is_total)
{
	char number[NUMBER];

	put_left(page, name, page->name + (page->group ? GAP + page->group : 0));
	put_numbers(page, sum);
	if (is_total && page->has_ipv6) {
		put_spaces(page->out, GAP + SHARE);
		put_right(page, write_share(number, json_get_u64(sum, "ipv6_bytes"), bytes_of(sum), 0), IPV6);
	}
	end_line(page);
}

/* --- What the width has room for */

static int at_most(int value, int most)
{
	return value < most ? value : most;
}

/* Takes cells off the room if they leave enough for the name. */
static bool take(int *room, int cells, int name)
{
	if (*room - cells < name)
		return false;
	*room -= cells;
	return true;
}

/* What it is by, as a text of ours: the JSON may be a stranger's. */
static const char *known_by(const char *by)
{
	static const char *const known[] = { "device", "group", "wan", "hour", "day", "month" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(by, known[i]))
			return known[i];
	return "";
}

static void lay_out(struct page *page)
{
	int room = page->width - 2 * GAP - AMOUNT - SHARE, name = LEAST_NAME, group = 0;
	const json_t *row;
	char text[TEXT];
	size_t i;

	json_array_foreach (json_object_get(page->report, "rows"), i, row) {
		uint64_t bytes = bytes_of(row);

		page->most = bytes > page->most ? bytes : page->most;
		write_name(page, row, text);
		name = cells_of(text) > name ? cells_of(text) : name;
		clean(text, is_by(page, "device") ? json_get_text(row, "group") : "", page->style);
		group = cells_of(text) > group ? cells_of(text) : group;
	}
	name = at_most(name, MOST_NAME);
	group = group ? at_most(group > 5 ? group : 5, LEAST_NAME) : 0;
	page->has_directions = take(&room, 2 * (GAP + AMOUNT), at_most(name, 18));
	page->has_ipv6 = !is_by(page, "wan") && take(&room, GAP + IPV6, at_most(name, 18));
	if (group && take(&room, GAP + group, at_most(name, 18)))
		page->group = group;
	page->name = at_most(name, room);
	room -= page->name + GAP;
	page->bar = room < LEAST_BAR ? 0 : at_most(room, MOST_BAR);
}

/* --- Around the table */

/* Begins the next line of a text, indented. Returns where it goes on. */
static int break_line(const struct page *page)
{
	buf_putc(page->out, '\n');
	put_spaces(page->out, GAP);
	return GAP;
}

/* A clean text, in lines as wide as the page, between its words if they are not wider than that. */
static void put_wrapped(const struct page *page, const char *text)
{
	int x = 0, start = 0;
	size_t word, len;

	for (; *text; text += strspn(text, " ")) {
		word = strcspn(text, " ");
		if (x > start && x + 1 + cells_of_some(text, word) > page->width) {
			x = start = break_line(page);
		} else if (x > start) {
			buf_putc(page->out, ' ');
			x++;
		}
		for (const char *end = text + word; text < end; text += len) {
			int cells = char_cells(text, &len);

			if (x + cells > page->width)
				x = start = break_line(page);
			buf_add(page->out, text, len);
			x += cells;
		}
	}
	end_line(page);
}

static void put_clean(const struct page *page, struct buf *line, const char *text)
{
	char cleaned[TEXT];

	clean(cleaned, text, page->style);
	buf_puts(line, cleaned);
}

static void put_heading(const struct page *page)
{
	bool is_local = !strcmp(json_get_text(page->report, "scope"), "local");
	const char *label = json_get_text(page->report, "label"), *period = json_get_text(page->report, "period");
	const char *zone = json_get_text(page->report, "timezone");
	struct buf line = BUF_INIT;

	put_clean(page, &line, label);
	if (*period && strcmp(period, label) != 0) {
		buf_puts(&line, " (");
		put_clean(page, &line, period);
		buf_putc(&line, ')');
	}
	if (*zone) {
		buf_puts(&line, ", ");
		put_clean(page, &line, zone);
	}
	buf_puts(&line,
		is_by(page, "wan") ? ", WAN interfaces" :
			is_local   ? ", within the LAN" :
				     ", to and from the internet");
	put_wrapped(page, buf_text(&line));
	buf_free(&line);
}

static void put_gaps(const struct page *page)
{
	const json_t *gaps = json_object_get(page->report, "gaps"), *gap;
	size_t count = json_array_size(gaps), i;
	struct buf line = BUF_INIT;

	json_array_foreach (gaps, i, gap) {
		buf_reset(&line);
		if (i == GAPS) {
			buf_printf(&line, "and %zu more gaps", count - GAPS);
			put_wrapped(page, buf_text(&line));
			break;
		}
		buf_puts(&line, "Gap: ");
		put_clean(page, &line, json_get_text(gap, "label"));
		buf_puts(&line, ", ");
		put_clean(page, &line, json_get_text(gap, "cause"));
		put_wrapped(page, buf_text(&line));
	}
	buf_free(&line);
}

static void put_notes(const struct page *page)
{
	const json_t *reasons = json_object_get(page->report, "incomplete"), *reason, *row;
	struct buf line = BUF_INIT;
	bool is_random = false;
	size_t i;

	json_array_foreach (json_object_get(page->report, "rows"), i, row)
		is_random |= json_get_bool(row, "random_mac");
	if (is_random)
		put_wrapped(page, "* has a random MAC: it may be counted as another device before and after");
	if (!json_get_bool(page->report, "complete")) {
		buf_puts(&line, "Not complete");
		json_array_foreach (reasons, i, reason) {
			buf_puts(&line, i ? "; " : ": ");
			put_clean(page, &line, json_to_text(reason));
		}
		put_wrapped(page, buf_text(&line));
	}
	buf_free(&line);
	put_gaps(page);
}

void report_text(struct buf *out, const json_t *report, const struct report_style *style)
{
	const json_t *rows = json_object_get(report, "rows"), *wan = json_object_get(report, "wan"), *row;
	struct page page = {
		.out = out, .style = style, .report = report, .by = known_by(json_get_text(report, "by"))
	};
	size_t i;

	page.width = style->width < LEAST_WIDTH ? LEAST_WIDTH : at_most(style->width, MOST_WIDTH);
	page.total = bytes_of(json_object_get(report, "total"));
	lay_out(&page);
	put_heading(&page);
	buf_putc(out, '\n');
	if (json_array_size(rows)) {
		put_titles(&page);
		json_array_foreach (rows, i, row)
			put_row(&page, row);
		put_sum(&page, "total", json_object_get(report, "total"), true);
	} else {
		put_wrapped(&page, "Nothing was used, as far as is known.");
	}
	/* The provider counts there: with the router's own traffic and all headers. */
	if (bytes_of(wan) && !is_by(&page, "wan"))
		put_sum(&page, "WAN links", wan, false);
	if (!json_get_bool(report, "complete") || json_array_size(rows))
		buf_putc(out, '\n');
	put_notes(&page);
	while (out->len > 1 && out->data[out->len - 1] == '\n' && out->data[out->len - 2] == '\n')
		out->len--;
}

/* --- CSV */

enum csv_type { CSV_TEXT, CSV_LIST, CSV_BOOL, CSV_NUMBER };

struct csv_column {
	const char *key;
	enum csv_type type;
};

static void put_csv_text(struct buf *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n ")) {
		buf_puts(out, text);
		return;
	}
	buf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_putc(out, '"');
		buf_putc(out, *text);
	}
	buf_putc(out, '"');
}

static void put_csv_list(struct buf *out, const json_t *list)
{
	struct buf text = BUF_INIT;
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		buf_puts(&text, i ? " " : "");
		buf_puts(&text, json_to_text(item));
	}
	put_csv_text(out, buf_text(&text));
	buf_free(&text);
}

/* A row; NULL: the titles. */
static void put_csv_row(struct buf *out, const struct csv_column *column, const json_t *row, bool *is_first)
{
	for (; column->key; column++) {
		const json_t *value = json_object_get(row, column->key);

		if (!*is_first)
			buf_putc(out, ',');
		*is_first = false;
		if (!row)
			buf_puts(out, column->key);
		else if (column->type == CSV_LIST)
			put_csv_list(out, value);
		else if (column->type == CSV_BOOL)
			buf_putc(out, json_is_true(value) ? '1' : '0');
		else if (column->type == CSV_NUMBER)
			buf_put_u64(out, json_to_u64(value));
		else
			put_csv_text(out, json_to_text(value));
	}
}

static const struct csv_column *csv_names(const char *by)
{
	static const struct csv_column device[] = { { "device", CSV_TEXT }, { "mac", CSV_TEXT }, { "macs", CSV_LIST },
		{ "group", CSV_TEXT }, { "random_mac", CSV_BOOL }, { 0 } };
	static const struct csv_column group[] = { { "group", CSV_TEXT }, { 0 } };
	static const struct csv_column wan[] = { { "wan", CSV_TEXT }, { 0 } };
	static const struct csv_column time[] = { { "label", CSV_TEXT }, { "start", CSV_NUMBER }, { "end", CSV_NUMBER },
		{ 0 } };

	return !strcmp(by, "device") ? device : !strcmp(by, "group") ? group : !strcmp(by, "wan") ? wan : time;
}

void report_csv(struct buf *out, const json_t *report)
{
	static const struct csv_column sums[] = { { "in_bytes", CSV_NUMBER }, { "out_bytes", CSV_NUMBER },
		{ "in_packets", CSV_NUMBER }, { "out_packets", CSV_NUMBER }, { "ipv6_bytes", CSV_NUMBER },
		{ "first_seen", CSV_NUMBER }, { "last_seen", CSV_NUMBER }, { 0 } };
	const json_t *rows = json_object_get(report, "rows");
	const struct csv_column *names = csv_names(json_get_text(report, "by"));

	for (size_t i = 0; i <= json_array_size(rows); i++) {
		const json_t *row = i ? json_array_get(rows, i - 1) : NULL;
		bool is_first = true;

		put_csv_row(out, names, row, &is_first);
		put_csv_row(out, sums, row, &is_first);
		buf_putc(out, '\n');
	}
}
