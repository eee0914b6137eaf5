/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/finding.h"

#include "hostmeter/check/socket_owner.h"

#include <stdarg.h>
#include <stdio.h>

static void __attribute__((format(printf, 2, 0))) put(struct buf *out, const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	buf_puts(out, text);
}

void finding_set(struct finding *finding, enum finding_state state, const char *format, ...)
{
	va_list args;

	finding->state = state;
	va_start(args, format);
	put(&finding->text, format, args);
	va_end(args);
}

void finding_fix(struct finding *finding, const char *format, ...)
{
	va_list args;

	if (finding->fix.len)
		buf_putc(&finding->fix, '\n');
	va_start(args, format);
	put(&finding->fix, format, args);
	va_end(args);
}

void finding_put_owner(struct finding *finding, const struct socket_owner *owner)
{
	if (owner->pid)
		buf_printf(&finding->text, "%s (process %d)", owner->name[0] ? owner->name : "?", (int)owner->pid);
	else
		buf_puts(&finding->text, "a process that cannot be seen from here");
}

bool finding_none_bad(const struct finding *finding, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (finding[i].state == FINDING_BAD)
			return false;
	return true;
}

void finding_clear(struct finding *finding, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_free(&finding[i].text);
		buf_free(&finding[i].fix);
	}
}
