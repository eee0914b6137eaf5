/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The laws of the meter, each with a few made-up events under a made-up clock. */
#include "hostmeter/meter/meter.h"

#include "hashtable.h"
#include "hostmeter/base/clock.h"

#include "events.h"

#include <inttypes.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define S CLOCK_NS_PER_S
#define MS CLOCK_NS_PER_MS
#define BORN (UINT64_C(1700000000) * S) /* when the meter began, since 1970 */

#define DESKTOP_IP "192.168.1.10"
#define LAPTOP_IP "192.168.1.11"
#define VISITOR_IP "192.168.2.10"
#define STRANGER_IP "192.168.1.99"
#define STRANGER "02:00:00:00:00:99"

struct world {
	struct meter *meter;
	struct names *names;
	uint64_t now;
};

static void take(void *ctx, const struct rtnl_event *event)
{
	struct world *w = ctx;

	meter_rtnl(w->meter, event, w->now);
}

static void tell(struct world *w, struct rtnl_event event)
{
	take(w, &event);
}

static struct world *world_new(uint32_t max_hosts, size_t max_flows)
{
	struct world *w = calloc(1, sizeof(*w));
	struct meter_options options = { .hash = { { 1, 2 } },
		.max_hosts = max_hosts,
		.max_flows = max_flows,
		.start_real_ns = BORN,
		.forget_after_ns = 3600 * S };
	struct mac desktop = event_mac(DESKTOP);

	assert_non_null(w);
	w->now = 1000 * S;
	w->names = names_new();
	names_set_mac(w->names, NAMES_CONFIG, &desktop, "desktop");
	options.names = w->names;
	w->meter = meter_new(&options);
	assert_non_null(w->meter);
	events_of_network(take, w);
	tell(w, event_neigh(LAN, DESKTOP_IP, DESKTOP));
	tell(w, event_neigh(LAN, "2001:db8:1::10", DESKTOP));
	tell(w, event_neigh(LAN, LAPTOP_IP, LAPTOP));
	tell(w, event_neigh(GUEST, VISITOR_IP, VISITOR));
	return w;
}

static void world_free(struct world *w)
{
	meter_free(w->meter);
	names_free(w->names);
	free(w);
}

/* Time goes by in ticks, as the daemon's does. */
static void pass(struct world *w, uint64_t ns)
{
	for (uint64_t until = w->now + ns; w->now < until;) {
		w->now += METER_TICK_NS;
		meter_tick(w->meter, w->now);
	}
}

/* One reading of a flow: bytes as given, a packet per 100 of them. */
static struct ct_event reading(struct ct_event flow, enum ct_event_type type, uint64_t original, uint64_t reply)
{
	flow.type = type;
	flow.bytes[CT_ORIGINAL] = original;
	flow.bytes[CT_REPLY] = reply;
	flow.packets[CT_ORIGINAL] = original / 100;
	flow.packets[CT_REPLY] = reply / 100;
	return flow;
}

static void line(struct world *w, struct ct_event flow, uint64_t original, uint64_t reply)
{
	flow = reading(flow, CT_ENTRY, original, reply);
	meter_ct(w->meter, &flow, w->now);
}

static void destroy(struct world *w, struct ct_event flow, uint64_t original, uint64_t reply)
{
	flow = reading(flow, CT_DESTROY, original, reply);
	meter_ct(w->meter, &flow, w->now);
}

static void dump_nothing(struct world *w)
{
	meter_dump_begin(w->meter, w->now);
	meter_dump_end(w->meter, true, w->now);
}

/* A whole dump with one line in it. */
static void dump(struct world *w, struct ct_event flow, uint64_t original, uint64_t reply)
{
	meter_dump_begin(w->meter, w->now);
	line(w, flow, original, reply);
	meter_dump_end(w->meter, true, w->now);
}

static void sight(struct world *w, struct ct_event flow, enum ct_dir dir, uint32_t indev, uint32_t outdev,
	const char *mac)
{
	struct sighting s = event_sighting(&flow, dir, indev, outdev, mac);

	meter_sighting(w->meter, &s, w->now);
}

/* The rules are loaded: first packets come, so it pays to wait for them. */
static void nflog_works(struct world *w)
{
	meter_source(w->meter, SOURCE_NFLOG, true, 1);
	sight(w, event_flow("192.168.1.200", "203.0.113.1"), CT_ORIGINAL, LAN, WAN, "02:00:00:00:00:c8");
}

static int begin(void **state)
{
	*state = world_new(100, 1000);
	return 0;
}

/* Ready: what comes now began while the meter ran. */
static int begin_ready(void **state)
{
	begin(state);
	dump_nothing(*state);
	return 0;
}

static int end(void **state)
{
	world_free(*state);
	return 0;
}

static struct snapshot look(struct world *w)
{
	struct snapshot s;

	assert_int_equal(meter_snapshot(w->meter, &s, w->now), 0);
	return s;
}

/* who: a MAC, or the label of a host without. */
static const struct snapshot_host *find(const struct snapshot *s, const char *who)
{
	for (size_t i = 0; i < s->hosts; i++)
		if (!strcmp(s->host[i].mac, who) || (!*s->host[i].mac && !strcmp(s->host[i].label, who)))
			return &s->host[i];
	return NULL;
}

static void compare(const struct traffic_count got[2], const char *who, const char *what, uint64_t in, uint64_t out)
{
	if (got[TRAFFIC_IN].bytes != in || got[TRAFFIC_OUT].bytes != out || got[TRAFFIC_IN].packets != in / 100 ||
		got[TRAFFIC_OUT].packets != out / 100)
		fail_msg("%s %s: in %" PRIu64 "/%" PRIu64 ", out %" PRIu64 "/%" PRIu64 ", not %" PRIu64 ", %" PRIu64,
			who, what, got[TRAFFIC_IN].bytes, got[TRAFFIC_IN].packets, got[TRAFFIC_OUT].bytes,
			got[TRAFFIC_OUT].packets, in, out);
}

