/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "amount.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* The bytes of a unit; 0: there is no such unit. */
static uint64_t unit_of(const char *text)
{
	static const char prefixes[] = "kmgtp";
	uint64_t bytes = 1, step = 1000;

	if (!*text || !strcasecmp(text, "b"))
		return 1;
	for (const char *p = prefixes; *p; p++) {
		if (strncasecmp(text, p, 1))
			continue;
		text++;
		if (!strncasecmp(text, "i", 1)) {
			step = 1024;
			text++;
		}
		for (const char *power = prefixes; power <= p; power++)
			bytes *= step;
		return !*text || !strcasecmp(text, "b") ? bytes : 0;
	}
	return 0;
}

int amount_parse(uint64_t *bytes, const char *text)
{
	static const char digits[] = "0123456789";
	size_t whole = strspn(text, digits), parts = text[whole] == '.' ? strspn(text + whole + 1, digits) : 0;
	const char *end = text + whole + (parts ? parts + 1 : 0);
	uint64_t unit = unit_of(end + strspn(end, " ")), sum = 0, part = 0;

	if (!whole || !unit)
		return -EINVAL;
	for (size_t i = 0; i < whole; i++) {
		sum = 10 * sum + (uint64_t)(text[i] - '0');
		if (sum > AMOUNT_MAX / unit)
			return -ERANGE;
	}
	/* From the last digit on, so that nothing is rounded but the end. */
	for (size_t i = parts; i > 0; i--)
		part = (part + unit * (uint64_t)(text[whole + i] - '0')) / 10;
	if (part > AMOUNT_MAX - sum * unit)
		return -ERANGE;
	*bytes = sum * unit + part;
	return 0;
}
