/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads what blob_file.c writes, and as much as can be proven of a file that is damaged. Behind a damaged place the
 * next blob is searched: a head that may be one, by its length and number, with the right CRC.
 */
#include "blob_file.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/os/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 1 << 16 };

/* In a search no number is believed that is further from the expected one. */
#define FAR (UINT64_C(1) << 24)

/* Bytes that may be summed in all searches of one file together, beside twice its size: it may be made to be slow. */
#define SEARCH_MOST (UINT64_C(64) << 20)

struct reading {
	int fd, error;
	uint64_t size;
	uint32_t salt;
	struct buf window;
	uint64_t window_at, search_left;
	uint64_t next_section, promised, promised_size; /* by the head: the number of the next record, the size */
	bool damage;                                    /* since the last good blob */
	bool any_record;                                /* the next record may have any number */
	struct blob_file_state *state;
};

/* So many bytes at this place, or NULL: behind the end, or they cannot be read. Valid until the next call. */
static const unsigned char *look(struct reading *r, uint64_t at, size_t len)
{
	size_t want = len > WINDOW ? len : WINDOW;
	ssize_t got = 0;
	void *room;

	if (at > r->size || len > r->size - at)
		return NULL;
	if (at >= r->window_at && at + len <= r->window_at + r->window.len)
		return (const unsigned char *)r->window.data + (at - r->window_at);
	if (want > r->size - at)
		want = (size_t)(r->size - at);
	buf_reset(&r->window);
	room = buf_reserve(&r->window, want);
	if (!room) {
		r->error = -ENOMEM;
		return NULL;
	}
	while (r->window.len < want &&
		(got = pread(r->fd, (char *)room + r->window.len, want - r->window.len, (off_t)(at + r->window.len))) >
			0)
		r->window.len += (size_t)got;
	if (got < 0)
		r->error = -errno;
	r->window_at = at;
	return r->window.len < len ? NULL : (const unsigned char *)r->window.data;
}

/* Whether there is a whole blob at this place. */
static bool blob_at(struct reading *r, uint64_t at, struct blob_file_blob *blob)
{
	const bool is_new = r->state->version != 1;
	const size_t head_len = is_new ? BLOB_HEAD : BLOB_HEAD_1;
	const unsigned char *head = look(r, at, head_len);
	struct le_reader fields = le_reader(head, head ? head_len : 0);
	uint64_t number = 0;
	uint32_t crc;

	blob->len = (size_t)le_get(&fields, 4);
	if (is_new)
		number = le_get(&fields, 8);
	crc = (uint32_t)le_get(&fields, 4);
	if (fields.ran_out || blob->len > BLOB_FILE_BLOB_MAX)
		return false;
	head = look(r, at, head_len + blob->len);
	if (!head || blob_crc(r->salt, head, head_len - 4, head + head_len, blob->len) != crc)
		return false;
	blob->bytes = head + head_len;
	blob->is_record = number & 1;
	blob->number = is_new ? number >> 1 : r->next_section;
	return true;
}

static bool is_near(const struct reading *r, uint64_t number)
{
	uint64_t expected = number & 1 ? r->state->next_record : r->next_section;

	if (number & 1 && r->any_record)
		return true;
	number >>= 1;
	return number >= expected && number - expected < FAR;
}

/* The place of the next blob behind this one; the end of the file if there is none. */
static uint64_t search(struct reading *r, uint64_t at)
{
	struct blob_file_blob blob;
	const unsigned char *head;

	if (r->state->version == 1)
		return r->size;
	while ((head = look(r, ++at, BLOB_HEAD))) {
		struct le_reader fields = le_reader(head, BLOB_HEAD);
		uint64_t len = le_get(&fields, 4);

		if (len > r->size - at - BLOB_HEAD || len > BLOB_FILE_BLOB_MAX || !is_near(r, le_get(&fields, 8)))
			continue;
		if (len >= r->search_left)
			break;
		r->search_left -= len;
		if (blob_at(r, at, &blob))
			return at;
	}
	return r->size;
}

/* Counts what is missing before this blob. False: it was delivered before. */
static bool take_number(struct reading *r, const struct blob_file_blob *blob)
{
	struct blob_file_state *state = r->state;
	uint64_t *next = blob->is_record ? &state->next_record : &r->next_section, missing;

	if (blob->is_record && r->any_record) {
		state->first_record = state->next_record = blob->number;
		r->any_record = false;
	}
	if (blob->number < *next) {
		state->damages++;
		return false;
	}
	missing = blob->number - *next;
	*next = blob->number + 1;
	if (blob->is_record)
		state->lost_records += missing;
	else if (missing)
		state->section_missing = true;
	state->damages += missing ? missing : r->damage;
	r->damage = false;
	return true;
}

