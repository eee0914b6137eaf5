/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/file_error.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/utf8.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/client.h"
#include "hostmeter/os/file.h"
#include "no_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MS = 10000 };

int cmd_once(const struct config *config, struct buf *out)
{
	int status, error;

	if (config->cgi)
		buf_puts(out, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n\r\n");
	status = http_get(config->socket, "/metrics", out, ANSWER_MS);
	if (status != 200) {
		no_answer_log(config->socket, status, NULL);
		buf_reset(out);
		return CMD_FAILED;
	}
	if (!config->output)
		return CMD_OK;
	out->len = utf8_disarm(out->data, out->len, true);
	error = file_replace(config->output, out);
	if (error)
		log_error("%s: %s", config->output, file_error_writing(error));
	buf_reset(out);
	return error ? CMD_FAILED : CMD_OK;
}

int cmd_print(struct buf *out)
{
	int error = buf_error(out);

	/* It may be the answer of a stranger on the socket. */
	out->len = utf8_disarm(out->data, out->len, true);
	/* A full disk or a closed pipe may show at the flush only. */
	if (!error && ((out->len && fwrite(out->data, 1, out->len, stdout) != out->len) || fflush(stdout)))
		error = -errno;
	/* A reader such as head(1) that has enough is no error to speak of. */
	if (error && error != -EPIPE)
		log_error("standard output: %s", strerror(-error));
	buf_free(out);
	return error ? CMD_FAILED : CMD_OK;
}
