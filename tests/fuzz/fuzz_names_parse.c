/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files with names: no crash; what comes out can be a host's, and its name is made fit for a label. */
#include "names/parse.h"

#include "hostmeter/base/utf8.h"
#include "hostmeter/meter/names.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *ctx, const struct mac *mac, const struct addr *addr, const char *name, bool newer)
{
	char clean[NAMES_BYTES + 1];
	size_t len = names_clean(clean, name), step;

	if (!mac == !addr || !*name || strlen(name) > NAMES_PARSE_LINE || strchr(name, '\n'))
		abort();
	if (mac ? !mac_is_host(mac) : addr_is_multicast(addr) || addr_is_loopback(addr))
		abort();
	if (len != strlen(clean) || len > NAMES_BYTES || strpbrk(clean, "\"'\\<>"))
		abort();
	for (size_t at = 0; at < len; at += step) {
		uint32_t code;

		step = utf8_char(clean + at, len - at, &code);
		if (!step || !utf8_is_visible(code))
			abort();
	}
	if (mac ? names_list_mac(ctx, mac, name, newer) : names_list_address(ctx, addr, name, newer))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct names *names = names_new();
	struct names_list *list = names_list_new();
	struct names_parser *parser = names_parser_new(check, list);

	/* In two pieces, and without a NUL behind them: reading past the end is seen. */
	names_parser_feed(parser, (const char *)data, size / 3);
	names_parser_feed(parser, (const char *)data + size / 3, size - size / 3);
	names_parser_end(parser, size % 2);
	names_replace(names, NAMES_LEASES, 0, list);
	names_free(names);
	return 0;
}
