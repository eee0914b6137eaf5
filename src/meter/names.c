/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/names.h"

#include "hostmeter/base/array.h"
#include "hostmeter/base/buf.h"
#include "hostmeter/base/file_error.h"
#include "hostmeter/base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* key: an address, or a MAC with family 0. A key has no padding: it is compared as bytes. */
struct item {
	struct addr key;
	bool newer;    /* it replaces the earlier ones of this key */
	uint32_t name; /* its offset in text */
};

/* The items of a list that is in use are sorted by key, and each key is there once. */
struct names_list {
	struct item *item;
	size_t count;
	struct buf text;         /* names, each with its NUL; the later added, the further behind */
	struct names_list *next; /* by source, then file */
	enum names_source source;
	unsigned int file;
};

/* A name of a host of the configuration. */
struct configured {
	UT_hash_handle hh;
	struct mac mac; /* its first one; all zero: none */
	char name[];
};

struct names {
	struct names_list *lists;
	struct configured *configured;
};

const char *names_source_name(enum names_source source)
{
	static const char *const names[] = { "config", "ethers", "leases", "odhcpd", "hosts", "none" };

	return names[source];
}

const char *names_error_text(int error)
{
	return error == NAMES_USELESS ? "no line of it could be used" : file_error_reading(error);
}

/* Also with an interface or a prefix length, and with '-' for the dots. */
static bool is_address(const char *name)
{
	char text[ADDR_TEXT];
	struct addr addr;
	struct mac mac;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, "%/"), name);
	if (!addr_parse(&addr, text) || !mac_parse(&mac, text))
		return true;
	for (char *c = text; *c; c++)
		if (*c == '-')
			*c = '.';
	return !addr_parse(&addr, text);
}

size_t names_clean(char out[static NAMES_BYTES + 1], const char *name)
{
	size_t len = utf8_clean(out, NAMES_BYTES + 1, name, strlen(name), "\"'`\\<>");

	/* A host must not pass for another by its address. */
	if (is_address(out)) {
		*out = '\0';
		return 0;
	}
	if (!strcmp(out, "router") || !strcmp(out, "unknown") || !strcmp(out, "other"))
		memcpy(out + len, "-host", sizeof("-host"));
	return strlen(out);
}

/* --- Names of the configuration */

static struct configured *find_configured(const struct names *names, const char *name)
{
	struct configured *configured;

	HASH_FIND_STR(names->configured, name, configured);
	return configured;
}

static int add_configured(struct names *names, const struct addr *key, const char *name)
{
	struct configured *configured = find_configured(names, name);

	if (!configured) {
		configured = calloc(1, sizeof(*configured) + strlen(name) + 1);
		if (!configured)
			return -ENOMEM;
		strcpy(configured->name, name);
		HASH_ADD_STR(names->configured, name, configured);
	}
	if (!key->family && mac_is_zero(&configured->mac))
		memcpy(configured->mac.b, key->b, MAC_LEN);
	return 0;
}

static void clear_configured(struct names *names)
{
	struct configured *one, *next;

	HASH_ITER (hh, names->configured, one, next) {
		HASH_DEL(names->configured, one);
		free(one);
	}
}

static bool is_configured(const struct names *names, const char *name)
{
	return find_configured(names, name);
}

/* --- */

struct names *names_new(void)
{
	return calloc(1, sizeof(struct names));
}

void names_free(struct names *names)
{
	struct names_list *next;

	for (struct names_list *list = names ? names->lists : NULL; list; list = next) {
		next = list->next;
		names_list_free(list);
	}
	if (names)
		clear_configured(names);
	free(names);
}

struct names_list *names_list_new(void)
{
	return calloc(1, sizeof(struct names_list));
}

void names_list_free(struct names_list *list)
{
	if (!list)
		return;
	buf_free(&list->text);
	free(list->item);
	free(list);
}

static struct addr mac_key(const struct mac *mac)
{
	struct addr key = { .family = 0 };

	memcpy(key.b, mac->b, MAC_LEN);
	return key;
}

static const char *item_name(const struct names_list *list, const struct item *item)
{
	return list->text.data + item->name;
}

/* --- Lists that are not in use yet */

static int append(struct names_list *list, struct addr key, const char *name, bool newer)
{
	const size_t offset = list->text.len;
	struct item *item;

	buf_add(&list->text, name, strlen(name) + 1);
	item = buf_error(&list->text) ? NULL : array_add(&list->item, &list->count, sizeof(*item));
	if (!item)
		return -ENOMEM;
	*item = (struct item){ key, newer, (uint32_t)offset };
	return 0;
}

static int add(struct names_list *list, struct addr key, const char *name, bool newer)
{
	char clean[NAMES_BYTES + 1];

	if (!names_clean(clean, name))
		return 0;
	return list->count < NAMES_LIST_LIMIT ? append(list, key, clean, newer) : -ENOSPC;
}

int names_list_mac(struct names_list *list, const struct mac *mac, const char *name, bool newer)
{
	return add(list, mac_key(mac), name, newer);
}

int names_list_address(struct names_list *list, const struct addr *addr, const char *name, bool newer)
{
	return add(list, *addr, name, newer);
}

/* Of two items, or of a key and an item. */
static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

static int by_key_and_age(const void *a, const void *b)
{
	const struct item *one = a, *two = b;
	int order = by_key(a, b);

	return order ? order : (one->name > two->name) - (one->name < two->name);
}

static void sort(struct names_list *list)
{
	size_t kept = 0;

	if (!list->count)
		return;
	qsort(list->item, list->count, sizeof(*list->item), by_key_and_age);
	for (size_t i = 1; i < list->count; i++)
		if (by_key(&list->item[i], &list->item[kept]) != 0)
			list->item[++kept] = list->item[i];
		else if (list->item[i].newer)
			list->item[kept] = list->item[i];
	list->count = kept + 1;
}