static void check_of(struct world *w, const char *who, int ipv, bool local, uint64_t in, uint64_t out)
{
	static const struct snapshot_host none;
	struct snapshot s = look(w);
	const struct snapshot_host *host = find(&s, who);

	if (!host)
		host = &none;
	compare(local ? host->local.of[ipv] : host->wan.of[ipv], who, local ? "local" : "WAN", in, out);
	snapshot_clear(&s);
}

static void check(struct world *w, const char *who, uint64_t in, uint64_t out)
{
	check_of(w, who, TRAFFIC_IPV4, false, in, out);
}

/* Whatever was counted, for whomever. */
static void check_sum(struct world *w, uint64_t bytes)
{
	struct snapshot s = look(w);
	uint64_t sum = 0;

	for (size_t i = 0; i < s.hosts; i++)
		for (int ipv = 0; ipv < TRAFFIC_FAMILIES; ipv++)
			for (int dir = 0; dir < 2; dir++)
				sum += s.host[i].wan.of[ipv][dir].bytes + s.host[i].local.of[ipv][dir].bytes;
	assert_int_equal(sum, bytes);
	snapshot_clear(&s);
}

static void check_connections(struct world *w, const char *who, uint32_t connections)
{
	struct snapshot s = look(w);
	const struct snapshot_host *host = find(&s, who);

	assert_int_equal(host ? host->connections[TRAFFIC_IPV4] : 0, connections);
	snapshot_clear(&s);
}

#define CHECK(w, member, value)                                                                                        \
	do {                                                                                                           \
		struct snapshot s_ = look(w);                                                                          \
		uint64_t got_ = s_.member;                                                                             \
		snapshot_clear(&s_);                                                                                   \
		assert_int_equal(got_, value);                                                                         \
	} while (0)

/* --- Deltas, exactly once */

static void each_reading_counts_the_difference(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	dump(w, flow, 1000, 5000);
	check(w, DESKTOP, 5000, 1000);
	pass(w, 10 * S);
	dump(w, flow, 1500, 9000);
	check(w, DESKTOP, 9000, 1500);
	dump(w, flow, 1500, 9000); /* idle */
	check(w, DESKTOP, 9000, 1500);
	CHECK(w, flows, 1);
	destroy(w, flow, 2000, 9500);
	check(w, DESKTOP, 9500, 2000);
	check_sum(w, 11500);
	CHECK(w, flows, 0);
	CHECK(w, stats.dumps, 4);
	CHECK(w, stats.destroys, 1);
	CHECK(w, stats.entries, 3);
}

/* Its key may have been worked out before, or not. */
static void a_flow_that_was_expected_is_the_same(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4), expected = flow;

	meter_prefetch(w->meter, &expected, 1);
	assert_true(expected.key);
	dump(w, flow, 1000, 5000);
	dump(w, expected, 1500, 9000);
	check(w, DESKTOP, 9000, 1500);
	CHECK(w, flows, 1);
}

static void a_flow_that_no_dump_saw_counts(void **state)
{
	struct world *w = *state;

	destroy(w, event_masqueraded(DESKTOP_IP, SERVER4), 2000, 9500);
	check(w, DESKTOP, 9500, 2000);
}

static void a_line_twice_in_one_dump(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	meter_dump_begin(w->meter, w->now);
	line(w, flow, 1000, 5000);
	line(w, flow, 1100, 5000);
	meter_dump_end(w->meter, true, w->now);
	check(w, DESKTOP, 5000, 1100);
	CHECK(w, flows, 1);
}

static void a_repeated_destroy_counts_once(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4), unseen = event_masqueraded(LAPTOP_IP, SERVER4);

	dump(w, flow, 1000, 5000);
	for (int i = 0; i < 569; i++) {
		destroy(w, flow, 2000, 9500);
		destroy(w, unseen, 300, 700);
		pass(w, METER_TICK_NS);
	}
	check(w, DESKTOP, 9500, 2000);
	check(w, LAPTOP, 700, 300);
	CHECK(w, stats.duplicates, 2 * 568);
}

static void a_line_after_its_destroy_is_old_news(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4), unseen = event_masqueraded(LAPTOP_IP, SERVER4);

	dump(w, flow, 1000, 5000);
	meter_dump_begin(w->meter, w->now);
	destroy(w, flow, 2000, 9500);
	destroy(w, unseen, 300, 700);
	pass(w, 20 * S); /* a slow dump: the tombstones last as long as it */
	line(w, flow, 1900, 9000);
	line(w, unseen, 300, 700);
	meter_dump_end(w->meter, true, w->now);
	check(w, DESKTOP, 9500, 2000);
	check(w, LAPTOP, 700, 300);
	CHECK(w, flows, 0);
	CHECK(w, stats.duplicates, 2);
	check_connections(w, DESKTOP, 0);
}

/* The kernel may give an ended flow's id, which is made of an address, to the next flow of the same tuple. */
static void reborn_under_the_same_key(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	destroy(w, flow, 2000, 9500);
	destroy(w, flow, 100, 200);
	check(w, DESKTOP, 9700, 2100);
	pass(w, 2 * S);
	dump(w, flow, 300, 400);
	check(w, DESKTOP, 10100, 2400);
	CHECK(w, flows, 1);
	CHECK(w, stats.duplicates, 0);
}

