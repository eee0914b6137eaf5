/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checkpoint_format.h"

#include "hostmeter/base/le.h"

void checkpoint_put_head(struct buf *out, char kind, const struct hash_key *hash)
{
	le_put(out, kind, 1);
	le_put(out, CHECKPOINT_VERSION, 1);
	le_put(out, hash->k[0], 8);
	le_put(out, hash->k[1], 8);
}

void checkpoint_put_host(struct buf *out, const struct hosts *hosts, uint32_t index)
{
	static const struct host none = { .kind = HOST_KIND_SPECIAL };
	const struct host *host = index == HOST_NONE ? &none : hosts_get(hosts, index);

	le_put(out, host->kind, 1);
	switch (host->kind) {
	case HOST_KIND_MAC:
		buf_add(out, host->mac.b, MAC_LEN);
		break;
	case HOST_KIND_ADDRESS:
		le_put(out, host->addr.family, 1);
		buf_add(out, host->addr.b, sizeof(host->addr.b));
		break;
	default:
		le_put(out, index, 4);
	}
}

void checkpoint_put_counts(struct buf *out, const struct flow_counts *counts)
{
	for (int dir = 0; dir < 2; dir++) {
		le_put(out, counts->bytes[dir], 8);
		le_put(out, counts->packets[dir], 4);
	}
}

void checkpoint_put_flow(struct buf *out, const struct hosts *hosts, const struct flow *flow)
{
	/* Undecided and ignored flows have no host. */
	bool has_host = flow->scope == FLOW_WAN || flow->scope == FLOW_LOCAL;

	le_put(out, flow->key, 8);
	checkpoint_put_counts(out, &flow->counts);
	le_put(out, flow->wan, 4);
	le_put(out,
		flow->scope | flow->by << 2 | flow->host_is_reply << 5 | flow->v6 << 6 | flow->uncounted << 7 |
			flow->offloaded << 8,
		2);
	checkpoint_put_host(out, hosts, has_host ? flow->host : HOST_NONE);
	checkpoint_put_host(out, hosts, has_host ? flow->peer : HOST_NONE);
}
