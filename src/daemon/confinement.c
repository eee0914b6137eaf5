/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "confinement.h"

#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/os/rights.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_RUNTIME = 1, EXIT_CONFIG = 2 };

/* What the meter makes in its runtime directory. */
static const char *const own_files[] = { "checkpoint", "checkpoint.new", "checkpoint.old", "checkpoint.bad", "lock",
	"hostmeter.sock", NULL };

static int give_files(const struct config *config)
{
	int error = rights_give_directory(config->runtime_dir, own_files);

	return error ? error : rights_give_file(config->socket);
}

static int refuse_user(const struct config *config, int error)
{
	log_error("user \"%s\": %s", config->user,
		error == -ENOENT        ? "there is no such user" :
			error == -EPERM ? "only root can start the meter as another user" :
					  strerror(-error));
	return EXIT_CONFIG;
}

/* Gives the directory to the chosen user and tries whether that is enough. */
static int take_directory(const struct config *config)
{
	int error = rights_give_directory(config->runtime_dir, own_files);

	return error ? error : rights_try(config->runtime_dir);
}

int confinement_choose(const struct config *config)
{
	int error = rights_choose(config->user, config->seccomp);

	return error ? refuse_user(config, error) : 0;
}

int confinement_prepare(const struct config *config)
{
	int error = take_directory(config);

	if (!error)
		return 0;
	if (!config->user && strcmp(rights_name(), "root") != 0 && geteuid() == 0) {
		log_warning("%s cannot use \"%s\" (%s): the meter stays root, with CAP_NET_ADMIN as its only right",
			rights_name(), config->runtime_dir, strerror(-error));
		rights_stay();
		error = take_directory(config);
	}
	if (!error)
		return 0;
	log_error("runtime-dir \"%s\": %s cannot write there: %s", config->runtime_dir, rights_name(),
		strerror(-error));
	return EXIT_RUNTIME;
}

/* A file that was read as root and cannot be read again is a surprise at the next reload. */
static void warn_of_unreadable(const char *path)
{
	if (path && access(path, R_OK) && errno == EACCES)
		log_warning("%s: %s cannot read it: a reload will not", path, rights_name());
}

int confinement_begin(const struct config *config)
{
	int filtered, error = give_files(config);

	if (error)
		log_warning("some files in \"%s\" could not be given to %s: %s", config->runtime_dir, rights_name(),
			strerror(-error));
	error = rights_drop(&filtered);
	if (error) {
		log_error("rights cannot be given up for those of %s: %s", rights_name(), strerror(-error));
		return EXIT_RUNTIME;
	}
	if (filtered && filtered != -ENOTSUP)
		log_warning("system calls are not filtered: %s", strerror(-filtered));
	log_info("runs as %s, with CAP_NET_ADMIN as its only right%s", rights_name(),
		config->seccomp && !filtered ? " and a filter of system calls" : "");
	warn_of_unreadable(config->file);
	warn_of_unreadable(config->web_config);
	return 0;
}
