/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_format: numbers as short as a column needs them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { WATCH_NUMBER = 16 };

/* Three digits and a power: "0", "999", "1.23k", "12.3M", "123G"; of 1024: "1023", "1.23Ki", "1023Mi". Returns text. */
const char *watch_format_amount(char text[static WATCH_NUMBER], double amount, bool binary);

/* A share of 0 to 1 as "37%", "<1%" if it is something and less; "-" below 0. Returns text. */
const char *watch_format_percent(char text[static WATCH_NUMBER], double share);

/* How long ago it was: "now", "12s", "5m", "3h", "12d". Both in ns. Returns text. */
const char *watch_format_age(char text[static WATCH_NUMBER], uint64_t now, uint64_t when);

/* "0.2 s", "1 s", "5 min", "1 h". Returns text. */
const char *watch_format_interval(char text[static WATCH_NUMBER], uint64_t ns);
