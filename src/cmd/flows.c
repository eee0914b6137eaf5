/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host_known.h"
#include "hostmeter/base/addr.h"
#include "hostmeter/base/array.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/url.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/client.h"
#include "no_answer.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 10000, AGAIN_MS = 20 };

#define PATIENCE_NS (30 * CLOCK_NS_PER_S) /* a dump of a million connections takes seconds */

struct line {
	const char *text; /* up to and with its newline */
	size_t len;
	uint64_t bytes; /* in and out */
};

static void put_parameter(struct buf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_printf(out, "&%s=", name);
	url_encode(out, value);
}

/* Moves *end back to the start of the last number before it, and returns that number. */
static uint64_t last_number(const char *start, const char **end)
{
	while (*end > start && !isdigit((unsigned char)(*end)[-1]))
		--*end;
	while (*end > start && isdigit((unsigned char)(*end)[-1]))
		--*end;
	return strtoull(*end, NULL, 10);
}

/* The line at text: " in=N out=N" or, of JSON, ","in":N,"out":N}" ends it. */
static struct line line_at(const char *text)
{
	size_t len = strcspn(text, "\n");
	const char *end = text + len;
	struct line line = { text, len + (text[len] == '\n'), last_number(text, &end) };

	line.bytes += last_number(text, &end);
	return line;
}

static int by_bytes(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->text < y->text ? -1 : 1; /* in the kernel's order */
}

/* Keeps the top lines with the most bytes, most first. 0 or -ENOMEM. */
static int keep_top(struct buf *lines, uint32_t top)
{
	struct buf sorted = BUF_INIT;
	struct line *list = NULL, *line;
	size_t count = 0;

	for (const char *text = buf_text(lines); *text; text += line->len) {
		line = array_add(&list, &count, sizeof(*line));
		if (!line) {
			free(list);
			return -ENOMEM;
		}
		*line = line_at(text);
	}
	if (count)
		qsort(list, count, sizeof(*list), by_bytes);
	for (size_t i = 0; i < count && i < top; i++)
		buf_add(&sorted, list[i].text, list[i].len);
	free(list);
	buf_free(lines);
	*lines = sorted;
	return buf_error(lines);
}

/* Why there is no flow of the host that was asked for. Returns the exit status. */
static int say_why_none(const struct config *config)
{
	const char *name = config->flows_host;
	struct buf similar = BUF_INIT;
	struct addr address;
	bool known = !addr_parse(&address, name) || host_known(config, name, &similar);

	if (known)
		log_info("%s has no such connection now", name);
	else
		log_error("--flows: the meter knows no host \"%s\"%s%s", name, similar.len ? "; similar: " : "",
			buf_text(&similar));
	buf_free(&similar);
	return known ? CMD_OK : CMD_FAILED;
}

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
		return say_why_none(config);
	if (status == 200)
		return config->flows_top && keep_top(out, config->flows_top) ? CMD_FAILED : CMD_OK;
	no_answer_log_refusal(config->socket, status, "--flows", status == 202 ? "" : buf_text(out));
	buf_reset(out);
	return status == 400 ? CMD_USAGE : CMD_FAILED;
}
