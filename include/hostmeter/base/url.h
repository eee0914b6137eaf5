/* SPDX-License-Identifier: GPL-2.0-or-later */
/* url: the parts of an http URL. */
#ifndef HOSTMETER_BASE_URL_H
#define HOSTMETER_BASE_URL_H

enum { URL_HOST_TEXT = 256, URL_PORT_TEXT = 8, URL_BASE_TEXT = 256, URL_DEFAULT_PORT = 10060 };

/* Splits "http://HOST[:PORT][/BASE]". 0; -EPROTONOSUPPORT for https, -EINVAL for anything else. */
int url_split(const char *url, char host[static URL_HOST_TEXT], char port[static URL_PORT_TEXT],
	char base[static URL_BASE_TEXT]);

/* Whether url_split() takes the text: 0 or its -errno. */
int url_check(const char *url);

#endif
