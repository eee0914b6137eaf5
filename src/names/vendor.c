/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/names/vendor.h"

#include "hostmeter/base/array.h"
#include "hostmeter/base/utf8.h"
#include "hostmeter/os/file.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 512, PREFIX_BITS = 36, OFFSET_BITS = 26, MAX_ASSIGNMENTS = 1 << 18 };

/* Longest assignments first: a block of an OUI may be somebody else's than the OUI. */
static const struct list {
	const char *name;
	unsigned int bits;
	bool is_csv;
} lists[] = {
	{ "oui36.csv", 36, true }, { "iab.csv", 36, true }, { "mam.csv", 28, true }, { "oui.csv", 24, true },
	{ "oui.txt", 24, false }, /* the same as oui.csv: read where that is missing */
};

enum { LISTS = sizeof(lists) / sizeof(lists[0]), OUI_TXT = LISTS - 1 };

static const char *const usual_dirs[] = { "/usr/share/ieee-data", "/usr/share/hwdata" };

/* The assignments of one list, sorted: the prefix, left-aligned in 36 bits, above its line's offset in the file. */
struct index {
	int fd;
	uint64_t *entry;
	size_t count;
};

struct vendor {
	char *dir;
	bool loaded;
	struct index index[LISTS];
};

struct vendor *vendor_new(const char *dir)
{
	struct vendor *vendor = calloc(1, sizeof(*vendor));

	if (vendor && dir && !(vendor->dir = strdup(dir))) {
		free(vendor);
		return NULL;
	}
	for (size_t i = 0; vendor && i < LISTS; i++)
		vendor->index[i].fd = -1;
	return vendor;
}

static void index_drop(struct index *index)
{
	if (index->fd >= 0)
		close(index->fd);
	free(index->entry);
	*index = (struct index){ .fd = -1 };
}

void vendor_free(struct vendor *vendor)
{
	if (!vendor)
		return;
	for (size_t i = 0; i < LISTS; i++)
		index_drop(&vendor->index[i]);
	free(vendor->dir);
	free(vendor);
}

/* ---- Lines: "MA-L,00005E,…" of the tables, "00-00-5E   (hex)\t\t…" of oui.txt */

/* Past the assignment, with its prefix; NULL if the line has none. */
static const char *read_assignment(const struct list *list, const char *line, uint64_t *prefix)
{
	const char *p = list->is_csv ? strchr(line, ',') : line;
	unsigned int digits = 0;

	*prefix = 0;
	/* In a table "MA-L", "IAB" or the like comes first; a line that begins otherwise is the rest of an address. */
	if (!p || (list->is_csv && p - line != 3 && p - line != 4))
		return NULL;
	for (p += list->is_csv; digits < list->bits / 4; p++) {
		if (!list->is_csv && *p == '-' && digits % 2 == 0)
			continue;
		if (!isxdigit((unsigned char)*p))
			return NULL;
		*prefix = *prefix << 4 | (uint64_t)(*p <= '9' ? *p - '0' : (*p | 0x20) - 'a' + 10);
		digits++;
	}
	*prefix <<= PREFIX_BITS - list->bits;
	if (list->is_csv)
		return *p == ',' ? p + 1 : NULL;
	p += strspn(p, " ");
	return !strncmp(p, "(hex)", 5) ? p + 5 + strspn(p + 5, " \t") : NULL;
}

/* Writes a field of a table, or the rest of a line, without its quotes. */
static void read_name(const struct list *list, const char *from, char text[static VENDOR_TEXT])
{
	bool quoted = list->is_csv && *from == '"';
	char raw[LINE + 1];
	size_t len = 0;

	for (from += quoted; *from && *from != '\r' && *from != '\n'; from++) {
		if (quoted && *from == '"' && *++from != '"')
			break;
		if (list->is_csv && !quoted && *from == ',')
			break;
		raw[len++] = *from;
	}
	utf8_clean(text, VENDOR_TEXT, raw, len, "\"\\<>");
}

/* ---- The index */

static bool index_add(struct index *index, uint64_t prefix, uint64_t offset)
{
	uint64_t *entry = index->count < MAX_ASSIGNMENTS ? array_add(&index->entry, &index->count, sizeof(*entry)) :
							   NULL;

	if (entry)
		*entry = prefix << OFFSET_BITS | offset;
	return entry;
}

