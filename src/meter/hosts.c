/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/hosts.h"

#include "hostmeter/base/array.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* The first fields of a host are its key. They have no padding: they are hashed as bytes. */
enum { KEY_BYTES = offsetof(struct host, addr) + sizeof(struct addr) };

_Static_assert(KEY_BYTES == sizeof(enum host_kind) + sizeof(struct mac) + sizeof(struct addr), "a key has no padding");

struct entry {
	struct host host;
	uint32_t index;
	uint32_t next_free; /* of forgotten hosts */
	UT_hash_handle hh;
};

struct hosts {
	struct entry **entry;
	struct entry *by_key;
	uint32_t count, limit;
	uint32_t free; /* the first forgotten one, HOST_NONE: none */
	uint64_t folded;
};

static struct entry *append(struct hosts *hosts)
{
	struct entry **entries = array_grow(hosts->entry, hosts->count, sizeof(struct entry *)), *entry;

	if (!entries)
		return NULL;
	hosts->entry = entries;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->index = hosts->count;
	hosts->entry[hosts->count++] = entry;
	return entry;
}

struct hosts *hosts_new(uint32_t limit)
{
	struct hosts *hosts = calloc(1, sizeof(*hosts));

	if (!hosts)
		return NULL;
	hosts->limit = limit;
	hosts->free = HOST_NONE;
	for (int i = 0; i < HOST_FIRST; i++) {
		if (!append(hosts)) {
			hosts_free(hosts);
			return NULL;
		}
	}
	return hosts;
}

void hosts_free(struct hosts *hosts)
{
	if (!hosts)
		return;
	HASH_CLEAR(hh, hosts->by_key);
	for (uint32_t i = 0; i < hosts->count; i++) {
		free(hosts->entry[i]->host.name);
		free(hosts->entry[i]->host.vendor);
		free(hosts->entry[i]);
	}
	free(hosts->entry);
	free(hosts);
}

uint32_t hosts_count(const struct hosts *hosts)
{
	return hosts->count;
}

struct host *hosts_get(const struct hosts *hosts, uint32_t index)
{
	return &hosts->entry[index]->host;
}

uint64_t hosts_folded(const struct hosts *hosts)
{
	return hosts->folded;
}

static struct entry *reuse(struct hosts *hosts)
{
	struct entry *entry = hosts->entry[hosts->free];

	hosts->free = entry->next_free;
	*entry = (struct entry){ .index = entry->index };
	return entry;
}

static struct entry *find(const struct hosts *hosts, const struct host *key)
{
	struct entry *entry = NULL;

	HASH_FIND(hh, hosts->by_key, key, KEY_BYTES, entry);
	return entry;
}

static uint32_t find_or_make(struct hosts *hosts, const struct host *key)
{
	struct entry *entry = find(hosts, key);

	if (entry)
		return entry->index;
	if (hosts->free != HOST_NONE)
		entry = reuse(hosts);
	else if (hosts->count - HOST_FIRST < hosts->limit)
		entry = append(hosts);
	if (!entry) {
		hosts->folded++;
		return HOST_OTHER;
	}
	entry->host = *key;
	HASH_ADD_KEYPTR(hh, hosts->by_key, &entry->host, KEY_BYTES, entry);
	return entry->index;
}

uint32_t hosts_by_mac(struct hosts *hosts, const struct mac *mac)
{
	return find_or_make(hosts, &(struct host){ .kind = HOST_KIND_MAC, .mac = *mac });
}

uint32_t hosts_find_mac(const struct hosts *hosts, const struct mac *mac)
{
	const struct entry *entry = find(hosts, &(struct host){ .kind = HOST_KIND_MAC, .mac = *mac });

	return entry ? entry->index : HOST_NONE;
}

uint32_t hosts_by_address(struct hosts *hosts, const struct addr *addr)
{
	return find_or_make(hosts, &(struct host){ .kind = HOST_KIND_ADDRESS, .addr = *addr });
}

void hosts_forget(struct hosts *hosts, uint32_t index)
{
	struct entry *entry = hosts->entry[index];
	struct host *host = &entry->host, *other = &hosts->entry[HOST_OTHER]->host;

	if (host->kind != HOST_KIND_MAC && host->kind != HOST_KIND_ADDRESS)
		return;
	hosts_fold_floor(host);
	traffic_add(&other->wan, &host->wan);
	traffic_add(&other->local, &host->local);
	HASH_DEL(hosts->by_key, entry);
	free(host->name);
	free(host->vendor);
	*host = (struct host){ .kind = HOST_KIND_GONE };
	entry->next_free = hosts->free;
	hosts->free = index;
}

void hosts_fold_floor(struct host *host)
{
	host->wan = traffic_max(&host->wan, &host->wan_floor);
	host->local = traffic_max(&host->local, &host->local_floor);
	host->wan_floor = host->local_floor = (struct traffic){ 0 };
}

int hosts_set_name(struct host *host, const char *name)
{
	char *copy = NULL;

	if (name && !(copy = strdup(name)))
		return -ENOMEM;
	free(host->name);
	host->name = copy;
	return 0;
}

const char *hosts_label(const struct hosts *hosts, uint32_t index, char text[static ADDR_TEXT])
{
	static const char *const special[HOST_FIRST] = { "router", "unknown", "other" };
	const struct host *host = hosts_get(hosts, index);

	if (index < HOST_FIRST)
		return special[index];
	if (host->name)
		return host->name;
	return host->kind == HOST_KIND_MAC ? mac_format(&host->mac, text) : addr_format(&host->addr, text);
}
