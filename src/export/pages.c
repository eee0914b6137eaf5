/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pages.h"

#include "hostmeter/base/array.h"
#include "hostmeter/export/api.h"
#include "hostmeter/export/endpoints.h"
#include "hostmeter/export/prometheus.h"
#include "hostmeter/http/gzip.h"
#include "hostmeter/http/server.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/os/loop.h"
#include "index_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { PIECE = 128 * 1024 };

/* What all readers together may take of one turn of the loop. */
#define TURN_NS (5 * CLOCK_NS_PER_MS)

/* A part of a page. */
struct piece {
	struct piece *prev, *next; /* of those that are kept, the one that was read longest ago first */
	struct cursor from;
	size_t offset, len;
	char *data; /* NULL: not kept */
};

/* A page of one snapshot, as far as somebody has read. It lives as long as the snapshot. */
struct rendered {
	struct shot *shot;
	enum page page;
	struct cursor cursor;
	struct piece **piece; /* all that were written ever */
	size_t pieces, len;
	bool is_whole;
	bool is_pinned;    /* its only piece is kept: it is read where it is */
	struct gzip *gzip; /* NULL until somebody asks for it */
	size_t gzip_bytes;
};

struct shot {
	struct shot *prev, *next;
	struct pages *pages;
	unsigned int users; /* readers, and pages->fresh */
	uint64_t taken_ns;
	size_t bytes;
	struct snapshot snapshot;
	struct rendered page[PAGES];
};

struct pages {
	unsigned int users; /* the owner and the shots */
	struct loop *loop;
	const struct endpoints_source *source;
	struct loop_timer *expiry;
	struct shot *shots; /* all, the newest first */
	struct shot *fresh; /* young enough for whoever asks; or NULL */
	struct piece *kept;
	struct buf scratch;            /* where pieces are written */
	size_t limit, used, last_shot; /* bytes; of the last snapshot */
	uint64_t turn, spent_ns;       /* the turn that was worked in last, and for how long */
	uint64_t refused;
};

/* --- Time */

static void note_turn(struct pages *pages)
{
	if (pages->turn == loop_now_ns(pages->loop))
		return;
	pages->turn = loop_now_ns(pages->loop);
	pages->spent_ns = 0;
}

/* Whether the rest is for the next turn. */
static bool turn_is_over(struct pages *pages)
{
	note_turn(pages);
	return pages->spent_ns > TURN_NS;
}

/* --- Memory */

static void forget_piece(struct pages *pages, struct piece *piece)
{
	if (!piece->data)
		return;
	DL_DELETE(pages->kept, piece);
	free(piece->data);
	piece->data = NULL;
	pages->used -= piece->len;
}

/* Whether so much more fits, once pieces that can be written again have made room. */
static bool make_room(struct pages *pages, size_t bytes)
{
	while (pages->used + bytes > pages->limit && pages->kept)
		forget_piece(pages, pages->kept);
	return pages->used + bytes <= pages->limit;
}

static void free_page(struct rendered *page)
{
	struct pages *pages = page->shot->pages;

	for (size_t i = 0; i < page->pieces; i++) {
		if (page->is_pinned)
			DL_APPEND(pages->kept, page->piece[i]);
		page->is_pinned = false;
		forget_piece(pages, page->piece[i]);
		pages->used -= sizeof(struct piece);
		free(page->piece[i]);
	}
	free(page->piece);
	gzip_free(page->gzip);
	pages->used -= page->gzip_bytes;
}

static void drop_pages(struct pages *pages)
{
	if (--pages->users)
		return;
	buf_free(&pages->scratch);
	free(pages);
}

static void drop_shot(struct shot *shot)
{
	struct pages *pages = shot->pages;

	if (--shot->users)
		return;
	for (int i = 0; i < PAGES; i++)
		free_page(&shot->page[i]);
	snapshot_clear(&shot->snapshot);
	pages->used -= shot->bytes;
	DL_DELETE(pages->shots, shot);
	free(shot);
	if (!pages->shots) {
		pages->used -= pages->scratch.size;
		buf_free(&pages->scratch);
	}
	drop_pages(pages);
}

