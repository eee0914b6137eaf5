/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "values.h"

#include "hostmeter/base/addr.h"
#include "hostmeter/base/array.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/url.h"
#include "hostmeter/base/utf8.h"
#include "hostmeter/config/config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

int config_error(const struct config_origin *origin, const char *format, ...)
{
	char text[512], where[PATH_MAX + 32] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (origin->file && origin->line)
		snprintf(where, sizeof(where), "%s:%d: ", origin->file, origin->line);
	else if (origin->file)
		snprintf(where, sizeof(where), "%s: ", origin->file);

	char line[sizeof(text) + sizeof(where) + sizeof(origin->what) + 16];
	int len = snprintf(line, sizeof(line), "hostmeter: %s%s%s%s", where, origin->what, origin->what[0] ? ": " : "",
		text);

	len = (int)utf8_disarm(line, (size_t)len, false);
	fprintf(origin->err, "%.*s\n", len, line);
	return -EINVAL;
}

bool value_is_interface(const char *name)
{
	bool bad = !*name || strlen(name) > 15 || !strcmp(name, ".") || !strcmp(name, "..");

	for (size_t step; *name && !bad; name += step) {
		uint32_t code = 0;

		step = utf8_char(name, strlen(name), &code);
		bad = !step || !utf8_is_visible(code) || strchr("/: ", (int)code);
	}
	return !bad;
}

static void *field_of(const struct setting *s)
{
	return (char *)s->config + s->row->field;
}

int value_string(const struct setting *s)
{
	char **field = field_of(s), *copy = strdup(s->value);

	if (!copy)
		return config_error(s->origin, "out of memory");
	free(*field);
	*field = copy;
	return 0;
}

static bool strings_have(const struct config_strings *strings, const char *text)
{
	for (size_t i = 0; i < strings->count; i++)
		if (!strcmp(strings->item[i], text))
			return true;
	return false;
}

static int value_add(const struct setting *s)
{
	struct config_strings *strings = field_of(s);

	if (strings_have(strings, s->value))
		return 0;

	char **item = array_grow(strings->item, strings->count + 1, sizeof(*item));

	if (item) {
		strings->item = item;
		item[strings->count] = strdup(s->value);
	}
	if (!item || !item[strings->count])
		return config_error(s->origin, "out of memory");
	item[++strings->count] = NULL;
	return 0;
}

int value_flag(const struct setting *s)
{
	*(bool *)field_of(s) = true;
	return 0;
}

int value_bool(const struct setting *s)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (int i = 0; i < 6; i++) {
		if (!strcmp(s->value, words[i])) {
			*(bool *)field_of(s) = i % 2;
			return 0;
		}
	}
	return config_error(s->origin, "\"%s\" is not true or false", s->value);
}

int value_interface(const struct setting *s)
{
	bool is_lan = s->row->field == SETTING_FIELD(lan);

	if (!value_is_interface(s->value))
		return config_error(s->origin, "\"%s\" is not an interface name", s->value);
	if (strings_have(is_lan ? &s->config->wan : &s->config->lan, s->value))
		return config_error(s->origin, "interface \"%s\" cannot be both LAN and WAN", s->value);
	return value_add(s);
}

/* Decimal digits, with a fraction unless the row wants a whole number: no sign, exponent, hexadecimal or infinity. */
int value_number(const struct setting *s)
{
	static const char digits[] = "0123456789";
	bool whole = s->row->flags & WHOLE;
	size_t len = strspn(s->value, digits), end = len;
	double number = strtod(s->value, NULL);

	if (!whole && s->value[end] == '.')
		end += 1 + strspn(s->value + end + 1, digits);
	if (!len || s->value[end] || s->value[end - 1] == '.' || number < s->row->min || number > s->row->max)
		return config_error(s->origin, "\"%s\" is not a %snumber from %g to %g", s->value,
			whole && strchr(s->value, '.') ? "whole " : "", s->row->min, s->row->max);
	if (whole)
		*(uint32_t *)field_of(s) = (uint32_t)number;
	else if (s->row->flags & TIME)
		*(uint64_t *)field_of(s) = (uint64_t)(number * 1e9 + 0.5);
	else
		*(double *)field_of(s) = number;
	return 0;
}

int value_listen(const struct setting *s)
{
	struct addr addr;
	uint16_t port;

	if (url_read_port(s->value, &addr, &port))
		return config_error(s->origin, "\"%s\" is not ADDRESS:PORT, [IPV6ADDRESS]:PORT, :PORT or PORT",
			s->value);
	return value_add(s);
}

int value_tunnel(const struct setting *s)
{
	struct addr addr;
	uint16_t port;

	if (addr_parse(&addr, s->value) && url_read_port(s->value, &addr, &port))
		return config_error(s->origin, "\"%s\" is not ADDRESS, ADDRESS:PORT, [IPV6ADDRESS]:PORT or PORT",
			s->value);
	return value_add(s);
}

