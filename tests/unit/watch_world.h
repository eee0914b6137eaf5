/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_world: the live view without a terminal, a meter or a clock: samples made by hand in, frames of text out. The
 * golden frames lie in golden/watch; UPDATE_GOLDEN=1 writes them anew: look at them before you keep them.
 */
#pragma once

#include "hostmeter/watch/render.h"

#include <locale.h>

#include "watch_samples.h"

struct world {
	struct watch_history history;
	struct watch_view view;
	struct watch_frame frame;
};

static inline void render(struct world *w)
{
	assert_int_equal(watch_render(&w->frame, &w->history, &w->view), 0);
	assert_whole(&w->frame);
}

/* The row's text; valid until the next call. */
static inline const char *row(const struct world *w, int y)
{
	static struct buf out;

	buf_free(&out);
	watch_frame_row(&w->frame, y, &out);
	return buf_text(&out);
}

static inline bool shows(const struct world *w, const char *text)
{
	for (int y = 0; y < w->frame.height; y++)
		if (strstr(row(w, y), text))
			return true;
	return false;
}

static inline void press(struct world *w, const char *keys)
{
	for (; *keys; keys++)
		assert_int_equal(watch_view_key(&w->view, *keys), WATCH_NOTHING);
	render(w);
}

static inline void press_one(struct world *w, int key)
{
	watch_view_key(&w->view, key);
	render(w);
}

static inline void finish(struct world *w)
{
	watch_history_clear(&w->history);
	watch_frame_free(&w->frame);
}

static inline void common(struct watch_sample *sample, uint64_t t)
{
	put_link(sample, "pppoe-wan", 3000000 * t, 250000 * t);
	put_link(sample, "lte0", 1000 * t, 77 * t);
}

static inline void three_hosts(struct world *w)
{
	for (uint64_t t = 0; t <= 60; t++) {
		struct watch_sample sample = sample_at(T0 + t * S);
		uint64_t burst = t < 30 ? t : 30;
		struct watch_sample_host *host;

		common(&sample, t);
		host = put_host(&sample, "desktop", "00:00:5e:00:53:0b", 1000000 * t, 100000 * t, 500000 * t,
			50000 * t);
		host->first_seen = T0 - 3600 * S;
		host->last_seen = T0 + t * S;
		watch_sample_add_address(&sample, "192.168.77.11");
		watch_sample_add_address(&sample, "2001:db8:77::11");
		host = put_host(&sample, "phone", "00:00:5e:00:53:0d", 0, 0, 70000 * burst * burst / 30, 1000 * burst);
		host->last_seen = T0 + burst * S;
		watch_sample_add_address(&sample, "192.168.77.13");
		host = put_host(&sample, "00:00:5e:00:53:0c", "00:00:5e:00:53:0c", 5 * t, 0, 0, 0);
		host->last_seen = T0 + t * S;
		put_host(&sample, "router", "", 0, 0, 0, 0);
		if (t == 60) {
			watch_sample_add_warning(&sample,
				"7 times since the start that the kernel dropped messages for a full socket");
			watch_sample_add_warning(&sample, "3 live connections that the kernel does not count");
		}
		add(&w->history, sample);
	}
}

static inline void many_hosts(struct world *w)
{
	for (uint64_t t = 0; t <= 20; t++) {
		struct watch_sample sample = sample_at(T0 + t * S);

		common(&sample, t);
		for (uint64_t i = 0; i < 500; i++) {
			char label[32], mac[MAC_TEXT];
			struct watch_sample_host *host;

			snprintf(label, sizeof(label), "host-%03u", (unsigned int)i);
			snprintf(mac, sizeof(mac), "00:00:5e:00:%02x:%02x", (unsigned int)(i / 256),
				(unsigned int)(i % 256));
			host = put_host(&sample, label, mac, i * i * t, 10 * i * t, i % 3 ? 0 : i * i * t, 0);
			host->last_seen = T0 + (t > i ? t - i : 0) * S;
		}
		add(&w->history, sample);
	}
}

static inline char *read_whole(const char *path)
{
	FILE *file = fopen(path, "r");
	struct buf text = BUF_INIT;
	char chunk[4096];
	size_t len;

	while (file && (len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&text, chunk, len);
	if (file)
		fclose(file);
	buf_putc(&text, '\0');
	return text.data;
}

static inline void write_whole(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline void check_golden(struct world *w, const char *name)
{
	const char *tests = getenv("HOSTMETER_TESTS");
	struct buf out = BUF_INIT;
	char path[256], *golden;

	snprintf(path, sizeof(path), "%s/unit/golden/watch/%s-%dx%d%s.txt", tests ? tests : "tests", name,
		w->view.width, w->view.height, w->view.utf8 ? "" : "-ascii");
	for (int y = 0; y < w->frame.height; y++) {
		watch_frame_row(&w->frame, y, &out);
		buf_putc(&out, '\n');
	}
	if (getenv("UPDATE_GOLDEN"))
		write_whole(path, buf_text(&out));
	golden = read_whole(path);
	if (strcmp(buf_text(&out), golden) != 0)
		print_error("%s is not\n%s\nbut\n%s\n", path, golden, buf_text(&out));
	assert_string_equal(buf_text(&out), golden);
	free(golden);
	buf_free(&out);
}

/* The names of the hosts from the first row on. */
static inline void assert_order(const struct world *w, const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *line = row(w, w->view.first_row + (int)i);

		if (strncmp(line, names[i], strlen(names[i])) != 0)
			fail_msg("row %zu is \"%s\", not of %s", i, line, names[i]);
	}
}

#define ORDER(w, ...)                                                                                                  \
	assert_order(w, (const char *const[]){ __VA_ARGS__ },                                                          \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

#define MACHINE "00:00:5e:00:53:0c"
