/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * term: the terminal: draws cells, reads keys, and gives the terminal back as it was, however the process ends.
 *
 * One at a time. It knows nothing of what it draws: a cell is a text and the number of a look, and the looks are given
 * when it is opened. Resizing and Ctrl-Z are seen to here.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a class of text looks; colours are numbers of the 256, of the first 16, or -1 for the terminal's own. */
struct term_look {
	short colour, colour16;
	short ground, ground16;
	bool bold, dim, reverse;
};

enum term_colours { TERM_COLOURS_AUTO, TERM_COLOURS_NEVER, TERM_COLOURS_ALWAYS }; /* auto heeds NO_COLOR */

/* Takes LC_CTYPE from the environment; true: it is UTF-8. To be called once, before anything is drawn. */
bool term_locale(void);

/* Whether standard input and output are one that can be drawn on: 0, -ENOTTY, or -ENODEV where TERM has no terminfo. */
int term_check(void);

/* Takes the terminal over. 0 or -ENODEV. looks is borrowed until term_close(). */
int term_open(const struct term_look *looks, size_t count, enum term_colours colours);
void term_close(void);

void term_size(int *width, int *height);

/* Starts with a blank screen; puts a text at a cell in a look; shows what was put. */
void term_begin(void);
void term_put(int x, int y, unsigned int look, const char *text);
void term_show(void);

/*
 * Waits for a key, for one of these (TERM_FDS at most; fd -1: none), or timeout_ms (-1: for ever). 0: one of it came;
 * -EINTR once the process was told to end.
 */
enum { TERM_FDS = 4 };
int term_wait(const struct pollfd *polled, size_t count, int timeout_ms);

/* A key that writes a character is that character; the others are these, beyond Unicode. */
enum watch_key {
	WATCH_KEY_NONE = -1, /* no more for now */
	WATCH_KEY_UP = 0x110000,
	WATCH_KEY_DOWN,
	WATCH_KEY_PAGE_UP,
	WATCH_KEY_PAGE_DOWN,
	WATCH_KEY_HOME,
	WATCH_KEY_END,
	WATCH_KEY_ENTER,
	WATCH_KEY_ESCAPE,
	WATCH_KEY_BACKSPACE,
	WATCH_KEY_WHEEL_UP,
	WATCH_KEY_WHEEL_DOWN,
	WATCH_KEY_CLICK,
	WATCH_KEY_OTHER, /* nothing is bound to it; the window may have another size */
};

/* The next key without waiting; with WATCH_KEY_CLICK the cell. */
int term_key(int *x, int *y);