static void expire(void *ctx)
{
	struct pages *pages = ctx;
	struct shot *fresh = pages->fresh;

	pages->fresh = NULL;
	if (pages->expiry)
		loop_timer_stop(pages->expiry);
	if (fresh)
		drop_shot(fresh);
}

void pages_set_limit(struct pages *pages, size_t limit)
{
	pages->limit = limit;
	make_room(pages, 0);
}

void pages_expire(struct pages *pages)
{
	expire(pages);
}

bool pages_are_fresh(const struct pages *pages)
{
	return pages->fresh;
}

/* --- Snapshots */

static size_t memory_of(const struct snapshot *snapshot)
{
	size_t addresses = 1; /* as array_grow() makes room */

	while (addresses < snapshot->addresses)
		addresses *= 2;
	return snapshot->hosts * sizeof(*snapshot->host) + addresses * sizeof(*snapshot->address) +
		snapshot->links * sizeof(*snapshot->link) + snapshot->wans * sizeof(*snapshot->wan);
}

static int take_shot(struct pages *pages)
{
	struct shot *shot = calloc(1, sizeof(*shot));
	uint64_t began = clock_mono_ns();
	int error;

	if (!shot)
		return -ENOMEM;
	error = pages->source->snapshot(pages->source->ctx, &shot->snapshot);
	if (error) {
		free(shot);
		return error;
	}
	for (int i = 0; i < PAGES; i++)
		shot->page[i] = (struct rendered){ .shot = shot, .page = (enum page)i };
	shot->pages = pages;
	shot->users = 1;
	shot->taken_ns = clock_mono_ns();
	shot->bytes = pages->last_shot = sizeof(*shot) + memory_of(&shot->snapshot);
	pages->used += shot->bytes;
	pages->users++;
	DL_PREPEND(pages->shots, shot);
	note_turn(pages);
	pages->spent_ns += shot->taken_ns - began;
	if (!make_room(pages, 0)) {
		drop_shot(shot);
		return -EAGAIN;
	}
	pages->fresh = shot;
	loop_timer_set(pages->expiry, ENDPOINTS_SHARE_NS);
	return 0;
}

/*
 * Whether there is room for another snapshot, the pieces that its readers need, and what its pages come to compressed.
 * While half is in use a client that reads already has to share.
 */
static bool has_room(struct pages *pages, unsigned int answers)
{
	size_t wanted = pages->last_shot + pages->last_shot / 2 + 2 * PIECE;

	if (!pages->shots)
		return true;
	if (answers && pages->used > pages->limit / 2 && !make_room(pages, pages->limit / 2))
		return false;
	return make_room(pages, wanted);
}

/* 0: *shot may be shown, and *is_old if there was no room for one that is new. -EAGAIN: no room. */
static int get_shot(struct pages *pages, unsigned int answers, struct shot **shot, bool *is_old)
{
	int error = 0;

	/* A snapshot from before the meter was ready is not shown after it. */
	if (pages->fresh && !pages->fresh->snapshot.ready && pages->source->ready(pages->source->ctx))
		expire(pages);
	if (!pages->fresh)
		error = has_room(pages, answers) ? take_shot(pages) : -EAGAIN;
	*shot = pages->fresh ? pages->fresh : pages->shots;
	*is_old = error == -EAGAIN && *shot && clock_mono_ns() - (*shot)->taken_ns <= PAGES_OLDEST_NS;
	return *is_old ? 0 : error;
}

/* --- Pieces */

/* True: there is more of it. */
static bool render_some(struct buf *out, enum page page, const struct snapshot *snapshot, struct cursor *cursor)
{
	switch (page) {
	case PAGE_TEXT:
		return prometheus_render_some(out, snapshot, PROMETHEUS_TEXT, cursor, PIECE);
	case PAGE_OPENMETRICS:
		return prometheus_render_some(out, snapshot, PROMETHEUS_OPENMETRICS, cursor, PIECE);
	case PAGE_HOSTS:
	case PAGE_HOSTS_WAN:
		return api_hosts_some(out, snapshot, page == PAGE_HOSTS, cursor, PIECE);
	case PAGE_STATUS:
		api_status(out, snapshot);
		return false;
	default:
		index_page_render(out, snapshot);
		return false;
	}
}

