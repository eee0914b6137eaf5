/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/audit/read_reported.h"

#include "hostmeter/base/version.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS_MOST = 1 << 16, ADDRESSES_MOST = 1 << 18 };

static const char *const families[AUDIT_FAMILIES] = { "4", "6" };
static const char *const directions[AUDIT_DIRECTIONS] = { "in", "out" };

/* --- Values */

static uint64_t number(const json_t *value)
{
	json_int_t integer = json_integer_value(value);

	return integer > 0 ? (uint64_t)integer : 0;
}

static uint64_t nanoseconds(const json_t *value)
{
	double seconds = json_number_value(value);

	return seconds > 0 && seconds < 1e10 ? (uint64_t)(seconds * 1e3 + 0.5) * 1000000 : 0;
}

static void copy_text(char *to, size_t size, const json_t *value)
{
	const char *text = json_string_value(value);

	snprintf(to, size, "%s", text ? text : "");
}

/* Nothing (NULL) and *error, or a document of our schema. */
static json_t *open_document(const char *data, size_t len, int *error)
{
	json_t *document = json_loadb(data ? data : "", len, 0, NULL);

	*error = !json_is_object(document)                                ? -EBADMSG :
		number(json_object_get(document, "schema")) != API_SCHEMA ? -EPROTO :
									    0;
	if (!*error)
		return document;
	json_decref(document);
	return NULL;
}

/* Makes room for one element more. 0 or -ENOMEM. */
static int grow(void **list, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 64;
	void *grown;

	if (count < *room)
		return 0;
	grown = reallocarray(*list, wanted, size);
	if (!grown)
		return -ENOMEM;
	*list = grown;
	*room = wanted;
	return 0;
}

/* --- Hosts */

static void read_counts(struct audit_reported_host *host, enum audit_scope scope, const json_t *counts)
{
	for (int f = 0; f < AUDIT_FAMILIES; f++) {
		const json_t *family = json_object_get(counts, families[f]);

		for (int d = 0; d < AUDIT_DIRECTIONS; d++)
			host->bytes[scope][f][d] =
				number(json_object_get(json_object_get(family, directions[d]), "bytes"));
	}
}

static int read_addresses(struct audit_reported *reported, struct audit_reported_host *host, const json_t *list)
{
	host->address = reported->addresses;
	for (size_t i = 0; i < json_array_size(list) && reported->addresses < ADDRESSES_MOST; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct addr addr;

		if (!text || addr_parse(&addr, text))
			continue;
		if (grow((void **)&reported->address, reported->addresses, &reported->addresses_room,
			    sizeof(*reported->address)))
			return -ENOMEM;
		reported->address[reported->addresses++] = addr;
		host->addresses++;
	}
	return 0;
}

static int read_host(struct audit_reported *reported, const json_t *one)
{
	struct audit_reported_host *host;

	if (grow((void **)&reported->host, reported->hosts, &reported->hosts_room, sizeof(*reported->host)))
		return -ENOMEM;
	host = &reported->host[reported->hosts++];
	*host = (struct audit_reported_host){ .first_seen = nanoseconds(json_object_get(one, "first_seen")) };
	copy_text(host->label, sizeof(host->label), json_object_get(one, "host"));
	copy_text(host->mac, sizeof(host->mac), json_object_get(one, "mac"));
	read_counts(host, AUDIT_WAN, json_object_get(one, "wan"));
	read_counts(host, AUDIT_LOCAL, json_object_get(one, "local"));
	return read_addresses(reported, host, json_object_get(one, "addresses"));
}

int read_reported_hosts(struct audit_reported *reported, const struct buf *from)
{
	int error;
	json_t *document = open_document(from->data, from->len, &error);
	const json_t *hosts = json_object_get(document, "hosts");

	if (!error && !json_is_array(hosts))
		error = -EBADMSG;
	for (size_t i = 0; !error && i < json_array_size(hosts) && i < HOSTS_MOST; i++)
		error = read_host(reported, json_array_get(hosts, i));
	reported->time = nanoseconds(json_object_get(document, "time"));
	reported->ready = json_is_true(json_object_get(document, "ready"));
	json_decref(document);
	return error;
}

