/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/hosts.h"

#include "hostmeter/base/array.h"
#include "hostmeter/base/keyed_uthash.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* The first fields of a host. They have no padding: they are hashed as bytes. */
struct key {
	enum host_kind kind;
	struct mac mac;
	struct addr addr;
};

enum {
	KEY_BYTES = offsetof(struct key, addr) + sizeof(struct addr),
	LOOKS_MOST = 16, /* at hosts, in search of one that may leave */
};

_Static_assert(KEY_BYTES == sizeof(enum host_kind) + sizeof(struct mac) + sizeof(struct addr), "a key has no padding");
_Static_assert(offsetof(struct host, mac) == offsetof(struct key, mac), "a host begins with its key");
_Static_assert(offsetof(struct host, addr) == offsetof(struct key, addr), "a host begins with its key");

struct entry {
	struct host host;
	uint32_t index;
	uint32_t references;
	uint64_t stamp; /* its last_seen when it got its position in its list */
	struct entry *prev, *next;
	UT_hash_handle hh;
};

/*
 * Each host without a reserved place is in one of two lists, roughly in the order of its activity: it is put back at
 * the end only when it is found at the head, and was active since it came there (second chance). So activity costs
 * nothing, and a search looks at few.
 */
struct hosts {
	struct entry **entry; /* &nobody: the index is free */
	uint32_t *next_free;  /* of each free index */
	struct entry nobody;
	struct entry *by_key;
	struct entry *list[2]; /* by is_answered */
	uint32_t count;
	uint32_t free;    /* the first index that is free, HOST_NONE: none */
	uint32_t leaving; /* hosts that left, and that something refers to */
	struct hosts_stats stats;
	uint32_t majority; /* votes for stats.unanswered_on (R. S. Boyer, J S. Moore, 1981) */
	void (*left)(void *ctx, uint32_t index);
	void *left_ctx;
};

/* A new entry, with a free index or a new one. */
static struct entry *place(struct hosts *hosts)
{
	struct entry *entry = calloc(1, sizeof(*entry)), **entries;
	uint32_t *next_free;

	if (entry && hosts->free != HOST_NONE) {
		entry->index = hosts->free;
		hosts->free = hosts->next_free[entry->index];
		hosts->entry[entry->index] = entry;
		return entry;
	}
	entries = array_grow(hosts->entry, hosts->count, sizeof(*entries));
	if (entries)
		hosts->entry = entries;
	next_free = array_grow(hosts->next_free, hosts->count, sizeof(*next_free));
	if (next_free)
		hosts->next_free = next_free;
	if (!entry || !entries || !next_free) {
		free(entry);
		return NULL;
	}
	entry->index = hosts->count;
	hosts->entry[hosts->count++] = entry;
	return entry;
}

struct hosts *hosts_new(uint32_t limit)
{
	struct hosts *hosts = calloc(1, sizeof(*hosts));