static int by_number(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;

	return one < two ? -1 : one > two;
}

static void index_lines(struct index *index, const struct list *list, FILE *file)
{
	bool begins = true; /* a longer line comes in pieces */
	uint64_t offset = 0, prefix;
	char line[LINE];

	while (offset >> OFFSET_BITS == 0 && fgets(line, sizeof(line), file)) {
		if (begins && read_assignment(list, line, &prefix) && !index_add(index, prefix, offset))
			break;
		begins = strchr(line, '\n');
		offset += strlen(line);
	}
	if (index->count)
		qsort(index->entry, index->count, sizeof(*index->entry), by_number);
}

/* The file stays open: when it is replaced, the index still fits the old one. */
static bool index_load(struct index *index, const struct list *list, const char *dir)
{
	char path[PATH_MAX];
	FILE *file;
	int copy;

	if (snprintf(path, sizeof(path), "%s/%s", dir, list->name) >= (int)sizeof(path))
		return false;
	index->fd = file_open(path);
	copy = index->fd < 0 ? -1 : fcntl(index->fd, F_DUPFD_CLOEXEC, 0);
	file = copy < 0 ? NULL : fdopen(copy, "r");
	if (file) {
		index_lines(index, list, file);
		fclose(file);
	} else if (copy >= 0) {
		close(copy);
	}
	if (!index->count)
		index_drop(index);
	return index->count;
}

static bool load_from(struct vendor *vendor, const char *dir)
{
	bool any = false;

	for (size_t i = 0; i < LISTS; i++)
		if (i != OUI_TXT || vendor->index[OUI_TXT - 1].fd < 0)
			any |= index_load(&vendor->index[i], &lists[i], dir);
	return any;
}

static void load(struct vendor *vendor)
{
	bool done = vendor->dir && load_from(vendor, vendor->dir);

	for (size_t i = 0; !vendor->dir && !done && i < sizeof(usual_dirs) / sizeof(usual_dirs[0]); i++)
		done = load_from(vendor, usual_dirs[i]);
	vendor->loaded = true;
}

/* ---- Asking */

static int by_prefix(const void *prefix, const void *entry)
{
	uint64_t one = *(const uint64_t *)prefix, two = *(const uint64_t *)entry >> OFFSET_BITS;

	return one < two ? -1 : one > two;
}

/* Writes nothing if the file was overwritten since it was indexed. */
static void read_entry(const struct index *index, const struct list *list, uint64_t entry,
	char text[static VENDOR_TEXT])
{
	char line[LINE + 1];
	ssize_t got = pread(index->fd, line, LINE, (off_t)(entry & ((UINT64_C(1) << OFFSET_BITS) - 1)));
	const char *name;
	uint64_t there;

	line[got > 0 ? got : 0] = '\0';
	name = read_assignment(list, line, &there);
	if (name && there == entry >> OFFSET_BITS)
		read_name(list, name, text);
}

const char *vendor_name(struct vendor *vendor, const struct mac *mac, char text[static VENDOR_TEXT])
{
	uint64_t whole = 0;

	*text = '\0';
	if (mac_is_random(mac) || !mac_is_host(mac))
		return text;
	if (!vendor->loaded)
		load(vendor);
	for (int i = 0; i < MAC_LEN; i++)
		whole = whole << 8 | mac->b[i];
	whole >>= 48 - PREFIX_BITS;
	for (size_t i = 0; i < LISTS; i++) {
		unsigned int spare = PREFIX_BITS - lists[i].bits;
		uint64_t prefix = whole >> spare << spare;
		const struct index *index = &vendor->index[i];
		const uint64_t *entry = index->count ?
			bsearch(&prefix, index->entry, index->count, sizeof(prefix), by_prefix) :
			NULL;

		if (entry) {
			/* Of several for one prefix the first in the file counts. */
			while (entry > index->entry && !by_prefix(&prefix, entry - 1))
				entry--;
			read_entry(index, &lists[i], *entry, text);
			break;
		}
	}
	return text;
}
