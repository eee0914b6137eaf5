/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/finding.h"

#include "hostmeter/check/facts.h"

#include <stdarg.h>
#include <stdio.h>

static void __attribute__((format(printf, 2, 0))) put(struct buf *out, const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	buf_puts(out, text);
}

void check_line_good(struct check_line *line, const char *format, ...)
{
	va_list args;

	line->state = CHECK_OK;
	va_start(args, format);
	put(&line->text, format, args);
	va_end(args);
}

void check_line_bad(struct check_line *line, const char *format, ...)
{
	va_list args;

	line->state = CHECK_BAD;
	va_start(args, format);
	put(&line->text, format, args);
	va_end(args);
}

void check_line_untold(struct check_line *line, const char *format, ...)
{
	va_list args;

	line->state = CHECK_UNTOLD;
	va_start(args, format);
	put(&line->text, format, args);
	va_end(args);
}

void check_line_mend(struct check_line *line, const char *format, ...)
{
	va_list args;

	if (line->mend.len)
		buf_putc(&line->mend, '\n');
	va_start(args, format);
	put(&line->mend, format, args);
	va_end(args);
}

void check_line_owner(struct check_line *line, const struct check_owner *owner)
{
	if (owner->pid)
		buf_printf(&line->text, "%s (process %d)", owner->name[0] ? owner->name : "?", owner->pid);
	else
		buf_puts(&line->text, "a process that cannot be seen from here");
}

void check_line_clear(struct check_line *line)
{
	buf_free(&line->text);
	buf_free(&line->mend);
}
