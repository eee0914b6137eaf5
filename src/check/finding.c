/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/judge.h"

#include "hostmeter/base/json.h"
#include "hostmeter/base/utf8.h"
#include "hostmeter/base/version.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *json, *text;
} states[] = {
	[FINDING_OK] = { "ok", "ok" },
	[FINDING_BAD] = { "bad", "BAD" },
	[FINDING_UNKNOWN] = { "unknown", "?" },
};

/* --- Filling one in */

static void __attribute__((format(printf, 2, 0))) put(struct buf *out, const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	buf_puts(out, text);
}

void finding_set(struct finding *finding, enum finding_state state, const char *format, ...)
{
	va_list args;

	finding->state = state;
	va_start(args, format);
	put(&finding->text, format, args);
	va_end(args);
}

void finding_fix(struct finding *finding, const char *format, ...)
{
	va_list args;

	if (finding->fix.len)
		buf_putc(&finding->fix, '\n');
	va_start(args, format);
	put(&finding->fix, format, args);
	va_end(args);
}

void finding_put_owner(struct finding *finding, const struct socket_owner *owner)
{
	if (owner->pid)
		buf_printf(&finding->text, "%s (process %d)", owner->name[0] ? owner->name : "?", (int)owner->pid);
	else
		buf_puts(&finding->text, "a process that cannot be seen from here");
}

bool finding_none_bad(const struct finding *finding, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (finding[i].state == FINDING_BAD)
			return false;
	return true;
}

void finding_clear(struct finding *finding, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_free(&finding[i].text);
		buf_free(&finding[i].fix);
	}
}

/* --- Printing */

#define FIX "     fix: "
#define CONTINUED "                   "

/* The length of the line that begins there. */
static size_t line_len(const struct buf *text, size_t from)
{
	const char *newline = memchr(text->data + from, '\n', text->len - from);

	return newline ? (size_t)(newline - text->data) - from : text->len - from;
}

static void put_clean(struct buf *out, const char *text, size_t len)
{
	char *to = buf_reserve(out, len + 1);

	if (!to)
		return;
	memcpy(to, text, len);
	len = utf8_disarm(to, len, false);
	to[len] = '\n';
	buf_commit(out, len + 1);
}

/* All lines; before each but the first comes between. */
static void put_lines(struct buf *out, const struct buf *text, const char *between)
{
	for (size_t at = 0, len; at < text->len; at += len + 1) {
		len = line_len(text, at);
		buf_puts(out, at ? between : "");
		put_clean(out, text->data + at, len);
	}
}

void finding_print_text(struct buf *out, const struct finding *finding, size_t count)
{
	for (; count--; finding++) {
		buf_printf(out, "%-4s %-13s ", states[finding->state].text, finding->name);
		put_lines(out, &finding->text, CONTINUED);
		if (finding->fix.len)
			buf_puts(out, FIX);
		put_lines(out, &finding->fix, FIX);
	}
}

static void put_json(struct buf *out, const struct finding *finding)
{
	json_begin(out, NULL, '{');
	json_put_text(out, "name", finding->name);
	json_put_text(out, "state", states[finding->state].json);
	json_put_text_n(out, "text", finding->text.data, finding->text.len);
	json_begin(out, "fix", '[');
	for (size_t at = 0, len; at < finding->fix.len; at += len + 1) {
		len = line_len(&finding->fix, at);
		json_put_text_n(out, NULL, finding->fix.data + at, len);
	}
	json_end(out, ']');
	json_end(out, '}');
}

void finding_print_json(struct buf *out, const struct finding *finding, size_t count, uint64_t real_ns)
{
	json_begin(out, NULL, '{');
	json_put_u64(out, "schema", CHECK_SCHEMA);
	json_put_time(out, "time", real_ns);
	json_put_text(out, "version", HOSTMETER_VERSION);
	json_put_bool(out, "good", finding_none_bad(finding, count));
	json_begin(out, "checks", '[');
	for (size_t i = 0; i < count; i++)
		put_json(out, &finding[i]);
	json_end(out, ']');
	json_end(out, '}');
	buf_putc(out, '\n');
}
