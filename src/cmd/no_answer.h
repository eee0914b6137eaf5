/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * no_answer: what every mode that asks the running meter says where there is no answer, or none of use. A result is an
 * HTTP status or, from http_client or the reader of the answer, -errno.
 */
#pragma once

#include <stddef.h>

/* The cause, as part of a sentence. Returns text or a constant. */
const char *no_answer_cause(int result, char text[static 64]);

/* Logs the cause. hint: what else helps where no meter runs; NULL: nothing. */
void no_answer_log(const char *socket, int result, const char *hint);

/*
 * Logs why the meter refused what the option asked for: the first line of the answer's body; where that is empty, as
 * no_answer_log().
 */
void no_answer_log_refusal(const char *socket, int result, const char *option, const char *body);
