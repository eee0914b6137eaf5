/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/view.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/watch/term.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#define S CLOCK_NS_PER_S
#define MS CLOCK_NS_PER_MS

/* The steps of + and -. */
static const uint64_t intervals[] = { 200 * MS, 500 * MS, S, 2 * S, 5 * S, 10 * S, 30 * S, 60 * S, 300 * S, 3600 * S };

enum { INTERVALS = sizeof(intervals) / sizeof(intervals[0]), WHEEL_ROWS = 3, FAR = INT_MAX / 4 };

struct watch_view watch_view_default(void)
{
	return (struct watch_view){
		.width = 80,
		.height = 24,
		.interval_ns = S,
		.sort = WATCH_COL_SHARE,
		.connections.sort = WATCH_BY_BOTH,
		.window = 1,
		.click = -1,
	};
}

double watch_view_seconds(const struct watch_view *view)
{
	return view->plain && !view->averaged ? 0 : watch_windows[view->window];
}

struct watch_choice watch_view_connections(const struct watch_view *view)
{
	struct watch_choice choice = view->connections;

	choice.family = view->family;
	choice.totals = view->totals;
	return choice;
}

static char *filter_of(struct watch_view *view)
{
	return view->page == WATCH_PAGE_HOST ? view->connections.filter : view->filter;
}

const char *watch_view_filter(const struct watch_view *view)
{
	return filter_of((struct watch_view *)view);
}

unsigned int watch_view_families(const struct watch_view *view)
{
	unsigned int ipv4 = 1u << WATCH_IPV4, ipv6 = 1u << WATCH_IPV6;

	return view->family == 4 ? ipv4 : view->family == 6 ? ipv6 : ipv4 | ipv6;
}

/* ---- What keys do. arg: from the table below; it counts up within a range of keys. */

/* arg: the offset of a bool in the view. */
static void toggle(struct watch_view *view, int arg)
{
	bool *choice = (bool *)((char *)view + arg);

	*choice = !*choice;
}

static void help(struct watch_view *view, int arg)
{
	(void)arg;
	view->page = view->page == WATCH_PAGE_HELP ? WATCH_PAGE_LIST : WATCH_PAGE_HELP;
	view->page_top = 0;
}

static void sort_by(struct watch_view *view, int arg)
{
	if (view->page == WATCH_PAGE_HOST) {
		view->connections.sort = (enum watch_connection_sort)arg;
		view->connections.reverse = false;
		return;
	}
	view->sort = (enum watch_column)arg;
	view->reverse = false;
	view->top = 0;
}

static void sort_next(struct watch_view *view, int arg)
{
	if (view->page == WATCH_PAGE_HOST)
		sort_by(view, ((int)view->connections.sort + arg) % WATCH_CONNECTION_SORTS);
	else
		sort_by(view, ((int)view->sort + arg) % WATCH_SORTS);
}

static void reverse(struct watch_view *view, int arg)
{
	bool *choice = view->page == WATCH_PAGE_HOST ? &view->connections.reverse : &view->reverse;

	(void)arg;
	*choice = !*choice;
}

static void window(struct watch_view *view, int arg)
{
	view->window = (view->window + arg) % WATCH_WINDOWS;
}

static void family(struct watch_view *view, int arg)
{
	(void)arg;
	view->family = view->family == 0 ? 4 : view->family == 4 ? 6 : 0;
}

static void type_filter(struct watch_view *view, int arg)
{
	(void)arg;
	view->typing = true;
	if (view->page == WATCH_PAGE_HELP)
		view->page = WATCH_PAGE_LIST;
}

static void open_host(struct watch_view *view, int arg)
{
	(void)arg;
	if (view->page != WATCH_PAGE_LIST)
		return;
	view->page = WATCH_PAGE_HOST;
	view->page_top = 0;
	view->connections.filter[0] = '\0';
}

/* Leaves one thing: the filter of a host's page, the page, the list's filter, the choice of a host. */
static void back(struct watch_view *view, int arg)
{
	(void)arg;
	if (view->page == WATCH_PAGE_HOST && view->connections.filter[0])
		view->connections.filter[0] = '\0';
	else if (view->page != WATCH_PAGE_LIST)
		view->page = WATCH_PAGE_LIST;
	else if (view->filter[0])
		view->filter[0] = '\0';
	else
		view->selecting = false;
}

/* arg: 1: the next longer interval; -1: the next shorter one. */
static void interval(struct watch_view *view, int arg)
{
	int i = arg > 0 ? 0 : INTERVALS - 1;

	while (i + arg >= 0 && i + arg < INTERVALS &&
		(arg > 0 ? intervals[i] <= view->interval_ns : intervals[i] >= view->interval_ns))
		i += arg;
	view->interval_ns = intervals[i];
}

static void move(struct watch_view *view, int arg)
{
	int rows = view->move + arg;

	view->move = rows > FAR ? FAR : rows < -FAR ? -FAR : rows;
}

/* One row of the old page stays visible. */
static void move_page(struct watch_view *view, int arg)
{
	int rows = view->page == WATCH_PAGE_LIST ? view->rows : view->height - 2;

	move(view, arg * (rows > 1 ? rows - 1 : 1));
}

/* ---- The table: what each key does, what the help page says of it, and the hints at the foot. */