static int read_blobs(struct reading *r, int (*each)(void *ctx, const struct blob_file_blob *blob), void *ctx)
{
	struct blob_file_blob blob;
	uint64_t at = r->state->end;
	int error = 0;

	while (r->state->version && at < r->size && !error && !r->error) {
		if (!blob_at(r, at, &blob)) {
			r->damage = true;
			at = search(r, at);
			continue;
		}
		at += (r->state->version == 1 ? BLOB_HEAD_1 : BLOB_HEAD) + blob.len;
		r->state->end = at;
		if (take_number(r, &blob))
			error = each(ctx, &blob);
	}
	return error ? error : r->error;
}

/* Counts what is missing at the end. */
static void take_end(struct reading *r)
{
	struct blob_file_state *state = r->state;
	uint64_t missing = r->promised > state->next_record ? r->promised - state->next_record : 0;

	if (missing) {
		state->lost_records += missing;
		state->damages += missing;
		state->next_record = r->promised;
	} else {
		state->damages += r->damage || r->size < r->promised_size;
	}
	state->damages += state->head_damaged;
}

static void read_fields(struct reading *r, const unsigned char *head)
{
	struct blob_file_state *state = r->state;
	struct le_reader fields = le_reader(head + BLOB_MAGIC, BLOB_FILE_HEAD - BLOB_MAGIC);

	state->version = 2;
	state->id = le_get(&fields, 8);
	state->generation = le_get(&fields, 8);
	state->first_record = state->next_record = le_get(&fields, 8);
	r->promised = le_get(&fields, 8);
	r->promised_size = le_get(&fields, 8);
	state->head_damaged = le_get(&fields, 4) != blob_crc(0, head, BLOB_FILE_HEAD - 4, NULL, 0);
}

/* The head is damaged, but it may have the right id all the same; else it is the successor of the file before it. */
static void guess_head(struct reading *r, const struct blob_file_state *before)
{
	struct blob_file_state *state = r->state;
	struct blob_file_blob first;

	state->head_damaged = r->any_record = true;
	state->first_record = state->next_record = r->promised = r->promised_size = 0;
	r->salt = blob_salt(state->id, state->generation);
	if (state->version == 2 && blob_at(r, BLOB_FILE_HEAD, &first))
		return;
	state->version = before && before->version == 2 ? 2 : 0;
	if (!state->version)
		return;
	state->id = before->id;
	state->generation = before->generation + 1;
}

static void read_head(struct reading *r, const struct blob_file_state *before)
{
	struct blob_file_state *state = r->state;
	const unsigned char *head = look(r, 0, BLOB_MAGIC);

	if (head && !memcmp(head, BLOB_MAGIC_1, BLOB_MAGIC)) {
		state->version = 1;
		state->end = BLOB_MAGIC;
		return;
	}
	state->end = BLOB_FILE_HEAD;
	head = look(r, 0, BLOB_FILE_HEAD);
	if (head && !memcmp(head, BLOB_MAGIC_2, BLOB_MAGIC))
		read_fields(r, head);
	if (!state->version || state->head_damaged)
		guess_head(r, before);
	r->salt = blob_salt(state->id, state->generation);
}

static int open_reading(struct reading *r, const char *path, struct blob_file_state *state)
{
	struct stat status;

	*state = (struct blob_file_state){ 0 };
	*r = (struct reading){ .fd = file_open(path), .state = state };
	if (r->fd < 0)
		return r->fd == -EINVAL ? -EBADMSG : r->fd;
	if (fstat(r->fd, &status)) {
		close(r->fd);
		return -errno;
	}
	r->size = (uint64_t)status.st_size;
	r->search_left = SEARCH_MOST + 2 * r->size;
	return 0;
}

static void close_reading(struct reading *r)
{
	close(r->fd);
	buf_free(&r->window);
}

int blob_file_read(const char *path, const struct blob_file_state *before, struct blob_file_state *state,
	int (*each)(void *ctx, const struct blob_file_blob *blob), void *ctx)
{
	struct reading reading;
	int error = open_reading(&reading, path, state);

	if (error)
		return error;
	read_head(&reading, before);
	error = reading.error ? reading.error : read_blobs(&reading, each, ctx);
	if (!error)
		take_end(&reading);
	close_reading(&reading);
	return error;
}

bool blob_file_peek(const char *path, struct blob_file_state *state)
{
	struct reading reading;

	if (open_reading(&reading, path, state))
		return false;
	read_head(&reading, NULL);
	close_reading(&reading);
	return state->version && !state->head_damaged;
}
