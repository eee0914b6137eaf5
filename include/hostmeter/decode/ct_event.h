/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ct_event: one conntrack entry as the kernel told it, in plain values. */
#pragma once

#include "hostmeter/base/addr.h"

/* The direction of a packet or counter relative to who began the flow. */
enum ct_dir { CT_ORIGINAL, CT_REPLY };

enum ct_event_type {
	CT_NEW,     /* event: a flow began (no counters in it) */
	CT_UPDATE,  /* event: its state changed (no counters) */
	CT_DESTROY, /* event: it ended; carries the final counters */
	CT_ENTRY,   /* a line of a dump: it lives, or lived a moment ago */
};

/* Who and which port; for ICMP the id stands in both ports, for protocols without ports 0. Host byte order. */
struct ct_tuple {
	struct addr src, dst;
	uint16_t sport, dport;
};

struct ct_event {
	uint8_t type;      /* enum ct_event_type */
	uint8_t family;    /* 4 or 6 */
	uint8_t proto;     /* IPPROTO_… */
	bool has_counters; /* false: the flow was born before nf_conntrack_acct=1, or the kernel left them out */
	uint16_t zone;     /* of the original direction */
	uint8_t icmp_type, icmp_code;  /* original direction; part of the kernel's tuple */
	uint32_t id;                   /* CTA_ID */
	uint32_t status;               /* CTA_STATUS: IPS_… of nf_conntrack_common.h */
	uint64_t key;                  /* flow_key(), once somebody worked it out; 0: nobody did */
	uint64_t start_ns;             /* real time of birth, 0 unless nf_conntrack_timestamp=1 */
	uint64_t bytes[2], packets[2]; /* by enum ct_dir; valid where has_counters */
	struct ct_tuple tuple[2];      /* last: the decoder zeroes what precedes it */
};