static void zone_id_and_protocol_tell_flows_apart(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	meter_dump_begin(w->meter, w->now);
	line(w, flow, 100, 0);
	flow.id++;
	line(w, flow, 200, 0);
	flow.zone++;
	line(w, flow, 400, 0);
	flow.proto = 17;
	line(w, flow, 800, 0);
	meter_dump_end(w->meter, true, w->now);
	CHECK(w, flows, 4);
	check(w, DESKTOP, 0, 1500);
}

static void a_counter_that_fell_is_new(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	dump(w, flow, 5000, 5000);
	dump(w, flow, 300, 200);
	check(w, DESKTOP, 5200, 5300);
	dump(w, flow, 400, 400);
	check(w, DESKTOP, 5400, 5400);
	CHECK(w, stats.counter_resets, 1);
	dump(w, flow, 500, 100); /* one direction gives it away */
	check(w, DESKTOP, 5500, 5900);
	CHECK(w, stats.counter_resets, 2);
}

static void packets_wrap_at_32_bits_and_go_on(void **state)
{
	struct world *w = *state;
	struct ct_event flow = reading(event_masqueraded(DESKTOP_IP, SERVER4), CT_ENTRY, 0, 0);
	struct snapshot s;

	flow.packets[CT_ORIGINAL] = UINT32_MAX;
	meter_ct(w->meter, &flow, w->now);
	flow.packets[CT_ORIGINAL] = UINT64_C(5) + UINT32_MAX;
	meter_ct(w->meter, &flow, w->now);
	flow.packets[CT_ORIGINAL] = UINT64_C(12) + UINT32_MAX;
	meter_ct(w->meter, &flow, w->now);
	s = look(w);
	assert_true(find(&s, DESKTOP)->wan.of[TRAFFIC_IPV4][TRAFFIC_OUT].packets == UINT64_C(12) + UINT32_MAX);
	snapshot_clear(&s);
}

static void new_and_update_carry_nothing(void **state)
{
	struct world *w = *state;
	struct ct_event flow = reading(event_masqueraded(DESKTOP_IP, SERVER4), CT_NEW, 100, 100);

	meter_ct(w->meter, &flow, w->now);
	flow.type = CT_UPDATE;
	meter_ct(w->meter, &flow, w->now);
	check_sum(w, 0);
	CHECK(w, flows, 0);
}

/* --- Whose it is */

static void a_destroy_may_overtake_its_sighting(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	nflog_works(w);
	destroy(w, flow, 2000, 9500);
	check_sum(w, 0);
	CHECK(w, pending_ends, 1);
	pass(w, 100 * MS);
	sight(w, flow, CT_ORIGINAL, LAN, WAN, VISITOR); /* the address changed hands; the neighbour table lags */
	pass(w, 300 * MS);
	check(w, VISITOR, 9500, 2000);
	check(w, DESKTOP, 0, 0);
	CHECK(w, pending_ends, 0);
	CHECK(w, stats.attributed[FLOW_BY_NFLOG], 1);
}

static void one_flush_is_all_it_waits(void **state)
{
	struct world *w = *state;

	nflog_works(w);
	destroy(w, event_masqueraded(DESKTOP_IP, SERVER4), 2000, 9500);
	destroy(w, event_masqueraded(STRANGER_IP, SERVER4), 100, 200);
	pass(w, 400 * MS);
	check(w, DESKTOP, 9500, 2000);
	check(w, "unknown", 200, 100);
	CHECK(w, stats.attributed[FLOW_BY_NEIGHBOUR], 1);
	CHECK(w, stats.attributed[FLOW_BY_NONE], 1);
}

/* Without rules no first packet will come: nothing is waited for. */
/* Without a sighting the neighbour table answers, after a flush: the first batch may be on its way. */
static void without_sightings_the_neighbours_tell(void **state)
{
	struct world *w = *state;

	meter_source(w->meter, SOURCE_NFLOG, true, 1);
	destroy(w, event_masqueraded(DESKTOP_IP, SERVER4), 2000, 9500);
	destroy(w, event_masqueraded(STRANGER_IP, SERVER4), 100, 200);
	CHECK(w, pending_ends, 2);
	pass(w, S);
	CHECK(w, pending_ends, 0);
	check(w, DESKTOP, 9500, 2000);
	check(w, "unknown", 200, 100);
}

/* That no rules are loaded shows in the connections that nothing else told of. */
static void missing_rules_are_seen(void **state)
{
	struct world *w = *state;
	struct ct_event old = event_masqueraded(LAPTOP_IP, SERVER4);

	dump(w, old, 100, 100); /* older than the meter: it had no chance */
	CHECK(w, stats.unsighted, 0);
	meter_source(w->meter, SOURCE_NFLOG, true, 1);
	for (uint16_t port = 1; port <= 3; port++) {
		struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

		flow.tuple[CT_ORIGINAL].sport = port;
		destroy(w, flow, 2000, 9500);
	}
	destroy(w, event_flow(DESKTOP_IP, "192.168.1.1"), 100, 200); /* never forwarded */
	pass(w, S);
	CHECK(w, stats.unsighted, 3);
	nflog_works(w);
	CHECK(w, stats.unsighted, 0);
	/* And that they are loaded no more. */
	destroy(w, event_masqueraded(DESKTOP_IP, SERVER4), 2000, 9500);
	pass(w, S);
	CHECK(w, stats.unsighted, 1);
}

