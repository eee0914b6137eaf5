/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_decode: reads the meter's JSON. It is not trusted: a member that is missing or of another type is 0 or "",
 * texts are cut, lists are bounded.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/watch/connections.h"
#include "hostmeter/watch/sample.h"

/* 0: the caller clears the sample. -EBADMSG: not such a document; -EPROTO: of another schema; -ENOMEM. */
int watch_decode_sample(struct watch_sample *sample, const struct buf *hosts, const struct buf *status);

/* Adds a listing, one object a line, of the host that fresh names. 0, or an error as above and fresh is empty. */
int watch_decode_connections(struct watch_connections *fresh, const struct buf *lines);
