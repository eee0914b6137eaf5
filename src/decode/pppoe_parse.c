/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/pppoe_parse.h"

#include <string.h>

/* Past the blanks and the next word of the line, whose length it gives. */
static const char *next_word(const char *at, size_t *len)
{
	at += strspn(at, " \t");
	*len = strcspn(at, " \t\n");
	return at + *len;
}

size_t pppoe_parse(const char *text, char (*port)[IFNAME_LEN], size_t most)
{
	size_t count = 0, len;

	for (const char *line = strchr(text, '\n'); line && count < most; line = strchr(line, '\n')) {
		const char *end = next_word(++line, &len);

		end = next_word(end, &len);
		end = next_word(end, &len);
		if (!len || len >= IFNAME_LEN)
			continue;
		memcpy(port[count], end - len, len);
		port[count++][len] = '\0';
	}
	return count;
}
