/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/log.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/daemon.h"

static int help(const struct config *config, struct buf *out)
{
	(void)config, (void)out;
	config_help(stdout);
	return CMD_OK;
}

static int version(const struct config *config, struct buf *out)
{
	(void)config, (void)out;
	config_version(stdout);
	return CMD_OK;
}

static int (*const modes[])(const struct config *config, struct buf *out) = {
	[CONFIG_ONCE] = cmd_once,
	[CONFIG_PRINT_RULES] = cmd_print_rules,
	[CONFIG_REPLAY] = cmd_replay,
	[CONFIG_RECORD] = cmd_record,
	[CONFIG_WATCH] = cmd_watch,
	[CONFIG_FLOWS] = cmd_flows,
	[CONFIG_CHECK] = cmd_check,
	[CONFIG_AUDIT] = cmd_audit,
	[CONFIG_HELP] = help,
	[CONFIG_VERSION] = version,
};

int main(int argc, char *argv[])
{
	struct buf out = BUF_INIT;
	struct config config;
	int status, printed;

	if (config_load(&config, argc, argv, stderr))
		return CMD_USAGE;
	log_set_level(config.log_level);
	if (config.mode != CONFIG_METER)
		log_for_people();
	status = config.mode == CONFIG_METER ? daemon_run(&config) : modes[config.mode](&config, &out);
	printed = cmd_print(&out);
	config_free(&config);
	return status ? status : printed;
}
