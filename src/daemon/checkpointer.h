/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper: keeps a meter's checkpoint (checkpoint.h) in a file (store.h), a bit per turn of the loop.
 */
#ifndef HOSTMETER_DAEMON_CHECKPOINTER_H
#define HOSTMETER_DAEMON_CHECKPOINTER_H

#include <stdbool.h>
#include <stdint.h>

struct keeper;
struct meter;

/* Keeps in path; nothing is read or written yet. NULL: out of memory. keeper_free(NULL) is fine. */
struct keeper *keeper_new(const char *path);
void keeper_free(struct keeper *keeper);

/*
 * Loads the file into a meter that has metered nothing yet. 0: it goes on from there, or there is no file; -EBADMSG:
 * the file was damaged, of another version or foreign; it was put aside with a warning, and this meter is to be thrown
 * away for a fresh one.
 */
int keeper_load(struct keeper *keeper, struct meter *meter, uint64_t now);

/* It is worth saving now: begins a checkpoint. Nothing before the first complete dump, unless one was loaded. */
void keeper_begin(struct keeper *keeper, struct meter *meter);

/*
 * To be called at the end of each turn: journals what ended in it, and saves the next part. True: there is more to
 * save.
 */
bool keeper_turn(struct keeper *keeper, struct meter *meter, uint64_t now);

/* To be called before totals are shown: what is shown must not fall after a restart. */
void keeper_before_show(struct keeper *keeper, struct meter *meter);

/* Saves all that there is now, in one go: for the end of the process. */
void keeper_finish(struct keeper *keeper, struct meter *meter, uint64_t now);

/* When the last whole checkpoint was saved (as now was told then), 0: never. How many blobs could not be written. */
uint64_t keeper_saved_at(const struct keeper *keeper);
uint64_t keeper_failures(const struct keeper *keeper);

#endif
