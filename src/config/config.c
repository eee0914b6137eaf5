/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/config/config.h"

#include "options.h"

#include <stdlib.h>

#define DEFAULT_FILE "/etc/hostmeter/hostmeter.conf"

const char *config_path(const struct config *config)
{
	return config->file ? config->file : DEFAULT_FILE;
}

void config_free(struct config *config)
{
	options_free(config);
	for (size_t i = 0; i < config->hosts; i++) {
		free(config->host[i].name);
		free(config->host[i].mac);
		free(config->host[i].address);
	}
	free(config->host);
	for (size_t i = 0; i < config->interfaces; i++) {
		free(config->interface[i].interface);
		free(config->interface[i].name);
	}
	free(config->interface);
	*config = (struct config){ 0 };
}

void config_help(FILE *out)
{
	fputs("Usage: hostmeter [OPTION]...\n"
	      "Counts the bytes and packets of every host behind this router.\n",
		out);
	options_help(out);
	fputs("\nSee hostmeter(8) and hostmeter.conf(5).\n", out);
}

void config_version(FILE *out)
{
	fputs("hostmeter " HOSTMETER_VERSION "\n", out);
}
