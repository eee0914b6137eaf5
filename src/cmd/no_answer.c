/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "no_answer.h"

#include "hostmeter/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char nobody[] = "nobody answers";

static const struct {
	int result;
	const char *cause;
} causes[] = {
	{ -ENOENT, nobody },
	{ -ECONNREFUSED, nobody },
	{ -EACCES, "permission denied: only root and the socket's group may ask" },
	{ -ETIMEDOUT, "the meter does not answer in time" },
	{ -EBADMSG, "the answer makes no sense" },
	{ -EPROTO, "the meter is of another version" },
	{ 202, "the meter did not list its connections in time" },
};

const char *no_answer_cause(int result, char text[static 64])
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].result == result)
			return causes[i].cause;
	if (result > 0)
		snprintf(text, 64, "HTTP status %d", result);
	else
		snprintf(text, 64, "%s", strerror(-result));
	return text;
}

void no_answer_log(const char *socket, int result, const char *hint)
{
	char text[64];
	const char *cause = no_answer_cause(result, text);

	if (cause == nobody)
		log_error("no meter runs here (nobody answers on %s): start it with hostmeter, as root%s%s", socket,
			hint ? "; " : "", hint ? hint : "");
	else
		log_error("%s: %s", socket, cause);
}

void no_answer_log_refusal(const char *socket, int result, const char *option, const char *body)
{
	int len = (int)strcspn(body, "\n");

	if (result > 0 && len)
		log_error("%s: %.*s", option, len, body);
	else
		no_answer_log(socket, result, NULL);
}