/* Writes a piece from its cursor on, for the first time or again; *cursor: where it ends. 0 or -ENOMEM. */
static int write_piece(struct rendered *page, struct piece *piece, struct cursor *cursor, bool *is_last)
{
	struct pages *pages = page->shot->pages;
	struct buf *out = &pages->scratch;
	uint64_t began = clock_mono_ns();
	size_t size = out->size;

	out->len = 0;
	out->error = 0;
	*cursor = piece->from;
	buf_reserve(out, PIECE + PIECE / 2); /* grows once */
	*is_last = !render_some(out, page->page, &page->shot->snapshot, cursor);
	pages->used += out->size - size;
	note_turn(pages);
	pages->spent_ns += clock_mono_ns() - began;
	if (buf_error(out) || !make_room(pages, out->len))
		return -ENOMEM;
	piece->data = malloc(out->len + 1);
	if (!piece->data)
		return -ENOMEM;
	memcpy(piece->data, out->data, out->len);
	piece->len = out->len;
	pages->used += piece->len;
	DL_APPEND(pages->kept, piece);
	return 0;
}

/* Goes on with the page. 0 or -ENOMEM. */
static int add_piece(struct rendered *page)
{
	struct piece **list = array_grow(page->piece, page->pieces, sizeof(struct piece *));
	struct piece *piece = list ? calloc(1, sizeof(*piece)) : NULL;
	struct cursor cursor;
	int error;

	page->piece = list ? list : page->piece;
	if (!piece)
		return -ENOMEM;
	piece->from = page->cursor;
	piece->offset = page->len;
	error = write_piece(page, piece, &cursor, &page->is_whole);
	if (error) {
		page->is_whole = false;
		free(piece);
		return error;
	}
	page->piece[page->pieces++] = piece;
	page->cursor = cursor;
	page->len += piece->len;
	page->shot->pages->used += sizeof(*piece);
	return 0;
}

/* The piece with this byte, which is kept now; NULL: it is behind the end. 0 or -ENOMEM. */
static int get_piece(struct rendered *page, size_t offset, struct piece **got)
{
	struct pages *pages = page->shot->pages;
	struct cursor cursor;
	struct piece *piece;
	bool is_last;
	size_t i = 0;
	int error = 0;

	*got = NULL;
	while (page->len <= offset && !page->is_whole && !error)
		error = add_piece(page);
	if (error || offset >= page->len)
		return error;
	while (page->piece[i]->offset + page->piece[i]->len <= offset)
		i++;
	piece = page->piece[i];
	if (!piece->data)
		error = write_piece(page, piece, &cursor, &is_last);
	if (error)
		return error;
	if (!page->is_pinned) {
		DL_DELETE(pages->kept, piece);
		DL_APPEND(pages->kept, piece);
	}
	*got = piece;
	return 0;
}

/* Whether a byte of the page can be read without writing. */
static bool is_at_hand(const struct rendered *page, size_t offset)
{
	for (size_t i = page->pieces; i-- > 0;)
		if (page->piece[i]->offset <= offset)
			return page->piece[i]->data && offset < page->piece[i]->offset + page->piece[i]->len;
	return false;
}

/* --- What http calls */

static size_t copy_piece(const struct piece *piece, size_t offset, char *to, size_t room)
{
	size_t skip = offset - piece->offset, len = piece->len - skip < room ? piece->len - skip : room;

	memcpy(to, piece->data + skip, len);
	return len;
}

/* As gzip reads: fewer than room only at the end. */
static long read_on(void *ctx, uint64_t offset, char *to, size_t room)
{
	struct rendered *page = ctx;
	struct piece *piece = NULL;
	size_t done = 0;
	int error = 0;

	while (done < room && !error) {
		error = get_piece(page, (size_t)offset + done, &piece);
		if (!piece)
			break;
		done += copy_piece(piece, (size_t)offset + done, to + done, room - done);
	}
	return error ? error : (long)done;
}

