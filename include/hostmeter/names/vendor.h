/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vendor: the makers of network cards, from the IEEE's lists on this system: oui.csv, mam.csv, oui36.csv and iab.csv of
 * Debian's ieee-data, or the oui.txt of hwdata. Memory holds an index only, 8 bytes for each of some 50,000 entries.
 */
#pragma once

#include "hostmeter/base/addr.h"

enum { VENDOR_TEXT = 64 };

struct vendor;

/* dir: with the lists; NULL: the usual directories. Nothing is opened yet. Returns NULL when out of memory. */
struct vendor *vendor_new(const char *dir);
void vendor_free(struct vendor *vendor);

/*
 * Writes the name of the longest matching assignment, cleaned for a label; "" if there is none or the address is
 * locally administered. The first call reads the lists, some ten milliseconds. Returns text.
 */
const char *vendor_name(struct vendor *vendor, const struct mac *mac, char text[static VENDOR_TEXT]);
