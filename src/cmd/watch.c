/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/buf.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/watch/feed.h"
#include "hostmeter/watch/json.h"
#include "hostmeter/watch/keys.h"
#include "hostmeter/watch/render.h"
#include "hostmeter/watch/term.h"
#include "no_answer.h"
#include "standalone.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HTTP_OK = 200, FIRST_RATES_S = 30, RETRY_MS = 1000 };

static const struct term_look looks[WATCH_STYLES] = {
	[WATCH_STYLE_PLAIN] = { -1, -1, -1, -1, false, false, false },
	[WATCH_STYLE_TITLE] = { -1, -1, -1, -1, true, false, false },
	[WATCH_STYLE_DIM] = { 245, 8, -1, -1, false, true, false },
	[WATCH_STYLE_DOWN] = { 114, 2, -1, -1, false, false, false },
	[WATCH_STYLE_UP] = { 111, 4, -1, -1, false, false, false },
	[WATCH_STYLE_SPARK] = { 73, 6, -1, -1, false, false, false },
	[WATCH_STYLE_HEADER] = { 252, 7, 238, -1, true, false, false },
	[WATCH_STYLE_SORTED] = { 231, 3, 238, -1, true, false, true },
	[WATCH_STYLE_SELECTED] = { -1, -1, -1, -1, false, false, true },
	[WATCH_STYLE_TOTAL] = { 252, 7, -1, -1, true, false, false },
	[WATCH_STYLE_KEY] = { 222, 3, -1, -1, true, false, false },
	[WATCH_STYLE_WARNING] = { 222, 3, -1, -1, true, false, false },
	[WATCH_STYLE_ERROR] = { 210, 1, -1, -1, true, false, true },
};

struct watching {
	const struct config *config;
	const char *socket;            /* the meter's */
	struct standalone *standalone; /* NULL: the meter is another's */
	struct watch_feed *feed;
	struct watch_history history;
	struct watch_view view;
	struct watch_frame frame;
	uint64_t next; /* when to ask again, monotonic */
	uint64_t next_connections;
};

/* ---- Asking */

/*
 * Goes on with asking. True: a sample was taken. *failure: 0, or why there is none. A view that is paused leaves it:
 * the next sample tells what happened meanwhile.
 */
static bool step(struct watching *w, int *failure)
{
	struct watch_sample sample;
	int result = watch_feed_sample(w->feed, w->view.interval_ns, &sample);

	*failure = 0;
	if (!result)
		return false;
	if (result == HTTP_OK && w->standalone)
		standalone_add_warnings(w->standalone, &sample);
	if (result == HTTP_OK && !w->view.paused)
		result = watch_history_add(&w->history, &sample);
	else if (result == HTTP_OK)
		watch_sample_clear(&sample);
	*failure = result == HTTP_OK ? 0 : result;
	return !*failure;
}

/* Asks once and waits for the answer: 0 or the failure. */
static int ask(struct watching *w)
{
	int failure;

	while (!step(w, &failure) && !failure) {
		struct pollfd polled[WATCH_FEED_FDS];
		int patience = watch_feed_poll(w->feed, polled, clock_mono_ns());

		poll(polled, WATCH_FEED_FDS, patience);
	}
	return failure;
}

static int fail(const struct watching *w, int failure)
{
	no_answer_log(w->socket, failure, geteuid() ? NULL : "or see it without one: hostmeter --watch --standalone");
	return CMD_FAILED;
}

/* ---- Without a terminal */

static int print_plain(struct watching *w, struct buf *out)
{
	int error = watch_render(&w->frame, &w->history, &w->view);

	for (int y = 0; !error && y < w->frame.height; y++) {
		watch_frame_row(&w->frame, y, out);
		buf_putc(out, '\n');
	}
	return error;
}

static int print_sample(struct watching *w, bool first)
{
	struct buf out = BUF_INIT;

	if (w->config->json) {
		watch_json(&out, &w->history);
	} else {
		if (!first)
			buf_putc(&out, '\n');
		out.error = print_plain(w, &out);
	}
	return cmd_print(&out);
}

static void sleep_until(uint64_t when)
{
	uint64_t now;

	while ((now = clock_mono_ns()) < when)
		poll(NULL, 0, (int)((when - now) / CLOCK_NS_PER_MS) + 1);
}

