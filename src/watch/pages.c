/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/protocol.h"
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_WIDTH = 14, WORDS_WIDTH = 16, BOTH_FROM = 60 /* width for both rates and sums */ };

/* A page may be longer than the screen: only the lines that lie on the screen are drawn. */
struct page {
	const struct watch_screen *screen;
	struct watch_frame *frame;
	const struct watch_history *history;
	const struct watch_view *view;
	int from, to;                         /* the rows of the screen it may use */
	int top;                              /* the line in the first of these rows */
	int line;                             /* the next line */
	struct watch_connections_shown shown; /* of the host's connections */
};

/* The row of the next line; -1: it is not on the screen. */
static int next_line(struct page *page)
{
	int y = page->from + page->line++ - page->top;

	return y >= page->from && y < page->to ? y : -1;
}

static void put_line(struct page *page, enum watch_style style, const char *text)
{
	watch_frame_put(page->frame, 0, next_line(page), page->frame->width, style, text);
}

static void put_pair(struct page *page, int width, enum watch_style style, const char *left, const char *right)
{
	int y = next_line(page);

	watch_frame_put(page->frame, 0, y, width - 1, style, left);
	watch_frame_put(page->frame, width, y, page->frame->width - width, WATCH_STYLE_PLAIN, right);
}

/* ---- Keys */

static void draw_help(struct page *page)
{
	const char *keys, *what;

	for (size_t i = 0; i < page->history->sample.warnings; i++) {
		if (i == 0)
			put_line(page, WATCH_STYLE_TITLE, "What the meter warns of");
		put_pair(page, 2, WATCH_STYLE_WARNING, "!", page->history->sample.warning[i]);
	}
	put_line(page, WATCH_STYLE_TITLE, "Keys");
	for (size_t i = 0; watch_view_keys(false, i, &keys, &what); i++)
		put_pair(page, KEYS_WIDTH, WATCH_STYLE_KEY, keys, what);
	put_line(page, WATCH_STYLE_TITLE, "Columns");
	for (int i = 0; i < WATCH_COLUMNS; i++)
		if (watch_table_columns[i].help)
			put_pair(page, KEYS_WIDTH, WATCH_STYLE_KEY, watch_table_columns[i].help_title,
				watch_table_columns[i].help);
}

/* ---- One host */

static void put_family(struct page *page, const struct watch_track *track, int family)
{
	const struct watch_history *history = page->history;
	const struct watch_view *view = page->view;
	char text[2 * WATCH_DIRECTIONS][WATCH_NUMBER], line[160];

	for (int d = 0; d < WATCH_DIRECTIONS; d++) {
		double rate = watch_history_rate(history, track, 1u << family, d, watch_view_seconds(view));

		watch_format_rate(text[d], rate, view);
		watch_format_bytes(text[WATCH_DIRECTIONS + d], (double)track->session[family][d], view);
	}
	snprintf(line, sizeof(line), "%9s %9s   %8s %8s", text[0], text[1], text[2], text[3]);
	if (page->frame->width < BOTH_FROM)
		line[19] = '\0';
	put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, family == WATCH_IPV4 ? "IPv4" : "IPv6", line);
}

static void put_seen(struct page *page, const char *word, uint64_t when)
{
	char text[WATCH_NUMBER], line[32];

	watch_format_age(text, page->history->sample.time, when);
	snprintf(line, sizeof(line), "%s%s", text, strcmp(text, "now") ? " ago" : "");
	put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, word, when ? line : "-");
}

static void put_spark(struct page *page, const struct watch_track *track)
{
	int steps = page->frame->width >= WORDS_WIDTH + 60 ? 60 : 20, y = next_line(page);
	float step[WATCH_SLOTS];
	float most = watch_header_steps(page->screen, track, watch_view_families(page->view), step, steps);

	watch_frame_put(page->frame, 0, y, WORDS_WIDTH - 1, WATCH_STYLE_DIM,
		watch_header_is_wide(page->screen) ? "last 5 minutes" : "last minute");
	if (y >= 0)
		watch_header_spark(page->frame, WORDS_WIDTH, y, step, steps, most);
}

