/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_keys: the keys that term reads and view acts on. A key that writes a character is that character; the others
 * are these, beyond Unicode.
 */
#pragma once

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
