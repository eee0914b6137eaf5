/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/file_error.h"

#include <errno.h>
#include <string.h>

const char *file_error_reading(int error)
{
	switch (error) {
	case -EINVAL:
		return "is not a regular file";
	case -EOPNOTSUPP:
		return "is a file that the kernel makes up, as those in /proc: reading it might never end";
	default:
		return strerror(-error);
	}
}

const char *file_error_writing(int error)
{
	switch (error) {
	case -EINVAL:
		return "is not a regular file";
	case -ELOOP:
		return "is a symbolic link, which is not followed: name the file itself";
	case -EEXIST:
		return "exists, and belongs to another user or has a second name: remove it, or choose another name";
	case -ENXIO:
		return "is a FIFO that nobody reads";
	default:
		return strerror(-error);
	}
}
