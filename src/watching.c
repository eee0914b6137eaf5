/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watching.h"

#include "hostmeter/api_read.h"
#include "hostmeter/clock.h"
#include "hostmeter/config.h"
#include "hostmeter/http_client.h"
#include "hostmeter/log.h"
#include "hostmeter/term.h"
#include "hostmeter/watch.h"
#include "hostmeter/watch_json.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000, FIRST_RATES_S = 30, RETRY_MS = 1000, EXIT_FINE = 0, EXIT_FAILED = 1 };

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

/* The two documents are asked for one after the other. */
enum stage { STAGE_HOSTS, STAGE_STATUS, STAGES };

struct watching {
	const struct config *config;
	const char *source; /* the socket's path or the URL */
	struct http_server *server;
	struct http_fetch *fetch;
	enum stage stage;
	struct buf document[STAGES];
	struct watch_history history;
	struct watch_view view;
	struct watch_frame frame;
	uint64_t next; /* when to ask again, monotonic */
};

/* ---- Asking */

static const char *why(int result, char text[static 64])
{
	if (result == -ENOENT || result == -ECONNREFUSED)
		return "nobody answers";
	if (result == -EBADMSG)
		return "the answer makes no sense";
	if (result == -EPROTO)
		return "the meter is of another version";
	if (result > 0)
		snprintf(text, 64, "HTTP status %d", result);
	else
		snprintf(text, 64, "%s", strerror(-result));
	return text;
}

static int start(struct watching *w)
{
	char target[64] = "/api/v1/status";

	if (w->stage == STAGE_HOSTS)
		snprintf(target, sizeof(target), "/api/v1/hosts?watch=%.3f", (double)w->view.interval_ns / CLOCK_NS_PER_S);
	buf_reset(&w->document[w->stage]);
	return http_fetch_start(&w->fetch, w->server, target, ANSWER_MS);
}

/* Both documents are there. A view that is paused leaves them: the next sample tells what happened meanwhile. */
static int take(struct watching *w)
{
	struct watch_sample sample;
	int error = api_read(&sample, &w->document[STAGE_HOSTS], &w->document[STAGE_STATUS]);

	if (error)
		return error;
	if (!w->view.paused)
		return watch_history_add(&w->history, &sample);
	watch_sample_clear(&sample);
	return 0;
}

/* Goes on with asking. True: a sample was taken. *failure: 0, -errno or an HTTP status that is no answer. */
static bool step(struct watching *w, int *failure)
{
	int result;

	*failure = 0;
	result = w->fetch ? http_fetch_step(w->fetch, &w->document[w->stage]) : start(w);
	if (!result)
		return false;
	http_fetch_free(w->fetch);
	w->fetch = NULL;
	if (result == 200 && w->stage == STAGE_HOSTS) {
		w->stage = STAGE_STATUS;
		result = start(w);
		if (!result)
			return false;
	} else if (result == 200) {
		result = take(w);
	}
	w->stage = STAGE_HOSTS;
	*failure = result;
	return result == 0;
}

/* Asks once and waits for the answer: 0 or the failure. */
static int ask(struct watching *w)
{
	int failure;

	while (!step(w, &failure) && !failure) {
		struct pollfd pollfd = { .fd = http_fetch_fd(w->fetch), .events = http_fetch_events(w->fetch) };

		poll(&pollfd, 1, http_fetch_patience(w->fetch));
	}
	return failure;
}

/* The first answer did not come. */
static int say_no_meter(const struct watching *w, int failure)
{
	char text[64];

	if (w->config->connect)
		log_error("%s: %s (is a meter running there, and are we allowed to ask it?)", w->source, why(failure, text));
	else if (failure == -ENOENT || failure == -ECONNREFUSED)
		log_error("no meter runs here (nobody answers on %s): start it with hostmeter, as root", w->source);
	else if (failure == -EACCES)
		log_error("%s: permission denied: only root and the socket's group may ask", w->source);
	else
		log_error("%s: %s", w->source, why(failure, text));
	return EXIT_FAILED;
}

/* ---- Without a terminal */

