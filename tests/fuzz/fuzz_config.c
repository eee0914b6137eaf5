/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file as input: no crash, no leak, and either a configuration or exactly one line that says why not.
 */
#include "hostmeter/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[32], err_text[2048] = "";
	const char *argv[] = { "hostmeter", "--config", path, NULL };
	struct config config;

	if (fd < 0)
		fd = memfd_create("hostmeter.conf", 0);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	FILE *err = fmemopen(err_text, sizeof(err_text), "w");
	int ret = config_load(&config, 3, (char *const *)argv, err);

	fclose(err);
	config_free(&config);

	char *newline = strchr(err_text, '\n');

	if (ret ? ret != -EINVAL || !newline || newline[1] : *err_text != '\0')
		abort();
	return 0;
}
