/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A meter's documents as anybody could make them: texts end, addresses are the host's own, lists keep to their bounds.
 */
#include "hostmeter/audit/reported.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
	if (!memchr(text, 0, size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audit_reported reported = { 0 };
	struct audit_reported_flow flow;
	struct buf document = BUF_INIT;

	buf_add(&document, data, size);
	reported_read_hosts(&reported, &document);
	reported_read_status(&reported, &document);
	for (size_t i = 0; i < reported.hosts; i++) {
		check_text(reported.host[i].label, sizeof(reported.host[i].label));
		check_text(reported.host[i].mac, sizeof(reported.host[i].mac));
		if (reported.host[i].address + reported.host[i].addresses > reported.addresses)
			abort();
	}
	if (reported.links > AUDIT_LINKS)
		abort();
	if (!reported_read_flow(&flow, document.data ? document.data : "", document.len)) {
		check_text(flow.host, sizeof(flow.host));
		check_text(flow.peer_mac, sizeof(flow.peer_mac));
		if (flow.flow.family != 4 && flow.flow.family != 6)
			abort();
	}
	reported_clear(&reported);
	buf_free(&document);
	return 0;
}
