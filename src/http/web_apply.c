/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/web_apply.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/log.h"
#include "hostmeter/http/basic_auth.h"
#include "hostmeter/http/server.h"
#include "hostmeter/os/file.h"
#include "tls.h"
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

static int read_config(const char *path, struct web_config *config, struct web_config_fault *fault)
{
	struct buf text = BUF_INIT;
	int error = file_read(path, WEB_CONFIG_BYTES + 1, &text);

	if (error && error != -EFBIG) /* web_config_parse() has the message for that */
		error = web_config_refuse(fault, 0, "%s",
			error == -EINVAL ? "is not a regular file" : strerror(-error));
	else
		error = web_config_parse(config, path, text.data ? text.data : "", text.len, fault);
	buf_free(&text);
	return error;
}

static void put_into_effect(struct web_apply *web, struct web_config *config, struct tls *tls)
{
	web->has_tls = tls;
	if (tls)
		http_server_set_tls(web->server, tls);
	if (tls && tls_is_slow(tls))
		log_warning("%s: the key of key_file is slow, and the meter waits for it at each new connection: one "
			    "on the curve P-256 takes a thirtieth of RSA's time",
			web->path);
	basic_auth_set_users(web->auth, config->user, config->users);
	config->user = NULL;
	config->users = 0;
}

/* Puts the file into effect; or logs the mistake, and nothing changes. again: the server listens already. */
static int apply(struct web_apply *web, bool again)
{
	struct web_config config = { 0 };
	struct web_config_fault fault;
	struct tls *tls = NULL;
	char line[16];
	int error = read_config(web->path, &config, &fault);

	if (!error && config.tls_line && tls_new(&tls, &config, &fault))
		error = -EINVAL;
	if (!error && again && web->has_tls != !!tls)
		error = web_config_refuse(&fault, 0, "%s",
			tls ? "TLS is off, and only a restart can switch it on" :
			      "TLS is on, and only a restart can switch it off");
	if (!error) {
		put_into_effect(web, &config, tls);
	} else {
		snprintf(line, sizeof(line), fault.line ? ":%d" : "", fault.line);
		(again ? log_warning : log_error)("%s%s: %s%s", web->path, line, fault.text,
			again ? ": what was read before stays" : "");
	}
	tls_release(tls);
	web_config_clear(&config);
	return error;
}

int web_apply_new(struct web_apply **web, const char *path, struct http_server *server, struct basic_auth *auth)
{
	int error = 0;

	*web = path ? malloc(sizeof(**web)) : NULL;
	if (*web) {
		**web = (struct web_apply){ .path = path, .server = server, .auth = auth };
		error = apply(*web, false);
	} else if (path) {
		log_error("%s: %s", path, strerror(ENOMEM));
		error = -EINVAL;
	}
	if (error) {
		free(*web);
		*web = NULL;
	}
	return error;
}

void web_apply_free(struct web_apply *web)
{
	free(web);
}

void web_apply_reload(struct web_apply *web)
{
	if (apply(web, true) == 0)
		log_info("%s: read again", web->path);
}

bool web_apply_has_tls(const struct web_apply *web)
{
	return web && web->has_tls;
}
