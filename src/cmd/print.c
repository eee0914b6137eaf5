/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/log.h"
#include "hostmeter/cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int cmd_print(struct buf *out)
{
	int error = buf_error(out);

	/* A full disk or a closed pipe may show at the flush only. */
	if (!error && ((out->len && fwrite(out->data, 1, out->len, stdout) != out->len) || fflush(stdout)))
		error = -errno;
	if (error)
		log_error("standard output: %s", strerror(-error));
	buf_free(out);
	return error ? CMD_FAILED : CMD_OK;
}
