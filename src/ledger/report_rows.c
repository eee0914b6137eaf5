/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report_rows.h"

#include "hostmeter/base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACE_PREFIX "wan "

/* --- Sums */

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > INT64_MAX || b > INT64_MAX - a ? INT64_MAX : a + b;
}

static void add_sums(struct report_sums *to, const struct report_sums *from)
{
	for (int i = 0; i < READING_VALUES; i++)
		to->value[i] = add(to->value[i], from->value[i]);
	to->ipv6_bytes = add(to->ipv6_bytes, from->ipv6_bytes);
	if (!to->last || from->first < to->first)
		to->first = from->first;
	if (from->last > to->last)
		to->last = from->last;
}

static uint64_t bytes_of(const struct report_sums *sums)
{
	return add(sums->value[READING_IN_BYTES], sums->value[READING_OUT_BYTES]);
}

/* --- From the store: what each key used, or each hour, day or month */

struct walk {
	struct report_rows *rows;
	const struct report_query *query;
	int64_t last; /* the time of the latest reading */
	int error;
};

/* The hour that goes on has nothing of what is after the latest reading. */
static int64_t known_end(const struct walk *walk, const struct store_row *row)
{
	return row->end < walk->last ? row->end : walk->last;
}

static struct report_sums sums_of(const struct walk *walk, const struct store_row *row)
{
	struct report_sums sums = { .first = row->start, .last = known_end(walk, row) };

	memcpy(sums.value, row->value, sizeof(sums.value));
	if (row->kind == READING_WAN6 || row->kind == READING_LOCAL6)
		sums.ipv6_bytes = add(row->value[READING_IN_BYTES], row->value[READING_OUT_BYTES]);
	return sums;
}

static struct report_key *find_key(struct report_rows *rows, const char *key)
{
	struct report_key *k;

	HASH_FIND_STR(rows->keys, key, k);
	return k;
}

/* NULL: out of memory. */
static struct report_key *find_or_add_key(struct report_rows *rows, const char *key)
{
	struct report_key *k = find_key(rows, key);

	if (!k && HASH_COUNT(rows->keys) >= REPORT_ROWS) {
		key = "other";
		k = find_key(rows, key);
	}
	if (k || !(k = calloc(1, sizeof(*k))))
		return k;
	strncpy(k->key, key, sizeof(k->key) - 1);
	HASH_ADD_STR(rows->keys, key, k);
	return k;
}

static int add_to_key(struct walk *walk, const struct store_row *row)
{
	const struct report_sums sums = sums_of(walk, row);
	struct report_key *key = find_or_add_key(walk->rows, row->key);

	if (!key)
		return -ENOMEM;
	add_sums(&key->sums, &sums);
	return 0;
}

/* The hour, day or month that t is in. */
static struct range time_around(enum report_by by, int64_t t)
{
	struct calendar_date date = calendar_date_of(t), next;

	if (by == REPORT_BY_HOUR)
		return (struct range){ calendar_hour(t), calendar_next_hour(t) };
	date.day = by == REPORT_BY_MONTH ? 1 : date.day;
	next = by == REPORT_BY_MONTH ? calendar_add_months(date, 1) : calendar_add_days(date, 1);
	return (struct range){ calendar_instant(date, 0), calendar_instant(next, 0) };
}

/* Rows come in the order of time, so what is not in the latest row begins one. */
static int add_to_time(struct walk *walk, const struct store_row *from)
{
	struct report_rows *rows = walk->rows;
	struct report_row *row = rows->rows ? &rows->row[rows->rows - 1] : NULL;
	const struct report_sums sums = sums_of(walk, from);

	if (!row || from->start >= row->time.to) {
		if (rows->rows >= REPORT_ROWS)
			return -E2BIG;
		row = array_add(&rows->row, &rows->rows, sizeof(*row));
		if (!row)
			return -ENOMEM;
		row->time = time_around(walk->query->by, from->start);
		if (from->end > row->time.to) /* nothing finer is kept */
			row->time = (struct range){ from->start, from->end };
	}
	add_sums(&row->sums, &sums);
	return 0;
}

static bool is_time(enum report_by by)
{
	return by == REPORT_BY_HOUR || by == REPORT_BY_DAY || by == REPORT_BY_MONTH;
}