int value_allow(const struct setting *s)
{
	struct prefix prefix;

	if (prefix_parse(&prefix, s->value))
		return config_error(s->origin, "\"%s\" is not an address or ADDRESS/LENGTH", s->value);
	return value_add(s);
}

/* What a browser sends as Host, without the port. */
int value_server_name(const struct setting *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t len = strlen(s->value);

	if (!len || len > 253 || s->value[strspn(s->value, letters)])
		return config_error(s->origin, "\"%s\" is not a host name", s->value);
	return value_add(s);
}

/* Wildcards are for the files of one directory: whole trees are nobody's list of names. */
int value_pattern(const struct setting *s)
{
	const char *file = strrchr(s->value, '/');

	if (*s->value != '/')
		return config_error(s->origin, "\"%s\" is not an absolute path", s->value);
	if (!file[1] || strlen(s->value) > PATH_MAX - 1)
		return config_error(s->origin, "\"%s\" is not the path of a file", s->value);
	if (strcspn(s->value, "*?[") < (size_t)(file - s->value))
		return config_error(s->origin, "\"%s\" has wildcards in a directory", s->value);
	return value_add(s);
}

/* On the command line a relative path means what the shell means; in a file it would mean something else each time. */
int value_path(const struct setting *s)
{
	size_t max = s->row->field == SETTING_FIELD(socket) ? sizeof(((struct sockaddr_un *)0)->sun_path) - 1 :
							      PATH_MAX - 1;

	if (!*s->value)
		return config_error(s->origin, "the path is empty");
	if (s->origin->file && *s->value != '/')
		return config_error(s->origin, "\"%s\" is not an absolute path", s->value);
	if (strlen(s->value) > max)
		return config_error(s->origin, "the path is longer than %zu bytes", max);
	return value_string(s);
}

int value_log_level(const struct setting *s)
{
	enum log_level level;

	if (log_level_parse(&level, s->value))
		return config_error(s->origin, "\"%s\" is not error, warning, info or debug", s->value);
	*(int *)field_of(s) = level;
	return 0;
}

int value_word(const struct setting *s)
{
	char words[128], list[160] = "", *save = NULL, *next;
	int i = 0;

	snprintf(words, sizeof(words), "%s", s->row->words);
	for (char *word = strtok_r(words, " ", &save); word; word = next, i++) {
		if (!strcmp(s->value, word)) {
			*(int *)field_of(s) = i;
			return 0;
		}
		next = strtok_r(NULL, " ", &save);
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			!i           ? "" :
				next ? ", " :
				       " or ",
			word);
	}
	return config_error(s->origin, "\"%s\" is not %s", s->value, list);
}

int value_sort(const struct setting *s)
{
	bool reverse = *s->value == '-';
	struct setting column = *s;
	int error;

	column.value += reverse;
	error = value_word(&column);
	if (!error)
		s->config->watch_reverse = reverse;
	return error;
}

int value_rules(const struct setting *s)
{
	if (strcmp(s->value, "nft") && strcmp(s->value, "iptables"))
		return config_error(s->origin, "\"%s\" is not nft or iptables", s->value);
	return value_string(s);
}

void value_free(struct config *config, const struct setting_row *row)
{
	void *field = (char *)config + row->field;
	struct config_strings *strings = field;

	if (row->flags & TEXT)
		free(*(char **)field);
	if (!(row->flags & LIST))
		return;
	for (size_t i = 0; i < strings->count; i++)
		free(strings->item[i]);
	free(strings->item);
}

/* ---- Two configurations */

static size_t size_of(const struct setting_row *row)
{
	if (!row->set)
		return 0;
	if (row->flags & LIST)
		return sizeof(struct config_strings);
	if (row->flags & TEXT)
		return sizeof(char *);
	if (row->flags & WHOLE)
		return sizeof(uint32_t);
	if (row->flags & TIME)
		return sizeof(uint64_t);
	if (row->set == value_number)
		return sizeof(double);
	return row->set == value_flag || row->set == value_bool ? sizeof(bool) : sizeof(int);
}

static bool strings_equal(const struct config_strings *a, const struct config_strings *b)
{
	bool equal = a->count == b->count;

	for (size_t i = 0; equal && i < a->count; i++)
		equal = !strcmp(a->item[i], b->item[i]);
	return equal;
}

static bool text_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool value_equal(const struct config *a, const struct config *b, const struct setting_row *row)
{
	const void *one = (const char *)a + row->field, *two = (const char *)b + row->field;

	if (row->flags & LIST)
		return strings_equal(one, two);
	if (row->flags & TEXT)
		return text_equal(*(char *const *)one, *(char *const *)two);
	return !memcmp(one, two, size_of(row));
}

void value_exchange(struct config *a, struct config *b, const struct setting_row *row)
{
	char *one = (char *)a + row->field, *two = (char *)b + row->field;

	for (size_t i = 0; i < size_of(row); i++) {
		char byte = one[i];

		one[i] = two[i];
		two[i] = byte;
	}
}