/* A dump has no hurry: a flow without an answer is held, then counted whole, and stays where it was counted. */
static void undecided_bytes_are_held_back(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(STRANGER_IP, SERVER4);

	dump(w, flow, 1000, 5000);
	pass(w, 10 * S);
	dump(w, flow, 1500, 9000);
	check_sum(w, 0);
	CHECK(w, flows_undecided, 1);
	check_connections(w, "unknown", 0);
	tell(w, event_neigh(LAN, STRANGER_IP, STRANGER));
	dump(w, flow, 1600, 9000);
	check(w, STRANGER, 9000, 1600);
	check_sum(w, 10600);
	CHECK(w, flows_undecided, 0);
	/* The address passes to another host; the flow does not. */
	tell(w, event_neigh(LAN, STRANGER_IP, LAPTOP));
	dump(w, flow, 1700, 9000);
	destroy(w, flow, 1800, 9000);
	check(w, STRANGER, 9000, 1800);
	check_sum(w, 10800);
}

static void what_was_held_is_let_go(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(STRANGER_IP, SERVER4);

	dump(w, flow, 1000, 5000);
	tell(w, event_neigh(LAN, STRANGER_IP, STRANGER));
	dump(w, flow, 1600, 9000);
	meter_settle(w->meter, w->now);
	check(w, STRANGER, 9000, 1600);
	check_sum(w, 10600);
	check_connections(w, STRANGER, 1);
	CHECK(w, flows_undecided, 0);
	CHECK(w, stats.counter_resets, 0);
}

static void an_undecided_flow_ends(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(STRANGER_IP, SERVER4);

	dump(w, flow, 1000, 5000);
	destroy(w, flow, 1500, 9000);
	pass(w, S);
	check(w, "unknown", 9000, 1500);
	CHECK(w, flows_undecided, 0);
	CHECK(w, flows, 0);
}

/* A sighting is worth waiting for in a dump too: the first dump that lists a flow asks for nothing less. */
static void a_dump_may_overtake_the_sighting(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4), silent = event_masqueraded(LAPTOP_IP, SERVER4);

	nflog_works(w);
	dump(w, flow, 1000, 5000);
	dump(w, silent, 10000, 0);
	check_sum(w, 0);
	sight(w, flow, CT_ORIGINAL, LAN, WAN, VISITOR);
	dump(w, flow, 1000, 5000);
	dump(w, silent, 10000, 0); /* by now it would have come */
	check(w, VISITOR, 5000, 1000);
	check(w, LAPTOP, 0, 10000);
	check_sum(w, 16000);
}

static void the_end_leaves_nothing_out(void **state)
{
	struct world *w = *state;
	struct ct_event held = event_masqueraded(STRANGER_IP, SERVER4), waits = event_masqueraded(DESKTOP_IP, SERVER4);

	nflog_works(w);
	dump(w, held, 1000, 5000);
	destroy(w, waits, 100, 200);
	check_sum(w, 0);
	meter_settle(w->meter, w->now);
	check(w, "unknown", 5000, 1000);
	check(w, DESKTOP, 200, 100);
	check_sum(w, 6300);
	CHECK(w, flows_undecided, 0);
	CHECK(w, pending_ends, 0);
	meter_settle(w->meter, w->now);
	check_sum(w, 6300);
}

static void one_mac_is_one_host(void **state)
{
	struct world *w = *state;
	struct snapshot s;

	destroy(w, event_masqueraded(DESKTOP_IP, SERVER4), 100, 200);
	destroy(w, event_flow("2001:db8:1::10", SERVER6), 300, 400);
	tell(w, event_neigh(LAN, "2001:db8:1::20", DESKTOP)); /* tomorrow's address */
	destroy(w, event_flow("2001:db8:1::20", SERVER6), 500, 600);
	check(w, DESKTOP, 200, 100);
	check_of(w, DESKTOP, TRAFFIC_IPV6, false, 1000, 800);
	s = look(w);
	assert_string_equal(find(&s, DESKTOP)->label, "desktop");
	snapshot_clear(&s);
}

/* --- Both directions, and what is WAN traffic */

static void inbound_flows_turn_the_directions_round(void **state)
{
	struct world *w = *state;
	struct ct_event forwarded = event_forwarded(SERVER4, DESKTOP_IP), six = event_flow(SERVER6, "2001:db8:1::10");

	dump(w, forwarded, 1000, 5000);
	check(w, DESKTOP, 1000, 5000);
	destroy(w, forwarded, 1100, 5500);
	check(w, DESKTOP, 1100, 5500);
	destroy(w, six, 300, 400);
	check_of(w, DESKTOP, TRAFFIC_IPV6, false, 300, 400);
}

static void a_local_flow_has_two_hosts(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_flow(DESKTOP_IP, VISITOR_IP);

	dump(w, flow, 1000, 5000);
	check_connections(w, DESKTOP, 1);
	check_connections(w, VISITOR, 1);
	destroy(w, flow, 1100, 5500);
	check_of(w, DESKTOP, TRAFFIC_IPV4, true, 5500, 1100);
	check_of(w, VISITOR, TRAFFIC_IPV4, true, 1100, 5500);
	check(w, DESKTOP, 0, 0);
	check(w, VISITOR, 0, 0);
	check_connections(w, VISITOR, 0);
}

static void to_the_router_is_local(void **state)
{
	struct world *w = *state;

	destroy(w, event_flow(DESKTOP_IP, "192.168.1.1"), 100, 200);
	destroy(w, event_flow("192.168.1.1", LAPTOP_IP), 300, 400);
	check_of(w, DESKTOP, TRAFFIC_IPV4, true, 200, 100);
	check_of(w, LAPTOP, TRAFFIC_IPV4, true, 300, 400);
	check_sum(w, 1000);
}

