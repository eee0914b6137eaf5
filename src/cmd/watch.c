/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/buf.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/watch/feed.h"
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
	const char *socket;           /* of the meter */
	struct standalone standalone; /* with --standalone */
	struct watch_feed *feed;
	struct watch_history history;
	struct watch_view view;
	struct watch_frame frame;
	uint64_t next; /* when to ask again, monotonic */
	uint64_t next_connections;
};

/* The shorter of two waits: patience in ms, -1 for ever, and until a time. */
static int sooner(int patience, uint64_t when, uint64_t now)
{
	int left = now >= when ? 0 : (int)((when - now) / CLOCK_NS_PER_MS) + 1;

	return patience < 0 || left < patience ? left : patience;
}

/* ---- Asking */

/*
 * Goes on with asking for a sample: HTTP_OK when the history has it, 0 while the answer is under way, else the failure
 * as in no_answer.h. A paused view drops the sample; the rates of the next one cover the pause.
 */
static int take_sample(struct watching *w)
{
	struct watch_sample sample;
	int result, error = 0;

	if (w->view.local)
		watch_feed_want_local(w->feed);
	result = watch_feed_sample(w->feed, w->view.interval_ns, &sample);
	if (result != HTTP_OK)
		return result;
	if (w->config->standalone)
		standalone_read_log(&w->standalone, &sample);
	if (w->view.paused)
		watch_sample_clear(&sample);
	else
		error = watch_history_add(&w->history, &sample);
	return error ? error : HTTP_OK;
}

/* Asks for a sample and waits for it. Returns the exit status. */
static int ask(struct watching *w)
{
	struct pollfd polled[WATCH_FEED_FDS];
	int result;

	while (!(result = take_sample(w)))
		poll(polled, WATCH_FEED_FDS, watch_feed_poll(w->feed, polled, clock_mono_ns()));
	if (result == HTTP_OK)
		return CMD_OK;
	no_answer_log(w->socket, result, geteuid() ? NULL : "or see it without one: hostmeter --watch --standalone");
	return CMD_FAILED;
}

/* ---- Without a terminal */

static int print_sample(struct watching *w, bool first)
{
	struct buf out = BUF_INIT;

	if (w->config->json) {
		watch_json(&out, &w->history);
		return cmd_print(&out);
	}
	out.error = watch_render(&w->frame, &w->history, &w->view);
	if (!first)
		buf_putc(&out, '\n');
	for (int y = 0; !out.error && y < w->frame.height; y++) {
		watch_frame_row(&w->frame, y, &out);
		buf_putc(&out, '\n');
	}
	return cmd_print(&out);
}

static int run_plain(struct watching *w)
{
	uint64_t next = clock_mono_ns(), patience = next + FIRST_RATES_S * CLOCK_NS_PER_S;
	const char *columns = getenv("COLUMNS");
	uint32_t printed = 0;
	int status = CMD_OK;

	w->view.plain = true;
	w->view.width = columns ? atoi(columns) : 0;
	if (w->view.width < WATCH_MIN_WIDTH || w->view.width > 500)
		w->view.width = WATCH_PLAIN_WIDTH;
	while (status == CMD_OK && (!w->config->count || printed < w->config->count)) {
		next += w->view.interval_ns;
		if (next < clock_mono_ns())
			next = clock_mono_ns();
		poll(NULL, 0, sooner(-1, next, clock_mono_ns()));
		status = ask(w);
		/* There are no rates before the meter has read the kernel's counters twice. */
		if (status == CMD_OK && (printed || watch_history_has_rates(&w->history) || next > patience))
			status = print_sample(w, !printed++);
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

		/* One call for a run of cells of one style. */
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
	uint64_t now = clock_mono_ns();
	enum watch_action action;

	if (key == WATCH_KEY_CLICK) {
		watch_view_click(&w->view, x, y);
		return false;
	}
	action = watch_view_key(&w->view, key);
	if (w->view.page != before)
		w->next_connections = now;
	if (action == WATCH_ZERO)
		watch_history_zero(&w->history);
	/* A shorter interval begins now, not after the rest of the long one. */
	if (action == WATCH_INTERVAL && w->next > now + w->view.interval_ns)
		w->next = now + w->view.interval_ns;
	return action == WATCH_QUIT;
}

/* True: there is something new to draw. */
static bool update_hosts(struct watching *w, uint64_t now)
{
	char text[64];
	int result;

	if (!watch_feed_wants_sample(w->feed)) {
		if (now < w->next)
			return false;
		w->next = now + w->view.interval_ns;
	}
	result = take_sample(w);
	if (!result)
		return false;
	w->view.notice[0] = '\0';
	if (result == HTTP_OK)
		return true;
	if (w->next > now + RETRY_MS * CLOCK_NS_PER_MS)
		w->next = now + RETRY_MS * CLOCK_NS_PER_MS;
	if (w->config->standalone && !standalone_runs(&w->standalone))
		snprintf(w->view.notice, sizeof(w->view.notice),
			"This view's own meter has ended: start the view again.");
	else
		snprintf(w->view.notice, sizeof(w->view.notice), "The meter is lost: %s. Trying again.",
			no_answer_cause(result, text));
	return true;
}

/* Whether the page shows connections that are due. A listing under way is finished on any page. */
static bool wants_connections(const struct watching *w, uint64_t now)
{
	if (watch_feed_wants_connections(w->feed))
		return true;
	return w->view.page == WATCH_PAGE_HOST && !w->view.paused && w->view.selecting && now >= w->next_connections;
}

/* The same for the connections of the host on the page. */
static bool update_connections(struct watching *w, uint64_t now)
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
	/* Old connections must not look as if they still existed. */
	watch_connections_clear(&w->history.connections);
	snprintf(w->view.connections_notice, sizeof(w->view.connections_notice),
		"The meter does not list its connections: %s.", no_answer_cause(result, text));
	return true;
}