static bool is_wanted(const struct report_query *query, enum reading_kind kind)
{
	if (query->by == REPORT_BY_WAN)
		return kind == READING_INTERFACE;
	return query->local ? kind == READING_LOCAL4 || kind == READING_LOCAL6 :
			      kind == READING_WAN4 || kind == READING_WAN6;
}

static void on_row(void *ctx, const struct store_row *row)
{
	struct walk *walk = ctx;

	if (walk->error)
		return;
	walk->rows->is_cut |= known_end(walk, row) > walk->query->range.to;
	if (row->kind == READING_INTERFACE)
		for (int i = READING_IN_BYTES; i <= READING_OUT_BYTES; i++)
			walk->rows->wan[i] = add(walk->rows->wan[i], row->value[i]);
	if (is_wanted(walk->query, row->kind))
		walk->error = is_time(walk->query->by) ? add_to_time(walk, row) : add_to_key(walk, row);
}

static void on_device(void *ctx, const struct store_device *device)
{
	struct report_key *key = find_key(ctx, device->key);

	if (key)
		strncpy(key->name, device->name, sizeof(key->name) - 1);
}

struct edge {
	int64_t at;
	bool is_within; /* a row began before it and ends after it */
};

static void on_edge_row(void *ctx, const struct store_row *row)
{
	struct edge *edge = ctx;

	edge->is_within |= row->end > edge->at;
}

/* A walk leaves out what begins before its range: whether there is an hour, a day or a month that goes on in it. */
static int find_cut_start(struct report_rows *rows, struct store *store, int64_t from)
{
	struct edge edge = { .at = from };
	int error = 0;

	for (int by = REPORT_BY_HOUR; by <= REPORT_BY_MONTH && !error; by++) {
		int64_t start = time_around((enum report_by)by, from).from;

		if (start < from)
			error = store_walk(store, start, start + 1, on_edge_row, &edge);
	}
	rows->is_cut |= edge.is_within;
	return error;
}

/* --- Devices and groups */

/* A text that stands for a device or a group of the mapping. */
struct meaning {
	const char *text;
	size_t index;
	UT_hash_handle hh;
};

struct meanings {
	struct meaning *list, *table;
	size_t count;
};

struct folding {
	struct report_rows *rows;
	const struct report_query *query;
	const struct report_mapping *mapping;
	struct meanings device, group;
	struct report_row **row; /* of each device or group of the mapping, and of what is in none */
};

/* The first meaning that a text was given is the one it has. */
static void add_meanings(struct meanings *m, const struct report_strings *texts, size_t index)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct meaning *added = &m->list[m->count], *known;

		HASH_FIND_STR(m->table, texts->item[i], known);
		if (known)
			continue;
		*added = (struct meaning){ .text = texts->item[i], .index = index };
		HASH_ADD_KEYPTR(hh, m->table, added->text, strlen(added->text), added);
		m->count++;
	}
}

static const struct meaning *find_meaning(const struct meanings *m, const char *text)
{
	struct meaning *found;

	HASH_FIND_STR(m->table, text, found);
	return found;
}

static void free_meanings(struct meanings *m)
{
	HASH_CLEAR(hh, m->table);
	free(m->list);
}

static int learn(struct folding *f)
{
	const struct report_mapping *map = f->mapping;
	size_t keys = 1, members = 1;

	for (size_t i = 0; i < map->devices; i++)
		keys += map->device[i].keys.count;
	for (size_t i = 0; i < map->groups; i++)
		members += map->group[i].devices.count;
	f->device.list = calloc(keys, sizeof(*f->device.list));
	f->group.list = calloc(members, sizeof(*f->group.list));
	f->row = calloc(1 + (map->devices > map->groups ? map->devices : map->groups), sizeof(*f->row));
	f->rows->row = calloc(1 + HASH_COUNT(f->rows->keys), sizeof(*f->rows->row));
	if (!f->device.list || !f->group.list || !f->row || !f->rows->row)
		return -ENOMEM;
	for (size_t i = 0; i < map->devices; i++)
		add_meanings(&f->device, &map->device[i].keys, i);
	for (size_t i = 0; i < map->groups; i++)
		add_meanings(&f->group, &map->group[i].devices, i);
	return 0;
}