	if (!hosts)
		return NULL;
	hosts->stats.limit = limit;
	hosts->free = HOST_NONE;
	hosts->nobody.host.kind = HOST_KIND_GONE;
	for (int i = 0; i < HOST_FIRST; i++) {
		if (!place(hosts)) {
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
		if (hosts->entry[i] == &hosts->nobody)
			continue;
		free(hosts->entry[i]->host.name);
		free(hosts->entry[i]->host.vendor);
		free(hosts->entry[i]);
	}
	free(hosts->entry);
	free(hosts->next_free);
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
	return hosts->stats.folded;
}

void hosts_each(const struct hosts *hosts, void (*each)(void *ctx, uint32_t index), void *ctx)
{
	const struct entry *entry;

	for (uint32_t i = 0; i < hosts->count; i++) {
		if (i < HOST_FIRST || hosts->entry[i]->host.is_configured)
			each(ctx, i);
	}
	for (int i = 0; i < 2; i++) {
		DL_FOREACH(hosts->list[i], entry)
		each(ctx, entry->index);
	}
}

struct hosts_stats hosts_stats(const struct hosts *hosts)
{
	return hosts->stats;
}

void hosts_watch(struct hosts *hosts, void (*left)(void *ctx, uint32_t index), void *ctx)
{
	hosts->left = left;
	hosts->left_ctx = ctx;
}

static bool is_here(const struct host *host)
{
	return host->kind == HOST_KIND_MAC || host->kind == HOST_KIND_ADDRESS;
}

/* --- The two lists */

static void enlist(struct hosts *hosts, struct entry *entry)
{
	struct host *host = &entry->host;

	if (host->is_configured)
		return;
	DL_APPEND(hosts->list[host->is_answered], entry);
	hosts->stats.taken++;
	hosts->stats.unanswered += !host->is_answered;
}

static void delist(struct hosts *hosts, struct entry *entry)
{
	struct host *host = &entry->host;

	if (host->is_configured)
		return;
	DL_DELETE(hosts->list[host->is_answered], entry);
	hosts->stats.taken--;
	hosts->stats.unanswered -= !host->is_answered;
}

void hosts_answered(struct hosts *hosts, uint32_t index)
{
	struct entry *entry = hosts->entry[index];

	if (entry->host.is_answered || !is_here(&entry->host))
		return;
	delist(hosts, entry);
	entry->host.is_answered = true;
	enlist(hosts, entry);
}

void hosts_configured(struct hosts *hosts, uint32_t index, bool is_configured)
{
	struct entry *entry = hosts->entry[index];

	if (entry->host.is_configured == is_configured || !is_here(&entry->host))
		return;
	delist(hosts, entry);
	entry->host.is_configured = is_configured;
	enlist(hosts, entry);
}

/* --- Leaving */

static bool is_referred_to(const struct entry *entry)
{
	return entry->host.connections[TRAFFIC_IPV4] || entry->host.connections[TRAFFIC_IPV6] || entry->references;
}

static void free_index(struct hosts *hosts, struct entry *entry)
{
	hosts->next_free[entry->index] = hosts->free;
	hosts->free = entry->index;
	hosts->entry[entry->index] = &hosts->nobody;
	free(entry);
}

/* Nothing that is shown falls: what the host shows above its total is added to what HOST_OTHER shows. */
static void fold(struct traffic *to, struct traffic *to_floor, const struct traffic *from,
	const struct traffic *from_floor)
{
	struct traffic shown = traffic_max(to, to_floor), more = traffic_max(from, from_floor);

	traffic_add(&shown, &more);
	*to_floor = shown;
	traffic_add(to, from);
}

void hosts_leave(struct hosts *hosts, uint32_t index, enum hosts_reason reason)
{
	struct entry *entry = hosts->entry[index];
	struct host *host = &entry->host, *other = &hosts->entry[HOST_OTHER]->host;

	if (!is_here(host))
		return;
	if (hosts->left)
		hosts->left(hosts->left_ctx, index);
	if (reason < HOSTS_REASONS)
		hosts->stats.left[reason]++;
	fold(&other->wan, &other->wan_floor, &host->wan, &host->wan_floor);
	fold(&other->local, &other->local_floor, &host->local, &host->local_floor);
	for (int family = 0; family < TRAFFIC_FAMILIES; family++)
		other->connections[family] += host->connections[family];
	delist(hosts, entry);
	HASH_DEL(hosts->by_key, entry);
	free(host->name);
	free(host->vendor);
	*host = (struct host){ .kind = HOST_KIND_GONE,
		.connections = { host->connections[TRAFFIC_IPV4], host->connections[TRAFFIC_IPV6] } };
	if (is_referred_to(entry))
		hosts->leaving++;
	else
		free_index(hosts, entry);
}

/* A reference is gone. */
static void let_go(struct hosts *hosts, struct entry *entry)
{
	if (entry->host.kind != HOST_KIND_GONE || is_referred_to(entry))
		return;
	hosts->leaving--;
	free_index(hosts, entry);
}

void hosts_refer(struct hosts *hosts, uint32_t index, int step)
{
	if (index == HOST_NONE)
		return;
	hosts->entry[index]->references += step;
	if (step < 0)
		let_go(hosts, hosts->entry[index]);
}

void hosts_connect(struct hosts *hosts, uint32_t index, int family, int step)
{
	struct entry *entry = hosts->entry[index];

	entry->host.connections[family] += step;
	if (entry->host.kind != HOST_KIND_GONE)
		return;
	hosts->entry[HOST_OTHER]->host.connections[family] += step;
	if (step < 0)
		let_go(hosts, entry);
}

uint32_t hosts_resolve(const struct hosts *hosts, uint32_t index)
{
	return index != HOST_NONE && hosts->entry[index]->host.kind == HOST_KIND_GONE ? HOST_OTHER : index;
}

/* --- Finding and adding */

static struct entry *find(const struct hosts *hosts, const struct key *key)
{
	struct entry *entry = NULL;

