/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/dispatch.h"

#include "hostmeter/meter/meter.h"

#include "events.h"
#include "netlink_build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* --- Datagrams */

struct datagram {
	_Alignas(8) char bytes[32768];
	size_t len;
	size_t ends[128]; /* where each message ends, without padding */
	int messages;
};

static void add(struct datagram *d, const struct nlmsghdr *message)
{
	memcpy(d->bytes + d->len, message, message->nlmsg_len);
	d->ends[d->messages++] = d->len + message->nlmsg_len;
	d->len += NLMSG_ALIGN(message->nlmsg_len);
}

static void add_flow(struct datagram *d, struct ct_event event, uint32_t seq, uint16_t more_flags)
{
	union message m;

	build_ct(&m, &event, 0);
	m.head.nlmsg_seq = seq;
	m.head.nlmsg_flags |= more_flags;
	add(d, &m.head);
}

static void add_request(struct datagram *d, uint16_t type, uint8_t family, uint32_t seq, uint16_t flags)
{
	struct rtgenmsg fixed = { .rtgen_family = family };
	union message m;

	build_start(&m, type, &fixed, sizeof(fixed));
	m.head.nlmsg_flags = flags;
	m.head.nlmsg_seq = seq;
	add(d, &m.head);
}

/* NLMSG_DONE, NLMSG_ERROR, NLMSG_OVERRUN: what matters of them is in the header. */
static void add_control(struct datagram *d, uint16_t type, uint32_t seq, uint16_t flags)
{
	struct nlmsgerr fixed = { .error = type == NLMSG_ERROR ? -16 : 0 };
	union message m;

	build_start(&m, type, &fixed, type == NLMSG_ERROR ? sizeof(fixed) : 4);
	m.head.nlmsg_flags = flags;
	m.head.nlmsg_seq = seq;
	add(d, &m.head);
}

#define CT_GET (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET)
#define DUMP_REQUEST (NLM_F_REQUEST | NLM_F_DUMP)

/* --- A meter behind it */

struct world {
	struct meter *meter;
	struct dispatch *dispatch;
	uint64_t now;
	unsigned int dumps_begun, dumps_ended, dumps_complete, entries, topology_known; /* as a listener is told */
	unsigned int entries_at_end;
	bool asks; /* the listener requests another dump when the first ended */
};

static void request(struct world *w, uint16_t type, uint8_t family, uint32_t seq);

static void on_topology_known(void *ctx)
{
	struct world *w = ctx;

	w->topology_known++;
}

static void on_dump_began(void *ctx, uint64_t now)
{
	struct world *w = ctx;

	assert_int_equal(w->dumps_begun, w->dumps_ended);
	assert_true(now < w->now);
	w->dumps_begun++;
}

static void on_entry(void *ctx, const struct nlmsghdr *message, const struct ct_event *event)
{
	struct world *w = ctx;
	struct meter_flow flow;

	assert_int_equal(message->nlmsg_type & 0xff, IPCTNL_MSG_CT_NEW);
	assert_true(meter_find_flow(w->meter, event, &flow)); /* the meter has it */
	w->entries++;
}

static void on_dump_ended(void *ctx, bool complete, uint64_t now)
{
	struct world *w = ctx;

	assert_true(now < w->now);
	w->dumps_ended++;
	w->dumps_complete += complete;
	w->entries_at_end = w->entries;
	if (w->asks && w->dumps_ended == 1)
		request(w, CT_GET, AF_UNSPEC, 99);
}

static struct world *world_new(void)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 100 };
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->now = UINT64_C(1000000000000);
	w->meter = meter_new(&options);
	w->dispatch = dispatch_new(w->meter);
	assert_non_null(w->dispatch);
	assert_int_equal(dispatch_subscribe(w->dispatch,
				 &(struct dispatch_listener){
					 w, on_topology_known, on_dump_began, on_entry, on_dump_ended }),
		0);
	return w;
}

static int begin(void **state)
{
	*state = world_new();
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	dispatch_free(w->dispatch);
	meter_free(w->meter);
	free(w);
	return 0;
}

