/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/clock.h"
#include "parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LOW = 16, LEVELS = 8, WIDE = 180 };

/* ---- Small parts */

void watch_header_spark(struct watch_frame *frame, int x, int y, const float *step, int count, float most)
{
	static const char *const blocks[2][LEVELS] = {
		{ ".", ":", "-", "=", "+", "*", "#", "@" },
		{ "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" },
	};

	for (int i = 0; i < count; i++) {
		int level = most > 0 ? (int)(step[i] / most * LEVELS) : 0;

		/* Anything above 0 is visible. */
		if (step[i] > 0)
			watch_frame_put(frame, x + i, y, 1, WATCH_STYLE_SPARK,
				blocks[frame->utf8][level < LEVELS ? level : LEVELS - 1]);
	}
}

bool watch_header_is_wide(const struct watch_screen *screen)
{
	return screen->frame->width >= WIDE;
}

float watch_header_steps(const struct watch_screen *screen, const struct watch_track *track, unsigned int families,
	float *step, int count)
{
	return watch_header_is_wide(screen) ? watch_history_long_spark(screen->history, track, families, step, count) :
					      watch_history_spark(screen->history, track, families, step, count);
}

bool watch_header_filter(const struct watch_screen *screen, int y)
{
	const struct watch_view *view = screen->view;
	struct watch_frame *frame = screen->frame;
	const char *filter = watch_view_filter(view);
	int x = 0;

	if (!view->typing && !filter[0])
		return false;
	x += watch_frame_put(frame, x, y, frame->width, WATCH_STYLE_KEY, "/");
	x += watch_frame_put(frame, x, y, frame->width - x, WATCH_STYLE_PLAIN, filter);
	if (view->typing)
		x += watch_frame_put(frame, x, y, frame->width - x, WATCH_STYLE_KEY, "_");
	watch_frame_put(frame, x + 2, y, frame->width, WATCH_STYLE_DIM,
		view->typing ? "Enter keeps it, Esc drops it" : "Esc shows all");
	return true;
}

const char *watch_header_rate(char text[static WATCH_NUMBER], const struct watch_screen *screen, double rate)
{
	const struct watch_history *history = screen->history;

	if (screen->view->local ? !watch_history_has_local_rates(history) : !watch_history_has_rates(history))
		return "-";
	return watch_format_rate(text, rate, screen->view);
}

/* ---- The rows */

static void put_time(char *text, size_t size, uint64_t ns)
{
	time_t seconds = (time_t)(ns / CLOCK_NS_PER_S);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(text, size, "%Y-%m-%d %H:%M:%S", &tm))
		*text = '\0';
}

enum { TITLE_WORDS = 7 };

/* The settings that change what the numbers mean, the most important first. */
static int title_words(const struct watch_screen *screen, char words[static TITLE_WORDS][40])
{
	const struct watch_view *view = screen->view;
	char interval[WATCH_NUMBER];
	int n = 0;

	if (view->paused)
		strcpy(words[n++], "PAUSED");
	if (view->local)
		strcpy(words[n++], "local traffic");
	if (view->family)
		snprintf(words[n++], sizeof(*words), "IPv%d only", view->family);
	if (view->totals)
		strcpy(words[n++], "bytes of the session");
	else if (watch_view_seconds(view) <= 0)
		strcpy(words[n++], view->bytes ? "bytes/s" : "bit/s");
	else
		snprintf(words[n++], sizeof(*words), "%s, %u s average", view->bytes ? "bytes/s" : "bit/s",
			watch_windows[view->window]);
	snprintf(words[n++], sizeof(*words), "every %s", watch_format_interval(interval, view->interval_ns));
	if (screen->history->sample.date_unknown)
		snprintf(words[n++], sizeof(*words), "date unknown");
	else
		put_time(words[n++], sizeof(*words), screen->history->sample.time);
	return n;
}