static void the_router_is_a_host(void **state)
{
	struct world *w = *state;

	destroy(w, event_flow("198.51.100.2", SERVER4), 100, 200);
	check(w, "router", 200, 100);
	destroy(w, event_flow(SERVER4, "198.51.100.2"), 300, 400);
	check(w, "router", 500, 500);
	destroy(w, event_flow("127.0.0.1", "127.0.0.1"), 7000, 7000);
	check_sum(w, 1000);
	CHECK(w, stats.attributed[FLOW_BY_ROUTER], 2);
}

static void the_gauge_of_connections(void **state)
{
	struct world *w = *state;
	struct ct_event one = event_masqueraded(DESKTOP_IP, SERVER4);
	struct ct_event two = event_masqueraded(DESKTOP_IP, "203.0.113.81");

	meter_dump_begin(w->meter, w->now);
	line(w, one, 100, 100);
	line(w, two, 100, 100);
	line(w, event_flow("127.0.0.1", "127.0.0.1"), 100, 100);
	meter_dump_end(w->meter, true, w->now);
	check_connections(w, DESKTOP, 2);
	destroy(w, one, 100, 100);
	destroy(w, one, 100, 100);
	check_connections(w, DESKTOP, 1);
	destroy(w, event_masqueraded(DESKTOP_IP, "203.0.113.82"), 100, 100); /* was never seen alive */
	check_connections(w, DESKTOP, 1);
	destroy(w, two, 100, 100);
	check_connections(w, DESKTOP, 0);
}

/* --- The baseline */

static void what_was_before_is_not_counted(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	dump(w, flow, 1000000, 2000000);
	check_sum(w, 0);
	CHECK(w, stats.baselined, 1);
	check_connections(w, DESKTOP, 1);
	dump(w, flow, 1000500, 2000000);
	check(w, DESKTOP, 0, 500);
	destroy(w, flow, 1000500, 2000700);
	check(w, DESKTOP, 700, 500);
}

static void the_baseline_of_an_undecided_flow_is_kept(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(STRANGER_IP, SERVER4);

	dump(w, flow, 1000000, 2000000);
	dump(w, flow, 1000500, 2000000);
	destroy(w, flow, 1000500, 2000700);
	pass(w, S);
	check(w, "unknown", 700, 500);
}

static void who_began_later_has_no_baseline(void **state)
{
	struct world *w = *state;
	struct ct_event sighted = event_masqueraded(DESKTOP_IP, SERVER4), young = event_masqueraded(LAPTOP_IP, SERVER4),
			old = event_masqueraded(VISITOR_IP, SERVER4);

	young.start_ns = BORN;
	old.start_ns = BORN - 1;
	sight(w, sighted, CT_ORIGINAL, LAN, WAN, DESKTOP);
	meter_dump_begin(w->meter, w->now);
	line(w, sighted, 100, 200);
	line(w, young, 300, 400);
	line(w, old, 50000, 60000);
	meter_dump_end(w->meter, true, w->now);
	check(w, DESKTOP, 200, 100);
	check(w, LAPTOP, 400, 300);
	check_sum(w, 1000);
	CHECK(w, stats.baselined, 1);
	dump(w, old, 50100, 60000);
	check(w, VISITOR, 0, 100);
}

static void ends_before_the_first_dump(void **state)
{
	struct world *w = *state;
	struct ct_event sighted = event_masqueraded(DESKTOP_IP, SERVER4), young = event_masqueraded(LAPTOP_IP, SERVER4),
			old = event_masqueraded(VISITOR_IP, SERVER4), ageless = event_masqueraded(STRANGER_IP, SERVER4);

	young.start_ns = BORN + 1;
	old.start_ns = BORN - 1;
	sight(w, sighted, CT_ORIGINAL, LAN, WAN, DESKTOP);
	destroy(w, sighted, 100, 200);
	destroy(w, young, 300, 400);
	destroy(w, old, 50000, 60000);
	destroy(w, ageless, 50000, 60000);
	pass(w, S);
	check(w, DESKTOP, 200, 100);
	check(w, LAPTOP, 400, 300);
	check_sum(w, 1000);
	CHECK(w, stats.ended_before_first_dump, 2);
}

static void an_incomplete_dump_makes_nobody_ready(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4), missed = event_masqueraded(LAPTOP_IP, SERVER4);

	meter_dump_begin(w->meter, w->now);
	line(w, flow, 1000, 1000);
	meter_dump_end(w->meter, false, w->now);
	CHECK(w, ready, 0);
	CHECK(w, stats.dumps_incomplete, 1);
	meter_dump_begin(w->meter, w->now);
	line(w, flow, 1500, 1000);
	line(w, missed, 70000, 70000);
	meter_dump_end(w->meter, true, w->now);
	CHECK(w, ready, 1);
	check(w, DESKTOP, 0, 500);
	check(w, LAPTOP, 0, 0);
}

/* --- Flows that vanish */

static void gone_after_three_dumps_and_a_minute(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	dump(w, flow, 1000, 5000);
	for (int i = 0; i < 3; i++) {
		dump_nothing(w);
		pass(w, 10 * S); /* three dumps, but no minute */
	}
	CHECK(w, flows, 1);
	pass(w, 60 * S);
	CHECK(w, flows, 1); /* it is a dump that finds out */
	dump_nothing(w);
	pass(w, 2 * S);
	CHECK(w, flows, 0);
	CHECK(w, stats.ended_unseen, 1);
	check_connections(w, DESKTOP, 0);
	check(w, DESKTOP, 5000, 1000);
}

