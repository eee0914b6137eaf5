/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch_pages.h"

#include "hostmeter/watch_head.h"
#include "hostmeter/watch_table.h"

#include <stdio.h>
#include <string.h>

enum { KEYS_WIDTH = 14, WORDS_WIDTH = 16 };

/* A page longer than the screen: lines are numbered, and those that lie within the screen are drawn. */
struct page {
	struct watch_frame *frame;
	const struct watch_history *history;
	const struct watch_view *view;
	int from, to; /* rows of the screen */
	int top;      /* the line that stands in the first of them */
	int line;     /* the next one */
};

/* The row of the next line, -1 if it is not on the screen. */
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

/* Draws twice: first to see how long it is, so that nobody scrolls past the end. */
static void show(struct watch_frame *frame, int y, const struct watch_history *history, struct watch_view *view,
	void (*draw)(struct page *page))
{
	struct page page = { frame, history, view, y, frame->height - 1, 0, 0 };
	int rows = page.to - page.from, move = view->move + view->move_pages * (rows > 1 ? rows - 1 : 1);

	page.to = page.from;
	draw(&page);
	page.to = frame->height - 1;
	view->move = view->move_pages = 0;
	view->page_top += move;
	if (view->page_top > page.line - rows)
		view->page_top = page.line - rows;
	if (view->page_top < 0)
		view->page_top = 0;
	page.top = view->page_top;
	page.line = 0;
	draw(&page);
	watch_frame_put(frame, 0, frame->height - 1, frame->width, WATCH_STYLE_DIM,
		page.line > rows ? "Esc back, arrows for more" : "Esc back");
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
	for (size_t i = 0; watch_key_help(i, &keys, &what); i++)
		put_pair(page, KEYS_WIDTH, WATCH_STYLE_KEY, keys, what);
	put_line(page, WATCH_STYLE_TITLE, "Columns");
	put_pair(page, KEYS_WIDTH, WATCH_STYLE_KEY, "DOWN, UP", "from and to the Internet, seen from the host");
	put_pair(page, KEYS_WIDTH, WATCH_STYLE_KEY, "LAST MIN", "both, second by second, on one scale for all hosts");
	put_pair(page, KEYS_WIDTH, WATCH_STYLE_KEY, "TOTAL", "bytes both ways since this view began, or since z");
	put_pair(page, KEYS_WIDTH, WATCH_STYLE_KEY, "SHARE", "of what all hosts move now, or have moved with t");
	put_pair(page, KEYS_WIDTH, WATCH_STYLE_KEY, "IPv6", "how much of the host's own goes over IPv6");
	put_pair(page, KEYS_WIDTH, WATCH_STYLE_KEY, "CONN, SEEN", "connections that live, and when bytes came last");
}

void watch_page_help(struct watch_frame *frame, int y, const struct watch_history *history, struct watch_view *view)
{
	show(frame, y, history, view, draw_help);
}

/* ---- One host */

static bool find_host(const struct watch_history *history, const struct watch_view *view, size_t *index)
{
	for (size_t i = 0; i < history->tracks; i++) {
		*index = i;
		if (!strcmp(history->track[i]->label, view->label) && !strcmp(history->track[i]->mac, view->mac))
			return true;
	}
	return false;
}

static void put_family(struct page *page, const struct watch_track *track, int family)
{
	const struct watch_history *history = page->history;
	const struct watch_view *view = page->view;
	char text[2 * WATCH_DIRECTIONS][WATCH_NUMBER], line[160];

	for (int d = 0; d < WATCH_DIRECTIONS; d++) {
		double rate = watch_history_rate(history, track, 1u << family, d, watch_view_seconds(view));

		watch_amount(text[d], view->bytes ? rate : rate * 8, view->binary);
		watch_amount(text[WATCH_DIRECTIONS + d], (double)track->session[family][d], view->binary);
	}
	snprintf(line, sizeof(line), "%7s %7s %s   %7s %7s bytes", text[0], text[1],
		view->bytes ? "B/s" : "b/s", text[2], text[3]);
	put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, family == WATCH_IPV4 ? "IPv4" : "IPv6", line);
}