static void give(struct world *w, uint16_t protocol, bool outgoing, const struct datagram *d)
{
	dispatch_datagram(w->dispatch, protocol, outgoing, d->bytes, d->len, w->now++);
}

static void request(struct world *w, uint16_t type, uint8_t family, uint32_t seq)
{
	struct datagram d = { .len = 0 };

	add_request(&d, type, family, seq, DUMP_REQUEST);
	give(w, type == CT_GET ? NETLINK_NETFILTER : NETLINK_ROUTE, true, &d);
}

static void control(struct world *w, uint16_t protocol, uint16_t type, uint32_t seq, uint16_t flags)
{
	struct datagram d = { .len = 0 };

	add_control(&d, type, seq, flags);
	give(w, protocol, false, &d);
}

static void link_message(struct world *w, const char *name, uint32_t ifindex)
{
	struct rtnl_event event = event_link(ifindex, name, 0, ARPHRD_ETHER);
	struct datagram d = { .len = 0 };
	union message m;

	add(&d, build_link(&m, &event));
	give(w, NETLINK_ROUTE, false, &d);
}

static struct snapshot look(const struct world *w)
{
	struct snapshot s;

	assert_int_equal(meter_snapshot(w->meter, &s, w->now), 0);
	return s;
}

#define CHECK(w, member, value)                                                                                        \
	do {                                                                                                           \
		struct snapshot s_ = look(w);                                                                          \
		uint64_t got_ = s_.member;                                                                             \
		snapshot_clear(&s_);                                                                                   \
		assert_int_equal(got_, value);                                                                         \
	} while (0)

static struct ct_event flow(uint32_t id, enum ct_event_type type)
{
	struct ct_event e = event_flow("192.168.1.10", "203.0.113.80");

	e.type = type;
	e.id = id;
	return e;
}

/* --- Framing */

static void all_messages_of_a_datagram_count(void **state)
{
	struct world *w = *state;
	struct datagram d = { .len = 0 }, logged = { .len = 0 };
	struct rtnl_event link = event_link(7, "eth7", 0, ARPHRD_ETHER);
	struct rtnl_event neigh = event_neigh(7, "192.168.1.10", DESKTOP);
	static const uint8_t tcp[20] = { 0x9c, 0x40, 0x01, 0xbb };
	struct mac mac = event_mac(DESKTOP);
	uint8_t packet[64];
	union message m;

	request(w, CT_GET, AF_UNSPEC, 9);
	for (uint32_t i = 0; i < 5; i++)
		add_flow(&d, flow(i, CT_ENTRY), 9, 0);
	add_flow(&d, flow(77, CT_DESTROY), 0, 0);
	give(w, NETLINK_NETFILTER, false, &d);
	CHECK(w, stats.entries, 5);
	CHECK(w, stats.destroys, 1);
	CHECK(w, flows, 5);

	for (int i = 0; i < 3; i++)
		add(&logged,
			build_nflog(&m, 3, 2, mac.b, 6, packet,
				build_ip4(packet, 6, "192.168.1.10", "203.0.113.80", tcp, sizeof(tcp))));
	add_control(&logged, NLMSG_DONE, 0, 0); /* as NFLOG ends a batch: no dump's end */
	give(w, NETLINK_NETFILTER, false, &logged);
	CHECK(w, stats.sightings, 3);
	assert_int_equal(w->dumps_ended, 0);

	d.len = 0;
	add(&d, build_link(&m, &link));
	add(&d, build_neigh(&m, &neigh, MAC_LEN));
	give(w, NETLINK_ROUTE, false, &d);
	CHECK(w, links, 1);
	CHECK(w, neighbours, 1);
	assert_string_equal(topology_name(meter_topology(w->meter), 7), "eth7");
	CHECK(w, stats.damaged, 0);
}

