/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/frame.h"

#include "hostmeter/base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* One character of a text, as the frame shows it. */
struct glyph {
	char text[5];
	int width; /* 0: it combines with the character before */
};

/* Visible characters that join with their neighbours: terminals differ in their width. */
static const struct {
	uint32_t first, last;
} unruly[] = { { 0x115f, 0x1160 }, { 0x180b, 0x180f }, { 0x3164, 0x3164 }, { 0xd7b0, 0xd7fb }, { 0xfe00, 0xfe0f },
	{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x1f1e6, 0x1f1ff }, { 0x1f3fb, 0x1f3ff } };

static bool is_tame(uint32_t code)
{
	for (size_t i = 0; i < sizeof(unruly) / sizeof(unruly[0]); i++)
		if (code >= unruly[i].first && code <= unruly[i].last)
			return false;
	return utf8_is_visible(code);
}

/* Takes the next character from the text; "?" for a byte that is not UTF-8. */
static struct glyph next_glyph(bool utf8, const char **text)
{
	struct glyph mark = { "?", 1 }, glyph = { "", 0 };
	uint32_t code = 0;
	size_t len = utf8_char(*text, strnlen(*text, 4), &code);
	const char *from = *text;

	*text += len ? len : 1;
	if (!len || !is_tame(code) || (code >= 0x80 && !utf8))
		return mark;
	memcpy(glyph.text, from, len);
	glyph.width = code < 0x80 ? 1 : wcwidth((wchar_t)code);
	return glyph.width < 0 || glyph.width > 2 ? mark : glyph;
}

int watch_frame_begin(struct watch_frame *frame, int width, int height, bool utf8)
{
	size_t size = (size_t)width * (size_t)height;

	if (size > frame->size) {
		struct watch_cell *cell = reallocarray(frame->cell, size, sizeof(*cell));

		if (!cell)
			return -ENOMEM;
		frame->cell = cell;
		frame->size = size;
	}
	frame->width = width;
	frame->height = height;
	frame->utf8 = utf8;
	for (size_t i = 0; i < size; i++)
		frame->cell[i] = (struct watch_cell){ .text = " " };
	return 0;
}

void watch_frame_free(struct watch_frame *frame)
{
	free(frame->cell);
	*frame = (struct watch_frame){ 0 };
}

static void combine(struct watch_cell *cell, const char *mark)
{
	size_t len = strlen(cell->text);

	/* What does not fit into a cell is dropped. */
	if (len + strlen(mark) < sizeof(cell->text))
		strcpy(cell->text + len, mark);
}

/* How many cells the text needs. */
static int width_of(const struct watch_frame *frame, const char *text)
{
	int width = 0;

	while (*text)
		width += next_glyph(frame->utf8, &text).width;
	return width;
}

int watch_frame_put(struct watch_frame *frame, int x, int y, int width, enum watch_style style, const char *text)
{
	int used = 0, room;
	bool cut;

	if (width > frame->width - x)
		width = frame->width - x;
	if (y < 0 || y >= frame->height || x < 0 || width <= 0)
		return 0;

	struct watch_cell *row = frame->cell + (size_t)y * (size_t)frame->width + x, *last = NULL;

	/* If half of a wide character is overwritten, the other half becomes blank: here and at the end. */
	if (x > 0 && !row[0].text[0])
		strcpy(row[-1].text, " ");
	cut = width_of(frame, text) > width;
	room = cut ? width - 1 : width;
	while (*text) {
		struct glyph glyph = next_glyph(frame->utf8, &text);

		if (glyph.width == 0) {
			if (last)
				combine(last, glyph.text);
			continue;
		}
		if (used + glyph.width > room)
			break;
		last = &row[used];
		last->style = (uint8_t)style;
		strcpy(last->text, glyph.text);
		if (glyph.width == 2)
			row[used + 1] = (struct watch_cell){ .style = (uint8_t)style };
		used += glyph.width;
	}
	if (cut) {
		row[used].style = (uint8_t)style;
		strcpy(row[used++].text, frame->utf8 ? "…" : "~");
	}
	if (used < frame->width - x && !row[used].text[0])
		strcpy(row[used].text, " ");
	return used;
}

int watch_frame_put_right(struct watch_frame *frame, int x, int y, int width, enum watch_style style, const char *text)
{
	int len = width_of(frame, text);

	return watch_frame_put(frame, len < width ? x + width - len : x, y, len < width ? len : width, style, text);
}

void watch_frame_paint(struct watch_frame *frame, int y, enum watch_style style)
{
	if (y < 0 || y >= frame->height)
		return;
	for (int x = 0; x < frame->width; x++)
		frame->cell[(size_t)y * (size_t)frame->width + (size_t)x].style = (uint8_t)style;
}

void watch_frame_row(const struct watch_frame *frame, int y, struct buf *out)
{
	const struct watch_cell *row = frame->cell + (size_t)y * (size_t)frame->width;
	int end = frame->width;

	while (end > 0 && !strcmp(row[end - 1].text, " "))
		end--;
	for (int x = 0; x < end; x++)
		buf_puts(out, row[x].text);
}
