/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_nl: nl.h and the timers of loop.h without kernel and time, for one test program: sockets open or fail as the
 * test says, timers fire when it moves the clock, and every call is noted as a word.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/netlink/nl.h"
#include "hostmeter/os/loop.h"

#include "netlink_build.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define S UINT64_C(1000000000)
#define FAKE_CT_SEQ 7 /* of the entries that build_ct() makes, so of their request */

struct loop {
	uint64_t now;
	bool stopped;
	struct loop_timer *timer[4];
};

struct loop_timer {
	struct loop *loop;
	void (*fired)(void *ctx);
	void *ctx;
	uint64_t due; /* 0: stopped */
};

struct nl {
	struct nl_callbacks call;
	bool open[SOURCE_COUNT];
	uint32_t seq; /* of the latest request of rtnetlink */
};

static struct {
	struct loop loop;
	struct nl *nl;
	int fails[SOURCE_COUNT]; /* what opening returns */
	int dump_fails;          /* what requesting a dump returns */
	bool dumping[SOURCE_COUNT];
	struct buf calls;
} fake;

static inline void fake_begin(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.loop.now = 1000 * S;
}

static inline void fake_note(const char *what, const char *of)
{
	buf_printf(&fake.calls, "%s%s ", what, of);
}

/* The words since the last check. */
#define fake_check(expected)                                                                                           \
	do {                                                                                                           \
		assert_string_equal(buf_text(&fake.calls), expected);                                                  \
		buf_reset(&fake.calls);                                                                                \
	} while (0)

/* --- loop.h */

uint64_t loop_now_ns(const struct loop *loop)
{
	return loop->now;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

struct loop_timer *loop_timer_add(struct loop *loop, void (*fired)(void *ctx), void *ctx)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));
	size_t i = 0;

	while (loop->timer[i])
		i++;
	if (!timer)
		abort();
	*timer = (struct loop_timer){ loop, fired, ctx, 0 };
	return loop->timer[i] = timer;
}

void loop_timer_set(struct loop_timer *timer, uint64_t delay_ns)
{
	timer->due = timer->loop->now + delay_ns;
}

void loop_timer_del(struct loop_timer *timer)
{
	for (size_t i = 0; timer && i < 4; i++)
		if (timer->loop->timer[i] == timer)
			timer->loop->timer[i] = NULL;
	free(timer);
}

static inline struct loop_timer *fake_next_timer(uint64_t until)
{
	struct loop_timer *next = NULL;

	for (size_t i = 0; i < 4; i++) {
		struct loop_timer *timer = fake.loop.timer[i];

		if (timer && timer->due && timer->due <= until && (!next || timer->due < next->due))
			next = timer;
	}
	return next;
}

/* Moves the clock on; what becomes due is called at its time. */
static inline void fake_advance(uint64_t ns)
{
	uint64_t until = fake.loop.now + ns;

	for (struct loop_timer *timer; (timer = fake_next_timer(until));) {
		fake.loop.now = timer->due;
		timer->due = 0;
		timer->fired(timer->ctx);
	}
	fake.loop.now = until;
}

/* --- nl.h */

struct nl *nl_new(struct loop *loop, const struct nl_options *options, const struct nl_callbacks *callbacks)
{
	(void)loop, (void)options;
	fake.nl = calloc(1, sizeof(*fake.nl));
	if (!fake.nl)
		abort();
	fake.nl->call = *callbacks;
	return fake.nl;
}

void nl_free(struct nl *nl)
{
	free(nl);
	buf_free(&fake.calls);
}

uint16_t nl_source_protocol(enum source source)
{
	return source == SOURCE_RTNL ? NETLINK_ROUTE : NETLINK_NETFILTER;
}

int nl_open_source(struct nl *nl, enum source source)
{
	fake_note("open-", source_name(source));
	if (nl->open[source])
		return -EALREADY;
	nl->open[source] = !fake.fails[source];
	return fake.fails[source];
}

bool nl_is_open(const struct nl *nl, enum source source)
{
	return nl->open[source];
}

size_t nl_receive_buffer(const struct nl *nl, enum source source)
{
	return nl->open[source] ? 100 + (size_t)source : 0;
}

size_t nl_receive_buffer_asked(const struct nl *nl, enum source source)
{
	(void)nl;
	return 200 + (size_t)source;
}

int nl_set_reliable(struct nl *nl, bool on)
{
	(void)nl;
	fake_note(on ? "reliable" : "unreliable", "");
	return 0;
}

bool nl_drain(struct nl *nl, enum source source, unsigned int datagrams)
{
	(void)nl, (void)datagrams;
	fake_note("drain-", source_name(source));
	return false;
}

bool nl_is_dumping(const struct nl *nl, enum source source)
{
	(void)nl;
	return fake.dumping[source];
}

/* A request of ours, which goes to the same callback as what is received. */
static inline void fake_request(enum source source, uint16_t type, uint32_t seq)
{
	struct rtgenmsg fixed = { .rtgen_family = AF_UNSPEC };
	union message m;

	build_start(&m, type, &fixed, sizeof(fixed));
	m.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m.head.nlmsg_seq = seq;
	fake.dumping[source] = true;
	fake.nl->call.datagram(fake.nl->call.ctx, source, true, &m, m.head.nlmsg_len);
}

int nl_dump_conntrack(struct nl *nl)
{
	(void)nl;
	fake_note("dump-flows", "");
	if (!fake.dump_fails)
		fake_request(SOURCE_DUMP, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, FAKE_CT_SEQ);
	return fake.dump_fails;
}

/* The first of its dumps; the others are the test's to request. */
int nl_dump_rtnl(struct nl *nl)
{
	fake_note("dump-network", "");
	if (!fake.dump_fails)
		fake_request(SOURCE_RTNL, RTM_GETLINK, ++nl->seq);
	return fake.dump_fails;
}

int nl_dump_links(struct nl *nl)
{
	(void)nl;
	fake_note("dump-links", "");
	return 0;
}

/* --- What the kernel says */

static inline void fake_receive(enum source source, const struct nlmsghdr *message)
{
	fake.nl->call.datagram(fake.nl->call.ctx, source, false, message, message->nlmsg_len);
}

/* The end of the dump with this number. */
static inline void fake_done(enum source source, uint32_t seq)
{
	int status = 0;
	union message m;

	build_start(&m, NLMSG_DONE, &status, sizeof(status));
	m.head.nlmsg_flags = NLM_F_MULTI;
	m.head.nlmsg_seq = seq;
	fake.dumping[source] = false;
	fake_receive(source, &m.head);
}

static inline void fake_overrun(enum source source)
{
	fake.nl->call.overrun(fake.nl->call.ctx, source);
}

static inline void fake_failed(enum source source, int error)
{
	fake.nl->open[source] = false;
	fake.nl->call.failed(fake.nl->call.ctx, source, error);
}
