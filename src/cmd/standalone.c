/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "standalone.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/daemon.h"
#include "hostmeter/http/client.h"
#include "hostmeter/watch/sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_S = 20, PAUSE_MS = 20, LOG_MAX = 16384, EXIT_FAILED = 1 };

/* ---- Its files */

static int make_files(struct standalone *s)
{
	const char *base = getenv("TMPDIR");

	/* The path of a socket must be short. */
	if (!base || *base != '/' || strlen(base) > sizeof(s->directory) - sizeof("/hostmeter-XXXXXX"))
		base = "/tmp";
	snprintf(s->directory, sizeof(s->directory), "%s/hostmeter-XXXXXX", base);
	if (!mkdtemp(s->directory))
		return -errno;
	snprintf(s->socket, sizeof(s->socket), "%s/socket", s->directory);
	s->log = memfd_create("hostmeter-log", MFD_CLOEXEC);
	return s->log < 0 ? -errno : 0;
}

/* The directory has no subdirectories. */
static void remove_directory(const struct standalone *s)
{
	DIR *directory = opendir(s->directory);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory)
		closedir(directory);
	rmdir(s->directory);
}

void standalone_read_log(const struct standalone *standalone, struct watch_sample *sample)
{
	char text[LOG_MAX + 1], *rest = text;
	ssize_t len = pread(standalone->log, text, LOG_MAX, 0);

	text[len > 0 ? len : 0] = '\0';
	for (const char *line; (line = strsep(&rest, "\n"));) {
		/* Lines begin with a priority as in sd-daemon(3): "<3>" for an error, "<4>" for a warning. */
		if (line[0] != '<' || !line[1] || line[2] != '>')
			continue;
		if (sample && line[1] <= '4')
			watch_sample_add_warning(sample, line + 3);
		else if (!sample && line[1] <= '3')
			log_error("%s", line + 3);
	}
}

/* ---- The child */

/*
 * Runs the meter with none of the files and ports of a running one. It has no terminal, so that Ctrl-C and Ctrl-Z do
 * not reach it: a stopped meter holds up the kernel's table. SIGTERM comes from the view, or from the kernel when the
 * view is gone.
 */
static void run(const struct standalone *s, const struct config *config, pid_t parent)
{
	struct config own = *config;
	int null = open("/dev/null", O_RDWR), status;

	own.mode = CONFIG_METER;
	own.argv = NULL; /* no reload: it would undo the following */
	own.listen = (struct config_strings){ 0 };
	own.socket = (char *)s->socket;
	own.runtime_dir = own.state_dir = (char *)s->directory;
	own.record = NULL;
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
		dup2(s->log, STDERR_FILENO) < 0)
		_exit(EXIT_FAILED);
	log_set_fd(STDERR_FILENO);
	log_set_level(LOG_LEVEL_WARNING);
	setsid();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	prctl(PR_SET_NAME, "hostmeter-alone");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* The parent may have ended before prctl(). */
	status = getppid() == parent ? daemon_run(&own) : EXIT_FAILED;
	/* The view does so too, if there still is one: whether there is cannot be told while it ends. */
	remove_directory(s);
	_exit(status);
}

/* ---- The view's side */

bool standalone_runs(struct standalone *standalone)
{
	if (standalone->pid && waitpid(standalone->pid, NULL, WNOHANG) == standalone->pid)
		standalone->pid = 0;
	return standalone->pid != 0;
}

static int wait_for_answer(struct standalone *s)
{
	uint64_t deadline = clock_mono_ns() + START_S * CLOCK_NS_PER_S;
	struct http_fetch *fetch;

	while (http_fetch_start(&fetch, s->socket, "/-/healthy", PAUSE_MS)) {
		if (!standalone_runs(s)) {
			standalone_read_log(s, NULL);
			return -ECHILD;
		}
		if (clock_mono_ns() > deadline) {
			log_error("the meter does not start in time");
			return -ETIMEDOUT;
		}
		poll(NULL, 0, PAUSE_MS);
	}
	http_fetch_free(fetch);
	return 0;
}

int standalone_start(struct standalone *standalone, const struct config *config)
{
	pid_t parent = getpid();
	int error;

	*standalone = (struct standalone){ .log = -1 };
	error = make_files(standalone);
	if (!error) {
		standalone->pid = fork();
		error = standalone->pid < 0 ? -errno : 0;
	}
	if (!error && standalone->pid == 0)
		run(standalone, config, parent);
	if (error)
		log_error("cannot start a meter: %s", strerror(-error));
	else
		error = wait_for_answer(standalone);
	if (error)
		standalone_stop(standalone);
	return error;
}

void standalone_stop(struct standalone *standalone)
{
	if (standalone->pid > 0) {
		kill(standalone->pid, SIGTERM);
		while (waitpid(standalone->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (standalone->log >= 0)
		close(standalone->log);
	remove_directory(standalone);
}
