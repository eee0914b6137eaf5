/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "negotiate.h"

#include "hostmeter/base/addr.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A piece of a header, not terminated. */
struct span {
	const char *at;
	size_t len;
};

static bool equals(struct span span, const char *text)
{
	return strlen(text) == span.len && strncasecmp(span.at, text, span.len) == 0;
}

static struct span trimmed(struct span span)
{
	while (span.len && (*span.at == ' ' || *span.at == '\t'))
		span.at++, span.len--;
	while (span.len && (span.at[span.len - 1] == ' ' || span.at[span.len - 1] == '\t'))
		span.len--;
	return span;
}

/* Takes the next piece up to a separator that is not inside quotes off the text. False at the end. */
static bool next(struct span *text, char separator, struct span *piece)
{
	bool quoted = false;
	size_t i = 0;

	if (!text->at)
		return false;
	for (; i < text->len && (quoted || text->at[i] != separator); i++) {
		if (text->at[i] == '"')
			quoted = !quoted;
		else if (quoted && text->at[i] == '\\' && i + 1 < text->len)
			i++;
	}
	*piece = trimmed((struct span){ text->at, i });
	if (i == text->len)
		text->at = NULL;
	else
		*text = (struct span){ text->at + i + 1, text->len - i - 1 };
	return true;
}

static struct span span_of(const char *text)
{
	return (struct span){ text, text ? strlen(text) : 0 };
}

/* "name = value", the value without its quotes. */
static bool parameter(struct span text, struct span *name, struct span *value)
{
	const char *sign = memchr(text.at, '=', text.len);

	if (!sign)
		return false;
	*name = trimmed((struct span){ text.at, (size_t)(sign - text.at) });
	*value = trimmed((struct span){ sign + 1, text.len - (size_t)(sign + 1 - text.at) });
	if (value->len >= 2 && value->at[0] == '"' && value->at[value->len - 1] == '"')
		*value = (struct span){ value->at + 1, value->len - 2 };
	return true;
}

/* 0 to 1 with at most three decimals, in thousandths; -1 if it is none. */
static int weight(struct span text)
{
	int value = 0, unit = 100;

	if (!text.len || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1') ||
		(text.len > 1 && text.at[1] != '.'))
		return -1;
	value = (text.at[0] - '0') * 1000;
	for (size_t i = 2; i < text.len; i++, unit /= 10) {
		if (!isdigit((unsigned char)text.at[i]))
			return -1;
		value += (text.at[i] - '0') * unit;
	}
	return value <= 1000 ? value : -1;
}

/* "what;version=1;q=0.5": the weight, 1000 where none is said; -1 if the item makes no sense. */
static int read_item(struct span item, struct span *what, struct span *version)
{
	struct span piece, name, value;
	int q = 1000;

	*version = (struct span){ NULL, 0 };
	if (!next(&item, ';', what))
		return -1;
	while (next(&item, ';', &piece)) {
		if (!parameter(piece, &name, &value))
			continue;
		if (equals(name, "q"))
			q = weight(value);
		else if (equals(name, "version"))
			*version = value;
	}
	return q;
}

/* How much something is wanted: by the range that names it best, and there by its weight. */
struct wish {
	int precision; /* 0: not mentioned */
	int weight;
};

static void wish_for(struct wish *wish, int precision, int q)
{
	if (precision > wish->precision || (precision && precision == wish->precision && q > wish->weight))
		*wish = (struct wish){ precision, q };
}

/* --- Accept */

static const struct {
	const char *type, *subtype, *version;
} formats[PROMETHEUS_FORMATS] = {
	[PROMETHEUS_TEXT] = { "text", "plain", "0.0.4" },
	[PROMETHEUS_OPENMETRICS] = { "application", "openmetrics-text", "1.0.0" },
};

/* How well a media range names this format: 4 with its version, 3 without one, 2 by its type, 1 for any; 0: not. */
static int precision_of(struct span range, struct span version, enum prometheus_format format)
{
	struct span type, subtype;

	if (!next(&range, '/', &type) || !next(&range, '/', &subtype) || range.at)
		return 0;
	if (equals(type, "*") && equals(subtype, "*"))
		return 1;
	if (!equals(type, formats[format].type))
		return 0;
	if (equals(subtype, "*"))
		return 2;
	if (!equals(subtype, formats[format].subtype))
		return 0;
	if (!version.at)
		return 3;
	return equals(version, formats[format].version) ? 4 : 0;
}

