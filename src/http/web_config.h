/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web_config: parses the file of --web.config.file: TLS and passwords for the port of the metrics, in YAML, in the
 * format that Prometheus' exporters share (exporter-toolkit).
 *
 * It supports tls_server_config with cert_file, key_file, client_ca_file, client_auth_type, min_version and
 * max_version, and basic_auth_users. All other keys are refused, the other ones of that format by name. The files that
 * it names are not read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Upper limits. A bcrypt check of cost 16 takes seconds on a fast machine. */
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

/* Whether a client's certificate has to be signed by one of client_ca_file. */
static inline bool web_config_verifies(enum web_config_client client)
{
	return client == WEB_CLIENT_VERIFY || client == WEB_CLIENT_VERIFY_IF_GIVEN;
}

/* A value, the line it stands in, and its key. text NULL: not given. */
struct web_config_text {
	char *text;
	int line;
	const char *key;
};

struct web_config_user {
	char *name, *hash;
};

struct web_config {
	int tls_line; /* of tls_server_config; 0: no TLS */
	/* Paths. A relative one is taken from the directory of the file. */
	struct web_config_text cert_file, key_file, client_ca_file;
	int client;                   /* enum web_config_client */
	int min_version, max_version; /* of TLS: 12, 13, or 0: not given */
	struct web_config_user *user;
	size_t users;
};

/* What is wrong, and in which line; 0: the file as a whole. */
struct web_config_fault {
	int line;
	char text[400];
};

/* Fills in *fault. Returns -EINVAL. */
int web_config_refuse(struct web_config_fault *fault, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Parses len bytes of text, the content of the file path. 0 and *config, which web_config_clear() frees; or -EINVAL and
 * *fault, and nothing to free. An empty file gives neither TLS nor users.
 */
int web_config_parse(struct web_config *config, const char *path, const char *text, size_t len,
	struct web_config_fault *fault);
void web_config_clear(struct web_config *config);
void web_config_free_users(struct web_config_user *user, size_t count);
