/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * values: each function checks one value of the command line or the configuration file and stores it in struct config.
 * The rows of the table in options.c name them.
 *
 * Each returns 0, or -EINVAL after config_error(); then nothing was stored.
 */
#pragma once

#include "hostmeter/config/config.h"

#include <stddef.h>

struct setting;

enum setting_flag {
	KEY = 1,    /* in the configuration file, under the same name */
	HIDDEN = 2, /* in the file only */
	LIST = 4,   /* may be given more than once; the field is a struct config_strings */
	TEXT = 8,   /* the field is a string */
	WHOLE = 16, /* the field is a uint32_t */
	TIME = 32,  /* seconds; the field is a uint64_t of nanoseconds */
	LIVE = 64,  /* a reload takes a new value while the meter runs; of keys without it a restart does */
};

/* A row of the table. */
struct setting_row {
	const char *name;
	char letter;
	const char *argument; /* NULL: takes none */
	int group;
	unsigned int flags;
	int (*set)(const struct setting *s); /* NULL: nothing to store */
	size_t field;                        /* SETTING_FIELD(): what set() fills in */
	const char *help;
	const char *preset; /* the default, as one would write it; the values of a list with spaces between */
	const char *bare;   /* what the option means without its argument; NULL: it needs one */
	double min, max;    /* for numbers */
	const char *words;  /* for value_word(), with spaces between */
	enum config_mode mode;
	unsigned int also; /* a bit for each other mode that it goes with */
};

#define SETTING_FIELD(name) offsetof(struct config, name)

/* Where a value came from. file NULL: not from a file; line 0: the file as a whole; what "": nothing particular. */
struct config_origin {
	FILE *err;
	const char *file;
	int line;
	char what[160];
};

/* A value that is to be stored. value is NULL where there is no argument. */
struct setting {
	struct config *config;
	const struct setting_row *row;
	const char *value;
	const struct config_origin *origin;
};

/* Writes "hostmeter: [FILE:[LINE:] ][WHAT: ]text" as one line, control bytes replaced. Returns -EINVAL. */
int config_error(const struct config_origin *origin, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The kernel's own rule for an interface's name, dev_valid_name(); and it is UTF-8 without invisible characters. */
bool value_is_interface(const char *name);

int value_flag(const struct setting *s);
int value_bool(const struct setting *s);   /* true or false, and other words for them */
int value_number(const struct setting *s); /* between the row's bounds; its flags say of which type */
int value_string(const struct setting *s);
int value_path(const struct setting *s); /* in a file only an absolute one */
int value_log_level(const struct setting *s);
int value_word(const struct setting *s); /* the index of one of the row's words */
int value_sort(const struct setting *s); /* the same; "-" before it reverses the order */
int value_rules(const struct setting *s);

/* These add to a list what it does not have yet. */
int value_interface(const struct setting *s);
int value_listen(const struct setting *s);
int value_tunnel(const struct setting *s);
int value_allow(const struct setting *s);
int value_server_name(const struct setting *s);
int value_pattern(const struct setting *s);

/* Whether two configurations have the same in the row's field; and exchanges what they have. */
bool value_equal(const struct config *a, const struct config *b, const struct setting_row *row);
void value_exchange(struct config *a, struct config *b, const struct setting_row *row);

/* Frees what the row's field holds. */
void value_free(struct config *config, const struct setting_row *row);
