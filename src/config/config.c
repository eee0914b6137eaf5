/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/config/config.h"

#include "options.h"
#include "values.h"

#include <stdlib.h>

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

/* The defaults. */
static int fill_in(struct config *config, uint64_t given, FILE *err)
{
	struct config_origin origin = { .err = err, .what = "default of socket" };
	char *socket;
	int ret = options_preset(config, given, err);

	if (ret || config->socket)
		return ret;
	if (asprintf(&socket, "%s/hostmeter.sock", config->runtime_dir) < 0)
		return config_error(&origin, "out of memory");
	ret = options_set(config, "socket", socket, &origin);
	free(socket);
	return ret;
}

/* Options that need another option, or exclude it. */
static int check_together(const struct config *config, FILE *err)
{
	struct config_origin origin = { .err = err };

	if (config->mode == CONFIG_RECORD && !config->record)
		return config_error(&origin, "--seconds, --record-limit and --anonymize go with --record FILE");
	if (config->anonymize && !config->record)
		return config_error(&origin, "--anonymize goes with --record FILE, which is what is written");
	if (config->explain && !config->replay)
		return config_error(&origin, "--explain goes with --replay FILE");
	if (config->explain && config->record)
		return config_error(&origin, "--record writes the trace, --explain reads it: one after the other");
	return 0;
}

int config_load(struct config *config, int argc, char *const argv[], FILE *err)
{
	uint64_t given = 0;
	int ret;

	*config = (struct config){ 0 };
	ret = options_parse(config, &given, argc, argv, err);
	if (!ret && config->mode != CONFIG_HELP && config->mode != CONFIG_VERSION) {
		ret = config_file_load(config, &given, err);
		ret = ret ? ret : fill_in(config, given, err);
	}
	ret = ret ? ret : check_together(config, err);
	if (ret)
		config_free(config);
	return ret;
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
