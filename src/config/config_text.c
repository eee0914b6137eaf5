/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_text.h"

#include <stdbool.h>
#include <string.h>

/* Past the comment that begins at p; NULL if it has no end. */
static char *comment_end(char *p)
{
	if (strncmp(p, "/*", 2))
		return p + strcspn(p, "\n");
	p = strstr(p + 2, "*/");
	return p ? p + 2 : NULL;
}

/* Past the string that begins at p; NULL if it has no end. */
static char *string_end(char *p)
{
	for (char quote = *p++; *p; p++) {
		if (*p == quote)
			return p + 1;
		if (*p == '\\' && p[1])
			p++;
	}
	return NULL;
}

const char *config_text_clean(char *text, const char **at)
{
	const char *brace = NULL;
	bool in_word = false; /* where "//" is part of a path */
	int depth = 0;

	for (char *p = text, *end; *p; p = end) {
		bool comment = *p == '#' || !strncmp(p, "/*", 2) || (!in_word && !strncmp(p, "//", 2));
		bool string = *p == '"' || *p == '\'';

		end = comment ? comment_end(p) : string ? string_end(p) : p + 1;
		*at = p;
		if (!end)
			return comment ? "this comment has no end" : "this string has no end";
		if (!comment && memmem(p, (size_t)(end - p) + 1, "${", 2))
			return "\"${\" is not supported: the environment does not configure";
		if (*p == '{' && !depth++)
			brace = p;
		if (*p == '}' && depth)
			depth--;
		in_word = !comment && !string && !strchr(" \t\r\n={}()+,", *p);
		for (; comment && p < end; p++)
			if (*p != '\n')
				*p = ' ';
	}
	*at = brace;
	return depth ? "this \"{\" has no \"}\"" : NULL;
}