static int write_out(struct buf *out)
{
	int error = buf_error(out);

	if (!error && (fwrite(out->data, 1, out->len, stdout) != out->len || fflush(stdout)))
		error = -errno;
	if (error)
		log_error("standard output: %s", strerror(-error));
	buf_reset(out);
	return error ? EXIT_FAILED : EXIT_FINE;
}

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
	int status;

	if (w->config->json) {
		watch_json(&out, &w->history);
	} else {
		if (!first)
			buf_putc(&out, '\n');
		out.error = print_plain(w, &out);
	}
	status = write_out(&out);
	buf_free(&out);
	return status;
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
	int status = EXIT_FINE;

	w->view.plain = true;
	w->view.width = columns ? atoi(columns) : 0;
	if (w->view.width < WATCH_MIN_WIDTH || w->view.width > 500)
		w->view.width = WATCH_PLAIN_WIDTH;
	for (uint32_t printed = 0; status == EXIT_FINE;) {
		int failure;

		next += w->view.interval_ns;
		if (next < clock_mono_ns())
			next = clock_mono_ns();
		sleep_until(next);
		failure = ask(w);
		if (failure) {
			say_no_meter(w, failure);
			return EXIT_FAILED;
		}
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

static int watch_key_of(int key)
{
	static const int keys[][2] = {
		{ TERM_KEY_UP, WATCH_KEY_UP }, { TERM_KEY_DOWN, WATCH_KEY_DOWN }, { TERM_KEY_PAGE_UP, WATCH_KEY_PAGE_UP },
		{ TERM_KEY_PAGE_DOWN, WATCH_KEY_PAGE_DOWN }, { TERM_KEY_HOME, WATCH_KEY_HOME }, { TERM_KEY_END, WATCH_KEY_END },
		{ TERM_KEY_ENTER, WATCH_KEY_ENTER }, { TERM_KEY_ESCAPE, WATCH_KEY_ESCAPE },
		{ TERM_KEY_BACKSPACE, WATCH_KEY_BACKSPACE }, { TERM_KEY_WHEEL_UP, WATCH_KEY_WHEEL_UP },
		{ TERM_KEY_WHEEL_DOWN, WATCH_KEY_WHEEL_DOWN },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i][0] == key)
			return keys[i][1];
	return key;
}

/* True: quit. */
static bool do_key(struct watching *w, int key, int x, int y)
{
	uint64_t soonest = clock_mono_ns();

	if (key == TERM_KEY_CLICK) {
		watch_click(&w->view, x, y);
		return false;
	}
	switch (watch_key(&w->view, watch_key_of(key))) {
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

	if (!w->fetch && now < w->next)
		return false;
	if (!w->fetch)
		w->next = now + w->view.interval_ns;
	taken = step(w, &failure);
	if (taken)
		w->view.notice[0] = '\0';
	if (failure) {
		/* Not to be waited for as long as a long interval is. */
		if (w->next > now + RETRY_MS * CLOCK_NS_PER_MS)
			w->next = now + RETRY_MS * CLOCK_NS_PER_MS;
		snprintf(w->view.notice, sizeof(w->view.notice), "The meter is lost: %s. Trying again.", why(failure, text));
	}
	return taken || failure;
}

static int patience(const struct watching *w, uint64_t now)
{
	if (w->fetch)
		return http_fetch_patience(w->fetch);
	return now >= w->next ? 0 : (int)((w->next - now) / CLOCK_NS_PER_MS) + 1;
}

static int run_screen(struct watching *w)
{
	int key, x = 0, y = 0, error = 0;
	bool dirty = true, quit = false;

	if (term_open(looks, WATCH_STYLES, (enum term_colours)w->config->color)) {
		log_error("the terminal cannot be opened");
		return EXIT_FAILED;
	}
	w->next = clock_mono_ns() + w->view.interval_ns;
	while (!quit && !error) {
		if (dirty)
			error = draw(w);
		if (error)
			break;
		if (term_wait(w->fetch ? http_fetch_fd(w->fetch) : -1, w->fetch ? http_fetch_events(w->fetch) : 0,
			patience(w, clock_mono_ns())) == -EINTR)
			break;
		dirty = go_on_asking(w, clock_mono_ns());
		while (!quit && (key = term_key(&x, &y)) != TERM_KEY_NONE) {
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
	return error ? EXIT_FAILED : EXIT_FINE;
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
		log_warning("no terminfo for TERM \"%s\", so this is plain text: install ncurses-term, or try TERM=xterm",
			name ? name : "");
	return !error;
}

int watching_run(const struct config *config)
{
	struct watching w = { .config = config, .source = config->connect ? config->connect : config->socket };
	int status = EXIT_FAILED, error;

	w.view = watch_view_default();
	w.view.interval_ns = config->watch_interval_ns;
	w.view.utf8 = term_locale();
	snprintf(w.view.source, sizeof(w.view.source), "%s", w.source);
	error = http_server_open(&w.server, w.source);
	if (error == -EDESTADDRREQ)
		log_error("%s: no address is known for this name", w.source);
	else if (error)
		log_error("%s: %s", w.source, strerror(-error));
	else if ((error = ask(&w)))
		status = say_no_meter(&w, error);
	else
		status = wants_screen(config) ? run_screen(&w) : run_plain(&w);
	http_fetch_free(w.fetch);
	http_server_free(w.server);
	watch_history_clear(&w.history);
	watch_frame_free(&w.frame);
	buf_free(&w.document[STAGE_HOSTS]);
	buf_free(&w.document[STAGE_STATUS]);
	return status;
}
