/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl_dump: where a series of netlink dumps stands: what to request next, and when a datagram ends a step. No socket.
 * One step after the other, since a socket can have one dump at a time; a step that the kernel says was interrupted
 * (NLM_F_DUMP_INTR: the table changed under it) is requested again, a few times.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

/* What can be dumped, one step each, in the order in which the network's shape is asked for. */
enum nl_dump_step { NL_DUMP_CONNTRACK, NL_DUMP_LINK, NL_DUMP_ADDR, NL_DUMP_STEPS = 9 };

enum { NL_DUMP_REQUEST_MAX = 64 };

/* The steps still to do are those from step up to end; it runs while there are any. All zero: at rest. */
struct nl_dump {
	unsigned int step, end;
	unsigned int retries;
	uint32_t seq;
	bool interrupted;
};

void nl_dump_start(struct nl_dump *dump, unsigned int step, unsigned int end);
void nl_dump_stop(struct nl_dump *dump);
bool nl_dump_runs(const struct nl_dump *dump);

/*
 * The request of the current step, in buffer (NL_DUMP_REQUEST_MAX bytes, aligned for struct nlmsghdr); answers will
 * have this seq.
 */
const struct nlmsghdr *nl_dump_request(struct nl_dump *dump, void *buffer, uint32_t seq);

enum nl_dump_told {
	NL_DUMP_GOES_ON,
	NL_DUMP_NEXT,    /* the step is over and another is to be requested, or the same again */
	NL_DUMP_ENDS,    /* all steps are over */
	NL_DUMP_REFUSED, /* EBUSY: a dump that was given up still goes on in the kernel; to be tried again later */
};

/* Looks through one datagram that was received while the dump runs. */
enum nl_dump_told nl_dump_take(struct nl_dump *dump, const void *datagram, size_t len);