/* Entries are taken in batches; what follows them comes after them all the same. */
static void entries_keep_their_order(void **state)
{
	struct world *w = *state;
	struct datagram d = { .len = 0 };
	enum { MANY = 77 };

	request(w, CT_GET, AF_UNSPEC, 9);
	for (uint32_t i = 0; i < MANY; i++)
		add_flow(&d, flow(i, CT_ENTRY), 9, 0);
	add_flow(&d, flow(MANY - 1, CT_DESTROY), 0, 0); /* of the entry just before it */
	add_control(&d, NLMSG_DONE, 9, NLM_F_MULTI);
	give(w, NETLINK_NETFILTER, false, &d);
	CHECK(w, stats.entries, MANY);
	CHECK(w, stats.destroys, 1);
	CHECK(w, flows, MANY - 1);
	CHECK(w, stats.baselined, MANY); /* all of them before the end of the first dump */
	CHECK(w, stats.duplicates, 0);
	CHECK(w, stats.dumps, 1);
	CHECK(w, stats.ended_before_first_dump, 0);
}

/* A datagram in memory of exactly its size, so that the address sanitizer sees a byte read behind it. */
static void give_cut(struct world *w, const struct datagram *d, size_t len)
{
	void *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, d->bytes, len);
	dispatch_datagram(w->dispatch, NETLINK_NETFILTER, false, copy, len, w->now);
	free(copy);
}

static void cut_at_every_byte(void **state)
{
	struct datagram d = { .len = 0 };

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		add_flow(&d, flow(i, CT_ENTRY), 0, 0);
	for (size_t len = 0; len <= d.len; len++) {
		struct world *w = world_new();
		void *ended = w;
		uint64_t whole = 0;

		while ((int)whole < d.messages && d.ends[whole] <= len)
			whole++;
		give_cut(w, &d, len);
		CHECK(w, stats.entries, whole);
		CHECK(w, stats.damaged, len > (whole ? d.ends[whole - 1] : 0));
		end(&ended);
	}
}

static void lengths_that_lie(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 15, 17, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
	struct world *w = *state;
	uint64_t damaged = 0;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct datagram d = { .len = 0 };

		add_flow(&d, flow(1, CT_ENTRY), 0, 0);
		((struct nlmsghdr *)d.bytes)->nlmsg_len = lengths[i];
		give_cut(w, &d, d.len);
		CHECK(w, stats.entries, 0);
		damaged += lengths[i] == 17 ? 2 : 1; /* 17 bytes are a message, if a bad one: so is what follows */
		CHECK(w, stats.damaged, damaged);
	}
}

static void damaged_messages_are_counted(void **state)
{
	struct world *w = *state;
	struct datagram d = { .len = 0 };
	struct ct_event event = flow(1, CT_ENTRY);
	struct rtnl_event link = event_link(7, "eth7", 0, ARPHRD_ETHER);
	union message m;

	add(&d, build_ct(&m, &event, BUILD_NO_REPLY));
	add_flow(&d, flow(2, CT_ENTRY), 0, 0); /* the next one is fine */
	give(w, NETLINK_NETFILTER, false, &d);
	CHECK(w, stats.damaged, 1);
	CHECK(w, stats.entries, 1);

	d.len = 0;
	add(&d, build_nflog(&m, 3, 2, NULL, 0, "x", 1));
	give(w, NETLINK_NETFILTER, false, &d);
	CHECK(w, stats.damaged, 2);

	d.len = 0;
	build_link(&m, &link);
	m.head.nlmsg_len = NLMSG_LENGTH(4);
	add(&d, &m.head);
	give(w, NETLINK_ROUTE, false, &d);
	CHECK(w, stats.damaged, 3);

	/* What is of no interest is no damage. */
	d.len = 0;
	add_control(&d, NLMSG_NOOP, 0, 0);
	add_request(&d, NFNL_SUBSYS_QUEUE << 8, AF_INET, 0, 0);
	give(w, NETLINK_NETFILTER, false, &d);
	CHECK(w, stats.damaged, 3);
}

/* --- Dumps of connections */

