/* SPDX-License-Identifier: GPL-2.0-or-later */
/* protocol: names of the protocols above IP. */
#pragma once

#include <stdint.h>

enum { PROTOCOL_TEXT = 4 };

/* The name that conntrack(8) prints: "unknown" for all but eight protocols. */
const char *protocol_name(uint8_t number);

/* A name of at most five characters for a table; else the number, written to text. */
const char *protocol_short_name(uint8_t number, char text[static PROTOCOL_TEXT]);

/* The number of a protocol by the name that conntrack(8) prints, in any case, or by /etc/protocols; -ENOENT. */
int protocol_number(const char *name);
