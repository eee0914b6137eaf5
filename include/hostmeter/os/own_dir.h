/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own_dir: a directory of files that belongs to one running process. Nobody but root and its owner can write in it, and
 * a lock on its file "lock" keeps a second process out.
 *
 * The lock is one of fcntl(2) that belongs to a process (F_SETLK): it ends with the process, however that ends, child
 * processes do not have it, and the kernel tells whose it is. It also ends when the process closes any descriptor of
 * the file: so nothing else opens that file.
 */
#pragma once

#include <sys/types.h>

enum { OWN_DIR_FAULT = 512 };

struct own_dir;

/*
 * Makes the directory if need be, and takes it. It has to belong to root, to us or to user; or, if we are root, to a
 * meter that ran as another user and left its lock there: own_dir_check() has to follow once it was given to user. 0;
 * or -errno, and fault is a line that says what is wrong and how to mend it: -EBUSY if another process has it.
 */
int own_dir_take(struct own_dir **dir, const char *path, uid_t user, char fault[static OWN_DIR_FAULT]);

/* Whether it belongs to root, to us or to user, and nobody else can write in it. As own_dir_take(). */
int own_dir_check(struct own_dir *dir, uid_t user, char fault[static OWN_DIR_FAULT]);

/* Gives it back. NULL is fine. */
void own_dir_free(struct own_dir *dir);

/*
 * To be called now and then: takes the directory again if somebody has removed it or the lock, and it is there again.
 * 0, also while it is not there; else as own_dir_take().
 */
int own_dir_keep(struct own_dir *dir, char fault[static OWN_DIR_FAULT]);
