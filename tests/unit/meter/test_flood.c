/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Somebody on the LAN makes up MACs: what it does to the meter's tables, and not to the counts of others. */
#include "state.h"

#include "hostmeter/meter/checkpoint.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define S CLOCK_NS_PER_S

enum { PLACES = 10, FLOOD = 2000, BLOBS = 1000 };

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

static void start(struct world *w)
{
	const struct meter_options options = { .hash = { { 1, 2 } },
		.names = w->names,
		.max_hosts = PLACES,
		.max_flows = 100000,
		.forget_after_ns = 1000000 * S,
		.forget_unanswered_ns = 60 * S };

	w->meter = meter_new(&options);
	assert_non_null(w->meter);
	events_of_network(take, w);
	meter_source(w->meter, SOURCE_NFLOG, true, 1);
}

static void dump_nothing(struct world *w)
{
	meter_dump_begin(w->meter, w->now);
	meter_dump_end(w->meter, true, w->now);
}

static int begin(void **state)
{
	static struct world world;
	struct world *w = *state = &world;
	struct mac mac = event_mac(DESKTOP);
	struct addr addr = event_ip("192.168.1.10");

	*w = (struct world){ .names = names_new(), .now = 1000 * S };
	names_set_mac(w->names, NAMES_CONFIG, &mac, "desktop");
	names_set_address(w->names, NAMES_CONFIG, &addr, "by-address");
	start(w);
	dump_nothing(w);
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	meter_free(w->meter);
	names_free(w->names);
	return 0;
}

static void pass(struct world *w, uint64_t ns)
{
	for (uint64_t until = w->now + ns; w->now < until;) {
		w->now += METER_TICK_NS;
		meter_tick(w->meter, w->now);
	}
}

/* A flow of made-up MAC number i. */
static struct ct_event made_up(uint32_t i, char mac[static MAC_TEXT])
{
	char ip[ADDR_TEXT];
	struct ct_event flow;

	snprintf(ip, sizeof(ip), "192.168.1.%u", 100 + i % 100);
	snprintf(mac, MAC_TEXT, "02:66:00:%02x:%02x:%02x", i >> 16 & 255, i >> 8 & 255, i & 255);
	flow = event_masqueraded(ip, SERVER4);
	flow.id = 1000 + i;
	return flow;
}

static void sight(struct world *w, const struct ct_event *flow, const char *mac)
{
	struct sighting first = event_sighting(flow, CT_ORIGINAL, LAN, WAN, mac);

	meter_sighting(w->meter, &first, w->now);
}

static void read_flow(struct world *w, struct ct_event flow, enum ct_event_type type, uint64_t out, uint64_t in)
{
	flow.type = type;
	flow.bytes[CT_ORIGINAL] = out;
	flow.bytes[CT_REPLY] = in;
	flow.packets[CT_ORIGINAL] = out != 0;
	flow.packets[CT_REPLY] = in != 0;
	meter_ct(w->meter, &flow, w->now);
}

static void flood(struct world *w, uint32_t from, uint32_t count, enum ct_event_type type)
{
	for (uint32_t i = from; i < from + count; i++) {
		char mac[MAC_TEXT];
		struct ct_event flow = made_up(i, mac);

		if (type == CT_DESTROY || !hashtable_find(w->meter->flows, meter_key(w->meter, &flow)))
			sight(w, &flow, mac);
		read_flow(w, flow, type, 50, 0);
	}
}

/* A short flow with a reply. */
static void talk(struct world *w, const char *ip, const char *mac, uint32_t id)
{
	struct ct_event flow = event_masqueraded(ip, SERVER4);

	flow.id = id;
	sight(w, &flow, mac);
	read_flow(w, flow, CT_DESTROY, 100, 1000);
}

/* who: a MAC or a label; UINT64_MAX: it is not there. */
static void check(struct world *w, const char *who, uint64_t out, uint64_t in)
{
	struct snapshot s;
	const struct snapshot_host *host = NULL;
	const struct traffic_count *got;

	assert_int_equal(meter_snapshot(w->meter, &s, w->now), 0);
	for (size_t i = 0; i < s.hosts; i++)
		if (!strcmp(s.host[i].mac, who) || !strcmp(s.host[i].label, who))
			host = &s.host[i];
	assert_int_equal(host != NULL, out != UINT64_MAX);
	got = host ? host->wan.of[TRAFFIC_IPV4] : NULL;
	if (got && (got[TRAFFIC_OUT].bytes != out || got[TRAFFIC_IN].bytes != in))
		fail_msg("%s: out %llu, in %llu", who, (unsigned long long)got[TRAFFIC_OUT].bytes,
			(unsigned long long)got[TRAFFIC_IN].bytes);
	snapshot_clear(&s);
}

static void check_gone(struct world *w, const char *who)
{
	check(w, who, UINT64_MAX, 0);
}

