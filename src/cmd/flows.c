/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flows.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/url.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/client.h"
#include "no_answer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 10000, AGAIN_MS = 20 };

#define PATIENCE_NS (30 * CLOCK_NS_PER_S) /* a dump of a million connections takes seconds */

static void put_parameter(struct buf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_printf(out, "&%s=", name);
	url_encode(out, value);
}

/* --- Sorting: a line ends in " in=N out=N", or an object in ","in":N,"out":N}" */

struct line {
	const char *text;
	size_t len;
	uint64_t bytes;
};

static uint64_t number_after(const struct line *line, const char *word)
{
	const char *found = NULL;

	for (const char *at = memmem(line->text, line->len, word, strlen(word)); at;
		at = memmem(at + 1, line->len - (size_t)(at + 1 - line->text), word, strlen(word)))
		found = at;
	return found ? strtoull(found + strlen(word), NULL, 10) : 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->text < y->text ? -1 : 1; /* else in the kernel's order */
}

static size_t cut(struct buf *text, struct line *lines, size_t size)
{
	const char *at = text->data, *end = at + text->len;
	size_t count = 0;

	while (at < end && count < size) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct line *line = &lines[count++];

		*line = (struct line){ at, newline ? (size_t)(newline + 1 - at) : (size_t)(end - at), 0 };
		line->bytes = *at == '{' ? number_after(line, ",\"in\":") + number_after(line, ",\"out\":") :
					   number_after(line, " in=") + number_after(line, " out=");
		at += line->len;
	}
	return count;
}

int flows_sort(struct buf *lines, uint32_t top)
{
	struct buf sorted = BUF_INIT;
	struct line *line;
	size_t count = 1;

	if (!top || !lines->len)
		return 0;
	for (size_t i = 0; i < lines->len; i++)
		count += lines->data[i] == '\n';
	line = calloc(count, sizeof(*line));
	if (!line)
		return -ENOMEM;
	count = cut(lines, line, count);
	qsort(line, count, sizeof(*line), by_bytes);
	for (size_t i = 0; i < count && i < top; i++)
		buf_add(&sorted, line[i].text, line[i].len);
	free(line);
	buf_free(lines);
	*lines = sorted;
	return buf_error(lines);
}

/* --- Asking */

int cmd_flows(const struct config *config, struct buf *out)
{
	struct buf target = BUF_INIT;
	uint64_t deadline = clock_mono_ns() + PATIENCE_NS;
	int status;

	buf_printf(&target, "/api/v1/flows?json=%d", config->json);
	put_parameter(&target, "host", config->flows_host);
	put_parameter(&target, "ipv", config->flows_ipv);
	put_parameter(&target, "proto", config->flows_proto);
	put_parameter(&target, "port", config->flows_port);
	do {
		buf_reset(out);
		status = http_get(config->socket, buf_text(&target), out, ANSWER_MS);
		if (status == 202)
			poll(NULL, 0, AGAIN_MS);
	} while (status == 202 && clock_mono_ns() < deadline);
	buf_free(&target);
	if (status == 200 && !out->len && config->flows_host && *config->flows_host)
		log_info("%s has no such connection now", config->flows_host);
	if (status == 200)
		return flows_sort(out, config->flows_top) ? CMD_FAILED : CMD_OK;
	no_answer_log_refusal(config->socket, status, "--flows", status == 202 ? "" : buf_text(out));
	buf_reset(out);
	return status == 400 ? CMD_USAGE : CMD_FAILED;
}