/* The first lines wait for rates, which take two readings of the meter's; for a while. */
static int run_plain(struct watching *w)
{
	uint64_t patience = clock_mono_ns() + FIRST_RATES_S * CLOCK_NS_PER_S, next = clock_mono_ns();
	const char *columns = getenv("COLUMNS");
	int status = CMD_OK;

	w->view.plain = true;
	w->view.width = columns ? atoi(columns) : 0;
	if (w->view.width < WATCH_MIN_WIDTH || w->view.width > 500)
		w->view.width = WATCH_PLAIN_WIDTH;
	for (uint32_t printed = 0; status == CMD_OK;) {
		int failure;

		next += w->view.interval_ns;
		if (next < clock_mono_ns())
			next = clock_mono_ns();
		sleep_until(next);
		failure = ask(w);
		if (failure)
			return fail(w, failure);
		if (!printed && !watch_history_has_rates(&w->history) && clock_mono_ns() < patience)
			continue;
		status = print_sample(w, !printed);
		if (++printed == w->config->count)
			break;
	}
	return status;
}

/* ---- On a terminal */

static int draw(struct watching *w)
{
	int error;

	term_size(&w->view.width, &w->view.height);
	error = watch_render(&w->frame, &w->history, &w->view);
	if (error)
		return error;
	term_begin();
	for (int y = 0; y < w->frame.height && y < w->view.height; y++) {
		const struct watch_cell *row = w->frame.cell + (size_t)y * (size_t)w->frame.width;

		/* Runs of one style at a time; what was not put is blank. */
		for (int x = 0; x < w->frame.width && x < w->view.width;) {
			char run[sizeof(row->text) * 64];
			size_t len = 0;
			int from = x;

			do
				len += (size_t)(stpcpy(run + len, row[x].text) - (run + len));
			while (++x < w->frame.width && x - from < 63 && row[x].style == row[from].style);
			term_put(from, y, row[from].style, run);
		}
	}
	term_show();
	return 0;
}

/* True: quit. */
static bool do_key(struct watching *w, int key, int x, int y)
{
	enum watch_page before = w->view.page;
	uint64_t soonest = clock_mono_ns();
	enum watch_action action;

	if (key == WATCH_KEY_CLICK) {
		watch_view_click(&w->view, x, y);
		return false;
	}
	action = watch_view_key(&w->view, key);
	if (w->view.page != before)
		w->next_connections = soonest;
	switch (action) {
	case WATCH_QUIT:
		return true;
	case WATCH_ZERO:
		watch_history_zero(&w->history);
		break;
	case WATCH_INTERVAL:
		/* The new interval holds from now on, not only after a long old one. */
		if (w->next > soonest + w->view.interval_ns)
			w->next = soonest + w->view.interval_ns;
		break;
	case WATCH_NOTHING:
		break;
	}
	return false;
}

/* True if there is something new to draw. */
static bool go_on_asking(struct watching *w, uint64_t now)
{
	int failure;
	bool taken;
	char text[64];

	if (!watch_feed_wants_sample(w->feed) && now < w->next)
		return false;
	if (!watch_feed_wants_sample(w->feed))
		w->next = now + w->view.interval_ns;
	taken = step(w, &failure);
	if (taken)
		w->view.notice[0] = '\0';
	if (failure) {
		/* Not to be waited for as long as a long interval is. */
		if (w->next > now + RETRY_MS * CLOCK_NS_PER_MS)
			w->next = now + RETRY_MS * CLOCK_NS_PER_MS;
		if (w->standalone && !standalone_runs(w->standalone))
			snprintf(w->view.notice, sizeof(w->view.notice),
				"This view's own meter has ended: start the view again.");
		else
			snprintf(w->view.notice, sizeof(w->view.notice), "The meter is lost: %s. Trying again.",
				no_answer_cause(failure, text));
	}
	return taken || failure;
}

/* A view that is paused, or has left the page, asks no more. */
static bool wants_connections(const struct watching *w, uint64_t now)
{
	if (watch_feed_wants_connections(w->feed))
		return true;
	return w->view.page == WATCH_PAGE_HOST && !w->view.paused && w->view.selecting && now >= w->next_connections;
}

