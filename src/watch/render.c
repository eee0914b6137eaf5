/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/render.h"

#include "parts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MOST = 40 };

/* ---- The columns */

static int spark_steps(int width)
{
	return width >= 180 ? 60 : width >= 140 ? 30 : width >= 100 ? 20 : 10;
}

static int column_width(const struct watch_table_column *column, const struct watch_view *view, int width)
{
	if (width < column->from)
		return 0;
	if (column->id == WATCH_COL_DOWN || column->id == WATCH_COL_UP)
		return watch_format_rate_width(view) + 1;
	return column->id == WATCH_COL_SPARK ? spark_steps(width) + 1 : column->width;
}

/* Sets the view's spans: the cells of each column's text, without the gap. */
static void lay_out(struct watch_view *view, int width)
{
	int x = width;

	for (int i = 1; i < WATCH_COLUMNS; i++)
		x -= column_width(&watch_table_columns[i], view, width);
	/* On wide screens the name does not take all the rest. */
	x = x < NAME_MOST ? x : NAME_MOST;
	memset(view->header, 0, sizeof(view->header));
	view->header[WATCH_COL_NAME] = (struct watch_span){ 0, x };
	for (int i = 1; i < WATCH_COLUMNS; i++) {
		int taken = column_width(&watch_table_columns[i], view, width);

		if (taken)
			view->header[watch_table_columns[i].id] = (struct watch_span){ x + 1, taken - 1 };
		x += taken;
	}
}

static void put_column(const struct watch_screen *screen, int y, enum watch_column column, enum watch_style style,
	const char *text)
{
	const struct watch_span *span = &screen->view->header[column];

	if (column == WATCH_COL_NAME || column == WATCH_COL_SPARK || column == WATCH_COL_MAC)
		watch_frame_put(screen->frame, span->x + (column == WATCH_COL_MAC), y, span->width, style, text);
	else
		watch_frame_put_right(screen->frame, span->x, y, span->width, style, text);
}

static int put_header(const struct watch_screen *screen, int y)
{
	const char *const marks[2][2] = { { "v", "^" }, { "▼", "▲" } };
	struct watch_view *view = screen->view;
	char title[24];

	view->header_row = y;
	watch_frame_paint(screen->frame, y, WATCH_STYLE_HEADER);
	for (int i = 0; i < WATCH_COLUMNS; i++) {
		const struct watch_table_column *column = &watch_table_columns[i];
		bool sorted = view->sort == column->id && !view->plain;
		bool wide = column->id == WATCH_COL_SPARK && watch_header_is_wide(screen);

		snprintf(title, sizeof(title), "%s%s", sorted ? marks[view->utf8][view->reverse] : "",
			wide ? "LAST 5 MIN" : column->title);
		put_column(screen, y, column->id, sorted ? WATCH_STYLE_SORTED : WATCH_STYLE_HEADER, title);
	}
	return y + 1;
}

/* ---- The hosts */

/* The text of a column; row->host NULL: of the sum. */
static const char *column_text(char *text, const struct watch_screen *screen, const struct watch_row *row,
	const struct watch_row *sum, enum watch_column column)
{
	int direction = column == WATCH_COL_DOWN ? WATCH_DOWN : WATCH_UP;

	switch (column) {
	case WATCH_COL_DOWN:
	case WATCH_COL_UP:
		if (screen->view->totals)
			return watch_format_bytes(text, (double)row->total[direction], screen->view);
		return watch_header_rate(text, screen, row->rate[direction]);
	case WATCH_COL_TOTAL:
		return watch_format_bytes(text, watch_table_total(row), screen->view);
	case WATCH_COL_SHARE:
		return watch_format_percent(text, watch_table_share(row->amount, sum->amount));
	case WATCH_COL_IPV6:
		return watch_format_percent(text, watch_table_ipv6(row));
	case WATCH_COL_CONNECTIONS:
		snprintf(text, WATCH_NUMBER, "%u", row->connections);
		return text;
	case WATCH_COL_SEEN:
		if (!row->host || !row->host->last_seen)
			return row->host ? "-" : "";
		return watch_format_age(text, screen->history->sample.time, row->host->last_seen);
	case WATCH_COL_MAC:
		return row->host ? row->host->mac : "";
	default:
		return "";
	}
}

