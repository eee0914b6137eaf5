/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * read_reported: the documents of the meter as values. What is read is not trusted: what is missing or of another type
 * counts as nothing, texts are cut, lists are bounded.
 */
#ifndef HOSTMETER_AUDIT_READ_REPORTED_H
#define HOSTMETER_AUDIT_READ_REPORTED_H

#include "hostmeter/audit/reported.h"
#include "hostmeter/base/buf.h"

/* Adds what a document says. 0; -EBADMSG if it is no such document, -EPROTO if it is of another schema, -ENOMEM. */
int read_reported_hosts(struct audit_reported *reported, const struct buf *document);
int read_reported_status(struct audit_reported *reported, const struct buf *document);

/* Frees what is inside and begins anew. */
void read_reported_clear(struct audit_reported *reported);

/* One line of the flows. 0; -ENODATA for the line that says that there were more; -EBADMSG, -EPROTO as above. */
int read_reported_flow(struct audit_reported_flow *flow, const char *line, size_t len);

#endif
