/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_frame: a screen as rows of cells, each a character and a style, without terminal codes. Text is decoded as
 * UTF-8 and never takes more cells than it is given: what cannot be printed becomes "?", wide characters take two
 * cells. Widths are those of wcwidth(3): a UTF-8 frame needs LC_CTYPE in a UTF-8 locale.
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
	WATCH_STYLE_SORTED, /* the title of the column that the list is sorted by */
	WATCH_STYLE_SELECTED,
	WATCH_STYLE_TOTAL,
	WATCH_STYLE_KEY,
	WATCH_STYLE_WARNING,
	WATCH_STYLE_ERROR,
	WATCH_STYLES,
};

/* A character and its combining marks; "": the right half of a wide character. */
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

/* Sets the size and blanks all cells. 0 or -ENOMEM. */
int watch_frame_begin(struct watch_frame *frame, int width, int height, bool utf8);
void watch_frame_free(struct watch_frame *frame);

/* Puts text at x, y into at most width cells; "…" or "~" where it is cut. Returns how many cells it took. */
int watch_frame_put(struct watch_frame *frame, int x, int y, int width, enum watch_style style, const char *text);

/* The same, right-aligned in the width cells from x on. */
int watch_frame_put_right(struct watch_frame *frame, int x, int y, int width, enum watch_style style, const char *text);

/* Gives the whole row this style. */
void watch_frame_paint(struct watch_frame *frame, int y, enum watch_style style);

/* Appends a row's text without trailing blanks and without a newline. */
void watch_frame_row(const struct watch_frame *frame, int y, struct buf *out);