/* Idle hosts are dim. */
static enum watch_style style_of(enum watch_column column, const struct watch_row *row)
{
	if (row->amount <= 0)
		return WATCH_STYLE_DIM;
	if (column == WATCH_COL_DOWN)
		return row->rate[WATCH_DOWN] > 0 ? WATCH_STYLE_DOWN : WATCH_STYLE_DIM;
	if (column == WATCH_COL_UP)
		return row->rate[WATCH_UP] > 0 ? WATCH_STYLE_UP : WATCH_STYLE_DIM;
	return column == WATCH_COL_SEEN || column == WATCH_COL_MAC ? WATCH_STYLE_DIM : WATCH_STYLE_PLAIN;
}

static void put_row(const struct watch_screen *screen, int y, const struct watch_row *row, const struct watch_row *sum,
	const char *name)
{
	char text[WATCH_NUMBER];

	for (int i = 0; i < WATCH_COLUMNS; i++) {
		enum watch_column id = watch_table_columns[i].id;

		if (screen->view->header[id].width)
			put_column(screen, y, id, row->host ? style_of(id, row) : WATCH_STYLE_TOTAL,
				id == WATCH_COL_NAME ? name : column_text(text, screen, row, sum, id));
	}
}

static bool is_chosen(const struct watch_view *view, const struct watch_sample_host *host)
{
	return view->selecting && !strcmp(view->label, host->label) && !strcmp(view->mac, host->mac);
}

static int chosen_row(const struct watch_view *view, const struct watch_table *table)
{
	for (size_t i = 0; i < table->rows; i++)
		if (is_chosen(view, table->row[i].host))
			return (int)i;
	return -1;
}

/* Chooses a host and scrolls, as keys and clicks ask. */
static void settle(struct watch_view *view, const struct watch_table *table)
{
	int last = (int)table->rows - 1, chosen = chosen_row(view, table), to = chosen;
	int move = view->move;

	if (move)
		to = watch_clamp(chosen >= 0 ? chosen + move : move > 0 ? view->top + move - 1 : view->top, 0, last);
	if (view->click >= view->first_row && view->click < view->first_row + view->rows)
		to = view->top + view->click - view->first_row;
	if (view->click >= 0 && to > last)
		to = chosen;
	/* Enter opens the first host on the screen if none is chosen. */
	if (view->page == WATCH_PAGE_HOST && !view->selecting)
		to = watch_clamp(view->top, 0, last);
	view->move = 0;
	view->click = -1;
	if (to >= 0 && last >= 0) {
		const struct watch_sample_host *host = table->row[to].host;

		view->selecting = true;
		memcpy(view->label, host->label, sizeof(view->label));
		memcpy(view->mac, host->mac, sizeof(view->mac));
		if (to != chosen || view->top > to || to >= view->top + view->rows)
			view->top = watch_clamp(view->top, to - view->rows + 1, to);
	}
	view->top = watch_clamp(view->top, 0, last + 1 - view->rows);
}

