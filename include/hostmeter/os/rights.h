/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rights: what this process and its children keep of root's rights. rights_choose() comes before the first file is made
 * and the first child is forked, rights_drop() after all is open that needs more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Who the meter becomes if nobody is named and there is such a user. */
#define RIGHTS_USER "hostmeter"

/*
 * Who this process, if it is root's, becomes: user, or RIGHTS_USER where user is NULL, or nobody else where there is no
 * user of that name. filter: whether system calls are filtered from the drop on. 0; -ENOENT: there is no such user;
 * -EPERM: this process is another user's, and cannot become that one; another -errno.
 */
int rights_choose(const char *user, bool filter);

/* Instead: the user that this process is. */
void rights_stay(void);

uid_t rights_uid(void); /* who was chosen */

/* The same for messages: "root", "user hostmeter". */
const char *rights_name(void);

/* Whether the chosen user may make files in this directory: 0 or -errno. A child tries it. */
int rights_try(const char *directory);

/*
 * Gives the chosen user those files of a directory that are there, where they are regular files or sockets with one
 * name; and the directory itself, if there is nothing else in it. names ends with NULL. 0, also if this is not root; or
 * -errno.
 */
int rights_give_directory(const char *path, const char *const *names);

/* The same for one file. */
int rights_give_file(const char *path);

/*
 * Becomes the chosen user with the one right CAP_NET_ADMIN, nothing that a program could inherit, and no_new_privs.
 * Then the filter is loaded (syscall_filter.h): *filtered is 0, or -errno if there is none. 0 or -errno.
 */
int rights_drop(int *filtered);

/* For a child, forked before the drop or after: the chosen user without any capability. 0 or -errno. */
int rights_drop_all(void);

/* For a child, after all else that it prepares: its filter, if one was chosen and can be had. */
void rights_filter_child(void);