struct binding {
	int key;
	void (*act)(struct watch_view *view, int arg); /* NULL: only the caller does something */
	int arg;
	enum watch_action then;
	const char *keys, *what; /* the line of the help page; NULL: the row above covers it */
	int place;               /* of the hint at the foot, from 1; 0: no hint */
	const char *hint;
	int last; /* the last key of a range, each with an arg one higher; 0: one key */
};

#define DO(function, value) .act = function, .arg = value
#define TOGGLE(member) DO(toggle, offsetof(struct watch_view, member))
#define HELP(text, words) .keys = text, .what = words
#define HINT(number, word) .place = number, .hint = word

static const struct binding bindings[] = {
	{ 'q', .then = WATCH_QUIT, HELP("q", "quit"), HINT(1, "quit") },
	{ '?', DO(help, 0), HELP("?", "this page, and back"), HINT(2, "help") },
	{ 'h', DO(help, 0) },
	{ ' ', TOGGLE(paused), HELP("space", "pause; what happens meanwhile is not lost"), HINT(10, "pause") },
	{ 's', DO(sort_next, 1), HELP("s", "sort by the next column"), HINT(5, "sort") },
	{ '1', DO(sort_by, WATCH_COL_NAME), HELP("1 to 7", "sort by name, down, up, total, share, IPv6, connections"),
		.last = '7' },
	{ 'r', DO(reverse, 0), HELP("r", "reverse the order") },
	{ 'u', TOGGLE(bytes), HELP("u", "rates in bits or bytes"), HINT(9, "units") },
	{ 'i', TOGGLE(binary), HELP("i", "powers of 1000 or 1024") },
	{ 't', TOGGLE(totals), HELP("t", "rates, or totals of the session"), HINT(6, "totals") },
	{ 'a', DO(window, 1), HELP("a", "average over 2, 10 or 40 seconds"), HINT(8, "average") },
	{ 'f', DO(family, 0), HELP("f", "both families, IPv4, IPv6"), HINT(7, "family") },
	{ 'l', TOGGLE(local), HELP("l", "traffic with the Internet, or local: LAN and router"), HINT(12, "local") },
	{ '/', DO(type_filter, 0), HELP("/", "show only what has this in name, MAC or address"), HINT(3, "filter") },
	{ WATCH_KEY_ENTER, DO(open_host, 0),
		HELP("Enter", "open a host; there s, 1 to 7, r and / are for its connections"), HINT(4, "host") },
	{ 'c', TOGGLE(connections.grouped), HELP("c", "on its page: each connection, or one row for each remote") },
	{ WATCH_KEY_ESCAPE, DO(back, 0), HELP("Esc", "back; show all; choose none") },
	{ WATCH_KEY_BACKSPACE, DO(back, 0) },
	{ '+', DO(interval, 1), .then = WATCH_INTERVAL, HELP("+ -", "longer or shorter interval") },
	{ '-', DO(interval, -1), .then = WATCH_INTERVAL },
	{ WATCH_KEY_UP, DO(move, -1), HELP("arrows, j k", "choose a host") },
	{ 'k', DO(move, -1) },
	{ WATCH_KEY_DOWN, DO(move, 1) },
	{ 'j', DO(move, 1) },
	{ WATCH_KEY_WHEEL_UP, DO(move, -WHEEL_ROWS) },
	{ WATCH_KEY_WHEEL_DOWN, DO(move, WHEEL_ROWS) },
	{ WATCH_KEY_PAGE_UP, DO(move_page, -1), HELP("PgUp PgDn", "a page up or down") },
	{ WATCH_KEY_PAGE_DOWN, DO(move_page, 1) },
	{ WATCH_KEY_HOME, DO(move, -FAR), HELP("Home End", "the first or the last") },
	{ 'g', DO(move, -FAR) },
	{ WATCH_KEY_END, DO(move, FAR) },
	{ 'G', DO(move, FAR) },
	{ 'z', .then = WATCH_ZERO, HELP("z", "the session begins now"), HINT(11, "zero") },
};

enum { BINDINGS = sizeof(bindings) / sizeof(bindings[0]) };

bool watch_view_keys(bool foot, size_t n, const char **keys, const char **what)
{
	for (const struct binding *b = bindings; b < bindings + BINDINGS; b++) {
		if (foot ? b->place != (int)n + 1 : !b->keys || n-- > 0)
			continue;
		*keys = b->keys;
		*what = foot ? b->hint : b->what;
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
	char *filter = filter_of(view);
	size_t len = strlen(filter);

	if (key == WATCH_KEY_ENTER)
		view->typing = false;
	else if (key == WATCH_KEY_BACKSPACE)
		delete_last(filter);
	else if (key == WATCH_KEY_ESCAPE || key == CTRL_U)
		filter[0] = '\0';
	else if (key >= ' ' && key != 0x7f && key < WATCH_KEY_UP && len + 4 < sizeof(view->filter))
		filter[len + encode(filter + len, (uint32_t)key)] = '\0';
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
	for (const struct binding *b = bindings; b < bindings + BINDINGS; b++) {
		if (key != b->key && (key < b->key || key > b->last))
			continue;
		if (b->act)
			b->act(view, b->arg + key - b->key);
		return b->then;
	}
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
