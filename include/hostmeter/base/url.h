/* SPDX-License-Identifier: GPL-2.0-or-later */
/* url: the parts of URLs that we read and write: an address with a port, and percent-encoding. */
#pragma once

#include "hostmeter/base/addr.h"
#include "hostmeter/base/buf.h"

/* Reads "ADDR:PORT", "[V6ADDR]:PORT", ":PORT" or "PORT"; family 0 without an address. 0; -EINVAL, also for port 0. */
int url_read_port(const char *text, struct addr *addr, uint16_t *port);

/* Appends text as a value of a query: all but letters, digits and "-._~" percent-encoded (RFC 3986). */
void url_encode(struct buf *out, const char *text);
