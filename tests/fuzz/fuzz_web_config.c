/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of --web.config.file as input: no crash, no leak, and either what it says or one complaint about a line it
 * has.
 */
#include "http/web_config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libyaml knows more line breaks than '\n': lines are no more than bytes. */
static int is_sound(const struct web_config_fault *fault, size_t size)
{
	return fault->text[0] && fault->line >= 0 && (size_t)fault->line <= size + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct web_config config;
	struct web_config_fault fault = { 0 };
	int error = web_config_parse(&config, "/etc/web.yml", (const char *)data, size, &fault);

	if (error ? error != -EINVAL || !is_sound(&fault, size) : fault.text[0] != 0)
		abort();
	if (!error && config.tls_line && (!config.cert_file.text || !config.key_file.text))
		abort();
	web_config_clear(&config);
	return 0;
}
