/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/daemon/meter_setup.h"

#include "hostmeter/base/url.h"
#include "hostmeter/config/config.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/names.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_FLOWS = 1 << 22 };

static struct snapshot_alias *aliases(const struct config *config)
{
	struct snapshot_alias *alias = calloc(config->interfaces + 1, sizeof(*alias));

	for (size_t i = 0; alias && i < config->interfaces; i++)
		alias[i] = (struct snapshot_alias){ config->interface[i].interface, config->interface[i].name };
	return alias;
}

static int name_hosts(struct names *names, const struct config *config)
{
	int error = 0;

	for (size_t i = 0; i < config->hosts && !error; i++) {
		const struct config_host *host = &config->host[i];

		for (size_t j = 0; j < host->macs && !error; j++)
			error = names_set_mac(names, NAMES_CONFIG, &host->mac[j], host->name);
		for (size_t j = 0; j < host->addresses && !error; j++)
			error = names_set_address(names, NAMES_CONFIG, &host->address[j], host->name);
	}
	return error;
}

static struct tunnels_peer *tunnel_peers(const struct config *config)
{
	struct tunnels_peer *peer = calloc(config->tunnel.count + 1, sizeof(*peer));

	for (size_t i = 0; peer && i < config->tunnel.count; i++) {
		if (addr_parse(&peer[i].addr, config->tunnel.item[i]))
			url_read_port(config->tunnel.item[i], &peer[i].addr, &peer[i].port);
	}
	return peer;
}

static struct meter_options options_of(const struct meter_setup *setup, const struct config *config)
{
	return (struct meter_options){
		.sides = {
			.lan = (const char *const *)config->lan.item,
			.wan = (const char *const *)config->wan.item,
			.carrier = (const char *const *)config->carrier.item,
			.transit = (const char *const *)config->transit.item,
			.ignore = (const char *const *)config->ignore.item,
		},
		.tunnels = { setup->peer, config->tunnel.count },
		.names = setup->names,
		.max_hosts = config->max_hosts,
		.forget_after_ns = config->forget_after_ns,
		.forget_unanswered_ns = config->forget_unanswered_ns,
		.max_flows = MAX_FLOWS,
	};
}

int meter_setup_make(struct meter_setup *setup, const struct config *config, const struct hash_key *hash,
	uint64_t start_real_ns)
{
	*setup = (struct meter_setup){
		.names = names_new(),
		.alias = aliases(config),
		.aliases = config->interfaces,
		.peer = tunnel_peers(config),
	};
	if (setup->names && setup->alias && setup->peer && !name_hosts(setup->names, config)) {
		struct meter_options options = options_of(setup, config);

		options.hash = *hash;
		options.start_real_ns = start_real_ns;
		setup->meter = meter_new(&options);
	}
	if (setup->meter)
		return 0;
	meter_setup_free(setup);
	return -ENOMEM;
}

int meter_setup_configure(struct meter_setup *setup, const struct config *config, bool hosts, uint64_t now)
{
	struct snapshot_alias *alias = aliases(config);
	struct tunnels_peer *peer = tunnel_peers(config), *old = setup->peer;
	struct meter_options options;
	int error = 0;

	if (!alias || !peer) {
		free(alias);
		free(peer);
		return -ENOMEM;
	}
	free(setup->alias);
	setup->alias = alias;
	setup->aliases = config->interfaces;
	setup->peer = peer;
	options = options_of(setup, config);
	meter_configure(setup->meter, &options, now);
	free(old);
	if (!hosts)
		return 0;
	names_replace(setup->names, NAMES_CONFIG, 0, NULL);
	error = name_hosts(setup->names, config);
	meter_names_changed(setup->meter);
	return error;
}

int meter_setup_snapshot(const struct meter_setup *setup, struct snapshot *snapshot, uint64_t now)
{
	int error = meter_snapshot(setup->meter, snapshot, now);

	if (!error)
		snapshot_rename(snapshot, setup->alias, setup->aliases);
	return error;
}

void meter_setup_free(struct meter_setup *setup)
{
	meter_free(setup->meter);
	names_free(setup->names);
	free(setup->alias);
	free(setup->peer);
	*setup = (struct meter_setup){ 0 };
}