int watch_header_title(const struct watch_screen *screen)
{
	struct watch_frame *frame = screen->frame;
	char words[TITLE_WORDS][40], line[TITLE_WORDS * 42] = "";
	int count = title_words(screen, words), room, used;

	used = watch_frame_put(frame, 0, 0, frame->width, WATCH_STYLE_TITLE, "hostmeter");
	for (int i = 0; i < count; i++) {
		size_t len = strlen(line);

		if ((int)(len + strlen(words[i])) + 2 > frame->width - used - 1)
			break;
		snprintf(line + len, sizeof(line) - len, "%s%.39s", len ? "  " : "", words[i]);
	}
	room = frame->width - (int)strlen(line) - used - 3;
	if (room >= 8)
		watch_frame_put(frame, used + 1, 0, room, WATCH_STYLE_DIM, screen->view->source);
	watch_frame_put_right(frame, 0, 0, frame->width, screen->view->paused ? WATCH_STYLE_WARNING : WATCH_STYLE_DIM,
		line);
	return 1;
}

/* The row of a WAN, or of the sum of several. */
static void put_link(const struct watch_screen *screen, int y, const char *name,
	const double rate[static WATCH_DIRECTIONS])
{
	const char *const marks[2][WATCH_DIRECTIONS] = { { "down ", "up " }, { "↓ ", "↑ " } };
	struct watch_frame *frame = screen->frame;
	int x = frame->width >= 60 ? 16 : 10;
	char text[WATCH_NUMBER] = "-";

	watch_frame_put(frame, 0, y, x - 1, WATCH_STYLE_PLAIN, name);
	for (int i = 0; i < WATCH_DIRECTIONS; i++) {
		x += watch_frame_put(frame, x, y, frame->width, WATCH_STYLE_DIM, marks[frame->utf8][i]);
		if (watch_history_has_rates(screen->history))
			watch_format_rate(text, rate[i], screen->view);
		watch_frame_put(frame, x, y, frame->width, i == WATCH_DOWN ? WATCH_STYLE_DOWN : WATCH_STYLE_UP, text);
		x += watch_format_rate_width(screen->view) + 2;
	}
}

int watch_header_links(const struct watch_screen *screen, int y)
{
	const struct watch_history *history = screen->history;
	int height = screen->view->height;
	size_t most = height < LOW ? 1 : height < WATCH_ROOMY ? 3 : 8;
	size_t shown = history->links <= most ? history->links : most - 1; /* the last row is the sum of the others */
	double rate[WATCH_DIRECTIONS], rest[WATCH_DIRECTIONS] = { 0 };
	int width = screen->frame->width, steps = width >= 120 ? 60 : 30;
	float step[WATCH_SLOTS], highest;
	char name[40];

	for (size_t i = 0; i < history->links; i++) {
		const struct watch_track *link = &history->link[i];

		for (int d = 0; d < WATCH_DIRECTIONS; d++) {
			rate[d] = watch_history_rate(history, link, 1u << WATCH_IPV4, d,
				watch_view_seconds(screen->view));
			rest[d] += i < shown ? 0 : rate[d];
		}
		if (i >= shown)
			continue;
		put_link(screen, y, link->label, rate);
		highest = watch_header_steps(screen, link, 1u << WATCH_IPV4, step, steps);
		if (width >= 80)
			watch_header_spark(screen->frame, width - steps, y, step, steps, highest);
		y++;
	}
	if (shown == history->links)
		return y;
	snprintf(name, sizeof(name), "%zu %sWANs", history->links - shown, shown ? "other " : "");
	put_link(screen, y, name, rest);
	return y + 1;
}

int watch_header_warnings(const struct watch_screen *screen, int y)
{
	const struct watch_sample *sample = &screen->history->sample;
	struct watch_frame *frame = screen->frame;
	size_t most = screen->view->height < LOW ? 1 : 3, shown = sample->warnings < most ? sample->warnings : most;
	int used;

	if (screen->view->notice[0])
		watch_frame_put(frame, 0, y++, frame->width, WATCH_STYLE_ERROR, screen->view->notice);
	for (size_t i = 0; i < shown; i++) {
		char rest[48] = "";

		if (i + 1 == shown && shown < sample->warnings)
			snprintf(rest, sizeof(rest), " (and %zu more: ?)", sample->warnings - shown);
		used = watch_frame_put(frame, 0, y, frame->width, WATCH_STYLE_WARNING, "! ");
		used += watch_frame_put(frame, used, y, frame->width - used - (int)strlen(rest), WATCH_STYLE_WARNING,
			sample->warning[i]);
		watch_frame_put(frame, used, y++, frame->width, WATCH_STYLE_WARNING, rest);
	}
	return y;
}
