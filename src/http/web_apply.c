/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/web_apply.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/file_error.h"
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
	/* What web_apply_prepare() has read. */
	const char *next_path;
	struct web_config next;
	struct tls *next_tls;
};

static int read_config(const char *path, struct web_config *config, struct web_config_fault *fault)
{
	struct buf text = BUF_INIT;
	int error = file_read(path, WEB_CONFIG_BYTES + 1, &text);

	if (error && error != -EFBIG) /* web_config_parse() has the message for that */
		error = web_config_refuse(fault, 0, "%s", file_error_reading(error));
	else
		error = web_config_parse(config, path, text.data ? text.data : "", text.len, fault);
	buf_free(&text);
	return error;
}

static void drop(struct web_apply *web)
{
	tls_release(web->next_tls);
	web->next_tls = NULL;
	web_config_clear(&web->next);
}

/* Reads what the next commit puts into effect; or logs the mistake. again: the server listens already. */
static int prepare(struct web_apply *web, const char *path, bool again)
{
	struct web_config_fault fault;
	char line[16];
	int error;

	drop(web);
	error = path ? read_config(path, &web->next, &fault) : 0;
	if (!error && web->next.tls_line && tls_new(&web->next_tls, &web->next, &fault))
		error = -EINVAL;
	if (!error && again && web->has_tls != !!web->next_tls)
		error = web_config_refuse(&fault, 0, "%s",
			web->next_tls ? "TLS is off, and only a restart can switch it on" :
					"TLS is on, and only a restart can switch it off");
	if (error) {
		snprintf(line, sizeof(line), fault.line ? ":%d" : "", fault.line);
		(again ? log_warning : log_error)("%s%s: %s%s", path ? path : "web.config.file", line, fault.text,
			again ? ": what was read before stays" : "");
		drop(web);
	}
	web->next_path = path;
	return error;
}

int web_apply_new(struct web_apply **web, const char *path, struct http_server *server, struct basic_auth *auth)
{
	int error = 0;

	*web = path ? malloc(sizeof(**web)) : NULL;
	if (*web) {
		**web = (struct web_apply){ .path = path, .server = server, .auth = auth };
		error = prepare(*web, path, false);
	} else if (path) {
		log_error("%s: %s", path, strerror(ENOMEM));
		error = -EINVAL;
	}
	if (error) {
		free(*web);
		*web = NULL;
	} else {
		web_apply_commit(*web);
	}
	return error;
}

void web_apply_free(struct web_apply *web)
{
	if (web)
		drop(web);
	free(web);
}

int web_apply_prepare(struct web_apply **web, const char *path, struct http_server *server, struct basic_auth *auth)
{
	if (!*web && path) {
		*web = malloc(sizeof(**web));
		if (!*web) {
			log_warning("%s: %s: what was read before stays", path, strerror(ENOMEM));
			return -EINVAL;
		}
		**web = (struct web_apply){ .server = server, .auth = auth };
	}
	return *web ? prepare(*web, path, true) : 0;
}

void web_apply_commit(struct web_apply *web)
{
	if (!web)
		return;
	web->path = web->next_path;
	web->has_tls = web->next_tls;
	if (web->has_tls)
		http_server_set_tls(web->server, web->next_tls);
	if (web->has_tls && tls_is_slow(web->next_tls))
		log_warning("%s: the key of key_file is slow, and the meter waits for it at each new connection: one "
			    "on the curve P-256 takes a thirtieth of RSA's time",
			web->path);
	basic_auth_set_users(web->auth, web->next.user, web->next.users);
	web->next.user = NULL;
	web->next.users = 0;
	drop(web);
}

bool web_apply_has_tls(const struct web_apply *web)
{
	return web && web->has_tls;
}
