/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * observer: what an observer of the meter is told of each decision on a flow, as it is made. Normally there is none,
 * and that costs a look at one pointer.
 */
#ifndef HOSTMETER_METER_OBSERVER_H
#define HOSTMETER_METER_OBSERVER_H

#include "hostmeter/decode/ct_event.h"
#include "hostmeter/meter/attribute.h"

enum observer_kind {
	OBSERVER_BASELINE, /* older than the meter: counted from where it stands */
	OBSERVER_HELD,     /* whose it is is not known yet: its bytes are held back */
	OBSERVER_WAITS,    /* the same of one that has ended: its first packet may still be on its way */
	OBSERVER_DECIDED,  /* whose it is, for its life */
	OBSERVER_COUNTED,  /* delta was added to its host, and to its peer the other way round */
	OBSERVER_RESET,    /* its counters fell: all that they show is new */
	OBSERVER_ENDED,    /* the kernel told its end */
	OBSERVER_GONE,     /* it vanished from the dumps */
	OBSERVER_REPEATED, /* the kernel told again what is known: not counted */
	OBSERVER_EARLY,    /* it ended before the first dump, its age unknown: not counted */
	OBSERVER_KINDS,
};

struct observer_note {
	enum observer_kind kind;
	uint64_t now;
	uint64_t key;                 /* flow_key(): the flow it is about */
	const struct ct_event *event; /* what the kernel said; NULL of one that vanished */
	const struct flow *flow;      /* its record as it is now, or NULL */
	const struct attribute_end
		*end; /* DECIDED: what was known of its two ends, by enum ct_dir; NULL: as when it ended */
	struct traffic_count delta[2]; /* COUNTED: by enum ct_dir */
};

#endif