/* NULL: in none. A device is in a group as a whole, even if the group has one of its MACs only. */
static const struct meaning *group_of(const struct folding *f, const struct report_key *key,
	const struct report_device *device)
{
	const char *name = device ? device->name : key->name;
	const struct meaning *group = *name ? find_meaning(&f->group, name) : NULL;

	if (!device)
		return group ? group : find_meaning(&f->group, key->key);
	for (size_t i = 0; i < device->keys.count && !group; i++)
		group = find_meaning(&f->group, device->keys.item[i]);
	return group;
}

static const char *name_of(const struct folding *f, const struct report_key *key, const struct report_device *device)
{
	size_t prefix = strlen(INTERFACE_PREFIX);

	if (f->query->by == REPORT_BY_WAN)
		return strncmp(key->key, INTERFACE_PREFIX, prefix) ? key->key : key->key + prefix;
	if (device)
		return device->name;
	return *key->name ? key->name : key->key;
}

static void fold_key(struct folding *f, struct report_key *key)
{
	const struct meaning *known = f->query->by == REPORT_BY_WAN ? NULL : find_meaning(&f->device, key->key);
	const struct report_device *device = known ? &f->mapping->device[known->index] : NULL;
	const struct meaning *group = f->query->by == REPORT_BY_WAN ? NULL : group_of(f, key, device);
	const char *group_name = group ? f->mapping->group[group->index].name : NULL;
	struct report_row *alone = NULL, **row = &alone;

	if (f->query->by == REPORT_BY_GROUP)
		row = &f->row[group ? group->index : f->mapping->groups];
	else if (known)
		row = &f->row[known->index];
	if (!*row) {
		*row = &f->rows->row[f->rows->rows++];
		(*row)->name = f->query->by == REPORT_BY_GROUP ? group_name : name_of(f, key, device);
		(*row)->group = group_name;
		(*row)->keys_end = &(*row)->keys;
	}
	*(*row)->keys_end = key;
	(*row)->keys_end = &key->next;
	add_sums(&(*row)->sums, &key->sums);
}

static int most_first(const struct report_sums *a, const struct report_sums *b)
{
	uint64_t of_a = bytes_of(a), of_b = bytes_of(b);

	return of_a > of_b ? -1 : of_a < of_b;
}

static int compare_keys(const struct report_key *a, const struct report_key *b)
{
	int order = most_first(&a->sums, &b->sums);

	return order ? order : strcmp(a->key, b->key);
}

static int compare_rows(const void *x, const void *y)
{
	const struct report_row *a = x, *b = y;
	int order = most_first(&a->sums, &b->sums);

	if (!order)
		order = !a->name - !b->name;
	if (!order && a->name)
		order = strcmp(a->name, b->name);
	return order ? order : strcmp(a->keys->key, b->keys->key);
}

static int fold_keys(struct report_rows *rows, const struct report_query *query, const struct report_mapping *mapping)
{
	struct folding folding = { .rows = rows, .query = query, .mapping = mapping };
	int error = learn(&folding);

	if (!error) {
		HASH_SORT(rows->keys, compare_keys);
		for (struct report_key *key = rows->keys; key; key = key->hh.next)
			fold_key(&folding, key);
		qsort(rows->row, rows->rows, sizeof(*rows->row), compare_rows);
	}
	free_meanings(&folding.device);
	free_meanings(&folding.group);
	free(folding.row);
	return error;
}

int report_rows_gather(struct report_rows *rows, struct store *store, const struct report_query *query,
	const struct report_mapping *mapping)
{
	struct walk walk = { .rows = rows, .query = query, .last = store_last(store) };
	int error;

	*rows = (struct report_rows){ 0 };
	error = store_walk(store, query->range.from, query->range.to, on_row, &walk);
	error = error ? error : walk.error;
	if (!error)
		error = find_cut_start(rows, store, query->range.from);
	if (!error && !is_time(query->by))
		error = store_walk_devices(store, on_device, rows);
	if (!error && !is_time(query->by))
		error = fold_keys(rows, query, mapping);
	for (size_t i = 0; i < rows->rows && !error; i++)
		add_sums(&rows->total, &rows->row[i].sums);
	return error;
}

void report_rows_free(struct report_rows *rows)
{
	struct report_key *key, *next;

	HASH_ITER (hh, rows->keys, key, next) {
		HASH_DEL(rows->keys, key);
		free(key);
	}
	free(rows->row);
	*rows = (struct report_rows){ 0 };
}