/* ---- Its connections */

enum connection_column { REMOTE, MEMBERS, PROTOCOL, PORT, OWN_PORT, DOWN, UP, TOTAL, AGE };

/* From left to right; all but the first are right-aligned, and the first takes what the others leave. */
static const struct connection_title {
	const char *title;
	int width; /* with the gap before it */
	int from;  /* it is shown on screens at least this wide */
	enum watch_style style;
	enum watch_connection_sort sort;  /* WATCH_CONNECTION_SORTS: none */
	enum { ANY, SINGLE, GROUP } rows; /* the kind of rows that have it */
} connection_titles[] = {
	[REMOTE] = { "REMOTE", 0, 0, WATCH_STYLE_PLAIN, WATCH_BY_REMOTE, ANY },
	[MEMBERS] = { "CONN", 6, 0, WATCH_STYLE_PLAIN, WATCH_BY_PORT, GROUP },
	[PROTOCOL] = { "PROTO", 6, 48, WATCH_STYLE_PLAIN, WATCH_CONNECTION_SORTS, SINGLE },
	[PORT] = { "PORT", 6, 0, WATCH_STYLE_PLAIN, WATCH_BY_PORT, SINGLE },
	[OWN_PORT] = { "OWN", 6, 90, WATCH_STYLE_PLAIN, WATCH_CONNECTION_SORTS, SINGLE },
	[DOWN] = { "DOWN", 9, 0, WATCH_STYLE_DOWN, WATCH_BY_DOWN, ANY },
	[UP] = { "UP", 9, 0, WATCH_STYLE_UP, WATCH_BY_UP, ANY },
	[TOTAL] = { "TOTAL", 8, 70, WATCH_STYLE_PLAIN, WATCH_BY_TOTAL, ANY },
	[AGE] = { "AGE", 6, 56, WATCH_STYLE_PLAIN, WATCH_BY_AGE, ANY },
};

enum { CONNECTION_COLUMNS = sizeof(connection_titles) / sizeof(connection_titles[0]), REMOTE_MOST = ADDR_TEXT + 2 };

/* The cells that a column takes; 0: it is not shown. */
static int connection_width(const struct page *page, enum connection_column column)
{
	const struct connection_title *title = &connection_titles[column];

	if (page->frame->width < title->from || title->rows == (page->view->connections.grouped ? SINGLE : GROUP))
		return 0;
	return column == DOWN || column == UP ? watch_format_rate_width(page->view) + 1 : title->width;
}

static void put_columns(struct page *page, enum watch_style style, const char *const text[static CONNECTION_COLUMNS])
{
	int width = page->frame->width, y = next_line(page), x, rest = 0;
	enum watch_connection_sort sort = page->view->connections.sort;

	if (style == WATCH_STYLE_HEADER)
		watch_frame_paint(page->frame, y, style);
	for (int i = MEMBERS; i < CONNECTION_COLUMNS; i++)
		rest += connection_width(page, i);
	x = width - rest < REMOTE_MOST ? width - rest : REMOTE_MOST;
	watch_frame_put(page->frame, 0, y, x,
		style == WATCH_STYLE_HEADER && sort == WATCH_BY_REMOTE ? WATCH_STYLE_SORTED : style, text[REMOTE]);
	for (int i = MEMBERS; i < CONNECTION_COLUMNS; i++) {
		const struct connection_title *title = &connection_titles[i];
		int taken = connection_width(page, i);

		if (!taken)
			continue;
		watch_frame_put_right(page->frame, x + 1, y, taken - 1,
			style == WATCH_STYLE_PLAIN                                 ? title->style :
				style == WATCH_STYLE_HEADER && sort == title->sort ? WATCH_STYLE_SORTED :
										     style,
			text[i]);
		x += taken;
	}
}

static const char *put_port(char text[static WATCH_NUMBER], uint16_t port)
{
	snprintf(text, WATCH_NUMBER, port ? "%u" : "-", port);
	return text;
}