static void a_minute_alone_is_not_gone(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	dump(w, flow, 1000, 5000);
	dump_nothing(w);
	pass(w, 100 * S);
	for (int i = 0; i < 5; i++) { /* broken ones say nothing about who is missing */
		meter_dump_begin(w->meter, w->now);
		meter_dump_end(w->meter, false, w->now);
		pass(w, 20 * S);
	}
	dump_nothing(w);
	pass(w, 2 * S);
	CHECK(w, flows, 1);
	dump_nothing(w);
	pass(w, 2 * S);
	CHECK(w, flows, 0);
}

static void late_but_not_gone(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	dump(w, flow, 1000, 5000);
	for (int i = 0; i < 5; i++) {
		dump_nothing(w);
		pass(w, 10 * S);
	}
	/* Its DESTROY was held up: the kernel repeats it until it is delivered. */
	destroy(w, flow, 1500, 9000);
	check(w, DESKTOP, 9000, 1500);
	CHECK(w, stats.ended_unseen, 0);
}

static void a_flow_that_is_listed_again_stays(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);

	for (int i = 0; i < 20; i++) {
		dump(w, flow, 1000, 5000);
		pass(w, 100 * S);
	}
	CHECK(w, flows, 1);
	check(w, DESKTOP, 5000, 1000);
}

static void an_undecided_flow_vanishes(void **state)
{
	struct world *w = *state;

	dump(w, event_masqueraded(STRANGER_IP, SERVER4), 700, 900);
	dump(w, event_masqueraded(STRANGER_IP, SERVER4), 1000, 5000);
	for (int i = 0; i < 4; i++) {
		dump_nothing(w);
		pass(w, 60 * S);
	}
	CHECK(w, flows, 0);
	CHECK(w, flows_undecided, 0);
	check(w, "unknown", 5000, 1000);
	check_connections(w, "unknown", 0);
}

/* The kernel may still have its DESTROY: the socket had no room for it. */
static void an_overrun_is_waited_out(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4), lost = event_masqueraded(LAPTOP_IP, SERVER4);

	meter_dump_begin(w->meter, w->now);
	line(w, flow, 1000, 5000);
	line(w, lost, 300, 700);
	meter_dump_end(w->meter, true, w->now);
	for (int i = 0; i < 10; i++) {
		pass(w, 10 * S);
		dump_nothing(w);
		meter_overrun(w->meter, i < 5 ? SOURCE_EVENTS : SOURCE_NFLOG, w->now);
	}
	CHECK(w, flows, 2);
	destroy(w, flow, 1500, 9000);
	check(w, DESKTOP, 9000, 1500);
	CHECK(w, stats.ended_unseen, 0);
	pass(w, 10 * S);
	dump_nothing(w);
	pass(w, 2 * S);
	CHECK(w, stats.ended_unseen, 1);
	check(w, LAPTOP, 700, 300);
}

static void overruns_without_end_do_not_keep_it(void **state)
{
	struct world *w = *state;

	dump(w, event_masqueraded(DESKTOP_IP, SERVER4), 1000, 5000);
	for (int i = 0; i < 62; i++) {
		CHECK(w, flows, 1);
		pass(w, 10 * S);
		dump_nothing(w);
		meter_overrun(w->meter, SOURCE_EVENTS, w->now);
	}
	CHECK(w, flows, 0);
}

/* --- What the WAN has more than all flows */

/* wan0 has received and sent so much, without link headers; then an empty dump. */
static void wan_carried(struct world *w, uint64_t rx, uint64_t tx)
{
	struct rtnl_event link = event_link(WAN, "wan0", 0, ARPHRD_ETHER);

	link.link.has_stats = true;
	link.link.rx_bytes = rx;
	link.link.tx_bytes = tx;
	pass(w, 10 * S);
	meter_rtnl_sync_begin(w->meter, RTNL_LINK, 0);
	for (uint32_t ifindex = LO; ifindex <= PORT; ifindex++) {
		struct rtnl_event other = event_link(ifindex, "", 0, ARPHRD_ETHER);

		snprintf(other.link.name, IFNAME_LEN, "if%u", ifindex);
		tell(w, ifindex == WAN ? link : other);
	}
	meter_rtnl_sync_end(w->meter, RTNL_LINK, 0, w->now);
}

static void check_unseen(struct world *w, uint64_t rx, uint64_t tx)
{
	struct snapshot s = look(w);
	struct traffic_count unseen[2] = { { 0, 0 } };

	for (size_t i = 0; i < s.wans; i++)
		for (int direction = 0; direction < 2; direction++)
			traffic_count_add(&unseen[direction], &s.wan[i].count[WAN_UNSEEN][direction]);
	snapshot_clear(&s);
	assert_int_equal(unseen[WAN_RX].bytes, rx);
	assert_int_equal(unseen[WAN_TX].bytes, tx);
}

static void what_waits_is_not_unseen(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(STRANGER_IP, SERVER4);

	wan_carried(w, 0, 0);
	for (uint64_t i = 1; i < 6; i++) {
		wan_carried(w, 9000 * i, 1000 * i);
		dump(w, flow, 1000 * i, 9000 * i); /* nobody knows this host */
	}
	CHECK(w, flows_undecided, 1);
	check_unseen(w, 0, 0);
	tell(w, event_neigh(LAN, STRANGER_IP, STRANGER));
	for (int i = 0; i < 3; i++) {
		wan_carried(w, 50000, 7000);
		dump(w, flow, 5500, 48000);
	}
	check(w, STRANGER, 48000, 5500);
	check_unseen(w, 2000, 1500);
}