/* --- Lists in use */

static struct item *find(const struct names_list *list, const struct addr *key)
{
	return list->count ? bsearch(key, list->item, list->count, sizeof(*list->item), by_key) : NULL;
}

/* The link to the list of this file, or the link where it belongs. */
static struct names_list **link_of(struct names *names, enum names_source source, unsigned int file)
{
	struct names_list **link = &names->lists;

	while (*link && ((*link)->source < source || ((*link)->source == source && (*link)->file < file)))
		link = &(*link)->next;
	return link;
}

static bool is_of(const struct names_list *list, enum names_source source, unsigned int file)
{
	return list && list->source == source && list->file == file;
}

static bool same(const struct names_list *a, const struct names_list *b)
{
	size_t count = a ? a->count : 0;

	if (count != (b ? b->count : 0))
		return false;
	for (size_t i = 0; i < count; i++)
		if (by_key(&a->item[i], &b->item[i]) != 0 ||
			strcmp(item_name(a, &a->item[i]), item_name(b, &b->item[i])) != 0)
			return false;
	return true;
}

bool names_replace(struct names *names, enum names_source source, unsigned int file, struct names_list *list)
{
	struct names_list **link = link_of(names, source, file);
	struct names_list *old = is_of(*link, source, file) ? *link : NULL;

	if (list)
		sort(list);
	if (same(old, list) || (list && buf_error(&list->text))) {
		names_list_free(list);
		return false;
	}
	if (list) {
		list->source = source;
		list->file = file;
		list->next = old ? old->next : *link;
		*link = list;
	} else {
		*link = old->next;
	}
	names_list_free(old);
	if (source == NAMES_CONFIG)
		clear_configured(names);
	for (size_t i = 0; list && source == NAMES_CONFIG && i < list->count; i++)
		add_configured(names, &list->item[i].key, item_name(list, &list->item[i]));
	return true;
}

/* --- One name at a time */

static int set(struct names *names, enum names_source source, struct addr key, const char *name)
{
	struct names_list **link = link_of(names, source, 0), *list = *link;
	struct item *known, item;
	size_t at;

	if (!is_of(list, source, 0)) {
		list = names_list_new();
		if (!list)
			return -ENOMEM;
		list->source = source;
		list->next = *link;
		*link = list;
	}
	known = find(list, &key);
	at = known ? (size_t)(known - list->item) : list->count;
	if (append(list, key, name, false) || (source == NAMES_CONFIG && add_configured(names, &key, name)))
		return -ENOMEM;
	item = list->item[list->count - 1];
	if (at < list->count - 1)
		list->count--; /* it replaces the item of this key */
	for (; at && by_key(&list->item[at - 1], &item) > 0; at--)
		list->item[at] = list->item[at - 1];
	list->item[at] = item;
	return 0;
}

int names_set_mac(struct names *names, enum names_source source, const struct mac *mac, const char *name)
{
	return set(names, source, mac_key(mac), name);
}

int names_set_address(struct names *names, enum names_source source, const struct addr *addr, const char *name)
{
	return set(names, source, *addr, name);
}

/* --- Asking */

static void ask(const struct names *names, struct addr key, struct names_answer *best)
{
	for (const struct names_list *list = names->lists; list && list->source < best->source; list = list->next) {
		const struct item *item = find(list, &key);

		if (item)
			*best = (struct names_answer){ item_name(list, item), list->source };
	}
}

void names_ask_mac(const struct names *names, const struct mac *mac, struct names_answer *best)
{
	ask(names, mac_key(mac), best);
}

void names_ask_address(const struct names *names, const struct addr *addr, struct names_answer *best)
{
	ask(names, *addr, best);
}

static bool configures(const struct names *names, struct addr key)
{
	const struct names_list *list = names->lists; /* the most trusted one comes first */

	return list && list->source == NAMES_CONFIG && find(list, &key);
}

bool names_configures_mac(const struct names *names, const struct mac *mac)
{
	return configures(names, mac_key(mac));
}

bool names_configures_address(const struct names *names, const struct addr *addr)
{
	return configures(names, *addr);
}

enum names_owner names_owner(const struct names *names, const struct addr *addr, struct mac *mac)
{
	const struct names_list *list = names->lists; /* the most trusted one comes first */
	const struct addr key = mac_key(mac);
	const struct item *item, *of_mac;
	const char *name;

	/* The keys of addresses sort behind those of MACs. */
	if (!list || list->source != NAMES_CONFIG || !list->count || !list->item[list->count - 1].key.family)
		return NAMES_OWNER_NONE;
	item = find(list, addr);
	if (!item)
		return NAMES_OWNER_NONE;
	name = item_name(list, item);
	of_mac = find(list, &key);
	if (of_mac && !strcmp(item_name(list, of_mac), name))
		return NAMES_OWNER_MAC;
	*mac = find_configured(names, name)->mac;
	return mac_is_zero(mac) ? NAMES_OWNER_ADDRESS : NAMES_OWNER_MAC;
}

bool names_make_distinct(const struct names *names, struct names_answer *answer, char text[static NAMES_BYTES + 1])
{
	static const char suffix[] = "-host";
	size_t len;

	if (!answer->name || answer->source == NAMES_CONFIG || !is_configured(names, answer->name))
		return false;
	len = utf8_clean(text, NAMES_BYTES + 2 - sizeof(suffix), answer->name, strlen(answer->name), "");
	memcpy(text + len, suffix, sizeof(suffix));
	answer->name = text;
	if (is_configured(names, text))
		*answer = NAMES_NO_ANSWER;
	return true;
}
