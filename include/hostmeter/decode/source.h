/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source: where news of the kernel comes from; the value of the label source. */
#pragma once

enum source {
	SOURCE_EVENTS, /* conntrack events */
	SOURCE_DUMP,   /* conntrack dumps */
	SOURCE_NFLOG,  /* first packets */
	SOURCE_RTNL,   /* links, addresses, routes, neighbours */
	SOURCE_COUNT,
};

/* "events", "dump", "nflog", "rtnetlink". */
static inline const char *source_name(enum source source)
{
	static const char *const names[SOURCE_COUNT] = { "events", "dump", "nflog", "rtnetlink" };

	return names[source];
}
