/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line, then the file, then the defaults; and what is wrong only with all of it together. */
#include "hostmeter/config/config.h"

#include "options.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>

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

	*config = (struct config){ .argc = argc, .argv = argv };
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
