/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A header as input, in memory of its very size: nothing outside is read, and the answers keep what they promise. */
#include "export/negotiate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "router", "meter.example.net" };
	char *text = malloc(size + 1), *longer;
	enum prometheus_format format;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	format = negotiate_format(text);
	if (format >= PROMETHEUS_FORMATS)
		abort();
	/* What nobody has to mention cannot be wanted. */
	if (format == PROMETHEUS_OPENMETRICS && !strchr(text, '/'))
		abort();
	if (negotiate_gzip(text) && !strcasestr(text, "gzip") && !strchr(text, '*'))
		abort();
	/* A name that is ours stays ours with a port, and one that goes on elsewhere is never ours. */
	longer = malloc(strlen(text) + sizeof(".evil.example"));
	if (!longer)
		abort();
	strcpy(longer, text);
	strcat(longer, ".evil.example");
	if (negotiate_host(longer, names, 2))
		abort();
	negotiate_host(text, names, 2);
	free(longer);
	free(text);
	return 0;
}
