/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checkpointer: keeps a meter's checkpoint (checkpoint.h) in a file (store.h), a bit per turn of the loop.
 */
#ifndef HOSTMETER_DAEMON_CHECKPOINTER_H
#define HOSTMETER_DAEMON_CHECKPOINTER_H

#include <stdbool.h>
#include <stdint.h>

struct checkpointer;
struct meter;

/* Keeps in path; nothing is read or written yet. NULL: out of memory. checkpointer_free(NULL) is fine. */
struct checkpointer *checkpointer_new(const char *path);
void checkpointer_free(struct checkpointer *checkpointer);

/*
 * Loads the file into a meter that has metered nothing yet. 0: it goes on from there, or there is no file; -EBADMSG:
 * the file was damaged, of another version or foreign; it was put aside with a warning, and this meter is to be thrown
 * away for a fresh one.
 */
int checkpointer_load(struct checkpointer *checkpointer, struct meter *meter, uint64_t now);

/* It is worth saving now: begins a checkpoint. Nothing before the first complete dump, unless one was loaded. */
void checkpointer_begin(struct checkpointer *checkpointer, struct meter *meter);

/*
 * To be called at the end of each turn: journals what ended in it, and saves the next part. True: there is more to
 * save.
 */
bool checkpointer_turn(struct checkpointer *checkpointer, struct meter *meter, uint64_t now);

/* To be called before totals are shown: what is shown must not fall after a restart. */
void checkpointer_before_show(struct checkpointer *checkpointer, struct meter *meter);

/* Saves all that there is now, in one go: for the end of the process. */
void checkpointer_finish(struct checkpointer *checkpointer, struct meter *meter, uint64_t now);

/* When the last whole checkpoint was saved (as now was told then), 0: never. How many blobs could not be written. */
uint64_t checkpointer_saved_at(const struct checkpointer *checkpointer);
uint64_t checkpointer_failures(const struct checkpointer *checkpointer);

#endif
