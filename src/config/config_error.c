/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_error.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>

int config_error(const struct config_origin *origin, const char *format, ...)
{
	char text[512], where[PATH_MAX + 32] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (origin->file && origin->line)
		snprintf(where, sizeof(where), "%s:%d: ", origin->file, origin->line);
	else if (origin->file)
		snprintf(where, sizeof(where), "%s: ", origin->file);

	char line[sizeof(text) + sizeof(where) + sizeof(origin->what) + 16];
	int len = snprintf(line, sizeof(line), "hostmeter: %s%s%s%s", where, origin->what, origin->what[0] ? ": " : "",
		text);

	for (int i = 0; i < len; i++)
		if (iscntrl((unsigned char)line[i]))
			line[i] = '?';
	fprintf(origin->err, "%s\n", line);
	return -EINVAL;
}