static void take_range(struct span range, struct wish wishes[PROMETHEUS_FORMATS])
{
	struct span media, version;
	int q = read_item(range, &media, &version);

	for (enum prometheus_format format = 0; format < PROMETHEUS_FORMATS && q >= 0; format++)
		wish_for(&wishes[format], precision_of(media, version, format), q);
}

enum prometheus_format negotiate_format(const char *accept)
{
	struct wish wishes[PROMETHEUS_FORMATS] = { { 0 } };
	const struct wish *text = &wishes[PROMETHEUS_TEXT], *open = &wishes[PROMETHEUS_OPENMETRICS];
	struct span list = span_of(accept), range;

	while (next(&list, ',', &range))
		take_range(range, wishes);
	if (open->weight > text->weight)
		return PROMETHEUS_OPENMETRICS;
	/* Equal weights: what was named rather than what some wildcard covers. */
	return open->weight && open->weight == text->weight && open->precision >= 3 && text->precision < 3 ?
		PROMETHEUS_OPENMETRICS :
		PROMETHEUS_TEXT;
}

/* --- Accept-Encoding */

bool negotiate_gzip(const char *accept_encoding)
{
	struct wish gzip = { 0 }, identity = { 0 };
	struct span list = span_of(accept_encoding), item, coding, version;

	while (next(&list, ',', &item)) {
		int q = read_item(item, &coding, &version);

		if (q < 0)
			continue;
		wish_for(&gzip, equals(coding, "gzip") || equals(coding, "x-gzip") ? 2 : equals(coding, "*"), q);
		wish_for(&identity, equals(coding, "identity") ? 2 : equals(coding, "*"), q);
	}
	return gzip.weight && gzip.weight >= identity.weight;
}

/* --- Host */

static bool is_address(struct span text, uint8_t family)
{
	char copy[ADDR_TEXT];
	struct addr addr;

	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return addr_parse(&addr, copy) == 0 && addr.family == family;
}

/* Takes a port and its colon off the end, if there is one: RFC 3986, section 3.2. */
static struct span without_port(struct span host)
{
	size_t len = host.len;

	while (len && isdigit((unsigned char)host.at[len - 1]))
		len--;
	return len && host.at[len - 1] == ':' && host.len - len <= 5 ? (struct span){ host.at, len - 1 } : host;
}

/* Labels of letters, digits, '-' and '_'; not with a number at the end, which is an address in some other form. */
static bool is_name(struct span text)
{
	size_t label = 0;
	bool number = false;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '.' ? !label : !isalnum(c) && c != '-' && c != '_')
			return false;
		label = c == '.' ? 0 : label + 1;
		number = isdigit(c) && (number || label == 1);
		if (label > 63)
			return false;
	}
	return label && !number && text.len <= 253;
}

/* No public DNS has a name of one label, or one under these: RFC 6761, 6762 and 8375, ICANN, and what routers use. */
static bool is_local_name(struct span name)
{
	static const char *const domains[] = { "home", "home.arpa", "internal", "lan", "local", "localdomain",
		"localhost" };

	if (!is_name(name))
		return false;
	if (!memchr(name.at, '.', name.len))
		return true;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		size_t len = strlen(domains[i]);

		if (name.len > len && name.at[name.len - len - 1] == '.' &&
			equals((struct span){ name.at + name.len - len, len }, domains[i]))
			return true;
	}
	return false;
}

bool negotiate_host(const char *host, const char *const *names, size_t count)
{
	struct span name = without_port(trimmed(span_of(host)));

	if (!host)
		return true;
	if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
		return is_address((struct span){ name.at + 1, name.len - 2 }, 6);
	if (is_address(name, 4))
		return true;
	/* A name may be written with the dot of the root. */
	if (name.len > 1 && name.at[name.len - 1] == '.')
		name.len--;
	for (size_t i = 0; i < count; i++)
		if (names[i][0] && equals(name, names[i]))
			return true;
	return is_local_name(name);
}
