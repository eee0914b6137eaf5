/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own_names: the names that this machine has without our configuration. */
#pragma once

#include <stdbool.h>

/*
 * Whether a Host header is, by negotiate_host(), this machine's host name, or its first label in a domain of the
 * "search" and "domain" lines of resolv_conf. Both are read anew: they change as the network comes up. A file that
 * cannot be read or is longer than 16 KiB has no domain.
 */
bool own_names_match(const char *host, const char *resolv_conf);
