/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_error: where a value of the configuration came from, and the one line that refuses it.
 */
#ifndef HOSTMETER_CONFIG_CONFIG_ERROR_H
#define HOSTMETER_CONFIG_CONFIG_ERROR_H

#include <stdio.h>

/* Where a value came from. file NULL: not from a file; line 0: the file as a whole; what "": nothing particular. */
struct config_origin {
	FILE *err;
	const char *file;
	int line;
	char what[160];
};

/* Writes "hostmeter: [FILE:[LINE:] ][WHAT: ]text" as one line, control bytes replaced. Returns -EINVAL. */
int config_error(const struct config_origin *origin, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
