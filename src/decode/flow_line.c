/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/flow_line.h"

#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

enum { LINE = 1024 }; /* conntrack(8) takes as much */

int flow_line(struct buf *out, const struct nlmsghdr *message)
{
	struct nf_conntrack *ct = nfct_new();
	char line[LINE];
	int len = -1;

	if (!ct)
		return -ENOMEM;
	if (nfct_nlmsg_parse(message, ct) >= 0)
		len = nfct_snprintf(line, sizeof(line), ct, NFCT_T_UNKNOWN, NFCT_O_DEFAULT, NFCT_OF_SHOW_LAYER3);
	nfct_destroy(ct);
	if (len < 0)
		return -EBADMSG;
	buf_add(out, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
	return 0;
}