static const char *put_amount(char text[static WATCH_NUMBER], const struct watch_view *view,
	const struct watch_connection *c, int direction)
{
	if (view->totals)
		return watch_format_bytes(text, (double)c->bytes[direction], view);
	if (!c->has_rate)
		return "-";
	return watch_format_rate(text, c->rate[direction], view);
}

/* The age of a connection that is older than the first listing is a minimum: ">12s". */
static const char *put_age(char text[static WATCH_NUMBER], const struct watch_connections *all,
	const struct watch_connection *c)
{
	char age[WATCH_NUMBER];

	watch_format_age(age, all->time, c->since);
	if (!c->older)
		return strcpy(text, age);
	if (!strcmp(age, "now"))
		return "-";
	snprintf(text, WATCH_NUMBER, ">%.*s", WATCH_NUMBER - 2, age);
	return text;
}

static void put_connection(struct page *page, const struct watch_connection *c)
{
	/* Who opened it: the host, or the other end. */
	static const char *const marks[2][2] = { { "> ", "< " }, { "→ ", "← " } };
	char address[ADDR_TEXT], remote[ADDR_TEXT + 8], protocol[PROTOCOL_TEXT],
		number[CONNECTION_COLUMNS][WATCH_NUMBER];
	const struct watch_view *view = page->view;
	/* If there is room for one port only, it is that of the end that did not open the connection. */
	bool own = c->inbound && page->frame->width < connection_titles[OWN_PORT].from;
	const char *text[CONNECTION_COLUMNS] = {
		[REMOTE] = remote,
		[MEMBERS] = number[MEMBERS],
		[PROTOCOL] = protocol_short_name(c->proto, protocol),
		[PORT] = put_port(number[PORT], own ? watch_connection_own_port(c) : watch_connection_remote_port(c)),
		[OWN_PORT] = put_port(number[OWN_PORT], watch_connection_own_port(c)),
		[DOWN] = put_amount(number[DOWN], view, c, WATCH_DOWN),
		[UP] = put_amount(number[UP], view, c, WATCH_UP),
		[TOTAL] = watch_format_bytes(number[TOTAL], (double)c->bytes[WATCH_DOWN] + (double)c->bytes[WATCH_UP],
			view),
		[AGE] = put_age(number[AGE], &page->history->connections, c),
	};

	snprintf(number[MEMBERS], sizeof(number[MEMBERS]), "%u", c->members);
	snprintf(remote, sizeof(remote), "%s%s", c->members ? "" : marks[page->frame->utf8][c->inbound],
		addr_format(watch_connection_remote(c), address));
	put_columns(page, c->local ? WATCH_STYLE_DIM : WATCH_STYLE_PLAIN, text);
}

/* "3 of 12 IPv4 connections with 2 remotes, by rate". */
static void put_connections_title(struct page *page)
{
	static const char *const orders[WATCH_CONNECTION_SORTS] = { "remote", "down", "up", "total", NULL, "port",
		"age" };
	const struct watch_connections *all = &page->history->connections;
	const struct watch_connections_shown *shown = &page->shown;
	const struct watch_choice choice = watch_view_connections(page->view);
	const char *order = orders[choice.sort];
	char of[32] = "", remotes[40] = "", line[160];

	if (!order)
		order = choice.totals ? "total" : "rate";
	if (choice.sort == WATCH_BY_PORT && choice.grouped)
		order = "connections";
	if (choice.filter[0] || choice.family)
		snprintf(of, sizeof(of), "%zu of ", shown->connections);
	if (choice.grouped)
		snprintf(remotes, sizeof(remotes), " with %zu remote%s", shown->rows, shown->rows == 1 ? "" : "s");
	snprintf(line, sizeof(line), "%s%zu%s connection%s%s, by %s%s", of, all->count, all->cut ? " and more" : "",
		all->count == 1 ? "" : "s", remotes, order, choice.reverse ? ", reversed" : "");
	put_line(page, WATCH_STYLE_TITLE, line);
}

