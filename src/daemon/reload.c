/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reload.h"

#include "collector.h"
#include "hostmeter/base/buf.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/meter_setup.h"
#include "hostmeter/export/endpoints.h"
#include "hostmeter/http/basic_auth.h"
#include "hostmeter/http/web_apply.h"
#include "hostmeter/names/follow.h"
#include "hostmeter/os/loop.h"
#include "hostmeter/os/sd_notify.h"
#include "interfaces.h"
#include "ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAYS "what was read before stays"

/* --- Reading */

/* The one line of config_load() goes to the log. */
static void log_mistake(const char *line)
{
	static const char prefix[] = "hostmeter: ";
	size_t skip = strncmp(line, prefix, sizeof(prefix) - 1) ? 0 : sizeof(prefix) - 1;

	log_warning("%.*s: " STAYS, (int)strcspn(line + skip, "\n"), line + skip);
}

static int read_again(struct config *fresh, const struct config *running)
{
	char *line = NULL;
	size_t len = 0;
	FILE *err = open_memstream(&line, &len);
	int error = err ? config_load_again(fresh, running, err) : -ENOMEM;

	if (err)
		fclose(err);
	if (error)
		log_mistake(line && *line ? line : strerror(ENOMEM));
	free(line);
	return error;
}

/* --- Giving it to the parts */

/* All parts take what config has. 0; -ENOMEM: some did. */
static int put_into_effect(const struct reload *r, const struct config_change *change)
{
	int error = meter_setup_configure(r->setup, r->config, change->hosts, loop_now_ns(r->loop));

	if (!error)
		error = names_follow_configure(r->names, r->config);
	if (!error)
		error = endpoints_configure(r->endpoints, r->config);
	basic_auth_wake(r->auth);
	if (!error)
		error = ports_configure(r->ports, &r->config->listen);
	if (error)
		return error;
	collector_configure(r->collector);
	log_set_level(r->config->log_level);
	return 0;
}

static void log_change(const struct config *config, const struct config_change *change)
{
	struct buf text = BUF_INIT;

	config_put_change(&text, change);
	(change->restart ? log_warning : log_info)("%s%s%s: read again: %s", config_path(config),
		config->web_config ? " and " : "", config->web_config ? config->web_config : "", buf_text(&text));
	buf_free(&text);
}

/* config has the fresh values already. 0, or -errno and nothing changed. */
static int take(const struct reload *r, const struct config_change *change)
{
	int error = web_apply_prepare(r->web, r->config->web_config, r->http, r->auth);

	if (error) /* it has logged why */
		return error;
	error = put_into_effect(r, change);
	if (error)
		log_mistake(strerror(-error));
	else
		web_apply_commit(*r->web);
	return error;
}

void reload_now(const struct reload *r)
{
	struct config_change change;
	struct config fresh;

	if (!r->config->argv)
		return;
	sd_notify_reloading(clock_mono_ns());
	if (!read_again(&fresh, r->config)) {
		change = config_compare(r->config, &fresh);
		config_exchange(r->config, &fresh, &change);
		if (!take(r, &change)) {
			names_follow_look(r->names);
			log_change(r->config, &change);
			if (config_changed(&change, "lan") || config_changed(&change, "wan"))
				interfaces_warn(r->interfaces, r->config);
		} else {
			config_exchange(r->config, &fresh, &change);
			put_into_effect(r, &change);
		}
		config_free(&fresh);
	}
	sd_notify_send("READY=1");
}
