/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config_file: the configuration file, read with libconfuse. */
#ifndef HOSTMETER_CONFIG_CONFIG_FILE_H
#define HOSTMETER_CONFIG_CONFIG_FILE_H

#include <stdint.h>
#include <stdio.h>

struct config;

/*
 * Reads the file that *config names, or the default one if it is there. What is in *given, a set of options_bit(), is
 * checked and not stored; the keys of the file are added to it. 0, or -EINVAL after one line on err.
 */
int config_file_load(struct config *config, uint64_t *given, FILE *err);

#endif
