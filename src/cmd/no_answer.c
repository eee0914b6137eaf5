/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "no_answer.h"

#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"

#include <errno.h>
#include <string.h>

void asking_failed(const struct config *config, int status)
{
	if (status == -ENOENT || status == -ECONNREFUSED)
		log_error("no meter runs here (nobody answers on %s): start it with hostmeter, as root",
			config->socket);
	else if (status == -EPROTO)
		log_error("%s: the meter is of another version", config->socket);
	else if (status == -EBADMSG)
		log_error("%s: the answer makes no sense", config->socket);
	else if (status < 0)
		log_error("%s: %s", config->socket, strerror(-status));
	else
		log_error("%s: the meter answered with HTTP status %d", config->socket, status);
}
