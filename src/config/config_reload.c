/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reload takes: the configuration as it is now, beside the one that runs. */
#include "hostmeter/base/buf.h"
#include "hostmeter/config/config.h"
#include "options.h"

#include <string.h>

int config_load_again(struct config *fresh, const struct config *running, FILE *err)
{
	return config_load(fresh, running->argc, running->argv, err);
}

/* Addresses and MACs have no padding. */
static bool hosts_equal(const struct config_host *a, const struct config_host *b)
{
	return !strcmp(a->name, b->name) && a->macs == b->macs && a->addresses == b->addresses &&
		(!a->macs || !memcmp(a->mac, b->mac, a->macs * sizeof(*a->mac))) &&
		(!a->addresses || !memcmp(a->address, b->address, a->addresses * sizeof(*a->address)));
}

struct config_change config_compare(const struct config *running, const struct config *fresh)
{
	uint64_t differ = options_compare(running, fresh), live = options_live();
	struct config_change change = {
		.live = differ & live,
		.restart = differ & ~live,
		.hosts = running->hosts != fresh->hosts,
		.interfaces = running->interfaces != fresh->interfaces,
	};

	for (size_t i = 0; i < running->hosts && !change.hosts; i++)
		change.hosts = !hosts_equal(&running->host[i], &fresh->host[i]);
	for (size_t i = 0; i < running->interfaces && !change.interfaces; i++)
		change.interfaces = strcmp(running->interface[i].interface, fresh->interface[i].interface) ||
			strcmp(running->interface[i].name, fresh->interface[i].name);
	return change;
}

bool config_changed(const struct config_change *change, const char *key)
{
	return change->live & options_bit(key);
}

void config_exchange(struct config *running, struct config *fresh, const struct config_change *change)
{
	const struct config before = *running;

	options_exchange(running, fresh, change->live);
	if (change->hosts) {
		running->host = fresh->host;
		running->hosts = fresh->hosts;
		fresh->host = before.host;
		fresh->hosts = before.hosts;
	}
	if (change->interfaces) {
		running->interface = fresh->interface;
		running->interfaces = fresh->interfaces;
		fresh->interface = before.interface;
		fresh->interfaces = before.interfaces;
	}
}

void config_put_change(struct buf *out, const struct config_change *change)
{
	struct buf names = BUF_INIT;

	options_put_names(&names, change->live);
	if (change->hosts)
		buf_printf(&names, "%shost", names.len ? ", " : "");
	if (change->interfaces)
		buf_printf(&names, "%sinterface", names.len ? ", " : "");
	if (names.len)
		buf_printf(out, "changed: %s", buf_text(&names));
	else
		buf_puts(out, "nothing changed");
	buf_free(&names);
	if (!change->restart)
		return;
	options_put_names(&names, change->restart);
	buf_printf(out, "; needs a restart: %s", buf_text(&names));
	buf_free(&names);
}
