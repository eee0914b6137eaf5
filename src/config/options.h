/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options: the one table of options and keys, and the parsing of the command line.
 *
 * A row is a long option, a key of the configuration file, or both. The same function checks its value in both cases.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf;
struct config;
struct config_origin;

/*
 * Reads the command line into *config, and the options_bit() of each option in it into *given. 0, or -EINVAL after one
 * line on err. --help and --version end it: what follows is not read.
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

/* The keys in which two configurations differ, those that a reload takes, and their names with commas between. */
uint64_t options_compare(const struct config *a, const struct config *b);
uint64_t options_live(void);
void options_put_names(struct buf *out, uint64_t keys);

/* Exchanges the values of these keys. */
void options_exchange(struct config *a, struct config *b, uint64_t keys);

/* Frees what the rows have stored. */
void options_free(struct config *config);

/* What --help prints below its first line. */
void options_help(FILE *out);

/*
 * Reads the file that *config names, or the default one if it is there (config_file.c). What is in *given, a set of
 * options_bit(), is checked and not stored; the keys of the file are added to it. 0, or -EINVAL after one line on err.
 */
int config_file_load(struct config *config, uint64_t *given, FILE *err);