/* The same for the connections of a host that is open. */
static bool go_on_listing(struct watching *w, uint64_t now)
{
	struct watch_connections fresh;
	int result;
	char text[64];

	if (!wants_connections(w, now))
		return false;
	result = watch_feed_connections(w->feed, w->view.label, w->view.mac, now, &fresh);
	if (!result)
		return false;
	w->next_connections = now + w->view.interval_ns;
	w->view.connections_notice[0] = '\0';
	if (result == HTTP_OK) {
		watch_connections_take(&w->history.connections, &fresh);
		return true;
	}
	/* The old ones would be told of as if they were still there. */
	watch_connections_clear(&w->history.connections);
	snprintf(w->view.connections_notice, sizeof(w->view.connections_notice),
		"Its connections are not to be had: %s.", no_answer_cause(result, text));
	return true;
}

static int until(uint64_t when, uint64_t now)
{
	return now >= when ? 0 : (int)((when - now) / CLOCK_NS_PER_MS) + 1;
}

/* Until something comes, or something is to be done. */
static int wait_for_work(struct watching *w)
{
	struct pollfd polled[WATCH_FEED_FDS];
	uint64_t now = clock_mono_ns();
	int patience = watch_feed_poll(w->feed, polled, now);

	if (!watch_feed_wants_sample(w->feed) && (patience < 0 || patience > until(w->next, now)))
		patience = until(w->next, now);
	if (wants_connections(w, w->next_connections) && !watch_feed_wants_connections(w->feed) &&
		patience > until(w->next_connections, now))
		patience = until(w->next_connections, now);
	return term_wait(polled, WATCH_FEED_FDS, patience);
}

static int run_screen(struct watching *w)
{
	int key, x = 0, y = 0, error = 0;
	bool dirty = true, quit = false;

	if (term_open(looks, WATCH_STYLES, (enum term_colours)w->config->color)) {
		log_error("the terminal cannot be opened");
		return CMD_FAILED;
	}
	w->next = clock_mono_ns() + w->view.interval_ns;
	while (!quit && !error) {
		if (dirty)
			error = draw(w);
		if (error)
			break;
		if (wait_for_work(w))
			break;
		dirty = go_on_asking(w, clock_mono_ns());
		dirty |= go_on_listing(w, clock_mono_ns());
		while (!quit && (key = term_key(&x, &y)) != WATCH_KEY_NONE) {
			quit = do_key(w, key, x, y);
			/* A move is of the list as it is after the keys before it, drawn or not. */
			if (w->view.move || w->view.move_pages || w->view.click >= 0 || w->view.page == WATCH_PAGE_HOST)
				error = watch_render(&w->frame, &w->history, &w->view);
			dirty = true;
		}
	}
	term_close();
	if (error)
		log_error("%s", strerror(-error));
	return error ? CMD_FAILED : CMD_OK;
}

/* ---- The whole */

/* Whether to draw on the terminal. */
static bool wants_screen(const struct config *config)
{
	const char *name = getenv("TERM");
	int error;

	if (config->json || config->count)
		return false;
	error = term_check();
	if (error == -ENODEV)
		log_warning(
			"no terminfo for TERM \"%s\", so this is plain text: install ncurses-term, or try TERM=xterm",
			name ? name : "");
	return !error;
}

/* The meter is there, or is nobody's worry but its own. */
static int run(struct watching *w)
{
	int error = watch_feed_open(&w->feed, w->socket);

	if (error) {
		log_error("%s", strerror(-error));
		return CMD_FAILED;
	}
	error = ask(w);
	if (error)
		return fail(w, error);
	return wants_screen(w->config) ? run_screen(w) : run_plain(w);
}

/* What the title calls the meter: its machine. */
static void name_source(struct watching *w)
{
	char name[HOST_NAME_MAX + 1] = "";

	gethostname(name, sizeof(name) - 1);
	snprintf(w->view.source, sizeof(w->view.source), "%s%s", name, w->standalone ? " (standalone)" : "");
}

int cmd_watch(const struct config *config, struct buf *out)
{
	struct watching w = { .config = config, .socket = config->socket };
	int status;

	if (config->standalone && standalone_start(&w.standalone, config))
		return CMD_FAILED;
	if (w.standalone)
		w.socket = standalone_socket(w.standalone);
	w.view = watch_view_default();
	w.view.interval_ns = config->watch_interval_ns;
	w.view.utf8 = term_locale();
	(void)out;
	name_source(&w);
	status = run(&w);
	watch_feed_free(w.feed);
	standalone_stop(w.standalone);
	watch_history_clear(&w.history);
	watch_frame_free(&w.frame);
	return status;
}