static uint64_t sum(struct world *w, enum traffic_direction way)
{
	struct snapshot s;
	uint64_t bytes = 0;

	assert_int_equal(meter_snapshot(w->meter, &s, w->now), 0);
	for (size_t i = 0; i < s.hosts; i++)
		bytes += s.host[i].wan.of[TRAFFIC_IPV4][way].bytes;
	snapshot_clear(&s);
	return bytes;
}

static size_t rows(struct world *w)
{
	struct snapshot s;
	size_t count;

	assert_int_equal(meter_snapshot(w->meter, &s, w->now), 0);
	count = s.hosts;
	snapshot_clear(&s);
	return count;
}

static void each_host_has_its_bytes(void **state)
{
	struct world *w = *state;

	talk(w, "192.168.1.11", LAPTOP, 1);
	flood(w, 0, FLOOD, CT_DESTROY);
	talk(w, "192.168.1.12", VISITOR, 2); /* it is new */
	talk(w, "192.168.1.13", DESKTOP, 3); /* configured, and so is the next */
	talk(w, "192.168.1.10", "02:66:00:00:00:01", 4);
	flood(w, FLOOD, FLOOD, CT_DESTROY);
	talk(w, "192.168.1.11", LAPTOP, 5);
	talk(w, "192.168.1.12", VISITOR, 6);
	check(w, LAPTOP, 200, 2000);
	check(w, VISITOR, 200, 2000);
	check(w, DESKTOP, 100, 1000);
	check(w, "by-address", 100, 1000);
	assert_int_equal(sum(w, TRAFFIC_OUT), 6 * 100 + 2 * FLOOD * 50);
	assert_int_equal(sum(w, TRAFFIC_IN), 6 * 1000);
	assert_int_equal(rows(w), HOST_FIRST + PLACES + 2);
	pass(w, 70 * S);
	assert_int_equal(rows(w), HOST_FIRST + 4);
	check(w, "other", 2 * FLOOD * 50, 0);
	check(w, LAPTOP, 200, 2000);
}

/* The flows of a host that left are those of "other" from then on. */
static void flows_that_live_on(void **state)
{
	struct world *w = *state;

	meter_dump_begin(w->meter, w->now);
	flood(w, 0, PLACES, CT_ENTRY);
	meter_dump_end(w->meter, true, w->now);
	check(w, "02:66:00:00:00:00", 50, 0);
	talk(w, "192.168.1.12", VISITOR, 2);
	check_gone(w, "02:66:00:00:00:00");
	check(w, "other", 50, 0);
	for (uint32_t i = 0; i < PLACES; i++) {
		char mac[MAC_TEXT];

		read_flow(w, made_up(i, mac), CT_DESTROY, 80, 0);
	}
	check(w, "other", 80, 0);
	check(w, "02:66:00:00:00:01", 80, 0);
	check(w, VISITOR, 100, 1000);
	assert_int_equal(sum(w, TRAFFIC_OUT), 100 + PLACES * 80);
	assert_int_equal(hosts_get(w->meter->hosts, HOST_OTHER)->connections[TRAFFIC_IPV4], 0);
	assert_int_equal(hosts_count(w->meter->hosts), HOST_FIRST + PLACES + 1);
	/* It comes back as a new host, into a place that is free. */
	pass(w, 70 * S);
	flood(w, 0, 1, CT_DESTROY);
	check(w, "02:66:00:00:00:00", 50, 0);
	assert_int_equal(hosts_count(w->meter->hosts), HOST_FIRST + PLACES + 1);
}

/* A dump may list a flow of a new host before its first reply. */
static void a_flow_waits_for_its_reply(void **state)
{
	struct world *w = *state;
	struct ct_event flow = event_masqueraded("192.168.1.12", SERVER4);

	flood(w, 0, FLOOD, CT_DESTROY);
	sight(w, &flow, VISITOR);
	meter_dump_begin(w->meter, w->now);
	read_flow(w, flow, CT_ENTRY, 60, 0);
	meter_dump_end(w->meter, true, w->now);
	check_gone(w, VISITOR);
	assert_int_equal(w->meter->flows_undecided, 1);
	meter_dump_begin(w->meter, w->now);
	read_flow(w, flow, CT_ENTRY, 500, 5000);
	meter_dump_end(w->meter, true, w->now);
	check(w, VISITOR, 500, 5000);
	assert_int_equal(sum(w, TRAFFIC_OUT), 500 + FLOOD * 50);
	assert_int_equal(w->meter->waiting.bytes, 0);
	/* One that gets none waits for one dump. */
	flow.id = 77;
	sight(w, &flow, "02:66:77:77:77:77");
	for (int i = 0; i < 2; i++) {
		meter_dump_begin(w->meter, w->now);
		read_flow(w, flow, CT_ENTRY, 60, 0);
		meter_dump_end(w->meter, true, w->now);
		assert_int_equal(w->meter->flows_undecided, !i);
	}
	assert_int_equal(sum(w, TRAFFIC_OUT), 500 + 60 + FLOOD * 50);
}

