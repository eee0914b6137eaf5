/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_decode: reads the JSON documents that api and flow_list write. The input is not trusted: a member that is
 * missing or of another type counts as 0 or "", texts are cut, lists are bounded.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/watch/connections.h"
#include "hostmeter/watch/sample.h"

/* 0 and a sample to be cleared; -EBADMSG if one is no such document, -EPROTO if it is of another schema, -ENOMEM. */
int watch_decode_sample(struct watch_sample *sample, const struct buf *hosts, const struct buf *status);

/* Adds a listing, one object a line, to the host that fresh names. 0, or as above with nothing to be cleared. */
int watch_decode_connections(struct watch_connections *fresh, const struct buf *lines);
