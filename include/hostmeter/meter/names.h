/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: what hosts are called, by MAC and by address, from several sources in an order of trust.
 *
 * What one source, or one file of it, says is a list, made aside and put in the place of the old one at once: nobody
 * sees half a file, and what the file does not say any more is gone. Names from the network are made harmless on
 * their way in.
 */
#ifndef HOSTMETER_METER_NAMES_H
#define HOSTMETER_METER_NAMES_H

#include "hostmeter/base/addr.h"

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

/*
 * Makes a stranger's name fit for a label: valid UTF-8 without control characters, quotes, backslashes and angle
 * brackets, at most NAMES_BYTES long. What looks like an address or a MAC is no name; "router", "unknown" and "other"
 * get "-host" behind them. Returns the length, 0: no name.
 */
size_t names_clean(char out[static NAMES_BYTES + 1], const char *name);

/* NULL: out of memory. */
struct names *names_new(void);
void names_free(struct names *names);

/* A list to be filled. NULL: out of memory. names_list_free(NULL) is fine. */
struct names_list *names_list_new(void);
void names_list_free(struct names_list *list);

/*
 * Adds the name of this MAC or address, cleaned; a name that is none is left out. The first name of each counts. 0,
 * -ENOSPC at NAMES_LIST_LIMIT, -ENOMEM.
 */
int names_list_mac(struct names_list *list, const struct mac *mac, const char *name);
int names_list_address(struct names_list *list, const struct addr *addr, const char *name);

/*
 * Puts list (taken over; NULL: nothing) in the place of what this file of this source said. A lower file is asked
 * before a higher one. True if any name changed. Where memory is out the list is dropped and the old one stays.
 */
bool names_replace(struct names *names, enum names_source source, unsigned int file, struct names_list *list);

/*
 * Sets one name, as it is, in file 0 of this source; for names that were checked already. The last one counts. 0 or
 * -ENOMEM.
 */
int names_set_mac(struct names *names, enum names_source source, const struct mac *mac, const char *name);
int names_set_address(struct names *names, enum names_source source, const struct addr *addr, const char *name);

/* The best name so far; borrowed until the next change. */
struct names_answer {
	const char *name; /* NULL: none */
	enum names_source source;
};

#define NAMES_NO_ANSWER ((struct names_answer){ NULL, NAMES_SOURCES })

/* Puts a more trusted name into *best, if this MAC or address has one. Ask for all that a host has, the MAC first. */
void names_ask_mac(const struct names *names, const struct mac *mac, struct names_answer *best);
void names_ask_address(const struct names *names, const struct addr *addr, struct names_answer *best);

/* The name alone, or NULL. */
const char *names_of_mac(const struct names *names, const struct mac *mac);
const char *names_of_address(const struct names *names, const struct addr *addr);

#endif