static void an_end_that_waits_is_not_unseen(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(STRANGER_IP, SERVER4);

	nflog_works(w);
	wan_carried(w, 0, 0);
	for (int i = 0; i < 2; i++) {
		wan_carried(w, 9000, 1000);
		if (!i)
			dump(w, flow, 500, 5000); /* held */
		else
			meter_dump_begin(w->meter, w->now);
	}
	destroy(w, flow, 1000, 9000);
	meter_dump_end(w->meter, true, w->now);
	check_unseen(w, 0, 0);
	CHECK(w, pending_ends, 1);
	for (int i = 0; i < 3; i++) {
		wan_carried(w, 9000, 1000);
		dump_nothing(w);
	}
	check(w, "unknown", 9000, 1000);
	check_unseen(w, 0, 0);
}

/* DESTROYs that the kernel could not deliver are not missing for good. */
static void an_overrun_makes_nothing_unseen(void **state)
{
	struct world *w = *state;

	wan_carried(w, 0, 0);
	for (int i = 0; i < 3; i++) {
		wan_carried(w, 9000, 1000);
		meter_overrun(w->meter, SOURCE_EVENTS, w->now);
		dump_nothing(w);
	}
	check_unseen(w, 0, 0);
	destroy(w, event_masqueraded(DESKTOP_IP, SERVER4), 1000, 9000);
	for (int i = 0; i < 3; i++) {
		wan_carried(w, 9100, 1000);
		dump_nothing(w);
	}
	check_unseen(w, 100, 0);
}

/* Links that are listed while a dump runs, or before the first ended, are not what flows are compared with. */
static void links_are_compared_if_read_before_the_dump(void **state)
{
	struct world *w = *state;

	wan_carried(w, 500000, 500000);
	dump_nothing(w);
	wan_carried(w, 600000, 600000);
	for (int i = 0; i < 3; i++) {
		wan_carried(w, 600000, 600000);
		meter_dump_begin(w->meter, w->now);
		wan_carried(w, 700000, 700000);
		meter_dump_end(w->meter, true, w->now);
	}
	check_unseen(w, 0, 0);
}

/* --- Nothing silent, nothing unbounded */

static void flows_that_the_kernel_does_not_count(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded(DESKTOP_IP, SERVER4);
	struct ct_event offloaded = event_masqueraded(LAPTOP_IP, SERVER4);

	flow.has_counters = false;
	offloaded.status = IPS_OFFLOAD;
	meter_dump_begin(w->meter, w->now);
	line(w, flow, 0, 0);
	line(w, offloaded, 100, 100);
	meter_dump_end(w->meter, true, w->now);
	CHECK(w, flows_uncounted, 1);
	CHECK(w, flows_offloaded, 1);
	offloaded.status = IPS_HW_OFFLOAD;
	dump(w, offloaded, 200, 200);
	CHECK(w, flows_offloaded, 1);
	offloaded.status = 0;
	dump(w, offloaded, 300, 300);
	CHECK(w, flows_offloaded, 0);
	destroy(w, flow, 0, 0);
	CHECK(w, flows_uncounted, 0);
	CHECK(w, stats.ended_uncounted, 1);
	check(w, DESKTOP, 0, 0);
	check(w, LAPTOP, 300, 300);
}

/* Hosts of the configuration have places of their own. */
static void nobody_is_configured(struct world *w)
{
	names_replace(w->names, NAMES_CONFIG, 0, NULL);
	meter_names_changed(w->meter);
}

static void hosts_without_room_are_other(void **state)
{
	struct world *w = world_new(2, 1000);

	(void)state;
	nobody_is_configured(w);
	dump_nothing(w);
	destroy(w, event_masqueraded(DESKTOP_IP, SERVER4), 100, 100);
	destroy(w, event_masqueraded(LAPTOP_IP, SERVER4), 200, 200);
	destroy(w, event_masqueraded(VISITOR_IP, SERVER4), 400, 400);
	destroy(w, event_masqueraded(VISITOR_IP, "203.0.113.81"), 800, 800);
	destroy(w, event_masqueraded(LAPTOP_IP, "203.0.113.81"), 1600, 1600);
	check(w, DESKTOP, 100, 100);
	check(w, LAPTOP, 1800, 1800);
	check(w, "other", 1200, 1200);
	check_sum(w, 6200);
	CHECK(w, stats.hosts_folded, 2);
	CHECK(w, hosts, HOST_FIRST + 2);
	world_free(w);
}

/* Sums stay, its place is free for another, and when it comes back it begins anew. */
static void a_host_that_was_silent_for_long_is_other(void **state)
{
	struct world *w = world_new(2, 1000);
	struct ct_event open = event_masqueraded(LAPTOP_IP, SERVER4);

	(void)state;
	nobody_is_configured(w);
	dump_nothing(w);
	destroy(w, event_masqueraded(DESKTOP_IP, SERVER4), 100, 200);
	dump(w, open, 1000, 2000);
	pass(w, 3599 * S);
	check(w, DESKTOP, 200, 100);
	pass(w, 10 * S);
	CHECK(w, hosts, HOST_FIRST + 1);
	check(w, "other", 200, 100);
	check(w, LAPTOP, 2000, 1000); /* it has a connection, silent or not */
	check_sum(w, 3300);
	destroy(w, event_masqueraded(VISITOR_IP, SERVER4), 400, 400);
	check(w, VISITOR, 400, 400);
	CHECK(w, stats.hosts_folded, 0);
	destroy(w, event_masqueraded(DESKTOP_IP, "203.0.113.81"), 10, 20); /* no room any more */
	check(w, "other", 220, 110);
	check_sum(w, 4130);
	world_free(w);
}

