/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * negotiate: what a client's headers ask for, RFC 9110, section 12. A header that is missing is NULL. What is badly
 * formed counts as not said.
 */
#pragma once

#include "hostmeter/export/prometheus.h"

#include <stdbool.h>
#include <stddef.h>

/* The format for Accept; PROMETHEUS_TEXT unless OpenMetrics is wanted more, and also where neither is wanted. */
enum prometheus_format negotiate_format(const char *accept);

/* Whether Accept-Encoding asks for gzip rather than for the plain bytes. */
bool negotiate_gzip(const char *accept_encoding);

/*
 * Whether Host names this server: an IP address, one of names (any case), or a name that no public DNS has, such as
 * "router" or "router.lan"; with or without a port and the dot of the root. A page of another name that was made to
 * resolve to our address (DNS rebinding) gives that name here. A request without Host comes from no browser: true.
 */
bool negotiate_host(const char *host, const char *const *names, size_t count);
