/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/json.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

uint64_t json_to_u64(const json_t *value)
{
	json_int_t integer = json_integer_value(value);

	return integer > 0 ? (uint64_t)integer : 0;
}

uint64_t json_to_ns(const json_t *value)
{
	double seconds = json_number_value(value);

	return seconds > 0 && seconds < 1e10 ? (uint64_t)(seconds * 1e3 + 0.5) * CLOCK_NS_PER_MS : 0;
}

const char *json_to_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text ? text : "";
}

void json_copy_text(char *to, size_t size, const json_t *value)
{
	snprintf(to, size, "%s", json_to_text(value));
}

json_t *json_open(const char *data, size_t len, int *error)
{
	json_t *document = json_loadb(data ? data : "", len, 0, NULL);

	*error = !json_is_object(document)                                     ? -EBADMSG :
		json_to_u64(json_object_get(document, "schema")) != API_SCHEMA ? -EPROTO :
										 0;
	if (!*error)
		return document;
	json_decref(document);
	return NULL;
}

/* ---- Writing */

static void put_key(struct buf *out, const char *key)
{
	if (out->len && !strchr("{[\n", out->data[out->len - 1]))
		buf_putc(out, ',');
	if (key) {
		buf_putc(out, '"');
		buf_puts(out, key);
		buf_puts(out, "\":");
	}
}

void json_begin(struct buf *out, const char *key, char bracket)
{
	put_key(out, key);
	buf_putc(out, bracket);
}

void json_end(struct buf *out, char bracket)
{
	buf_putc(out, bracket);
}

void json_put_u64(struct buf *out, const char *key, uint64_t value)
{
	put_key(out, key);
	buf_put_u64(out, value > INT64_MAX ? INT64_MAX : value);
}

void json_put_bool(struct buf *out, const char *key, bool value)
{
	put_key(out, key);
	buf_puts(out, value ? "true" : "false");
}

void json_put_null(struct buf *out, const char *key)
{
	put_key(out, key);
	buf_puts(out, "null");
}

/* Whether it stands between quotes as it is. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return false;
	return true;
}

static int append(const char *data, size_t len, void *ctx)
{
	buf_add(ctx, data, len);
	return buf_error(ctx);
}

static void put_escaped(struct buf *out, const char *text, size_t len)
{
	json_t *string = json_stringn(text, len);

	string = string ? string : json_string("?");
	if (json_dump_callback(string, append, out, JSON_ENCODE_ANY))
		out->error = -ENOMEM;
	json_decref(string);
}

void json_put_text_n(struct buf *out, const char *key, const char *text, size_t len)
{
	put_key(out, key);
	if (!is_plain(text, len)) {
		put_escaped(out, text, len);
		return;
	}
	buf_putc(out, '"');
	buf_add(out, text, len);
	buf_putc(out, '"');
}

void json_put_text(struct buf *out, const char *key, const char *text)
{
	if (text)
		json_put_text_n(out, key, text, strlen(text));
	else
		json_put_null(out, key);
}

void json_put_seconds(struct buf *out, const char *key, uint64_t ns)
{
	unsigned int ms = (unsigned int)(ns / CLOCK_NS_PER_MS % 1000);

	put_key(out, key);
	buf_put_u64(out, ns / CLOCK_NS_PER_S);
	/* As jansson writes a real number: without zeros at the end, and never without a decimal. */
	if (ms % 100 == 0)
		buf_printf(out, ".%u", ms / 100);
	else if (ms % 10 == 0)
		buf_printf(out, ".%02u", ms / 10);
	else
		buf_printf(out, ".%03u", ms);
}

void json_put_time(struct buf *out, const char *key, uint64_t ns)
{
	if (ns)
		json_put_seconds(out, key, ns);
	else
		json_put_null(out, key);
}