/* Waits for a key, an answer or the time to ask again. 0, or -EINTR: end. */
static int wait_for_work(struct watching *w)
{
	struct pollfd polled[WATCH_FEED_FDS];
	uint64_t now = clock_mono_ns();
	int patience = watch_feed_poll(w->feed, polled, now);

	if (!watch_feed_wants_sample(w->feed))
		patience = sooner(patience, w->next, now);
	if (!watch_feed_wants_connections(w->feed) && wants_connections(w, w->next_connections))
		patience = sooner(patience, w->next_connections, now);
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
		if (error || wait_for_work(w))
			break;
		dirty = update_hosts(w, clock_mono_ns());
		dirty |= update_connections(w, clock_mono_ns());
		while (!quit && (key = term_key(&x, &y)) != WATCH_KEY_NONE) {
			quit = do_key(w, key, x, y);
			/* The next key must find the list as this one has left it. */
			if (w->view.move || w->view.click >= 0 || w->view.page == WATCH_PAGE_HOST)
				error = watch_render(&w->frame, &w->history, &w->view);
			dirty = true;
		}
	}
	term_close();
	if (error)
		log_error("%s", strerror(-error));
	return error ? CMD_FAILED : CMD_OK;
}

/* ---- Both */

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

/* What the command line says of the view. */
static void choose(struct watch_view *view, const struct config *config)
{
	view->interval_ns = config->watch_interval_ns;
	view->bytes = config->watch_unit & 1;
	view->binary = config->watch_unit & 2;
	_Static_assert(WATCH_COL_SHARE == 4 && WATCH_SORTS == 8, "the words of --sort");
	view->sort = (enum watch_column)config->watch_sort;
	view->reverse = config->watch_reverse;
	view->averaged = config->watch_average > 0;
	if (view->averaged)
		view->window = config->watch_average - 1;
}

int cmd_watch(const struct config *config, struct buf *out)
{
	struct watching w = { .config = config, .socket = config->socket, .view = watch_view_default() };
	char name[HOST_NAME_MAX + 1] = "";
	int status = CMD_FAILED, error;

	(void)out;
	if (config->standalone && standalone_start(&w.standalone, config))
		return CMD_FAILED;
	if (config->standalone)
		w.socket = w.standalone.socket;
	choose(&w.view, config);
	w.view.utf8 = term_locale();
	gethostname(name, sizeof(name) - 1);
	snprintf(w.view.source, sizeof(w.view.source), "%s%s", name, config->standalone ? " (standalone)" : "");
	error = watch_feed_open(&w.feed, w.socket);
	if (error)
		log_error("%s", strerror(-error));
	else
		status = ask(&w);
	if (status == CMD_OK)
		status = wants_screen(config) ? run_screen(&w) : run_plain(&w);
	watch_feed_free(w.feed);
	if (config->standalone)
		standalone_stop(&w.standalone);
	watch_history_clear(&w.history);
	watch_frame_free(&w.frame);
	return status;
}
