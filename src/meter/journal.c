/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal.h"

#include "hostmeter/base/le.h"

enum { MAX_JOURNAL = 1 << 24 }; /* bytes that nobody took */

void journal_put_head(struct buf *out, char kind, const struct hash_key *hash)
{
	le_put(out, kind, 1);
	le_put(out, CHECKPOINT_VERSION, 1);
	le_put(out, hash->k[0], 8);
	le_put(out, hash->k[1], 8);
}

void journal_put_host(struct buf *out, const struct hosts *hosts, uint32_t index)
{
	static const struct host none = { .kind = HOST_KIND_SPECIAL };
	const struct host *host;

	index = hosts_resolve(hosts, index);
	host = index == HOST_NONE ? &none : hosts_get(hosts, index);
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

void journal_put_counts(struct buf *out, const struct flow_counts *counts)
{
	for (int dir = 0; dir < 2; dir++) {
		le_put(out, counts->bytes[dir], 8);
		le_put(out, counts->packets[dir], 4);
	}
}

void journal_put_flow(struct buf *out, const struct hosts *hosts, const struct flow *flow)
{
	bool has_host = flow_has_host(flow);

	le_put(out, flow->key, 8);
	journal_put_counts(out, &flow->counts);
	le_put(out, flow->wan, 4);
	le_put(out,
		(flow->scope & 3) | (flow->scope >> 2) << 9 | flow->by << 2 | flow->host_is_reply << 5 | flow->v6 << 6 |
			flow->uncounted << 7 | flow->offloaded << 8,
		2);
	journal_put_host(out, hosts, has_host ? flow->host : HOST_NONE);
	journal_put_host(out, hosts, has_host ? flow->peer : HOST_NONE);
}

/* --- The journal */

static bool begin(struct journal *journal, char record)
{
	struct buf *out = &journal->blob;

	if (!journal->running || out->len > MAX_JOURNAL)
		return false;
	if (!out->len)
		journal_put_head(out, CHECKPOINT_JOURNAL, journal->hash);
	le_put(out, record, 1);
	return true;
}

void journal_ended(struct journal *journal, const struct flow *flow, const struct flow_counts *last, bool was_decided,
	bool moves_floor)
{
	if (!begin(journal, CHECKPOINT_ENDED))
		return;
	journal_put_flow(&journal->blob, journal->hosts, flow);
	journal_put_counts(&journal->blob, last);
	le_put(&journal->blob, (was_decided ? CHECKPOINT_WAS_DECIDED : 0) | (moves_floor ? CHECKPOINT_MOVES_FLOOR : 0),
		1);
	journal->totals_moved |= !moves_floor;
}

void journal_decided(struct journal *journal, const struct flow *flow)
{
	if (begin(journal, CHECKPOINT_DECIDED))
		journal_put_flow(&journal->blob, journal->hosts, flow);
}

void journal_left(struct journal *journal, uint32_t index)
{
	if (begin(journal, CHECKPOINT_LEFT))
		journal_put_host(&journal->blob, journal->hosts, index);
}

void journal_take(struct journal *journal, struct buf *out)
{
	buf_add(out, journal->blob.data, journal->blob.len);
	buf_reset(&journal->blob);
}
