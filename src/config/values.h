/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * values: each function checks one value of the command line or the configuration file and stores it in struct config.
 * The rows of the table in options.c name them.
 *
 * Each returns 0, or -EINVAL after config_error() has said what is wrong; then nothing was stored.
 */
#ifndef HOSTMETER_CONFIG_VALUES_H
#define HOSTMETER_CONFIG_VALUES_H

#include "hostmeter/config/config.h"

#include <stddef.h>

struct config_origin;
struct setting;

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
	double min, max;    /* for numbers */
	enum config_mode mode;
	unsigned int also; /* other modes that it goes with, a bit for each */
};

#define SETTING_FIELD(name) offsetof(struct config, name)

/* One value on its way into the configuration. value is NULL where there is no argument. */
struct setting {
	struct config *config;
	const struct setting_row *row;
	const char *value;
	const struct config_origin *origin;
};

/* The kernel's own rule for an interface's name, dev_valid_name(), and no control bytes. */
bool value_is_interface(const char *name);

/* Into a bool, a number between the row's bounds, nanoseconds from seconds, or a string of the configuration's own. */
int value_flag(const struct setting *s);
int value_u16(const struct setting *s);
int value_u32(const struct setting *s);
int value_double(const struct setting *s);
int value_seconds(const struct setting *s);
int value_optional_seconds(const struct setting *s); /* without a value the preset */
int value_string(const struct setting *s);
int value_path(const struct setting *s); /* in a file only an absolute one */

/* One of some words. */
int value_log_level(const struct setting *s);
int value_color(const struct setting *s);
int value_rules(const struct setting *s);
int value_flows(const struct setting *s);

/* One more in a list, unless it is there. */
int value_interface(const struct setting *s);
int value_listen(const struct setting *s);
int value_allow(const struct setting *s);
int value_server_name(const struct setting *s);
int value_pattern(const struct setting *s);

#endif
