/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "standalone.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/daemon.h"
#include "hostmeter/watch/sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_S = 20, PAUSE_MS = 20, LOG_MOST = 16384, EXIT_FAILED = 1 };

struct standalone {
	pid_t pid;
	char directory[96];
	char socket[108], log[108]; /* a socket's path has no more */
};

/* ---- Its files */

static int make_directory(struct standalone *s)
{
	const char *base = getenv("TMPDIR");

	/* A socket's path must be short. */
	if (!base || *base != '/' || strlen(base) > sizeof(s->directory) - sizeof("/hostmeter-XXXXXX"))
		base = "/tmp";
	snprintf(s->directory, sizeof(s->directory), "%s/hostmeter-XXXXXX", base);
	if (!mkdtemp(s->directory))
		return -errno;
	snprintf(s->socket, sizeof(s->socket), "%s/socket", s->directory);
	snprintf(s->log, sizeof(s->log), "%s/log", s->directory);
	return 0;
}

/* Nothing below it is a directory. */
static void remove_directory(const struct standalone *s)
{
	int fd = open(s->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		unlinkat(fd, entry->d_name, 0);
	if (directory)
		closedir(directory);
	rmdir(s->directory);
}

/* Calls tell for each line of the log up to this level; its lines begin as sd-daemon(3) says: "<4>". */
static void each_line(const struct standalone *s, enum log_level most, void (*tell)(void *ctx, const char *text),
	void *ctx)
{
	static const int priorities[] = { [LOG_LEVEL_ERROR] = 3, [LOG_LEVEL_WARNING] = 4, [LOG_LEVEL_INFO] = 6 };
	FILE *file = fopen(s->log, "re");
	char line[LINE_MAX];
	long left = LOG_MOST;

	while (file && left > 0 && fgets(line, sizeof(line), file)) {
		left -= (long)strlen(line);
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '<' && line[1] && line[2] == '>' && line[1] - '0' <= priorities[most])
			tell(ctx, line + 3);
	}
	if (file)
		fclose(file);
}

/* ---- The child */

/* What a running meter has is not its own: no port, no files, no word to systemd. */
static struct config config_of(const struct standalone *s, const struct config *config)
{
	struct config own = *config;

	own.mode = CONFIG_METER;
	own.listen = (struct config_strings){ 0 };
	own.socket = (char *)s->socket;
	own.runtime_dir = own.state_dir = (char *)s->directory;
	own.record = NULL;
	return own;
}

/*
 * It has no terminal: neither Ctrl-C nor Ctrl-Z are for it, for a meter that is stopped holds the kernel's table up.
 * SIGTERM comes from the view, or from the kernel once the view is gone.
 */
static void run(const struct standalone *s, const struct config *config, pid_t parent)
{
	struct config own = config_of(s, config);
	int nothing = open("/dev/null", O_RDWR), log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
	    status;

	if (nothing < 0 || log < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0 ||
		dup2(log, STDERR_FILENO) < 0)
		_exit(EXIT_FAILED);
	log_set_fd(STDERR_FILENO);
	log_set_level(LOG_LEVEL_WARNING);
	setsid();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	prctl(PR_SET_NAME, "hostmeter-alone");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* It may have gone before it was asked for. */
	status = getppid() == parent ? daemon_run(&own) : EXIT_FAILED;
	if (getppid() != parent)
		remove_directory(s);
	_exit(status);
}

/* ---- The view's side */

static bool answers(const struct standalone *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", s->socket);
	connected = fd >= 0 && !connect(fd, (const struct sockaddr *)&address, sizeof(address));
	if (fd >= 0)
		close(fd);
	return connected;
}

static void say(void *ctx, const char *text)
{
	(void)ctx;
	log_error("%s", text);
}

bool standalone_runs(struct standalone *standalone)
{
	if (standalone->pid && waitpid(standalone->pid, NULL, WNOHANG) == standalone->pid)
		standalone->pid = 0;
	return standalone->pid != 0;
}

static int wait_for_answer(struct standalone *s)
{
	uint64_t deadline = clock_mono_ns() + START_S * CLOCK_NS_PER_S;

	while (!answers(s)) {
		if (!standalone_runs(s)) {
			each_line(s, LOG_LEVEL_ERROR, say, NULL);
			return -ECHILD;
		}
		if (clock_mono_ns() > deadline) {
			log_error("the meter does not start in time");
			return -ETIMEDOUT;
		}
		poll(NULL, 0, PAUSE_MS);
	}
	return 0;
}

int standalone_start(struct standalone **standalone, const struct config *config)
{
	struct standalone *s = calloc(1, sizeof(*s));
	pid_t parent = getpid();
	int error = s ? make_directory(s) : -ENOMEM;

	if (error) {
		log_error("a directory for the meter: %s", strerror(-error));
		free(s);
		return error;
	}
	s->pid = fork();
	if (s->pid == 0)
		run(s, config, parent);
	if (s->pid < 0) {
		error = -errno;
		s->pid = 0;
		log_error("a process for the meter: %s", strerror(-error));
	} else {
		error = wait_for_answer(s);
	}
	if (error)
		standalone_stop(s);
	else
		*standalone = s;
	return error;
}

void standalone_stop(struct standalone *standalone)
{
	if (!standalone)
		return;
	if (standalone->pid > 0) {
		kill(standalone->pid, SIGTERM);
		while (waitpid(standalone->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	remove_directory(standalone);
	free(standalone);
}

const char *standalone_socket(const struct standalone *standalone)
{
	return standalone->socket;
}

static void add_warning(void *ctx, const char *text)
{
	watch_sample_add_warning(ctx, text);
}

void standalone_add_warnings(const struct standalone *standalone, struct watch_sample *sample)
{
	each_line(standalone, LOG_LEVEL_WARNING, add_warning, sample);
}
