/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output: a file that other programs read at any moment, such as node_exporter's textfile collector. */
#ifndef HOSTMETER_OS_FILE_H
#define HOSTMETER_OS_FILE_H

struct buf;

/*
 * Puts out into the file by a temporary file beside it and rename(2): a reader finds the old text or the new, whole.
 * The mode is that of any new file, for the reader is another user. 0, or -errno: the file is as it was.
 */
int output_replace(const char *path, const struct buf *out);

#endif