static void put_connections(struct page *page)
{
	const struct watch_connections *all = &page->history->connections;
	const char *notice = page->view->connections_notice, *titles[CONNECTION_COLUMNS];

	if (!watch_connections_are_of(all, page->view->label, page->view->mac) || !page->shown.row) {
		put_line(page, WATCH_STYLE_DIM, notice[0] ? notice : "Its connections are being read.");
		return;
	}
	if (!all->count) {
		put_line(page, WATCH_STYLE_DIM, "It has no connections.");
		return;
	}
	put_connections_title(page);
	for (int i = 0; i < CONNECTION_COLUMNS; i++)
		titles[i] = connection_titles[i].title;
	put_columns(page, WATCH_STYLE_HEADER, titles);
	for (size_t i = 0; i < page->shown.rows; i++)
		put_connection(page, page->shown.row[i]);
	if (!page->shown.rows)
		put_line(page, WATCH_STYLE_DIM, "no connection has this in address, protocol or port");
}

static void draw_host(struct page *page)
{
	const struct watch_history *history = page->history;
	const struct watch_sample_host *host = history->sample.host; /* NULL without hosts */
	const struct watch_track *track;
	size_t at = 0;
	char line[64];

	for (; at < history->tracks; at++, host++)
		if (!strcmp(host->label, page->view->label) && !strcmp(host->mac, page->view->mac))
			break;
	if (at == history->tracks) {
		put_line(page, WATCH_STYLE_DIM, "The meter does not list this host any more.");
		return;
	}
	track = watch_history_track(history, at, page->view->local);
	put_line(page, WATCH_STYLE_TITLE, host->label);
	if (host->mac[0])
		put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, "MAC", host->mac);
	for (size_t i = 0; i < host->addresses; i++)
		put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, i ? "" : "addresses",
			history->sample.address[host->address + i]);
	put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, "",
		page->frame->width < BOTH_FROM ? "     down        up" : "     down        up       down       up");
	for (int family = 0; family < WATCH_FAMILIES; family++)
		put_family(page, track, family);
	put_spark(page, track);
	snprintf(line, sizeof(line), "%u IPv4, %u IPv6", host->connections[WATCH_IPV4], host->connections[WATCH_IPV6]);
	put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, "connections", line);
	put_seen(page, "first seen", host->first_seen);
	put_seen(page, "last seen", host->last_seen);
	put_connections(page);
}

/* ---- The whole */

/* How to leave the page, and what else its keys do, as far as there is room. */
static void put_foot(const struct page *page, int y, bool scrolls)
{
	static const char *const hints[] = { "t rates or totals", "r reverse", "c by remote", "/ filter", "s sort",
		"f family" };
	char line[160];
	int len = snprintf(line, sizeof(line), "Esc back%s", scrolls ? ", arrows for more" : "");

	if (page->view->page == WATCH_PAGE_HOST && watch_header_filter(page->screen, y))
		return;
	for (size_t i = 0; page->shown.row && page->history->connections.count && i < sizeof(hints) / sizeof(hints[0]);
		i++)
		if (len + (int)strlen(hints[i]) + 2 <= page->frame->width)
			len += snprintf(line + len, sizeof(line) - (size_t)len, ", %s", hints[i]);
	watch_frame_put(page->frame, 0, y, page->frame->width, WATCH_STYLE_DIM, line);
}

/* Draws twice: the first time only counts the lines, so that scrolling stops at the last one. */
void watch_pages_draw(const struct watch_screen *screen, int y)
{
	struct watch_view *view = screen->view;
	const struct watch_choice choice = watch_view_connections(view);
	void (*draw)(struct page * page) = view->page == WATCH_PAGE_HELP ? draw_help : draw_host;
	int foot = screen->frame->height - 1, rows = foot - y;
	struct page page = { screen, screen->frame, screen->history, view, .from = y, .to = y };

	if (draw == draw_host)
		watch_connections_show(&page.shown, &screen->history->connections, &choice);
	draw(&page);
	view->page_top = watch_clamp(view->page_top + view->move, 0, page.line - rows);
	view->move = 0;
	page.to = foot;
	page.top = view->page_top;
	page.line = 0;
	draw(&page);
	put_foot(&page, foot, page.line > rows);
	watch_connections_shown_free(&page.shown);
}
