/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/web_apply.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/log.h"
#include "hostmeter/http/basic_auth.h"
#include "hostmeter/http/server.h"
#include "hostmeter/os/file.h"
#include "tls.h"
#include "users.h"
#include "web_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct web_apply {
	const char *path;
	struct http_server *server;
	struct basic_auth *auth;
	bool has_tls;
};

/* What a file and the files it names give. */
struct loaded {
	struct tls *tls;
	struct users *users;
};

static int refuse(struct web_config_fault *fault, int line, const char *text)
{
	fault->line = line;
	snprintf(fault->text, sizeof(fault->text), "%s", text);
	return -EINVAL;
}

static int make_tls(struct tls **tls, const struct web_config *config, struct web_config_fault *fault)
{
	const enum web_config_client client = config->client;
	const struct tls_settings settings = {
		.cert_file = config->cert_file.text,
		.key_file = config->key_file.text,
		.client_ca_file = config->client_ca_file.text,
		.request = client != WEB_CLIENT_NONE,
		.require = client == WEB_CLIENT_ANY || client == WEB_CLIENT_VERIFY,
		.verify = client == WEB_CLIENT_VERIFY || client == WEB_CLIENT_VERIFY_IF_GIVEN,
		.without_12 = config->min_version == 13,
		.without_13 = config->max_version == 12,
	};
	const struct {
		const char *key;
		const struct web_config_text *file;
	} parts[] = {
		[TLS_CERT] = { "cert_file", &config->cert_file },
		[TLS_KEY] = { "key_file", &config->key_file },
		[TLS_CLIENT_CA] = { "client_ca_file", &config->client_ca_file },
	};
	struct tls_fault found;

	if (!tls_new(tls, &settings, &found))
		return 0;
	if (found.part == TLS_ITSELF)
		return refuse(fault, config->tls_line, found.text);
	fault->line = parts[found.part].file->line;
	snprintf(fault->text, sizeof(fault->text), "%s: \"%.200s\" %s", parts[found.part].key,
		parts[found.part].file->text, found.text);
	return -EINVAL;
}

static int make_users(struct users **users, const struct web_config *config, struct web_config_fault *fault)
{
	struct hash_key key;
	int error = hash_key_random(&key);

	*users = error ? NULL : users_new(&key);
	if (!*users)
		return refuse(fault, 0, strerror(error ? -error : ENOMEM));
	for (size_t i = 0; i < config->users; i++) {
		if (users_add(*users, config->user[i].name, config->user[i].hash))
			return refuse(fault, 0, strerror(ENOMEM));
	}
	return 0;
}

static int read_config(const char *path, struct web_config *config, struct web_config_fault *fault)
{
	struct buf text = BUF_INIT;
	int error = file_read(path, WEB_CONFIG_BYTES + 1, &text);

	if (error && error != -EFBIG) /* web_config_parse() has the message for that */
		error = refuse(fault, 0, error == -EINVAL ? "is not a regular file" : strerror(-error));
	else
		error = web_config_parse(config, path, text.data ? text.data : "", text.len, fault);
	buf_free(&text);
	return error;
}

static void drop(struct loaded *loaded)
{
	tls_release(loaded->tls);
	users_free(loaded->users);
}

/* All or nothing. */
static int load(const char *path, struct loaded *loaded, struct web_config_fault *fault)
{
	struct web_config config = { 0 };
	int error = read_config(path, &config, fault);

	*loaded = (struct loaded){ 0 };
	if (!error && config.tls_line)
		error = make_tls(&loaded->tls, &config, fault);
	if (!error)
		error = make_users(&loaded->users, &config, fault);
	web_config_clear(&config);
	if (error)
		drop(loaded);
	return error;
}

static void put_into_effect(struct web_apply *web, struct loaded *loaded)
{
	if (loaded->tls)
		http_server_set_tls(web->server, loaded->tls);
	if (loaded->tls && tls_is_slow(loaded->tls))
		log_warning("%s: the key of key_file is slow, and the meter waits for it at each new connection: one "
			    "on the curve P-256 takes a thirtieth of RSA's time",
			web->path);
	tls_release(loaded->tls);
	basic_auth_set_users(web->auth, loaded->users);
}

/* What follows the file's name: ":LINE", or nothing. */
static const char *line_text(char text[static 16], const struct web_config_fault *fault)
{
	snprintf(text, 16, fault->line ? ":%d" : "", fault->line);
	return text;
}

int web_apply_new(struct web_apply **web, const char *path, struct http_server *server, struct basic_auth *auth)
{
	struct web_config_fault fault;
	struct loaded loaded;
	char line[16];

	*web = NULL;
	if (!path)
		return 0;
	if (load(path, &loaded, &fault)) {
		log_error("%s%s: %s", path, line_text(line, &fault), fault.text);
		return -EINVAL;
	}
	*web = malloc(sizeof(**web));
	if (!*web) {
		log_error("%s: %s", path, strerror(ENOMEM));
		drop(&loaded);
		return -EINVAL;
	}
	**web = (struct web_apply){ .path = path, .server = server, .auth = auth, .has_tls = loaded.tls };
	put_into_effect(*web, &loaded);
	return 0;
}

void web_apply_free(struct web_apply *web)
{
	free(web);
}

void web_apply_reload(struct web_apply *web)
{
	struct web_config_fault fault;
	struct loaded loaded;
	char line[16];
	int error = load(web->path, &loaded, &fault);

	if (!error && web->has_tls != !!loaded.tls) {
		drop(&loaded);
		error = refuse(&fault, 0,
			web->has_tls ? "TLS is on, and only a restart can switch it off" :
				       "TLS is off, and only a restart can switch it on");
	}
	if (error) {
		log_warning("%s%s: %s: what was read before stays", web->path, line_text(line, &fault), fault.text);
		return;
	}
	put_into_effect(web, &loaded);
	log_info("%s: read again", web->path);
}

bool web_apply_has_tls(const struct web_apply *web)
{
	return web && web->has_tls;
}
