/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/log.h"

#include "hostmeter/base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Well under PIPE_BUF, so that lines of several processes on one pipe do not mix. */
enum { LINE_MAX_LEN = 1024 };

/* priority: that of syslog(3), which sd-daemon(3) reads between "<" and ">". */
static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

static enum log_level max_level = LOG_LEVEL_INFO;
static int log_fd = STDERR_FILENO;
static enum { UNASKED, TERMINAL, ELSEWHERE } log_place;

void log_set_level(enum log_level level)
{
	max_level = level;
}

int log_level_parse(enum log_level *level, const char *text)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].name, text) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

void log_set_fd(int fd)
{
	log_fd = fd;
	log_place = UNASKED;
}

void log_for_people(void)
{
	log_place = TERMINAL;
}

static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	if (log_place == UNASKED)
		log_place = isatty(log_fd) ? TERMINAL : ELSEWHERE;
	if (log_place == TERMINAL)
		return (size_t)snprintf(line, size, "hostmeter: %s: ", levels[level].name);
	return (size_t)snprintf(line, size, "<%d>", levels[level].priority);
}

__attribute__((format(printf, 2, 0))) static void write_line(enum log_level level, const char *format, va_list args)
{
	int saved = errno;
	char line[LINE_MAX_LEN];
	size_t start, len;
	ssize_t written;

	if (level > max_level)
		return;
	start = put_prefix(line, sizeof(line), level);
	if (vsnprintf(line + start, sizeof(line) - start, format, args) < 0)
		line[start] = '\0';
	len = start + utf8_disarm(line + start, strlen(line + start), false);
	line[len++] = '\n'; /* in place of the terminator */

	/* A failure cannot be reported. */
	do {
		written = write(log_fd, line, len);
	} while (written < 0 && errno == EINTR);
	errno = saved;
}

#define DEFINE_LOG(name, level)                                                                                        \
	void name(const char *format, ...)                                                                             \
	{                                                                                                              \
		va_list args;                                                                                          \
                                                                                                                       \
		va_start(args, format);                                                                                \
		write_line(level, format, args);                                                                       \
		va_end(args);                                                                                          \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

void log_text(const char *text)
{
	enum log_level level = max_level;

	max_level = LOG_LEVEL_INFO > level ? LOG_LEVEL_INFO : level;
	while (*text) {
		size_t len = strcspn(text, "\n");

		log_info("%.*s", (int)len, text);
		text += len + (text[len] != '\0');
	}
	max_level = level;
}

void log_repeated(struct log_limit *limit, uint64_t period_ns, uint64_t now_ns, const char *format, ...)
{
	char text[LINE_MAX_LEN];
	va_list args;

	if (now_ns < limit->next_ns) {
		limit->suppressed++;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (limit->suppressed)
		log_warning("%.900s (and %" PRIu64 " times since this was last said)", text, limit->suppressed);
	else
		log_warning("%s", text);
	limit->next_ns = now_ns + period_ns;
	limit->suppressed = 0;
}
