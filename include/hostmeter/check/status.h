/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_status: the running meter's /api/v1/status as facts for --check. What is read is not trusted: what is missing
 * or of another type counts as nothing, texts are cut, lists are bounded.
 */
#ifndef HOSTMETER_CHECK_STATUS_H
#define HOSTMETER_CHECK_STATUS_H

#include "hostmeter/base/buf.h"
#include "hostmeter/check/facts.h"

enum { CHECK_STATUS_MOST = 64 };

struct check_status {
	struct check_meter meter;
	uint64_t flows, flows_uncounted, flows_offloaded;
	struct check_link link[CHECK_STATUS_MOST];
	struct check_names names[CHECK_STATUS_MOST];
	char listen[CHECK_STATUS_MOST][CHECK_NAME];
	size_t links, names_count, listens;
};

/* 0; -EBADMSG if it is no such document, -EPROTO if it is of another schema. */
int check_status_read(struct check_status *status, const struct buf *document);

#endif