static long read_plain(void *ctx, uint64_t offset, char *to, size_t room)
{
	struct rendered *page = ctx;
	struct piece *piece;
	int error;

	if (turn_is_over(page->shot->pages) && !is_at_hand(page, (size_t)offset))
		return -EAGAIN;
	error = get_piece(page, (size_t)offset, &piece);
	return piece ? (long)copy_piece(piece, (size_t)offset, to, room) : error;
}

static long read_gzip(void *ctx, uint64_t offset, char *to, size_t room)
{
	struct rendered *page = ctx;
	struct pages *pages = page->shot->pages;
	uint64_t began = clock_mono_ns();
	size_t bytes;
	long len;

	if (turn_is_over(pages) && offset >= gzip_made(page->gzip))
		return -EAGAIN;
	len = gzip_read(page->gzip, offset, to, room);
	bytes = gzip_memory(page->gzip);
	pages->used += bytes - page->gzip_bytes;
	page->gzip_bytes = bytes;
	pages->spent_ns += clock_mono_ns() - began;
	return make_room(pages, 0) ? len : -ENOMEM;
}

/* Writes the page on until its length is known. */
static long measure(void *ctx)
{
	struct rendered *page = ctx;

	int error = 0;

	while (!page->is_whole && !error)
		error = turn_is_over(page->shot->pages) ? -EAGAIN : add_piece(page);
	return error ? error : (long)page->len;
}

static void release(void *ctx)
{
	drop_shot(((struct rendered *)ctx)->shot);
}

/* --- Requests */

static bool has_gzip(struct rendered *page)
{
	struct pages *pages = page->shot->pages;

	/* It cannot be made again for whoever comes later, so all of it is kept. */
	if (page->gzip || !make_room(pages, GZIP_MEMORY + page->shot->bytes / 2 + 2 * PIECE))
		return page->gzip;
	page->gzip = gzip_new(read_on, page);
	page->gzip_bytes = page->gzip ? gzip_memory(page->gzip) : 0;
	pages->used += page->gzip_bytes;
	return page->gzip;
}

static void fill_in(struct rendered *page, struct pages_wish *wish, struct http_shared *body)
{
	*body = (struct http_shared){ .ctx = page, .release = release };
	wish->gzip = wish->gzip && has_gzip(page);
	if (wish->gzip) {
		body->read = read_gzip;
	} else if (page->is_whole && page->pieces == 1 && (page->is_pinned || page->piece[0]->data)) {
		if (!page->is_pinned)
			DL_DELETE(page->shot->pages->kept, page->piece[0]);
		page->is_pinned = true;
		body->data = page->piece[0]->data;
		body->len = page->len;
	} else {
		body->read = read_plain;
		body->measure = wish->length ? measure : NULL;
	}
	page->shot->users++;
}

int pages_open(struct pages *pages, struct pages_wish *wish, struct http_shared *body)
{
	struct shot *shot = NULL;
	struct piece *first;
	int error = get_shot(pages, wish->answers, &shot, &wish->is_old);

	if (error == -EAGAIN)
		pages->refused++;
	if (error)
		return error;
	shot->users++; /* room may be made */
	error = get_piece(&shot->page[wish->page], 0, &first);
	if (!error)
		fill_in(&shot->page[wish->page], wish, body);
	drop_shot(shot);
	return error;
}

struct pages_usage pages_usage(const struct pages *pages)
{
	return (struct pages_usage){ pages->used, pages->limit, pages->refused };
}

struct pages *pages_new(struct loop *loop, const struct endpoints_source *source, size_t limit)
{
	struct pages *pages = calloc(1, sizeof(*pages));

	if (!pages)
		return NULL;
	*pages = (struct pages){ .users = 1, .loop = loop, .source = source, .limit = limit };
	pages->expiry = loop_timer_add(loop, expire, pages);
	if (pages->expiry)
		return pages;
	free(pages);
	return NULL;
}

void pages_free(struct pages *pages)
{
	if (!pages)
		return;
	expire(pages);
	loop_timer_del(pages->expiry);
	pages->expiry = NULL;
	drop_pages(pages);
}
