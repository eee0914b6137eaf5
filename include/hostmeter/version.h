/* SPDX-License-Identifier: GPL-2.0-or-later */
/* version: the one place where the version stands. */
#ifndef HOSTMETER_VERSION_H
#define HOSTMETER_VERSION_H

#define HOSTMETER_VERSION "0.1.0"

#endif
