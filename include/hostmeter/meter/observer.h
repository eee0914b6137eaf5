/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observer: the notes that an observer of the meter gets for each decision on a flow. */
#pragma once

#include "hostmeter/decode/ct_event.h"
#include "hostmeter/meter/attribute.h"

enum observer_kind {
	OBSERVER_BASELINE, /* older than the meter: counted from its present counters */
	OBSERVER_HELD,     /* undecided: the reading is held */
	OBSERVER_WAITS,    /* ended undecided: its first packet may still come */
	OBSERVER_DECIDED,  /* its host is known */
	OBSERVER_COUNTED,  /* delta was added to its host, and in the other direction to its peer */
	OBSERVER_RESET,    /* its counters fell: all of them is new */
	OBSERVER_ENDED,    /* DESTROY */
	OBSERVER_GONE,     /* it is missing from the dumps */
	OBSERVER_REPEATED, /* a repeated DESTROY or a late dump entry: not counted */
	OBSERVER_EARLY,    /* it ended before the first dump, its age unknown: not counted */
	OBSERVER_KINDS,
};

struct observer_note {
	enum observer_kind kind;
	uint64_t now;
	uint64_t key;                    /* flow_key() */
	const struct ct_event *event;    /* NULL: GONE */
	const struct flow *flow;         /* the record after it, or NULL */
	const struct attribute_end *end; /* DECIDED: its ends by enum ct_dir; NULL: decided as guessed when it ended */
	struct traffic_count delta[2];   /* COUNTED: by enum ct_dir */
};
