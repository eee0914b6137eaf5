/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A meter's documents as anybody could make them: texts end, addresses are the host's own, lists keep to their bounds.
 */
#include "hostmeter/audit/read_reported.h"

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
	struct audit_claim claim = { 0 };
	struct audit_claim_flow flow;
	struct buf document = BUF_INIT;

	buf_add(&document, data, size);
	audit_read_hosts(&claim, &document);
	audit_read_status(&claim, &document);
	for (size_t i = 0; i < claim.hosts; i++) {
		check_text(claim.host[i].label, sizeof(claim.host[i].label));
		check_text(claim.host[i].mac, sizeof(claim.host[i].mac));
		if (claim.host[i].address + claim.host[i].addresses > claim.addresses)
			abort();
	}
	if (claim.links > AUDIT_LINKS)
		abort();
	if (!audit_read_flow(&flow, document.data ? document.data : "", document.len)) {
		check_text(flow.host, sizeof(flow.host));
		check_text(flow.peer_mac, sizeof(flow.peer_mac));
		if (flow.flow.family != 4 && flow.flow.family != 6)
			abort();
	}
	audit_read_clear(&claim);
	buf_free(&document);
	return 0;
}
