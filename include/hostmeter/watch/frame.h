/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_frame: a screen as rows of cells, each a character and a class of style, without any terminal codes.
 *
 * Whatever is put into it fills the cells it says and no more: text is decoded as UTF-8, what is no printable character
 * becomes one mark, wide characters take two cells, and text is cut by cells. Widths are those of wcwidth(3), so
 * LC_CTYPE must be a UTF-8 locale for a UTF-8 frame.
 */
#pragma once

#include "hostmeter/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum watch_style {
	WATCH_STYLE_PLAIN,
	WATCH_STYLE_TITLE,
	WATCH_STYLE_DIM,
	WATCH_STYLE_DOWN,
	WATCH_STYLE_UP,
	WATCH_STYLE_SPARK,
	WATCH_STYLE_HEADER,
	WATCH_STYLE_SORTED, /* the header of the column that is sorted by */
	WATCH_STYLE_SELECTED,
	WATCH_STYLE_TOTAL,
	WATCH_STYLE_KEY,
	WATCH_STYLE_WARNING,
	WATCH_STYLE_ERROR,
	WATCH_STYLES,
};

/* A character with what combines with it; "": the right half of a wide one. */
struct watch_cell {
	char text[15];
	uint8_t style; /* enum watch_style */
};

struct watch_frame {
	int width, height;
	bool utf8;
	struct watch_cell *cell; /* width * height, row by row */
	size_t size;             /* allocated cells */
};

/* Makes it this large and blank. 0 or -ENOMEM. */
int watch_frame_begin(struct watch_frame *frame, int width, int height, bool utf8);
void watch_frame_free(struct watch_frame *frame);

/* Puts text at x, y, at most width cells, cut with a mark; drops what is outside. Returns how many cells it took. */
int watch_frame_put(struct watch_frame *frame, int x, int y, int width, enum watch_style style, const char *text);

/* The same, ending at column x + width. */
int watch_frame_put_right(struct watch_frame *frame, int x, int y, int width, enum watch_style style, const char *text);

/* Gives the whole row this style. */
void watch_frame_paint(struct watch_frame *frame, int y, enum watch_style style);

/* Appends a row without the blanks at its end and without a newline. */
void watch_frame_row(const struct watch_frame *frame, int y, struct buf *out);