static void flows_without_room_count_at_their_end(void **state)
{
	struct world *w = world_new(10, 1);
	struct ct_event one = event_masqueraded(DESKTOP_IP, SERVER4), two = event_masqueraded(LAPTOP_IP, SERVER4);

	(void)state;
	dump_nothing(w);
	meter_dump_begin(w->meter, w->now);
	line(w, one, 100, 100);
	line(w, two, 200, 200);
	meter_dump_end(w->meter, true, w->now);
	check(w, LAPTOP, 0, 0);
	CHECK(w, stats.flows_refused, 1);
	destroy(w, two, 300, 300);
	check(w, LAPTOP, 300, 300);
	world_free(w);
}

static void sources_show(void **state)
{
	struct world *w = *state;

	meter_source(w->meter, SOURCE_EVENTS, true, 4096);
	meter_overrun(w->meter, SOURCE_EVENTS, w->now);
	meter_overrun(w->meter, SOURCE_EVENTS, w->now);
	meter_damaged(w->meter);
	CHECK(w, source[SOURCE_EVENTS].up, 1);
	CHECK(w, source[SOURCE_EVENTS].receive_buffer, 4096);
	CHECK(w, source[SOURCE_EVENTS].overruns, 2);
	CHECK(w, source[SOURCE_NFLOG].overruns, 0);
	CHECK(w, stats.damaged, 1);
	CHECK(w, neighbours, 4);
	CHECK(w, links, 6);
}

static void a_dump_is_timed(void **state)
{
	struct world *w = *state;

	CHECK(w, last_dump_end, 0);
	meter_dump_begin(w->meter, w->now);
	pass(w, S);
	meter_dump_end(w->meter, true, w->now);
	CHECK(w, last_dump_ns, S);
	CHECK(w, last_dump_end, w->now);
	meter_dump_end(w->meter, true, w->now); /* none is in the air */
	CHECK(w, stats.dumps, 1);
}

static void two_addresses_of_one_name_are_one_series(void **state)
{
	struct world *w = *state;
	struct addr four = event_ip("10.9.0.7"), other = event_ip("10.9.0.8");
	struct snapshot s;
	int named = 0;

	names_set_address(w->names, NAMES_CONFIG, &four, "phone");
	names_set_address(w->names, NAMES_CONFIG, &other, "phone");
	destroy(w, event_masqueraded("10.9.0.7", SERVER4), 100, 200);
	destroy(w, event_masqueraded("10.9.0.8", SERVER4), 300, 400);
	s = look(w);
	for (size_t i = 0; i < s.hosts; i++)
		named += !strcmp(s.host[i].label, "phone");
	snapshot_clear(&s);
	assert_int_equal(named, 1);
	check(w, "phone", 600, 400);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_reading_counts_the_difference, begin_ready),
		TEST(a_flow_that_was_expected_is_the_same, begin_ready),
		TEST(a_flow_that_no_dump_saw_counts, begin_ready),
		TEST(a_line_twice_in_one_dump, begin_ready),
		TEST(a_repeated_destroy_counts_once, begin_ready),
		TEST(a_line_after_its_destroy_is_old_news, begin_ready),
		TEST(reborn_under_the_same_key, begin_ready),
		TEST(zone_id_and_protocol_tell_flows_apart, begin_ready),
		TEST(a_counter_that_fell_is_new, begin_ready),
		TEST(packets_wrap_at_32_bits_and_go_on, begin_ready),
		TEST(new_and_update_carry_nothing, begin_ready),
		TEST(a_destroy_may_overtake_its_sighting, begin_ready),
		TEST(one_flush_is_all_it_waits, begin_ready),
		TEST(without_sightings_the_neighbours_tell, begin_ready),
		TEST(missing_rules_are_seen, begin),
		TEST(undecided_bytes_are_held_back, begin_ready),
		TEST(what_was_held_is_let_go, begin_ready),
		TEST(an_undecided_flow_ends, begin_ready),
		TEST(a_dump_may_overtake_the_sighting, begin_ready),
		TEST(the_end_leaves_nothing_out, begin_ready),
		TEST(one_mac_is_one_host, begin_ready),
		TEST(inbound_flows_turn_the_directions_round, begin_ready),
		TEST(a_local_flow_has_two_hosts, begin_ready),
		TEST(to_the_router_is_local, begin_ready),
		TEST(the_router_is_a_host, begin_ready),
		TEST(the_gauge_of_connections, begin_ready),
		TEST(what_was_before_is_not_counted, begin),
		TEST(the_baseline_of_an_undecided_flow_is_kept, begin),
		TEST(who_began_later_has_no_baseline, begin),
		TEST(ends_before_the_first_dump, begin),
		TEST(an_incomplete_dump_makes_nobody_ready, begin),
		TEST(gone_after_three_dumps_and_a_minute, begin_ready),
		TEST(a_minute_alone_is_not_gone, begin_ready),
		TEST(late_but_not_gone, begin_ready),
		TEST(an_overrun_is_waited_out, begin_ready),
		TEST(overruns_without_end_do_not_keep_it, begin_ready),
		TEST(what_waits_is_not_unseen, begin_ready),
		TEST(an_end_that_waits_is_not_unseen, begin_ready),
		TEST(an_overrun_makes_nothing_unseen, begin_ready),
		TEST(links_are_compared_if_read_before_the_dump, begin),
		TEST(a_flow_that_is_listed_again_stays, begin_ready),
		TEST(an_undecided_flow_vanishes, begin_ready),
		TEST(flows_that_the_kernel_does_not_count, begin_ready),
		cmocka_unit_test(hosts_without_room_are_other),
		cmocka_unit_test(a_host_that_was_silent_for_long_is_other),
		cmocka_unit_test(flows_without_room_count_at_their_end),
		TEST(sources_show, begin),
		TEST(a_dump_is_timed, begin),
		TEST(two_addresses_of_one_name_are_one_series, begin_ready),
	};

	return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