static void a_dump_from_request_to_done(void **state)
{
	struct world *w = *state;
	struct datagram d = { .len = 0 };

	request(w, CT_GET, AF_UNSPEC, 9);
	add_flow(&d, flow(1, CT_ENTRY), 9, 0);
	give(w, NETLINK_NETFILTER, false, &d);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 8, NLM_F_MULTI); /* somebody else's */
	control(w, NETLINK_ROUTE, NLMSG_DONE, 9, NLM_F_MULTI);
	CHECK(w, stats.dumps, 0);
	assert_int_equal(w->dumps_ended, 0);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 9, NLM_F_MULTI);
	CHECK(w, stats.dumps, 1);
	CHECK(w, stats.dumps_incomplete, 0);
	CHECK(w, ready, 1);
	assert_int_equal(w->dumps_ended, 1);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 9, NLM_F_MULTI); /* it ended already */
	assert_int_equal(w->dumps_ended, 1);
}

static void only_our_own_dump_requests_begin_one(void **state)
{
	struct world *w = *state;
	struct datagram d = { .len = 0 };

	add_request(&d, CT_GET, AF_UNSPEC, 9, DUMP_REQUEST);
	give(w, NETLINK_NETFILTER, false, &d); /* received */
	d.len = 0;
	add_request(&d, CT_GET, AF_UNSPEC, 9, NLM_F_REQUEST); /* for one entry */
	add_request(&d, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS_CPU, AF_UNSPEC, 9, DUMP_REQUEST);
	give(w, NETLINK_NETFILTER, true, &d);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 9, NLM_F_MULTI);
	CHECK(w, stats.dumps, 0);
	/* What we send is no news. */
	d.len = 0;
	add_flow(&d, flow(1, CT_ENTRY), 9, 0);
	give(w, NETLINK_NETFILTER, true, &d);
	CHECK(w, stats.entries, 0);
}

static void an_interrupted_dump_is_incomplete(void **state)
{
	struct world *w = *state;
	struct datagram d = { .len = 0 };

	request(w, CT_GET, AF_UNSPEC, 9);
	add_flow(&d, flow(1, CT_ENTRY), 9, NLM_F_DUMP_INTR);
	add_flow(&d, flow(2, CT_ENTRY), 9, 0);
	give(w, NETLINK_NETFILTER, false, &d);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 9, NLM_F_MULTI);
	CHECK(w, stats.dumps, 1);
	CHECK(w, stats.dumps_incomplete, 1);
	CHECK(w, ready, 0);
	/* The flag may stand on the last message only; and the next dump starts with a clean sheet. */
	request(w, CT_GET, AF_UNSPEC, 10);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 10, NLM_F_MULTI | NLM_F_DUMP_INTR);
	CHECK(w, stats.dumps_incomplete, 2);
	request(w, CT_GET, AF_UNSPEC, 11);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 11, NLM_F_MULTI);
	CHECK(w, stats.dumps, 3);
	CHECK(w, stats.dumps_incomplete, 2);
	CHECK(w, ready, 1);
}

static void a_dump_may_fail(void **state)
{
	struct world *w = *state;

	request(w, CT_GET, AF_UNSPEC, 9);
	control(w, NETLINK_NETFILTER, NLMSG_ERROR, 9, 0);
	CHECK(w, stats.dumps_incomplete, 1);
	assert_int_equal(w->dumps_ended, 1);
	/* One that was asked for before the last one's end replaces it. */
	request(w, CT_GET, AF_UNSPEC, 10);
	request(w, CT_GET, AF_UNSPEC, 11);
	CHECK(w, stats.dumps_incomplete, 2);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 10, NLM_F_MULTI);
	CHECK(w, stats.dumps, 2);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 11, NLM_F_MULTI);
	CHECK(w, stats.dumps, 3);
	CHECK(w, stats.dumps_incomplete, 2);
	/* Nothing in the air: nothing to break off. */
	dispatch_dump_aborted(w->dispatch, w->now++);
	assert_int_equal(w->dumps_ended, 3);
	request(w, CT_GET, AF_UNSPEC, 12);
	dispatch_dump_aborted(w->dispatch, w->now++);
	assert_int_equal(w->dumps_ended, 4);
	CHECK(w, stats.dumps_incomplete, 3);
}

