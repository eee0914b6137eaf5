/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/print.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/version.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

static const struct {
	const char *json, *text;
} states[] = {
	[CHECK_OK] = { "ok", "ok" },
	[CHECK_BAD] = { "bad", "BAD" },
	[CHECK_UNTOLD] = { "untold", "?" },
};

const char *check_show_state(enum check_state state)
{
	return states[state].json;
}

/* One line of a text with several. */
static size_t first_line(const struct buf *text, size_t from)
{
	const char *newline = memchr(text->data + from, '\n', text->len - from);

	return newline ? (size_t)(newline - text->data) - from : text->len - from;
}

static void put_clean(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_putc(out, (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i]);
	buf_putc(out, '\n');
}

void check_show_text(struct buf *out, const struct check_line *line, size_t count)
{
	for (; count--; line++) {
		buf_printf(out, "%-4s %-13s ", states[line->state].text, line->name);
		put_clean(out, line->text.data, line->text.len);
		for (size_t at = 0, len; at < line->mend.len; at += len + 1) {
			len = first_line(&line->mend, at);
			buf_puts(out, "     mend: ");
			put_clean(out, line->mend.data + at, len);
		}
	}
}

/* --- JSON */

/* What is no UTF-8 is no reason for no answer. */
static json_t *text_of(const char *data, size_t len)
{
	json_t *text = json_stringn(data ? data : "", len);

	return text ? text : json_string("?");
}

static json_t *mends(const struct buf *mend)
{
	json_t *list = json_array();

	for (size_t at = 0, len; at < mend->len; at += len + 1) {
		len = first_line(mend, at);
		json_array_append_new(list, text_of(mend->data + at, len));
	}
	return list;
}

static int append(const char *data, size_t len, void *ctx)
{
	buf_add(ctx, data, len);
	return buf_error(ctx);
}

void check_show_json(struct buf *out, const struct check_line *line, size_t count, uint64_t real_ns)
{
	json_t *list = json_array(), *all;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:o, s:o}", "name", line[i].name, "state", states[line[i].state].json,
				"text", text_of(line[i].text.data, line[i].text.len), "mend", mends(&line[i].mend)));
	all = json_pack("{s:i, s:f, s:s, s:b, s:o}", "schema", CHECK_SCHEMA, "time",
		(double)(real_ns / CLOCK_NS_PER_MS) / 1e3, "version", HOSTMETER_VERSION, "good",
		check_is_good(line, count), "checks", list);
	/* A line that could not be made was refused by the list: then the whole is not whole. */
	if (!all || json_array_size(json_object_get(all, "checks")) != count ||
		json_dump_callback(all, append, out, JSON_COMPACT | JSON_REAL_PRECISION(15)))
		out->error = -ENOMEM;
	json_decref(all);
	buf_putc(out, '\n');
}
