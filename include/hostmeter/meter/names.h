/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: names of hosts by MAC and by address, from several sources in an order of trust. Each file of a source is one
 * list, which a new list replaces as a whole.
 */
#pragma once

#include "hostmeter/base/addr.h"

#include <errno.h>

/* From the most trusted to the least. NAMES_SOURCES: none of them. */
enum names_source { NAMES_CONFIG, NAMES_ETHERS, NAMES_LEASES, NAMES_ODHCPD, NAMES_HOSTS, NAMES_SOURCES };

enum {
	NAMES_BYTES = 63,          /* of a cleaned name */
	NAMES_LIST_LIMIT = 1 << 16 /* names in a list: as many as there can be hosts */
};

struct names;
struct names_list;

/* "config", "ethers", "leases", "odhcpd", "hosts", "none". */
const char *names_source_name(enum names_source source);

/* An error of reading a file of names: none of its lines could be used. */
#define NAMES_USELESS (-ENOMSG)

/* What is wrong with a file of names; error is -errno or NAMES_USELESS. */
const char *names_error_text(int error);

/*
 * Makes an untrusted name fit for a label: valid UTF-8 without control characters, quotes, backslashes and angle
 * brackets, at most NAMES_BYTES long. An address or a MAC is not accepted as a name, nor is an IPv4 address with '-'
 * for
 * '.'; "-host" is appended to "router", "unknown" and "other". Returns the length, 0: no name.
 */
size_t names_clean(char out[static NAMES_BYTES + 1], const char *name);

/* NULL: out of memory. */
struct names *names_new(void);
void names_free(struct names *names);

/* An empty list. NULL: out of memory. names_list_free(NULL) is fine. */
struct names_list *names_list_new(void);
void names_list_free(struct names_list *list);

/*
 * Adds a name, cleaned. The first name of a MAC or address counts, but a newer one replaces those before it. 0, -ENOSPC
 * at NAMES_LIST_LIMIT, -ENOMEM.
 */
int names_list_mac(struct names_list *list, const struct mac *mac, const char *name, bool newer);
int names_list_address(struct names_list *list, const struct addr *addr, const char *name, bool newer);

/*
 * Replaces the list of this file of this source. Takes over list; NULL stands for an empty one. Files with a lower
 * number are asked first. True if any name changed. If the list ran out of memory, it is freed and the old one stays.
 */
bool names_replace(struct names *names, enum names_source source, unsigned int file, struct names_list *list);

/* Sets one name without cleaning it, in file 0 of this source. The last one counts. 0 or -ENOMEM. */
int names_set_mac(struct names *names, enum names_source source, const struct mac *mac, const char *name);
int names_set_address(struct names *names, enum names_source source, const struct addr *addr, const char *name);

/* The best name so far; borrowed until the next change. */
struct names_answer {
	const char *name; /* NULL: none */
	enum names_source source;
};

#define NAMES_NO_ANSWER ((struct names_answer){ NULL, NAMES_SOURCES })

/* Replaces *best if this MAC or address has a more trusted name. Ask for the host's MAC, then for its addresses. */
void names_ask_mac(const struct names *names, const struct mac *mac, struct names_answer *best);
void names_ask_address(const struct names *names, const struct addr *addr, struct names_answer *best);

/* Whether the configuration names this MAC, or this address. */
bool names_configures_mac(const struct names *names, const struct mac *mac);
bool names_configures_address(const struct names *names, const struct addr *addr);

/* The host that the configuration names by an address. */
enum names_owner {
	NAMES_OWNER_NONE,    /* the configuration does not name the address */
	NAMES_OWNER_MAC,     /* it has a MAC there, too */
	NAMES_OWNER_ADDRESS, /* it has none */
};

/*
 * Who has addr by the configuration, whatever MAC its packets have. *mac is the one that was seen with it (all zero:
 * none), and becomes the host's first one there, unless it is one of the host's already; only with NAMES_OWNER_MAC.
 */
enum names_owner names_owner(const struct names *names, const struct addr *addr, struct mac *mac);

/*
 * Makes *answer differ from the names of NAMES_CONFIG if it is from another source: text gets its name with "-host"
 * appended. If that is one of those names too, or there is no name, the answer is NAMES_NO_ANSWER. True if it was
 * changed.
 */
bool names_make_distinct(const struct names *names, struct names_answer *answer, char text[static NAMES_BYTES + 1]);
