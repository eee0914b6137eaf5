/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit_read: the meter's documents as a claim. What is read is not trusted: what is missing or of another type counts
 * as nothing, texts are cut, lists are bounded.
 */
#ifndef HOSTMETER_AUDIT_READ_REPORTED_H
#define HOSTMETER_AUDIT_READ_REPORTED_H

#include "hostmeter/audit/reported.h"
#include "hostmeter/base/buf.h"

/* Adds what a document says. 0; -EBADMSG if it is no such document, -EPROTO if it is of another schema, -ENOMEM. */
int audit_read_hosts(struct audit_claim *claim, const struct buf *document);
int audit_read_status(struct audit_claim *claim, const struct buf *document);

/* Frees what is inside and begins anew. */
void audit_read_clear(struct audit_claim *claim);

/* One line of the flows. 0; -ENODATA for the line that says that there were more; -EBADMSG, -EPROTO as above. */
int audit_read_flow(struct audit_claim_flow *flow, const char *line, size_t len);

#endif
