/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * confinement: the meter gives up root's rights (rights.h), and its files are those of the user that it becomes, so
 * that the next start, whoever's it is, and the clients go on with them. Each mistake is one line of the log.
 */
#pragma once

struct config;

/* Before the first file is opened: chooses the user. 0, or the exit status after a line. */
int confinement_choose(const struct config *config);

/* Gives the runtime directory, which is there and ours (own_dir.h), to that user. 0, or the exit status after a line.
 */
int confinement_prepare(const struct config *config);

/* After all is open that needs root's rights: gives them up. 0, or the exit status after a line. */
int confinement_begin(const struct config *config);
