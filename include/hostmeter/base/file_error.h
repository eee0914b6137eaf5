/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_error: what an error of os/file.h means, in words that fit behind "PATH: ". */
#pragma once

/* error: -errno of what reads a file. */
const char *file_error_reading(int error);

/* error: -errno of file_replace() or file_create(). */
const char *file_error_writing(int error);
