/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the command line, one a line: options, or exactly one line that says why not. No file is read. */
#include "hostmeter/config/config.h"

#include "config/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *rest = text, err_text[8192] = "", *newline;
	char *argv[WORDS + 2] = { (char *)"hostmeter" };
	struct config config = { 0 };
	uint64_t given = 0;
	int argc = 1, ret;
	FILE *err = fmemopen(err_text, sizeof(err_text), "w");

	if (!text || !err)
		abort();
	while (argc <= WORDS && rest)
		argv[argc++] = strsep(&rest, "\n");
	ret = options_parse(&config, &given, argc, argv, err);
	if (!ret)
		ret = options_preset(&config, given, err);
	fclose(err);
	newline = strchr(err_text, '\n');
	if (ret ? ret != -EINVAL || !newline || newline[1] : *err_text != '\0')
		abort();
	config_free(&config);
	free(text);
	return 0;
}
