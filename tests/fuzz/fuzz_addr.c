/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, prefixes, MAC addresses and where to listen, as text: what is taken is written and read again unchanged.
 */
#include "hostmeter/base/addr.h"
#include "hostmeter/base/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_addr(const char *text)
{
	struct addr addr, again;
	char written[ADDR_TEXT];

	if (addr_parse(&addr, text))
		return;
	require(addr_len(addr.family) && !addr_parse(&again, addr_format(&addr, written)) && addr_equal(&addr, &again));
}

static void check_prefix(const char *text)
{
	char written[ADDR_TEXT + 4], bare[ADDR_TEXT];
	struct prefix prefix, again;

	if (prefix_parse(&prefix, text))
		return;
	require(prefix.len <= 8 * addr_len(prefix.addr.family) && prefix_contains(&prefix, &prefix.addr));
	snprintf(written, sizeof(written), "%s/%u", addr_format(&prefix.addr, bare), prefix.len);
	require(!prefix_parse(&again, written) && again.len == prefix.len && addr_equal(&again.addr, &prefix.addr));
}

static void check_mac(const char *text)
{
	char written[MAC_TEXT];
	struct mac mac, again;

	if (!mac_parse(&mac, text))
		require(!mac_parse(&again, mac_format(&mac, written)) && mac_equal(&mac, &again));
}

static void check_port(const char *text)
{
	struct addr addr;
	uint16_t port;

	if (!url_read_port(text, &addr, &port))
		require(port && (!addr.family || addr_len(addr.family)));
}

/* The encoded text has nothing in it that means something in a URL, and stands for the same bytes. */
static void check_encoding(const char *text)
{
	struct buf out = BUF_INIT;
	const char *at;

	url_encode(&out, text);
	for (at = buf_text(&out); *at; text++) {
		unsigned int byte = (unsigned char)*at;

		require(strchr("%-._~", *at) || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
			(byte >= 'a' && byte <= 'z'));
		require(*at != '%' || sscanf(at + 1, "%2X", &byte) == 1);
		require(byte == (unsigned char)*text);
		at += *at == '%' ? 3 : 1;
	}
	require(!*text);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* reading past its end is seen */

	require(text);
	memcpy(text, data, size);
	text[size] = '\0';
	check_addr(text);
	check_prefix(text);
	check_mac(text);
	check_port(text);
	check_encoding(text);
	free(text);
	return 0;
}