void read_reported_clear(struct audit_reported *reported)
{
	free(reported->host);
	free(reported->address);
	*reported = (struct audit_reported){ 0 };
}

/* --- Status */

static void read_link(struct audit_reported *reported, const json_t *one)
{
	const char *side = json_string_value(json_object_get(one, "side"));
	uint64_t index = number(json_object_get(one, "index"));

	if (!side || !index || index > UINT32_MAX || reported->links == AUDIT_LINKS)
		return;
	reported->link[reported->links++] = (struct audit_reported_link){ (uint32_t)index, !strcmp(side, "wan") };
}

static uint64_t read_overruns(const json_t *sources)
{
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *one = json_array_get(sources, i);
		const char *name = json_string_value(json_object_get(one, "source"));

		if (name && !strcmp(name, "events"))
			return number(json_object_get(one, "overruns"));
	}
	return 0;
}

int read_reported_status(struct audit_reported *reported, const struct buf *from)
{
	int error;
	json_t *document = open_document(from->data, from->len, &error);
	const json_t *interfaces = json_object_get(document, "interfaces");

	if (error)
		return error;
	reported->uptime_ns = nanoseconds(json_object_get(document, "uptime_seconds"));
	reported->dump_interval_ns =
		nanoseconds(json_object_get(json_object_get(document, "dump"), "interval_seconds"));
	reported->reliable = json_is_true(json_object_get(document, "reliable"));
	reported->overruns = read_overruns(json_object_get(document, "sources"));
	for (size_t i = 0; i < json_array_size(interfaces); i++)
		read_link(reported, json_array_get(interfaces, i));
	json_decref(document);
	return 0;
}

/* --- Flows */

static enum audit_scope scope_of(const json_t *value)
{
	static const struct {
		const char *name;
		enum audit_scope scope;
	} scopes[] = {
		{ "wan", AUDIT_WAN },
		{ "router", AUDIT_WAN },
		{ "local", AUDIT_LOCAL },
		{ "none", AUDIT_IGNORED },
	};
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (!strcmp(text, scopes[i].name))
			return scopes[i].scope;
	return AUDIT_UNDECIDED;
}

static int read_address(struct addr *to, const json_t *value)
{
	const char *text = json_string_value(value);

	return text ? addr_parse(to, text) : -EINVAL;
}

int read_reported_flow(struct audit_reported_flow *flow, const char *line, size_t len)
{
	int error;
	json_t *document = open_document(line, len, &error);
	const json_t *original = json_object_get(document, "original");
	struct ct_tuple *tuple = &flow->flow.tuple[CT_ORIGINAL];

	if (error)
		return error;
	memset(flow, 0, sizeof(*flow));
	if (json_is_true(json_object_get(document, "cut")))
		error = -ENODATA;
	else if (read_address(&tuple->src, json_object_get(original, "src")) ||
		read_address(&tuple->dst, json_object_get(original, "dst")))
		error = -EBADMSG;
	tuple->sport = (uint16_t)number(json_object_get(original, "sport"));
	tuple->dport = (uint16_t)number(json_object_get(original, "dport"));
	flow->flow.family = tuple->src.family;
	flow->flow.proto = (uint8_t)number(json_object_get(document, "proto"));
	flow->flow.zone = (uint16_t)number(json_object_get(document, "zone"));
	flow->flow.id = (uint32_t)number(json_object_get(document, "id"));
	flow->scope = scope_of(json_object_get(document, "scope"));
	flow->began = !json_is_true(json_object_get(document, "inbound"));
	copy_text(flow->host, sizeof(flow->host), json_object_get(document, "host"));
	copy_text(flow->mac, sizeof(flow->mac), json_object_get(document, "mac"));
	copy_text(flow->peer, sizeof(flow->peer), json_object_get(document, "peer"));
	copy_text(flow->peer_mac, sizeof(flow->peer_mac), json_object_get(document, "peer_mac"));
	json_decref(document);
	return error;
}
