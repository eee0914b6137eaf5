/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * term: the terminal: draws text, reads keys, and restores the terminal however the process ends. Only one can be open.
 * It also handles resizing and Ctrl-Z.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a style looks. Colours are numbers, of 256 and of 16; -1: the terminal's own. */
struct term_look {
	short colour, colour16;
	short ground, ground16; /* the background */
	bool bold, dim, reverse;
};

enum term_colours { TERM_COLOURS_AUTO, TERM_COLOURS_NEVER, TERM_COLOURS_ALWAYS }; /* AUTO obeys NO_COLOR */

/* Sets LC_CTYPE from the environment; true: it is UTF-8. Call it once, before anything is drawn. */
bool term_locale(void);

/* Whether standard input and output are a terminal to draw on: 0, -ENOTTY, or -ENODEV: TERM has no terminfo. */
int term_check(void);

/* Opens the terminal with these looks, borrowed until term_close(). 0 or -ENODEV. */
int term_open(const struct term_look *looks, size_t count, enum term_colours colours);
void term_close(void);

void term_size(int *width, int *height);

/* Drawing: starts a blank screen; puts a text at a cell, with the look of that index; shows the screen. */
void term_begin(void);
void term_put(int x, int y, unsigned int look, const char *text);
void term_show(void);

/*
 * Waits for a key, for one of the polled (at most TERM_FDS; fd -1: none), or for timeout_ms (-1: without end). Returns
 * 0, or -EINTR: the process shall end.
 */
enum { TERM_FDS = 4 };
int term_wait(const struct pollfd *polled, size_t count, int timeout_ms);

/* A key that types a character is its code point; other keys have numbers beyond Unicode. */
enum watch_key {
	WATCH_KEY_NONE = -1, /* no key is waiting */
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
	WATCH_KEY_OTHER, /* any other key, or the window's size has changed */
};

/* The next key, without waiting; x and y are set for WATCH_KEY_CLICK only. */
int term_key(int *x, int *y);
