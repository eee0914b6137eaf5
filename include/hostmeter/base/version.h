/* SPDX-License-Identifier: GPL-2.0-or-later */
/* version: the one place where the version stands. */
#pragma once

#define HOSTMETER_VERSION "0.1.0"

/* Of the JSON that the API answers: raised when a field changes its meaning or goes; a new field is no change. */
enum { API_SCHEMA = 1 };
