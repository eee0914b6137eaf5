/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/view.h"

#include <limits.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* The steps of + and -. */
static const uint64_t intervals[] = {
	200 * MS,
	500 * MS,
	1000 * MS,
	2000 * MS,
	5000 * MS,
	10000 * MS,
	30000 * MS,
	60000 * MS,
	300000 * MS,
	3600000 * MS,
};

enum { INTERVALS = sizeof(intervals) / sizeof(intervals[0]), WHEEL_ROWS = 3, FAR = INT_MAX / 4 };

struct watch_view watch_view_default(void)
{
	return (struct watch_view){
		.width = 80,
		.height = 24,
		.interval_ns = 1000 * MS,
		.sort = WATCH_COL_SHARE,
		.window = 1,
		.click = -1,
	};
}

double watch_view_seconds(const struct watch_view *view)
{
	return view->plain ? 0 : watch_windows[view->window];
}

unsigned int watch_view_families(const struct watch_view *view)
{
	unsigned int ipv4 = 1u << WATCH_IPV4, ipv6 = 1u << WATCH_IPV6;

	return view->family == 4 ? ipv4 : view->family == 6 ? ipv6 : ipv4 | ipv6;
}

/* ---- What keys do. arg: the row's own, or for a range of keys which one it was. */

static enum watch_action quit(struct watch_view *view, int arg)
{
	(void)view;
	(void)arg;
	return WATCH_QUIT;
}

static enum watch_action help(struct watch_view *view, int arg)
{
	(void)arg;
	view->page = view->page == WATCH_PAGE_HELP ? WATCH_PAGE_LIST : WATCH_PAGE_HELP;
	view->page_top = 0;
	return WATCH_NOTHING;
}

static enum watch_action pause_view(struct watch_view *view, int arg)
{
	(void)arg;
	view->paused = !view->paused;
	return WATCH_NOTHING;
}

static enum watch_action sort_by(struct watch_view *view, int arg)
{
	view->sort = (enum watch_column)arg;
	view->reverse = false;
	view->top = 0;
	return WATCH_NOTHING;
}

static enum watch_action sort_next(struct watch_view *view, int arg)
{
	(void)arg;
	return sort_by(view, (int)(view->sort + 1) % WATCH_SORTS);
}

static enum watch_action reverse(struct watch_view *view, int arg)
{
	(void)arg;
	view->reverse = !view->reverse;
	return WATCH_NOTHING;
}

static enum watch_action units(struct watch_view *view, int arg)
{
	(void)arg;
	view->bytes = !view->bytes;
	return WATCH_NOTHING;
}

static enum watch_action powers(struct watch_view *view, int arg)
{
	(void)arg;
	view->binary = !view->binary;
	return WATCH_NOTHING;
}

static enum watch_action totals(struct watch_view *view, int arg)
{
	(void)arg;
	view->totals = !view->totals;
	return WATCH_NOTHING;
}

static enum watch_action window(struct watch_view *view, int arg)
{
	(void)arg;
	view->window = (view->window + 1) % WATCH_WINDOWS;
	return WATCH_NOTHING;
}

static enum watch_action family(struct watch_view *view, int arg)
{
	(void)arg;
	view->family = view->family == 0 ? 4 : view->family == 4 ? 6 : 0;
	return WATCH_NOTHING;
}

static enum watch_action type_filter(struct watch_view *view, int arg)
{
	(void)arg;
	view->typing = true;
	view->page = WATCH_PAGE_LIST;
	return WATCH_NOTHING;
}

static enum watch_action open_host(struct watch_view *view, int arg)
{
	(void)arg;
	if (view->page == WATCH_PAGE_LIST) {
		view->page = WATCH_PAGE_HOST;
		view->page_top = 0;
	}
	return WATCH_NOTHING;
}

/* One step back: from a page, then from the filter, then from the choice of a host. */
static enum watch_action back(struct watch_view *view, int arg)
{
	(void)arg;
	if (view->page != WATCH_PAGE_LIST)
		view->page = WATCH_PAGE_LIST;
	else if (view->filter[0])
		view->filter[0] = '\0';
	else
		view->selecting = false;
	return WATCH_NOTHING;
}

static enum watch_action slower(struct watch_view *view, int arg)
{
	size_t i = 0;

	(void)arg;
	while (i < INTERVALS - 1 && intervals[i] <= view->interval_ns)
		i++;
	view->interval_ns = intervals[i];
	return WATCH_INTERVAL;
}

static enum watch_action quicker(struct watch_view *view, int arg)
{
	size_t i = INTERVALS - 1;

	(void)arg;
	while (i > 0 && intervals[i] >= view->interval_ns)
		i--;
	view->interval_ns = intervals[i];
	return WATCH_INTERVAL;
}

static int bounded(int rows)
{
	return rows > FAR ? FAR : rows < -FAR ? -FAR : rows;
}

static enum watch_action move(struct watch_view *view, int arg)
{
	view->move = bounded(view->move + arg);
	return WATCH_NOTHING;
}

static enum watch_action move_page(struct watch_view *view, int arg)
{
	view->move_pages = bounded(view->move_pages + arg);
	return WATCH_NOTHING;
}

static enum watch_action zero(struct watch_view *view, int arg)
{
	(void)view;
	(void)arg;
	return WATCH_ZERO;
}

/* ---- The table. A row without words belongs to the one above it. */

