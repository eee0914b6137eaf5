/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/audit/audit.h"

#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct audit_host *host_of(struct audit *audit, const char *label, const char *mac)
{
	char id[AUDIT_ID];
	struct audit_host *host;

	snprintf(id, sizeof(id), "%s", *mac ? mac : label);
	HASH_FIND_STR(audit->table, id, host);
	if (host)
		return host;
	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	memcpy(host->id, id, sizeof(id));
	snprintf(host->label, sizeof(host->label), "%s", label);
	snprintf(host->mac, sizeof(host->mac), "%s", mac);
	host->number = audit->hosts++;
	HASH_ADD_STR(audit->table, id, host);
	return host;
}

struct audit *audit_new(size_t most_flows)
{
	struct audit *audit = calloc(1, sizeof(*audit));

	if (!audit)
		return NULL;
	audit->flows = readings_new(most_flows);
	audit->addresses = by_address_new();
	/* In the order of AUDIT_ROUTER and AUDIT_OTHER. */
	if (audit->flows && audit->addresses && host_of(audit, "router", "") && host_of(audit, "other", ""))
		return audit;
	audit_free(audit);
	return NULL;
}

void audit_free(struct audit *audit)
{
	struct audit_host *host, *next;

	if (!audit)
		return;
	HASH_ITER (hh, audit->table, host, next) {
		HASH_DEL(audit->table, host);
		free(host);
	}
	by_address_free(audit->addresses);
	readings_free(audit->flows);
	free(audit);
}

int audit_take_reported(struct audit *audit, enum audit_end end, const struct audit_reported *reported)
{
	audit->time[end] = reported->time;
	audit->uptime_ns[end] = reported->uptime_ns;
	audit->overruns[end] = reported->overruns;
	audit->reliable[end] = reported->reliable;
	memcpy(audit->tunnel[end], reported->tunnel, sizeof(reported->tunnel));
	audit->dump_interval_ns = reported->dump_interval_ns;
	for (size_t i = 0; i < reported->hosts; i++) {
		const struct audit_reported_host *said = &reported->host[i];
		struct audit_host *host = host_of(audit, said->label, said->mac);

		if (!host)
			return -ENOMEM;
		memcpy(host->label, said->label, sizeof(host->label)); /* the latest name */
		host->present[end] = true;
		host->first_seen = said->first_seen;
		memcpy(host->bytes[end], said->bytes, sizeof(said->bytes));
		for (size_t j = 0; j < said->addresses; j++)
			if (by_address_add(audit->addresses, &reported->address[said->address + j], ADDRESS_HOST,
				    host->number))
				return -ENOMEM;
	}
	return 0;
}

int audit_take_flow(struct audit *audit, enum audit_end end, const struct audit_reported_flow *flow)
{
	struct audit_owner owner = {
		.scope = flow->scope, .began = flow->began, .host = AUDIT_NOBODY, .peer = AUDIT_NOBODY
	};

	if (flow->scope < AUDIT_SCOPES) {
		struct audit_host *host = host_of(audit, flow->host, flow->mac);
		struct audit_host *peer = flow->peer[0] ? host_of(audit, flow->peer, flow->peer_mac) : NULL;

		if (!host || (flow->peer[0] && !peer))
			return -ENOMEM;
		owner.host = host->number;
		owner.peer = peer ? peer->number : AUDIT_NOBODY;
	}
	readings_report(audit->flows, end, &flow->flow, &owner);
	return 0;
}

void audit_take_cut(struct audit *audit)
{
	audit->cut = true;
}

void audit_take_flowtables(struct audit *audit, bool count)
{
	audit->flowtables_count = count;
}

void audit_take_link(struct audit *audit, enum audit_end end, const struct audit_link *link)
{
	if (audit->links[end] < AUDIT_LINKS)
		audit->link[end][audit->links[end]++] = *link;
}
