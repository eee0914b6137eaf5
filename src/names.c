/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* No padding inside: it is hashed as bytes. A MAC has family 0. */
struct key {
	uint8_t family;
	uint8_t bytes[16];
};

struct entry {
	struct key key;
	char *name[NAMES_SOURCES];
	UT_hash_handle hh;
};

struct names {
	struct entry *entries;
};

struct names *names_new(void)
{
	return calloc(1, sizeof(struct names));
}

void names_free(struct names *names)
{
	struct entry *entry, *tmp;

	if (!names)
		return;
	HASH_ITER(hh, names->entries, entry, tmp) {
		HASH_DEL(names->entries, entry);
		for (int i = 0; i < NAMES_SOURCES; i++)
			free(entry->name[i]);
		free(entry);
	}
	free(names);
}

static struct key mac_key(const struct mac *mac)
{
	struct key key = { .family = 0 };

	memcpy(key.bytes, mac->b, MAC_LEN);
	return key;
}

static struct key address_key(const struct addr *addr)
{
	struct key key = { .family = addr->family };

	memcpy(key.bytes, addr->b, sizeof(key.bytes));
	return key;
}

static int set(struct names *names, enum names_source source, struct key key, const char *name)
{
	struct entry *entry = NULL;
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	HASH_FIND(hh, names->entries, &key, sizeof(key), entry);
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry) {
			free(copy);
			return -ENOMEM;
		}
		entry->key = key;
		HASH_ADD(hh, names->entries, key, sizeof(entry->key), entry);
	}
	free(entry->name[source]);
	entry->name[source] = copy;
	return 0;
}

static const char *find(const struct names *names, struct key key)
{
	const struct entry *entry = NULL;

	HASH_FIND(hh, names->entries, &key, sizeof(key), entry);
	for (int i = 0; entry && i < NAMES_SOURCES; i++) {
		if (entry->name[i])
			return entry->name[i];
	}
	return NULL;
}

int names_set_mac(struct names *names, enum names_source source, const struct mac *mac, const char *name)
{
	return set(names, source, mac_key(mac), name);
}

int names_set_address(struct names *names, enum names_source source, const struct addr *addr, const char *name)
{
	return set(names, source, address_key(addr), name);
}

const char *names_of_mac(const struct names *names, const struct mac *mac)
{
	return find(names, mac_key(mac));
}

const char *names_of_address(const struct names *names, const struct addr *addr)
{
	return find(names, address_key(addr));
}