struct binding {
	int first, last; /* keys; last 0: one key */
	enum watch_action (*act)(struct watch_view *view, int arg);
	int arg; /* of the first key */
	const char *keys, *what;
};

static const struct binding bindings[] = {
	{ 'q', 0, quit, 0, "q", "quit" },
	{ '?', 0, help, 0, "?", "this page, and back" },
	{ 'h', 0, help, 0, NULL, NULL },
	{ ' ', 0, pause_view, 0, "space", "pause; what happens meanwhile is not lost" },
	{ 's', 0, sort_next, 0, "s", "sort by the next column" },
	{ '1', '7', sort_by, WATCH_COL_NAME, "1 to 7", "sort by name, down, up, total, share, IPv6, connections" },
	{ 'r', 0, reverse, 0, "r", "reverse the order" },
	{ 'u', 0, units, 0, "u", "rates in bits or bytes" },
	{ 'i', 0, powers, 0, "i", "powers of 1000 or 1024" },
	{ 't', 0, totals, 0, "t", "rates, or totals of the session" },
	{ 'a', 0, window, 0, "a", "average over 2, 10 or 40 seconds" },
	{ 'f', 0, family, 0, "f", "both families, IPv4, IPv6" },
	{ '/', 0, type_filter, 0, "/", "show only what has this in name, MAC or address" },
	{ WATCH_KEY_ENTER, 0, open_host, 0, "Enter", "open a host" },
	{ WATCH_KEY_ESCAPE, 0, back, 0, "Esc", "back; show all; choose none" },
	{ WATCH_KEY_BACKSPACE, 0, back, 0, NULL, NULL },
	{ '+', 0, slower, 0, "+ -", "longer or shorter interval" },
	{ '-', 0, quicker, 0, NULL, NULL },
	{ WATCH_KEY_UP, 0, move, -1, "arrows, j k", "choose a host" },
	{ 'k', 0, move, -1, NULL, NULL },
	{ WATCH_KEY_DOWN, 0, move, 1, NULL, NULL },
	{ 'j', 0, move, 1, NULL, NULL },
	{ WATCH_KEY_WHEEL_UP, 0, move, -WHEEL_ROWS, NULL, NULL },
	{ WATCH_KEY_WHEEL_DOWN, 0, move, WHEEL_ROWS, NULL, NULL },
	{ WATCH_KEY_PAGE_UP, 0, move_page, -1, "PgUp PgDn", "a page up or down" },
	{ WATCH_KEY_PAGE_DOWN, 0, move_page, 1, NULL, NULL },
	{ WATCH_KEY_HOME, 0, move, -FAR, "Home End", "the first or the last" },
	{ 'g', 0, move, -FAR, NULL, NULL },
	{ WATCH_KEY_END, 0, move, FAR, NULL, NULL },
	{ 'G', 0, move, FAR, NULL, NULL },
	{ 'z', 0, zero, 0, "z", "the session begins now" },
};

enum { BINDINGS = sizeof(bindings) / sizeof(bindings[0]) };

bool watch_view_help(size_t n, const char **keys, const char **what)
{
	for (size_t i = 0; i < BINDINGS; i++) {
		if (!bindings[i].keys || n-- > 0)
			continue;
		*keys = bindings[i].keys;
		*what = bindings[i].what;
		return true;
	}
	return false;
}

/* ---- The filter being typed */

static size_t encode(char *text, uint32_t code)
{
	static const uint8_t first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; code >>= 6)
		text[i] = (char)(0x80 | (code & 0x3f));
	text[0] = (char)(first[len == 1 ? 0 : len] | code);
	return len;
}

static void delete_last(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && (text[--len] & 0xc0) == 0x80)
		;
	text[len] = '\0';
}

static void type(struct watch_view *view, int key)
{
	enum { CTRL_U = 0x15 };
	size_t len = strlen(view->filter);

	if (key == WATCH_KEY_ENTER)
		view->typing = false;
	else if (key == WATCH_KEY_BACKSPACE)
		delete_last(view->filter);
	else if (key == WATCH_KEY_ESCAPE || key == CTRL_U)
		view->filter[0] = '\0';
	else if (key >= ' ' && key != 0x7f && key < WATCH_KEY_UP && len + 4 < sizeof(view->filter))
		view->filter[len + encode(view->filter + len, (uint32_t)key)] = '\0';
	if (key == WATCH_KEY_ESCAPE)
		view->typing = false;
	view->top = 0;
}

enum watch_action watch_view_key(struct watch_view *view, int key)
{
	bool moves = key >= WATCH_KEY_UP && key <= WATCH_KEY_END;

	if (view->typing && !moves) {
		type(view, key);
		return WATCH_NOTHING;
	}
	for (const struct binding *b = bindings; b < bindings + BINDINGS; b++)
		if (key == b->first || (b->last && key > b->first && key <= b->last))
			return b->act(view, b->arg + key - b->first);
	return WATCH_NOTHING;
}

void watch_view_click(struct watch_view *view, int x, int y)
{
	if (view->page != WATCH_PAGE_LIST)
		return;
	if (y != view->header_row) {
		view->click = y;
		return;
	}
	for (int column = 0; column < WATCH_SORTS; column++) {
		const struct watch_span *span = &view->header[column];

		if (x < span->x || x >= span->x + span->width)
			continue;
		if (view->sort == (enum watch_column)column)
			view->reverse = !view->reverse;
		else
			sort_by(view, column);
		return;
	}
}
