/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "own_names.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/os/file.h"
#include "negotiate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 254, FILE_MAX = 16384 };

static const char blanks[] = " \t\r\n";

/* A line of resolv.conf(5), which is taken apart. */
static bool match_line(const char *host, const char *label, char *line)
{
	char name[NAME_SIZE], *domain, *save;
	const char *const names[] = { name };
	const char *key = strtok_r(line, blanks, &save);

	if (!key || (strcmp(key, "search") != 0 && strcmp(key, "domain") != 0))
		return false;
	while ((domain = strtok_r(NULL, blanks, &save))) {
		size_t len = strlen(domain);
		int written;

		if (domain[len - 1] == '.')
			domain[len - 1] = '\0';
		written = snprintf(name, sizeof(name), "%s.%s", label, domain);
		if (written < NAME_SIZE && negotiate_host(host, names, 1))
			return true;
	}
	return false;
}

bool own_names_match(const char *host, const char *resolv_conf)
{
	char own[NAME_SIZE] = "", *line, *save;
	const char *const names[] = { own };
	struct buf text = BUF_INIT;
	bool found;

	if (gethostname(own, sizeof(own) - 1) || !own[0])
		return false;
	found = negotiate_host(host, names, 1);
	own[strcspn(own, ".")] = '\0';
	if (!found && !file_read(resolv_conf, FILE_MAX, &text)) {
		buf_putc(&text, '\0');
		line = buf_error(&text) ? NULL : strtok_r(text.data, "\n", &save);
		for (; line && !found; line = strtok_r(NULL, "\n", &save))
			found = match_line(host, own, line);
	}
	buf_free(&text);
	return found;
}
