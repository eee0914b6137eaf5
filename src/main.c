/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/buf.h"
#include "hostmeter/base/log.h"
#include "hostmeter/cmd/audit.h"
#include "hostmeter/cmd/check.h"
#include "hostmeter/cmd/flows.h"
#include "hostmeter/cmd/no_answer.h"
#include "hostmeter/cmd/record.h"
#include "hostmeter/cmd/replay.h"
#include "hostmeter/cmd/rules.h"
#include "hostmeter/cmd/watch.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/daemon.h"
#include "hostmeter/http/client.h"
#include "hostmeter/os/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_OK, EXIT_RUNTIME, EXIT_USAGE, ANSWER_MS = 10000 };

/* Everything at once, and whether it arrived: a full disk or a closed pipe is a failure. */
static int print(struct buf *out)
{
	int status = EXIT_OK;

	if (buf_error(out) || (out->len && fwrite(out->data, 1, out->len, stdout) != out->len) || fflush(stdout)) {
		log_error("standard output: %s", buf_error(out) ? strerror(-buf_error(out)) : strerror(errno));
		status = EXIT_RUNTIME;
	}
	buf_free(out);
	return status;
}

static int put(const char *path, struct buf *out)
{
	int error = output_replace(path, out);

	if (error)
		log_error("%s: %s", path, strerror(-error));
	buf_free(out);
	return error ? EXIT_RUNTIME : EXIT_OK;
}

static int run_once(const struct config *config)
{
	struct buf page = BUF_INIT, out = BUF_INIT;
	int status = http_get(config->socket, "/metrics", &page, ANSWER_MS);

	if (status != 200) {
		asking_failed(config, status);
		buf_free(&page);
		return EXIT_RUNTIME;
	}
	if (config->cgi)
		buf_puts(&out, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n\r\n");
	buf_add(&out, page.data, page.len);
	buf_free(&page);
	return config->output ? put(config->output, &out) : print(&out);
}

static int run_replay(const struct config *config)
{
	struct buf out = BUF_INIT;
	int error = replay_run(config, &out);
	int status = print(&out);

	return error ? EXIT_RUNTIME : status;
}

static int run_print_rules(const struct config *config)
{
	struct buf out = BUF_INIT;

	rules_render(&out, config->rules ? config->rules : "nft", config->nflog_group);
	return print(&out);
}

/* Modes that append what is to be printed and give the exit status. */
static int run_asking(const struct config *config, int (*ask)(const struct config *config, struct buf *out))
{
	struct buf out = BUF_INIT;
	int status = ask(config, &out);
	int printed = print(&out);

	return status ? status : printed;
}

static int run(const struct config *config)
{
	switch (config->mode) {
	case CONFIG_METER:
		return daemon_run(config);
	case CONFIG_ONCE:
		return run_once(config);
	case CONFIG_REPLAY:
		return config->record ? recording_run(config) : run_replay(config);
	case CONFIG_RECORD:
		return recording_run(config);
	case CONFIG_PRINT_RULES:
		return run_print_rules(config);
	case CONFIG_WATCH:
		return watching_run(config);
	case CONFIG_FLOWS:
		return run_asking(config, flows_run);
	case CONFIG_CHECK:
		return run_asking(config, checking_run);
	case CONFIG_AUDIT:
		return run_asking(config, auditing_run);
	case CONFIG_HELP:
		config_help(stdout);
		return EXIT_OK;
	case CONFIG_VERSION:
		config_version(stdout);
		return EXIT_OK;
	}
	return EXIT_USAGE;
}

int main(int argc, char *argv[])
{
	struct config config;
	int status;

	if (config_load(&config, argc, argv, stderr))
		return EXIT_USAGE;
	log_set_level(config.log_level);
	if (config.mode != CONFIG_METER)
		log_for_people();
	status = run(&config);
	config_free(&config);
	return status;
}
