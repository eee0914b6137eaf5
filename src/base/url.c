/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/url.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int url_read_port(const char *text, struct addr *addr, uint16_t *port)
{
	const char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : text;
	size_t len = colon ? (size_t)(colon - text) : 0, count = strspn(digits, "0123456789");
	bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	char host[ADDR_TEXT + 2];
	unsigned long number;

	*addr = (struct addr){ 0 };
	if (count == 0 || count > 5 || digits[count] || len >= sizeof(host))
		return -EINVAL;
	number = strtoul(digits, NULL, 10);
	if (number == 0 || number > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)number;
	if (len == 0)
		return 0;
	memcpy(host, text, len);
	host[bracketed ? len - 1 : len] = '\0';
	if (addr_parse(addr, host + bracketed) != 0)
		return -EINVAL;
	/* "::1:80" could be read in two ways. */
	return addr->family == (bracketed ? 6 : 4) ? 0 : -EINVAL;
}

void url_encode(struct buf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			buf_putc(out, *text);
		else
			buf_printf(out, "%%%02X", (unsigned char)*text);
	}
}
