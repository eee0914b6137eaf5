/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int url_split(const char *url, char host[static URL_HOST_TEXT], char port[static URL_PORT_TEXT],
	char base[static URL_BASE_TEXT])
{
	static const char plain[] = "http://";
	const char *rest = url + sizeof(plain) - 1, *end, *colon;
	size_t len, digits;

	for (const unsigned char *c = (const unsigned char *)url; *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return -EINVAL;
	if (!strncasecmp(url, "https://", 8))
		return -EPROTONOSUPPORT;
	if (strncasecmp(url, plain, sizeof(plain) - 1))
		return -EINVAL;
	end = rest + strcspn(rest, "/");
	colon = *rest == '[' ? memchr(rest, ']', (size_t)(end - rest)) : NULL;
	if (*rest == '[' && !colon)
		return -EINVAL;
	colon = memchr(colon ? colon : rest, ':', (size_t)(end - (colon ? colon : rest)));
	len = (size_t)((colon ? colon : end) - rest);
	digits = colon ? (size_t)(end - colon) - 1 : 0;
	if (len == 0 || len >= URL_HOST_TEXT || memchr(rest, '@', len) || strcspn(rest, "?#") < strlen(rest))
		return -EINVAL;
	if (colon &&
		(digits == 0 || digits > 5 || strspn(colon + 1, "0123456789") != digits || atoi(colon + 1) > 65535))
		return -EINVAL;
	if (strlen(end) >= URL_BASE_TEXT)
		return -EINVAL;
	snprintf(host, URL_HOST_TEXT, "%.*s", (int)len, rest);
	if (colon)
		snprintf(port, URL_PORT_TEXT, "%.*s", (int)digits, colon + 1);
	else
		snprintf(port, URL_PORT_TEXT, "%d", URL_DEFAULT_PORT);
	strcpy(base, end);
	len = strlen(base);
	if (len && base[len - 1] == '/')
		base[len - 1] = '\0';
	return 0;
}

int url_check(const char *url)
{
	char host[URL_HOST_TEXT], port[URL_PORT_TEXT], base[URL_BASE_TEXT];

	return url_split(url, host, port, base);
}