/* The end is told when the whole datagram has been read: a listener may then send requests. */
static void listeners_are_told_of_a_dump(void **state)
{
	struct world *w = *state;
	struct datagram d = { .len = 0 };

	w->asks = true;
	request(w, CT_GET, AF_UNSPEC, 9);
	assert_int_equal(w->dumps_begun, 1);
	add_flow(&d, flow(1, CT_ENTRY), 9, 0);
	add_flow(&d, flow(5, CT_DESTROY), 0, 0); /* no entry */
	add_control(&d, NLMSG_DONE, 9, NLM_F_MULTI);
	add_flow(&d, flow(2, CT_ENTRY), 9, 0);
	give(w, NETLINK_NETFILTER, false, &d);
	assert_int_equal(w->entries_at_end, 2);
	assert_int_equal(w->dumps_ended, 1);
	assert_int_equal(w->dumps_complete, 1);
	assert_int_equal(w->dumps_begun, 2);
	control(w, NETLINK_NETFILTER, NLMSG_ERROR, 99, 0);
	assert_int_equal(w->dumps_ended, 2);
	assert_int_equal(w->dumps_complete, 1);
	assert_int_equal(w->topology_known, 0);
}

static void listeners_are_few(void **state)
{
	struct world *w = *state;
	const struct dispatch_listener deaf = { 0 };

	for (int i = 1; i < DISPATCH_LISTENERS; i++)
		assert_int_equal(dispatch_subscribe(w->dispatch, &deaf), 0);
	assert_int_equal(dispatch_subscribe(w->dispatch, &deaf), -ENOSPC);
	listeners_are_told_of_a_dump(state);
}

/* As a trace tells it: the source is in the sequence number. */
static void overruns(void **state)
{
	struct world *w = *state;

	request(w, CT_GET, AF_UNSPEC, 9);
	control(w, NETLINK_NETFILTER, NLMSG_OVERRUN, SOURCE_EVENTS, 0);
	control(w, NETLINK_NETFILTER, NLMSG_OVERRUN, SOURCE_NFLOG, 0);
	control(w, NETLINK_ROUTE, NLMSG_OVERRUN, SOURCE_RTNL, 0);
	control(w, NETLINK_NETFILTER, NLMSG_OVERRUN, SOURCE_COUNT, 0);
	control(w, NETLINK_NETFILTER, NLMSG_OVERRUN, UINT32_MAX, 0);
	assert_int_equal(w->dumps_ended, 0);
	control(w, NETLINK_NETFILTER, NLMSG_OVERRUN, SOURCE_DUMP, 0);
	assert_int_equal(w->dumps_ended, 1);
	CHECK(w, stats.dumps_incomplete, 1);
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		CHECK(w, source[source].overruns, 1);
}

/* --- Dumps of the network's shape */

static void a_dump_of_links_takes_away_what_is_gone(void **state)
{
	struct world *w = *state;

	link_message(w, "eth1", 1);
	link_message(w, "eth2", 2);
	request(w, RTM_GETLINK, AF_UNSPEC, 5);
	link_message(w, "eth2", 2);
	control(w, NETLINK_NETFILTER, NLMSG_DONE, 5, NLM_F_MULTI);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 4, NLM_F_MULTI);
	CHECK(w, links, 2);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 5, NLM_F_MULTI);
	CHECK(w, links, 1);
	/* One that was interrupted, or that failed, takes nothing away. */
	request(w, RTM_GETLINK, AF_UNSPEC, 6);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 6, NLM_F_MULTI | NLM_F_DUMP_INTR);
	CHECK(w, links, 1);
	request(w, RTM_GETLINK, AF_UNSPEC, 7);
	control(w, NETLINK_ROUTE, NLMSG_ERROR, 7, 0);
	CHECK(w, links, 1);
	request(w, RTM_GETLINK, AF_UNSPEC, 8);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 8, NLM_F_MULTI);
	CHECK(w, links, 0);
}

