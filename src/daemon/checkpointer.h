/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checkpointer: saves a meter's checkpoint (checkpoint.h) to a file (blob_file.h), a part in each turn of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct checkpointer;
struct meter;

/* Nothing is read or written yet. NULL: out of memory. checkpointer_free(NULL) is fine. */
struct checkpointer *checkpointer_new(const char *path);
void checkpointer_free(struct checkpointer *checkpointer);

/*
 * Loads the file into a meter that has metered nothing yet. If it is damaged, what can be proven of it is used, or the
 * file before it with both journals; that is said in one line, and a new checkpoint is saved at once. 0: the meter goes
 * on from there, or there is no file; -EBADMSG: nothing can be used, or the files are of another version or not ours.
 * The file was renamed with a warning, and the caller must replace the meter with a fresh one.
 */
int checkpointer_load(struct checkpointer *checkpointer, struct meter *meter, uint64_t now);

/* Begins a checkpoint. Nothing before the first complete dump, unless a checkpoint was loaded. */
void checkpointer_begin(struct checkpointer *checkpointer, struct meter *meter);

/* To be called at the end of each turn: journals the flows that ended and saves the next part. True: more to save. */
bool checkpointer_turn(struct checkpointer *checkpointer, struct meter *meter, uint64_t now);

/* To be called before totals are shown, since what was shown must not fall after a restart: saves them. */
void checkpointer_before_show(struct checkpointer *checkpointer, struct meter *meter);

/* At the end of the process: saves everything at once. */
void checkpointer_finish(struct checkpointer *checkpointer, struct meter *meter, uint64_t now);

/* When the last whole checkpoint was saved (its caller's now), 0: never. How many writes failed. */
uint64_t checkpointer_saved_at(const struct checkpointer *checkpointer);
uint64_t checkpointer_failures(const struct checkpointer *checkpointer);

/* -errno of the latest write if it failed; 0 again once a whole checkpoint is saved. */
int checkpointer_error(const struct checkpointer *checkpointer);

/* What the start found damaged, missing or repeated: records of the journal and blobs of the checkpoint. */
uint64_t checkpointer_damages(const struct checkpointer *checkpointer);
