/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vendor: who made a network card, from the lists of the IEEE where the system has them: oui.csv, mam.csv, oui36.csv
 * and iab.csv of Debian's ieee-data, or the oui.txt of hwdata. Nothing is ever downloaded.
 *
 * The files stay where they are: what is kept in memory is where in them each assignment stands, 8 bytes for each of
 * some 50,000, read when the first vendor is asked for.
 */
#ifndef HOSTMETER_NAMES_VENDOR_H
#define HOSTMETER_NAMES_VENDOR_H

#include "hostmeter/base/addr.h"

enum { VENDOR_TEXT = 64 };

struct vendor;

/* dir: where the lists are; NULL: where systems have them. Nothing is opened yet. NULL: out of memory. */
struct vendor *vendor_new(const char *dir);
void vendor_free(struct vendor *vendor);

/*
 * The name behind the longest matching assignment, made fit for a label; "" if there is none, the address is locally
 * administered, or there are no lists. The first call reads them, some ten milliseconds. Returns text.
 */
const char *vendor_name(struct vendor *vendor, const struct mac *mac, char text[static VENDOR_TEXT]);

#endif
