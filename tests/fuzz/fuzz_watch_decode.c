/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a meter answers, whoever it is: three documents with a NUL between them, taken in twice and drawn. No cell of
 * the frame may hold what moves a terminal's cursor.
 */
#include "watch/decode.h"

#include "hostmeter/base/utf8.h"
#include "hostmeter/watch/render.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void next_document(struct buf *document, const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, 0, *size);
	size_t len = end ? (size_t)(end - *data) : *size;

	buf_add(document, *data, len);
	*data += len + (end != NULL);
	*size -= len + (end != NULL);
}

static void check(const struct watch_frame *frame)
{
	for (int i = 0; i < frame->width * frame->height; i++) {
		const char *text = frame->cell[i].text;
		size_t len = strlen(text), step;
		uint32_t code;

		for (size_t at = 0; at < len; at += step) {
			step = utf8_char(text + at, len - at, &code);
			if (!step || !utf8_is_visible(code))
				abort();
		}
	}
}

static void draw(const struct watch_history *history, enum watch_page page)
{
	struct watch_view view = watch_view_default();
	struct watch_frame frame = { 0 };

	view.utf8 = true;
	view.page = page;
	if (watch_render(&frame, history, &view))
		abort();
	check(&frame);
	watch_frame_free(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf document[3] = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct watch_history history = { 0 };
	struct watch_connections fresh = { 0 };

	setlocale(LC_CTYPE, "C.UTF-8");
	for (int i = 0; i < 3; i++)
		next_document(&document[i], &data, &size);
	for (int round = 0; round < 2; round++) {
		struct watch_sample sample;

		if (!watch_decode_sample(&sample, &document[0], &document[1])) {
			sample.taken += (uint64_t)round * 1000000000;
			watch_history_add(&history, &sample);
		}
		if (history.tracks) {
			memcpy(fresh.label, history.sample.host[0].label, sizeof(fresh.label));
			memcpy(fresh.mac, history.sample.host[0].mac, sizeof(fresh.mac));
		}
		if (!watch_decode_connections(&fresh, &document[2])) {
			fresh.time += (uint64_t)round * 1000000000;
			watch_connections_take(&history.connections, &fresh);
		}
	}
	for (enum watch_page page = WATCH_PAGE_LIST; page <= WATCH_PAGE_HOST; page++)
		draw(&history, page);
	watch_history_clear(&history);
	for (int i = 0; i < 3; i++)
		buf_free(&document[i]);
	return 0;
}