	HASH_FIND(hh, hosts->by_key, key, KEY_BYTES, entry);
	return entry;
}

/* Whether it was active since it came to its position. */
static bool is_active(const struct entry *entry)
{
	return entry->host.last_seen > entry->stamp;
}

static bool was_silent_for(const struct entry *entry, uint64_t now, uint64_t ns)
{
	const struct host *host = &entry->host;

	return !host->connections[TRAFFIC_IPV4] && !host->connections[TRAFFIC_IPV6] && now - host->last_seen >= ns;
}

/* Who leaves next of a list; NULL: nobody. If all those without a reply are active, it is the first after all. */
static struct entry *silent_longest(struct hosts *hosts, bool is_answered, const struct hosts_claim *claim)
{
	struct entry **list = &hosts->list[is_answered], *entry;

	for (int i = 0; i < LOOKS_MOST && *list; i++) {
		entry = *list;
		if (entry->index != claim->partner && !is_active(entry) &&
			(!is_answered || was_silent_for(entry, claim->now, HOSTS_CROWDED_NS)))
			return entry;
		entry->stamp = entry->host.last_seen;
		DL_DELETE(*list, entry);
		DL_APPEND(*list, entry);
	}
	entry = *list;
	return !is_answered && entry && entry->index != claim->partner ? entry : NULL;
}

static bool make_room(struct hosts *hosts, const struct hosts_claim *claim)
{
	struct entry *entry;

	if (claim->is_configured || hosts->stats.taken < hosts->stats.limit)
		return true;
	if (!claim->is_answered || hosts->leaving >= hosts->stats.limit)
		return false;
	entry = silent_longest(hosts, false, claim);
	if (!entry)
		entry = silent_longest(hosts, true, claim);
	if (!entry)
		return false;
	hosts_leave(hosts, entry->index, entry->host.is_answered ? HOSTS_LEFT_CROWDED : HOSTS_LEFT_UNANSWERED);
	return true;
}

static void vote(struct hosts *hosts, uint32_t ifindex)
{
	if (!hosts->majority)
		hosts->stats.unanswered_on = ifindex;
	if (hosts->stats.unanswered_on == ifindex)
		hosts->majority += hosts->majority < UINT16_MAX;
	else
		hosts->majority--;
}

static uint32_t add(struct hosts *hosts, const struct key *key, const struct hosts_claim *claim)
{
	struct entry *entry = make_room(hosts, claim) ? place(hosts) : NULL;

	if (!entry && claim->may_wait)
		return HOST_NONE;
	if (!claim->is_answered && claim->ifindex)
		vote(hosts, claim->ifindex);
	if (!entry) {
		hosts->stats.folded++;
		hosts->stats.folded_unanswered += !claim->is_answered;
		return HOST_OTHER;
	}
	entry->host.kind = key->kind;
	entry->host.mac = key->mac;
	entry->host.addr = key->addr;
	entry->host.is_answered = claim->is_answered;
	entry->host.is_configured = claim->is_configured;
	entry->stamp = entry->host.last_seen = claim->now;
	HASH_ADD_KEYPTR(hh, hosts->by_key, &entry->host, KEY_BYTES, entry);
	enlist(hosts, entry);
	return entry->index;
}

static struct key mac_key(const struct mac *mac)
{
	return (struct key){ .kind = HOST_KIND_MAC, .mac = *mac };
}

static struct key address_key(const struct addr *addr)
{
	return (struct key){ .kind = HOST_KIND_ADDRESS, .addr = *addr };
}

static uint32_t index_of(const struct hosts *hosts, struct key key)
{
	const struct entry *entry = find(hosts, &key);

	return entry ? entry->index : HOST_NONE;
}

uint32_t hosts_find_mac(const struct hosts *hosts, const struct mac *mac)
{
	return index_of(hosts, mac_key(mac));
}

uint32_t hosts_find_address(const struct hosts *hosts, const struct addr *addr)
{
	return index_of(hosts, address_key(addr));
}

uint32_t hosts_add_mac(struct hosts *hosts, const struct mac *mac, const struct hosts_claim *claim)
{
	const struct key key = mac_key(mac);

	return add(hosts, &key, claim);
}

uint32_t hosts_add_address(struct hosts *hosts, const struct addr *addr, const struct hosts_claim *claim)
{
	const struct key key = address_key(addr);

	return add(hosts, &key, claim);
}

static uint32_t find_or_add(struct hosts *hosts, const struct key *key)
{
	static const struct hosts_claim plain = { .partner = HOST_NONE };
	const struct entry *entry = find(hosts, key);

	return entry ? entry->index : add(hosts, key, &plain);
}

uint32_t hosts_by_mac(struct hosts *hosts, const struct mac *mac)
{
	const struct key key = mac_key(mac);

	return find_or_add(hosts, &key);
}

uint32_t hosts_by_address(struct hosts *hosts, const struct addr *addr)
{
	const struct key key = address_key(addr);

	return find_or_add(hosts, &key);
}

/* --- One host */

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