/* What is written at once, then what ended since; and a new meter that goes on from there. */
static size_t save(struct world *w, struct buf blob[static BLOBS])
{
	size_t count = 0;

	checkpoint_begin(w->meter);
	for (bool last = false; !last; count++) {
		assert_true(count < BLOBS - 1);
		last = checkpoint_step(w->meter, &blob[count]);
	}
	return count;
}

static void restart(struct world *w, struct buf blob[static BLOBS], size_t count)
{
	checkpoint_journal(w->meter, &blob[count++]);
	meter_free(w->meter);
	start(w);
	for (size_t i = 0; i < count; i++) {
		if (blob[i].len)
			assert_int_equal(checkpoint_load(w->meter, blob[i].data, blob[i].len, w->now), 0);
		buf_free(&blob[i]);
	}
	dump_nothing(w);
}

static void a_restart_does_not_bring_it_back(void **state)
{
	static struct buf blob[BLOBS];
	struct world *w = *state;
	size_t count;

	flood(w, 0, FLOOD, CT_DESTROY);
	talk(w, "192.168.1.11", LAPTOP, 1);
	count = save(w, blob);
	talk(w, "192.168.1.12", VISITOR, 2); /* two of the flood leave, then the others but one */
	talk(w, "192.168.1.13", DESKTOP, 3);
	check_gone(w, "02:66:00:00:00:01");
	pass(w, 70 * S);
	flood(w, 7, 1, CT_DESTROY);
	assert_int_equal(rows(w), HOST_FIRST + 4);
	restart(w, blob, count);
	assert_int_equal(rows(w), HOST_FIRST + 4);
	check(w, LAPTOP, 100, 1000);
	check(w, VISITOR, 100, 1000);
	check(w, DESKTOP, 100, 1000);
	check(w, "02:66:00:00:00:07", 50, 0);
	check(w, "other", FLOOD * 50, 0);
	assert_int_equal(sum(w, TRAFFIC_OUT), 300 + FLOOD * 50 + 50);
	assert_int_equal(hosts_stats(w->meter->hosts).unanswered, 1);
	pass(w, 70 * S);
	assert_int_equal(rows(w), HOST_FIRST + 3);
	assert_int_equal(hosts_stats(w->meter->hosts).left[HOSTS_LEFT_UNANSWERED], 1);
}

/* A table that a flood has filled is restored with all configured hosts, and in the order of leaving. */
static void a_full_table_is_restored(void **state)
{
	static struct buf blob[BLOBS];
	struct world *w = *state;

	flood(w, 0, FLOOD, CT_DESTROY);
	talk(w, "192.168.1.13", DESKTOP, 3);
	talk(w, "192.168.1.10", LAPTOP, 4);
	pass(w, 10 * S);
	flood(w, 0, 1, CT_DESTROY);         /* it was active last */
	talk(w, "192.168.1.11", LAPTOP, 5); /* the second leaves */
	restart(w, blob, save(w, blob));
	assert_int_equal(rows(w), HOST_FIRST + PLACES + 2);
	check(w, DESKTOP, 100, 1000);
	check(w, "by-address", 100, 1000);
	check_gone(w, "02:66:00:00:00:01");
	w->now += S;
	talk(w, "192.168.1.12", VISITOR, 6);
	check_gone(w, "02:66:00:00:00:02");
	check(w, "02:66:00:00:00:00", 100, 0);
	check(w, VISITOR, 100, 1000);
}

/* A host that the configuration names from now on, or no more. */
static void the_configuration_changes(void **state)
{
	struct world *w = *state;
	struct mac laptop = event_mac(LAPTOP);

	talk(w, "192.168.1.11", LAPTOP, 1);
	assert_int_equal(hosts_stats(w->meter->hosts).taken, 1);
	names_set_mac(w->names, NAMES_CONFIG, &laptop, "laptop");
	meter_names_changed(w->meter);
	assert_int_equal(hosts_stats(w->meter->hosts).taken, 0);
	flood(w, 0, FLOOD, CT_DESTROY);
	assert_int_equal(rows(w), HOST_FIRST + PLACES + 1);
	names_replace(w->names, NAMES_CONFIG, 0, NULL);
	meter_names_changed(w->meter);
	assert_int_equal(hosts_stats(w->meter->hosts).taken, PLACES + 1);
	check(w, LAPTOP, 100, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_host_has_its_bytes, begin, end),
		cmocka_unit_test_setup_teardown(flows_that_live_on, begin, end),
		cmocka_unit_test_setup_teardown(a_flow_waits_for_its_reply, begin, end),
		cmocka_unit_test_setup_teardown(a_restart_does_not_bring_it_back, begin, end),
		cmocka_unit_test_setup_teardown(a_full_table_is_restored, begin, end),
		cmocka_unit_test_setup_teardown(the_configuration_changes, begin, end),
	};

	return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
