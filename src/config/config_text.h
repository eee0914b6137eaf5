/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_text: the text of a configuration file, made fit for libconfuse.
 *
 * libconfuse 3.3 counts two lines for a comment, takes none inside a list, takes the end of the file for a missing
 * brace or quote, and puts the environment into "${…}". So comments become spaces here, and the rest is refused.
 */
#ifndef HOSTMETER_CONFIG_CONFIG_TEXT_H
#define HOSTMETER_CONFIG_CONFIG_TEXT_H

/* Writes spaces over the comments of a terminated text; its lines stay. NULL, or what is wrong, and *at where. */
const char *config_text_clean(char *text, const char **at);

#endif
