/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run_program: runs another program to its end and takes what it prints; for a client process, never inside the
 * daemon's loop. No shell is between: what stands in the arguments is arguments.
 */
#pragma once

#include "hostmeter/base/buf.h"

/*
 * Looks argv[0] up in PATH and in the usual directories of administrators, runs it with LC_ALL=C, nothing to read and
 * its errors dropped, and appends at most limit bytes of its output. 0; -ENOENT if there is no such program; -EIO if it
 * ended otherwise than well; -ETIMEDOUT, -EFBIG, and then it was killed; -errno.
 */
int run_program(const char *const argv[], struct buf *out, size_t limit, unsigned int timeout_ms);
