/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options: the one table of settings and modes, and how each value is checked. Used by config only.
 *
 * A row is a long option, a key of the configuration file, or both; a value is checked by the same function wherever it
 * came from. A new option is a new row.
 */
#ifndef HOSTMETER_CONFIG_OPTIONS_H
#define HOSTMETER_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config;
struct config_origin;

/*
 * Reads the command line into *config, and the options_bit() of what it gave into *given. 0, or -EINVAL after its line
 * on err. Whoever asks for --help or --version gets it: what follows is not read, what came before is forgotten.
 */
int options_parse(struct config *config, uint64_t *given, int argc, char *const argv[], FILE *err);

/* The keys of the configuration file, one after the other from *row = 0 on; NULL after the last. */
const char *options_next_key(size_t *row, bool *list);

/* A key's bit in a set of keys; 0 if there is no such key. */
uint64_t options_bit(const char *key);

/* Checks one value of a key and stores it: lists grow, others are replaced. 0, or -EINVAL after its line. */
int options_set(struct config *config, const char *key, const char *value, const struct config_origin *origin);

/* Gives every row that is not in given its default. 0, or -EINVAL after a line. */
int options_preset(struct config *config, uint64_t given, FILE *err);

/* What --help prints below its first line. */
void options_help(FILE *out);

#endif
