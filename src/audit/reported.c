/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/audit/reported.h"

#include "hostmeter/base/array.h"
#include "hostmeter/base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS_MOST = 1 << 16, ADDRESSES_MOST = 1 << 18 };

static const char *const families[AUDIT_FAMILIES] = { "4", "6" };
static const char *const directions[AUDIT_DIRECTIONS] = { "in", "out" };

/* --- Hosts */

static void read_counts(struct audit_reported_host *host, enum audit_scope scope, const json_t *counts)
{
	for (int f = 0; f < AUDIT_FAMILIES; f++) {
		const json_t *family = json_object_get(counts, families[f]);

		for (int d = 0; d < AUDIT_DIRECTIONS; d++)
			host->bytes[scope][f][d] = json_get_u64(json_object_get(family, directions[d]), "bytes");
	}
}

static int read_addresses(struct audit_reported *reported, struct audit_reported_host *host, const json_t *list)
{
	host->address = reported->addresses;
	for (size_t i = 0; i < json_array_size(list) && reported->addresses < ADDRESSES_MOST; i++) {
		struct addr addr, *grown;

		if (addr_parse(&addr, json_to_text(json_array_get(list, i))))
			continue;
		grown = array_grow(reported->address, reported->addresses, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		reported->address = grown;
		grown[reported->addresses++] = addr;
		host->addresses++;
	}
	return 0;
}

static int read_host(struct audit_reported *reported, const json_t *one)
{
	struct audit_reported_host *grown = array_grow(reported->host, reported->hosts, sizeof(*grown)), *host;

	if (!grown)
		return -ENOMEM;
	reported->host = grown;
	host = &grown[reported->hosts++];
	*host = (struct audit_reported_host){ .first_seen = json_get_ns(one, "first_seen") };
	json_copy_text(host->label, sizeof(host->label), json_object_get(one, "host"));
	json_copy_text(host->mac, sizeof(host->mac), json_object_get(one, "mac"));
	read_counts(host, AUDIT_WAN, json_object_get(one, "wan"));
	read_counts(host, AUDIT_LOCAL, json_object_get(one, "local"));
	return read_addresses(reported, host, json_object_get(one, "addresses"));
}

int reported_read_hosts(struct audit_reported *reported, const struct buf *from)
{
	int error;
	json_t *document = json_open(from->data, from->len, &error);
	const json_t *hosts = json_object_get(document, "hosts");

	if (!error && !json_is_array(hosts))
		error = -EBADMSG;
	for (size_t i = 0; !error && i < json_array_size(hosts) && i < HOSTS_MOST; i++)
		error = read_host(reported, json_array_get(hosts, i));
	reported->time = json_get_ns(document, "time");
	reported->ready = json_get_bool(document, "ready");
	json_decref(document);
	return error;
}

void reported_clear(struct audit_reported *reported)
{
	free(reported->host);
	free(reported->address);
	*reported = (struct audit_reported){ 0 };
}

/* --- Status */

static void read_link(struct audit_reported *reported, const json_t *one)
{
	const char *side = json_get_text(one, "side");
	uint64_t index = json_get_u64(one, "index");

	if (!*side || !index || index > UINT32_MAX || reported->links == AUDIT_LINKS)
		return;
	reported->link[reported->links++] = (struct audit_reported_link){ (uint32_t)index, !strcmp(side, "wan") };
}

static uint64_t read_overruns(const json_t *sources)
{
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *one = json_array_get(sources, i);

		if (!strcmp(json_get_text(one, "source"), "events"))
			return json_get_u64(one, "overruns");
	}
	return 0;
}

static void read_tunnels(struct audit_reported *reported, const json_t *wan)
{
	const json_t *tunnel = json_object_get(wan, "tunnel");

	reported->tunnel[AUDIT_IN] += json_get_u64(json_object_get(tunnel, "rx"), "bytes");
	reported->tunnel[AUDIT_OUT] += json_get_u64(json_object_get(tunnel, "tx"), "bytes");
}

int reported_read_status(struct audit_reported *reported, const struct buf *from)
{
	int error;
	json_t *document = json_open(from->data, from->len, &error);
	const json_t *interfaces = json_object_get(document, "interfaces"), *wan = json_object_get(document, "wan");

	if (error)
		return error;
	reported->uptime_ns = json_get_ns(document, "uptime_seconds");
	reported->dump_interval_ns = json_get_ns(json_object_get(document, "dump"), "interval_seconds");
	reported->reliable = json_get_bool(document, "reliable");
	reported->overruns = read_overruns(json_object_get(document, "sources"));
	for (size_t i = 0; i < json_array_size(interfaces); i++)
		read_link(reported, json_array_get(interfaces, i));
	for (size_t i = 0; i < json_array_size(wan); i++)
		read_tunnels(reported, json_array_get(wan, i));
	json_decref(document);
	return 0;
}

/* --- Flows */

static enum audit_scope scope_of(const json_t *value)
{
	const char *scope = json_to_text(value);

	if (!strcmp(scope, "wan") || !strcmp(scope, "router"))
		return AUDIT_WAN;
	if (!strcmp(scope, "local"))
		return AUDIT_LOCAL;
	if (!strcmp(scope, "tunnel"))
		return AUDIT_TUNNEL;
	return strcmp(scope, "none") ? AUDIT_UNDECIDED : AUDIT_IGNORED;
}

int reported_read_flow(struct audit_reported_flow *flow, const char *line, size_t len)
{
	int error;
	json_t *document = json_open(line, len, &error);
	const json_t *original = json_object_get(document, "original");
	struct ct_tuple *tuple = &flow->flow.tuple[CT_ORIGINAL];

	if (error)
		return error;
	memset(flow, 0, sizeof(*flow));
	if (json_get_bool(document, "cut"))
		error = -ENODATA;
	else if (addr_parse(&tuple->src, json_get_text(original, "src")) ||
		addr_parse(&tuple->dst, json_get_text(original, "dst")))
		error = -EBADMSG;
	tuple->sport = (uint16_t)json_get_u64(original, "sport");
	tuple->dport = (uint16_t)json_get_u64(original, "dport");
	flow->flow.family = tuple->src.family;
	flow->flow.proto = (uint8_t)json_get_u64(document, "proto");
	flow->flow.zone = (uint16_t)json_get_u64(document, "zone");
	flow->flow.id = (uint32_t)json_get_u64(document, "id");
	flow->scope = scope_of(json_object_get(document, "scope"));
	flow->began = !json_get_bool(document, "inbound");
	json_copy_text(flow->host, sizeof(flow->host), json_object_get(document, "host"));
	json_copy_text(flow->mac, sizeof(flow->mac), json_object_get(document, "mac"));
	json_copy_text(flow->peer, sizeof(flow->peer), json_object_get(document, "peer"));
	json_copy_text(flow->peer_mac, sizeof(flow->peer_mac), json_object_get(document, "peer_mac"));
	json_decref(document);
	return error;
}
