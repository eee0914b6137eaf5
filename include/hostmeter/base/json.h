/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json: JSON from our values and back. json_to_*() reads a borrowed value of jansson and is content with any: what is
 * missing or of another type is 0 or "".
 */
#pragma once

#include "hostmeter/base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number that is not negative. */
uint64_t json_to_u64(const json_t *value);

/* Seconds since 1970 as nanoseconds. */
uint64_t json_to_ns(const json_t *value);

/* The same of an object's member. */
static inline uint64_t json_get_u64(const json_t *object, const char *key)
{
	return json_to_u64(json_object_get(object, key));
}

static inline uint64_t json_get_ns(const json_t *object, const char *key)
{
	return json_to_ns(json_object_get(object, key));
}

static inline bool json_get_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* The text itself, never NULL, valid as long as the value; and a copy that is cut to size. */
const char *json_to_text(const json_t *value);
void json_copy_text(char *to, size_t size, const json_t *value);

static inline const char *json_get_text(const json_t *object, const char *key)
{
	return json_to_text(json_object_get(object, key));
}

/*
 * Parses a document of the meter's API. Returns it, the caller's to json_decref(); or NULL and *error: -EBADMSG for no
 * JSON object, -EPROTO for an object of another schema than API_SCHEMA.
 */
json_t *json_open(const char *data, size_t len, int *error);

/*
 * Writing, without jansson's values: a document may have many thousand numbers. Each appends to out: the comma before
 * it if there has to be one; the key, or NULL within a list; the value. What did not fit shows in buf_error(). Numbers
 * above INT64_MAX become that, seconds have three decimals, a text that is not UTF-8 is "?"; a text that is NULL and a
 * time of 0 are null.
 */
void json_begin(struct buf *out, const char *key, char bracket); /* '{' or '[' */
void json_end(struct buf *out, char bracket);                    /* '}' or ']' */
void json_put_u64(struct buf *out, const char *key, uint64_t value);
void json_put_bool(struct buf *out, const char *key, bool value);
void json_put_null(struct buf *out, const char *key);
void json_put_text(struct buf *out, const char *key, const char *text);
void json_put_text_n(struct buf *out, const char *key, const char *text, size_t len);
void json_put_seconds(struct buf *out, const char *key, uint64_t ns);
void json_put_time(struct buf *out, const char *key, uint64_t ns);
