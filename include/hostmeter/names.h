/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: what hosts are called, from several sources in an order of trust.
 */
#ifndef HOSTMETER_NAMES_H
#define HOSTMETER_NAMES_H

#include "hostmeter/addr.h"

/* From the most trusted to the least. */
enum names_source { NAMES_CONFIG, NAMES_SOURCES };

struct names;

/* NULL: out of memory. */
struct names *names_new(void);
void names_free(struct names *names);

/* Copies name for this MAC or address as this source knows it. 0 or -ENOMEM. */
int names_set_mac(struct names *names, enum names_source source, const struct mac *mac, const char *name);
int names_set_address(struct names *names, enum names_source source, const struct addr *addr, const char *name);

/* The name that the most trusted source has, or NULL. Borrowed until the next change. */
const char *names_of_mac(const struct names *names, const struct mac *mac);
const char *names_of_address(const struct names *names, const struct addr *addr);

#endif