static void put_seen(struct page *page, const char *word, uint64_t when)
{
	uint64_t now = page->history->sample.time;
	char text[WATCH_NUMBER], line[32];

	watch_age(text, now > when ? now - when : 0);
	snprintf(line, sizeof(line), "%s%s", text, strcmp(text, "now") ? " ago" : "");
	put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, word, when ? line : "-");
}

static void put_spark(struct page *page, const struct watch_track *track)
{
	int steps = page->frame->width >= WORDS_WIDTH + 60 ? 60 : 20, y = next_line(page);
	float step[WATCH_SLOTS], most = 0;

	watch_history_spark(page->history, track, watch_view_families(page->view), step, steps);
	for (int i = 0; i < steps; i++)
		most = step[i] > most ? step[i] : most;
	watch_frame_put(page->frame, 0, y, WORDS_WIDTH - 1, WATCH_STYLE_DIM, "last minute");
	if (y >= 0)
		watch_spark(page->frame, WORDS_WIDTH, y, step, steps, most);
}

static void put_connection(struct page *page, const struct watch_connection *c)
{
	char down[WATCH_NUMBER], up[WATCH_NUMBER], age[WATCH_NUMBER], ports[24] = "", line[160];
	double factor = page->view->bytes ? 1 : 8;

	if (c->remote_port || c->local_port)
		snprintf(ports, sizeof(ports), "%u", c->inbound ? c->local_port : c->remote_port);
	snprintf(line, sizeof(line), "%-5s %-4s %5s %7s %7s %5s", c->protocol, c->inbound ? "from" : "to", ports,
		watch_amount(down, (double)c->rate[WATCH_DOWN] * factor, page->view->binary),
		watch_amount(up, (double)c->rate[WATCH_UP] * factor, page->view->binary), watch_age(age, c->age));

	int y = next_line(page), width = page->frame->width - 40 < ADDR_TEXT ? page->frame->width - 40 : ADDR_TEXT;

	watch_frame_put(page->frame, 0, y, width > 16 ? width - 1 : 15, WATCH_STYLE_PLAIN, c->remote);
	watch_frame_put(page->frame, width > 16 ? width : 16, y, page->frame->width, WATCH_STYLE_PLAIN, line);
}

static void put_connections(struct page *page, const struct watch_track *track)
{
	const struct watch_history *history = page->history;

	if (!history->has_connections || history->detail != track)
		return;
	put_line(page, WATCH_STYLE_TITLE, history->connections ? "Connections" : "No connections");
	for (size_t i = 0; i < history->connections; i++)
		put_connection(page, &history->connection[i]);
}

static void draw_host(struct page *page)
{
	const struct watch_history *history = page->history;
	const struct watch_sample_host *host;
	const struct watch_track *track;
	char line[64];
	size_t index;

	if (!find_host(history, page->view, &index)) {
		put_line(page, WATCH_STYLE_DIM, "The meter does not list this host any more.");
		return;
	}
	host = &history->sample.host[index];
	track = history->track[index];
	put_line(page, WATCH_STYLE_TITLE, host->label);
	if (host->mac[0])
		put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, "MAC", host->mac);
	for (size_t i = 0; i < host->addresses; i++)
		put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, i ? "" : "addresses", history->sample.address[host->address + i]);
	put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, "", "   down      up          down      up");
	for (int family = 0; family < WATCH_FAMILIES; family++)
		put_family(page, track, family);
	put_spark(page, track);
	snprintf(line, sizeof(line), "%u IPv4, %u IPv6", host->connections[WATCH_IPV4], host->connections[WATCH_IPV6]);
	put_pair(page, WORDS_WIDTH, WATCH_STYLE_DIM, "connections", line);
	put_seen(page, "first seen", host->first_seen);
	put_seen(page, "last seen", host->last_seen);
	put_connections(page, track);
}

void watch_page_host(struct watch_frame *frame, int y, const struct watch_history *history, struct watch_view *view)
{
	show(frame, y, history, view, draw_host);
}
