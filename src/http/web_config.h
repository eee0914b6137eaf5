/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web_config: the file of --web.config.file, in the format that Prometheus' exporters share (exporter-toolkit): TLS and
 * passwords for the metrics' port, in YAML.
 *
 * Of that format: tls_server_config with cert_file, key_file, client_ca_file, client_auth_type, min_version and
 * max_version, and basic_auth_users. Everything else is refused, what other exporters know by name. Bytes in, one plain
 * struct out: the files that are named are not looked at.
 */
#ifndef HOSTMETER_HTTP_WEB_CONFIG_H
#define HOSTMETER_HTTP_WEB_CONFIG_H

#include <stddef.h>

/* Sizes that are refused above. A bcrypt cost of 16 keeps a fast machine busy for seconds. */
enum {
	WEB_CONFIG_BYTES = 64 << 10,
	WEB_CONFIG_USERS = 256,
	WEB_CONFIG_NAME = 255,
	WEB_CONFIG_HASH = 60, /* the length of a bcrypt hash */
	WEB_CONFIG_COST = 16,
};

enum web_config_client {
	WEB_CLIENT_NONE,
	WEB_CLIENT_REQUEST,
	WEB_CLIENT_ANY,
	WEB_CLIENT_VERIFY_IF_GIVEN,
	WEB_CLIENT_VERIFY
};

/* A value and the line it stands in. NULL: not given. */
struct web_config_text {
	char *text;
	int line;
};

struct web_config_user {
	char *name, *hash;
};

struct web_config {
	int tls_line; /* of tls_server_config; 0: no TLS */
	struct web_config_text cert_file, key_file,
		client_ca_file; /* paths: a relative one was below the file's directory */
	enum web_config_client client;
	int min_version, max_version; /* of TLS: 12, 13, or 0 where nothing is said */
	struct web_config_user *user;
	size_t users;
};

/* What is wrong, and where. line 0: with the file as a whole. */
struct web_config_fault {
	int line;
	char text[400];
};

/*
 * Reads len bytes of text. path: of the file, for the directory that relative paths are taken from. 0 and *config,
 * which web_config_clear() frees; or -EINVAL and *fault, and nothing to clear. An empty file asks for nothing.
 */
int web_config_parse(struct web_config *config, const char *path, const char *text, size_t len,
	struct web_config_fault *fault);
void web_config_clear(struct web_config *config);

#endif
