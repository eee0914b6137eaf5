/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * no_answer: what every mode that asks the running meter says where there is no good answer.
 */
#ifndef HOSTMETER_CMD_NO_ANSWER_H
#define HOSTMETER_CMD_NO_ANSWER_H

struct config;

/* Says on the log why there is no answer: status is an HTTP status or, from http_client, -errno. */
void asking_failed(const struct config *config, int status);

#endif
