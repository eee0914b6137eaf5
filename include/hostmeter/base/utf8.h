/* SPDX-License-Identifier: GPL-2.0-or-later */
/* utf8: makes untrusted text fit for labels, pages and terminals. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character (RFC 3629) that text starts with, and its code point; 0 if the len bytes start with none. */
size_t utf8_char(const char *text, size_t len, uint32_t *code);

/* Whether a code point may be shown: no control character, none that is invisible or turns the text around it. */
bool utf8_is_visible(uint32_t code);

/*
 * Makes text fit for a terminal, a journal or a file of lines, in place: what is not visible and each invalid byte
 * becomes '?'. lines: line ends ("\n" and "\r\n") and tabs stay. Returns the length, which is never longer.
 * All that the program writes goes through it once, where it leaves the program: the log, standard output, errors of
 * the configuration.
 */
size_t utf8_disarm(char *text, size_t len, bool lines);

/*
 * Writes text to out: each invalid byte, each character that is not visible and each of the ASCII characters in
 * unwanted becomes '_'; spaces at both ends go; what does not fit into size bytes with the closing NUL is cut between
 * two characters. Returns the length.
 */
size_t utf8_clean(char *out, size_t size, const char *text, size_t len, const char *unwanted);
