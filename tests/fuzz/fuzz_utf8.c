/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as text: what comes out is UTF-8, all of it visible, never longer, and stays as it is the second time. */
#include "hostmeter/base/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t len, const char *also)
{
	size_t step;

	for (size_t at = 0; at < len; at += step) {
		uint32_t code = 0;

		step = utf8_char(text + at, len - at, &code);
		if (!step || (!utf8_is_visible(code) && !(code < 0x80 && code && strchr(also, (int)code))))
			abort();
		if (code == '\r' && (at + 1 == len || text[at + 1] != '\n'))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1), clean[64];

	for (int lines = 0; lines < 2; lines++) {
		size_t len, again;

		memcpy(text, data, size);
		len = utf8_disarm(text, size, lines);
		if (len > size)
			abort();
		check(text, len, lines ? "\n\t\r" : "");
		again = utf8_disarm(text, len, lines);
		if (again != len)
			abort();
	}
	for (size_t room = 1; room <= sizeof(clean); room += 21) {
		size_t len = utf8_clean(clean, room, (const char *)data, size, "\"\\");

		if (len >= room || clean[len] || memchr(clean, '"', len) || memchr(clean, '\\', len))
			abort();
		check(clean, len, "");
	}
	free(text);
	return 0;
}
