/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/pppoe: no more devices than there is room for, and each with a name that ends. */
#include "hostmeter/decode/pppoe_parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), (*port)[IFNAME_LEN] = calloc(MOST, IFNAME_LEN);
	size_t count;

	memcpy(text, data, size);
	text[size] = '\0';
	count = pppoe_parse(text, port, MOST);
	if (count > MOST)
		abort();
	for (size_t i = 0; i < count; i++)
		if (!port[i][0] || strnlen(port[i], IFNAME_LEN) == IFNAME_LEN || strpbrk(port[i], " \t\n"))
			abort();
	free(text);
	free(port);
	return 0;
}