static enum side side_of(const struct world *w, const char *text)
{
	struct addr addr = event_ip(text), gateway;
	uint32_t ifindex;

	return topology_address(meter_topology(w->meter), &addr, &ifindex, &gateway);
}

static void a_dump_of_one_family_leaves_the_other(void **state)
{
	struct world *w = *state;
	struct rtnl_event four = event_addr(3, "192.168.1.1", 24), six = event_addr(3, "2001:db8::1", 64);
	struct datagram d = { .len = 0 };
	union message m;

	add(&d, build_rtnl_addr(&m, &four, NULL));
	add(&d, build_rtnl_addr(&m, &six, NULL));
	give(w, NETLINK_ROUTE, false, &d);
	request(w, RTM_GETADDR, AF_INET, 5);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 5, NLM_F_MULTI);
	assert_int_equal(side_of(w, "192.168.1.1"), SIDE_WAN);
	assert_int_equal(side_of(w, "2001:db8::1"), SIDE_ROUTER);
	give(w, NETLINK_ROUTE, false, &d);
	request(w, RTM_GETADDR, AF_INET6, 6);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 6, NLM_F_MULTI);
	assert_int_equal(side_of(w, "192.168.1.1"), SIDE_ROUTER);
	assert_int_equal(side_of(w, "2001:db8::1"), SIDE_WAN);
	give(w, NETLINK_ROUTE, false, &d);
	request(w, RTM_GETADDR, AF_UNSPEC, 7);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 7, NLM_F_MULTI);
	assert_int_equal(side_of(w, "192.168.1.1"), SIDE_WAN);
	assert_int_equal(side_of(w, "2001:db8::1"), SIDE_WAN);
}

static void the_topology_is_known_with_the_last_dump(void **state)
{
	static const uint16_t types[] = { RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH };
	struct world *w = *state;

	for (uint32_t i = 0; i < 4; i++) {
		assert_false(w->topology_known);
		request(w, types[i], AF_UNSPEC, i + 1);
		control(w, NETLINK_ROUTE, NLMSG_DONE, i + 1, NLM_F_MULTI);
	}
	assert_true(w->topology_known);
	request(w, RTM_GETNEIGH, AF_UNSPEC, 5);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 5, NLM_F_MULTI);
	assert_int_equal(w->topology_known, 1);
}

static void a_dump_of_neighbours_takes_away_what_is_gone(void **state)
{
	struct world *w = *state;
	struct rtnl_event neigh = event_neigh(7, "192.168.1.10", DESKTOP);
	struct datagram d = { .len = 0 };
	union message m;

	add(&d, build_neigh(&m, &neigh, MAC_LEN));
	give(w, NETLINK_ROUTE, false, &d);
	request(w, RTM_GETNEIGH, AF_UNSPEC, 5);
	give(w, NETLINK_ROUTE, false, &d);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 5, NLM_F_MULTI);
	CHECK(w, neighbours, 1);
	request(w, RTM_GETNEIGH, AF_UNSPEC, 6);
	control(w, NETLINK_ROUTE, NLMSG_DONE, 6, NLM_F_MULTI);
	CHECK(w, neighbours, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_messages_of_a_datagram_count),
		TEST(entries_keep_their_order),
		cmocka_unit_test(cut_at_every_byte),
		TEST(lengths_that_lie),
		TEST(damaged_messages_are_counted),
		TEST(a_dump_from_request_to_done),
		TEST(only_our_own_dump_requests_begin_one),
		TEST(an_interrupted_dump_is_incomplete),
		TEST(a_dump_may_fail),
		TEST(listeners_are_told_of_a_dump),
		TEST(listeners_are_few),
		TEST(overruns),
		TEST(a_dump_of_links_takes_away_what_is_gone),
		TEST(a_dump_of_one_family_leaves_the_other),
		TEST(the_topology_is_known_with_the_last_dump),
		TEST(a_dump_of_neighbours_takes_away_what_is_gone),
	};

	return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