static void put_hosts(const struct watch_screen *screen, const struct watch_table *table)
{
	const struct watch_view *view = screen->view;
	struct watch_frame *frame = screen->frame;
	unsigned int families = watch_view_families(view);
	int steps = spark_steps(frame->width), y = view->first_row;
	float step[WATCH_SLOTS], most = 0;

	/* One scale for all hosts, so that their lines can be compared. */
	for (size_t i = 0; i < table->rows; i++)
		most = fmaxf(most, watch_header_steps(screen, table->row[i].track, families, step, steps));
	if (!table->rows)
		watch_frame_put(frame, 0, y, frame->width, WATCH_STYLE_DIM,
			table->hosts ? "no host has this in its name, MAC or addresses" : "no hosts yet");
	for (int i = view->top; i < (int)table->rows && y < view->first_row + view->rows; i++, y++) {
		const struct watch_row *row = &table->row[i];

		put_row(screen, y, row, &table->sum, row->host->label);
		if (view->header[WATCH_COL_SPARK].width) {
			watch_header_steps(screen, row->track, families, step, steps);
			watch_header_spark(frame, view->header[WATCH_COL_SPARK].x, y, step, steps, most);
		}
		if (is_chosen(view, row->host) && !view->plain)
			watch_frame_paint(frame, y, WATCH_STYLE_SELECTED);
	}
}

/* ---- The foot */

static void put_totals(const struct watch_screen *screen, int y, const struct watch_table *table)
{
	char name[64];

	if (table->rows < table->hosts)
		snprintf(name, sizeof(name), "all (%zu of %zu)", table->shown, table->real);
	else
		snprintf(name, sizeof(name), "%zu host%s", table->real, table->real == 1 ? "" : "s");
	watch_frame_paint(screen->frame, y, WATCH_STYLE_TOTAL);
	put_row(screen, y, &table->sum, &table->sum, name);
}

static void put_hints(const struct watch_screen *screen, int y)
{
	struct watch_frame *frame = screen->frame;
	const char *keys, *hint;
	int x = 0;

	if (watch_header_filter(screen, y))
		return;
	for (size_t i = 0; watch_view_keys(true, i, &keys, &hint); i++) {
		if (x + (int)(strlen(keys) + strlen(hint)) + 1 > frame->width)
			break;
		x += watch_frame_put(frame, x, y, frame->width, WATCH_STYLE_KEY, keys) + 1;
		x += watch_frame_put(frame, x, y, frame->width, WATCH_STYLE_DIM, hint) + 2;
	}
}

/* ---- The whole */

static void render_list(const struct watch_screen *screen, int y, const struct watch_table *table)
{
	struct watch_view *view = screen->view;
	int foot = screen->frame->height - 2;

	y = watch_header_links(screen, y);
	y = watch_header_warnings(screen, y);
	lay_out(view, screen->frame->width);
	y = put_header(screen, y);
	view->first_row = y;
	view->rows = view->plain ? (int)table->rows : foot - y;
	if (view->rows < 1)
		view->rows = 1;
	settle(view, table);
	put_hosts(screen, table);
	if (view->plain)
		foot = y + view->rows;
	else
		put_hints(screen, foot + 1);
	put_totals(screen, foot, table);
	/* Plain text is as high as needed. */
	if (view->plain)
		screen->frame->height = foot + 1;
}

/* Every page needs the table: Enter chooses from it. */
int watch_render(struct watch_frame *frame, const struct watch_history *history, struct watch_view *view)
{
	int height = view->height < WATCH_MIN_HEIGHT ? WATCH_MIN_HEIGHT : view->height;
	struct watch_screen screen = { frame, history, view };
	struct watch_table table;
	int error = watch_table_build(&table, history, view), y;

	if (error)
		return error;
	if (view->plain) {
		view->height = WATCH_ROOMY;
		height = WATCH_ROOMY + (int)table.rows;
	}
	error = watch_frame_begin(frame, view->width < WATCH_MIN_WIDTH ? WATCH_MIN_WIDTH : view->width, height,
		view->utf8);
	if (error)
		goto out;
	y = watch_header_title(&screen);
	if (view->page == WATCH_PAGE_HOST && !view->selecting)
		settle(view, &table);
	if (view->page == WATCH_PAGE_LIST)
		render_list(&screen, y, &table);
	else
		watch_pages_draw(&screen, y);
out:
	watch_table_free(&table);
	return error;
}
