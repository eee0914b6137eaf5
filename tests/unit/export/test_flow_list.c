/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked for is listed from the next dump on, once, by its filter; dumps are datagrams as the kernel sends them.
 */
#include "hostmeter/export/flow_list.h"

#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"

#include "events.h"
#include "netlink_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

struct world {
	struct meter *meter;
	struct dispatch *dispatch;
	struct flow_list *list;
	uint64_t now;
};

static void take(void *ctx, const struct rtnl_event *event)
{
	struct world *w = ctx;

	meter_rtnl(w->meter, event, w->now);
}

static int begin(void **state)
{
	static const char *const lan[] = { "br-lan", "br-guest", "wg0", NULL }, *const wan[] = { "wan0", NULL };
	const struct meter_options options = {
		.hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 100, .sides = { .lan = lan, .wan = wan }
	};
	struct rtnl_event neighbour;
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->now = 1000 * S;
	w->meter = meter_new(&options);
	w->dispatch = dispatch_new(w->meter);
	w->list = flow_list_new(w->meter, w->dispatch);
	assert_non_null(w->list);
	events_of_network(take, w);
	neighbour = event_neigh(LAN, "192.168.1.10", DESKTOP);
	take(w, &neighbour);
	neighbour = event_neigh(LAN, "2001:db8:1::a", DESKTOP);
	take(w, &neighbour);
	neighbour = event_neigh(LAN, "192.168.1.11", LAPTOP);
	take(w, &neighbour);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	dispatch_free(w->dispatch);
	flow_list_free(w->list);
	meter_free(w->meter);
	free(w);
	return 0;
}

/* --- Dumps */

static void give(struct world *w, bool outgoing, const struct nlmsghdr *message)
{
	dispatch_datagram(w->dispatch, NETLINK_NETFILTER, outgoing, message, message->nlmsg_len, w->now);
}

static void dump_begins(struct world *w)
{
	struct nfgenmsg fixed = { .nfgen_family = AF_UNSPEC };
	union message m;

	build_start(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, &fixed, sizeof(fixed));
	m.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m.head.nlmsg_seq = 7; /* as build_ct() numbers its entries */
	give(w, true, &m.head);
}

static void dump_ends(struct world *w)
{
	int status = 0;
	union message m;

	build_start(&m, NLMSG_DONE, &status, sizeof(status));
	m.head.nlmsg_flags = NLM_F_MULTI;
	m.head.nlmsg_seq = 7;
	give(w, false, &m.head);
}

static void entry(struct world *w, struct ct_event event, uint32_t id, uint16_t dport)
{
	union message m;

	event.id = id;
	event.tuple[CT_ORIGINAL].dport = event.tuple[CT_REPLY].sport = dport;
	for (int dir = 0; dir < 2; dir++) {
		event.packets[dir] = id;
		event.bytes[dir] = 1000 * (uint64_t)id + (uint64_t)dir;
	}
	give(w, false, build_ct(&m, &event, 0));
}

/* Four flows: two of desktop's, one of each family; laptop to desktop; and the router's own, which is UDP. */
static void dump(struct world *w)
{
	struct ct_event own = event_flow("198.51.100.2", SERVER4);

	own.proto = 17;
	dump_begins(w);
	entry(w, event_masqueraded("192.168.1.10", SERVER4), 1, 443);
	entry(w, event_flow("2001:db8:1::a", SERVER6), 2, 80);
	entry(w, event_flow("192.168.1.11", "192.168.1.10"), 3, 22);
	entry(w, own, 4, 53);
	dump_ends(w);
}

/* --- Asking */

static struct flow_list_filter filter_of(const char *host, const char *ipv, const char *proto, const char *port)
{
	struct flow_list_filter filter;

	memset(&filter, 0, sizeof(filter));
	assert_null(flow_list_filter_set(&filter, host, ipv, proto, port));
	return filter;
}

static bool fetch(struct world *w, const struct flow_list_filter *filter, const char *expected)
{
	struct buf out = BUF_INIT;
	bool there = flow_list_fetch(w->list, filter, &out, w->now);

	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
	return there;
}

/* The ids of the flows that this filter lets pass. */
static void check_ids(struct world *w, const struct flow_list_filter *filter, const char *expected)
{
	const char *mark = filter->json ? "\"id\":" : " packets="; /* entry() makes them equal */
	struct buf out = BUF_INIT, ids = BUF_INIT;

	flow_list_ask(w->list, filter, w->now);
	dump(w);
	assert_true(flow_list_fetch(w->list, filter, &out, w->now));
	for (const char *at = buf_text(&out); *at; at = strchr(at, '\n') + 1)
		buf_printf(&ids, "%lu ", strtoul(strstr(at, mark) + strlen(mark), NULL, 10));
	assert_string_equal(buf_text(&ids), expected);
	buf_free(&out);
	buf_free(&ids);
}

static void values_that_make_no_sense_are_named(void **state)
{
	static const struct {
		const char *host, *ipv, *proto, *port, *wrong;
	} rows[] = {
		{ NULL, NULL, NULL, NULL, NULL },
		{ "", "", "", "", NULL },
		{ "123456789.123456789.123456789.123456789.123456789.123456789.123", "4", "255", "65535", NULL },
		{ "123456789.123456789.123456789.123456789.123456789.123456789.1234", "4", "6", "1", "host" },
		{ "a", "5", "6", "1", "ipv" },
		{ "a", "46", "6", "1", "ipv" },
		{ "a", "6", "256", "1", "proto" },
		{ "a", "6", "xyz", "1", "proto" },
		{ "a", "6", "-1", "1", "proto" },
		{ "a", "6", "udp", "65536", "port" },
		{ "a", "6", "udp", "http", "port" },
		{ "a", "6", "udp", "1 ", "port" },
		{ "a", "6", "udp", "+1", "port" },
	};
	const struct flow_list_filter filter = filter_of("tv", "6", "udp", "53");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_list_filter got = { 0 };
		const char *wrong = flow_list_filter_set(&got, rows[i].host, rows[i].ipv, rows[i].proto, rows[i].port);

		if (rows[i].wrong ? !wrong || strcmp(wrong, rows[i].wrong) : wrong != NULL)
			fail_msg("row %zu: %s", i, wrong ? wrong : "is taken");
	}
	assert_string_equal(filter.host, "tv");
	assert_int_equal(filter.family, 6);
	assert_int_equal(filter.proto, 17);
	assert_int_equal(filter.port, 53);
}

static void lines_say_whose_a_flow_is(void **state)
{
	const struct flow_list_filter wan = filter_of(NULL, "4", "tcp", "443"),
				      local = filter_of(NULL, "4", NULL, "22"),
				      router = filter_of(NULL, "4", "udp", NULL);
	static const char wan_line[] = " host=" DESKTOP " mac=" DESKTOP " by=neighbour scope=wan in=1001 out=1000\n";
	struct world *w = *state;
	struct buf out = BUF_INIT;

	flow_list_ask(w->list, &wan, w->now);
	dump(w);
	assert_true(flow_list_fetch(w->list, &wan, &out, w->now));
	assert_non_null(strstr(buf_text(&out), "src=192.168.1.10 dst=203.0.113.80 sport=40000 dport=443 packets=1"));
	assert_string_equal(buf_text(&out) + out.len - (sizeof(wan_line) - 1), wan_line);
	buf_reset(&out);
	flow_list_ask(w->list, &local, w->now);
	dump(w);
	assert_true(flow_list_fetch(w->list, &local, &out, w->now));
	assert_non_null(strstr(buf_text(&out),
		" host=" LAPTOP " mac=" LAPTOP " peer=" DESKTOP " peer_mac=" DESKTOP " by=neighbour scope=local "));
	buf_reset(&out);
	flow_list_ask(w->list, &router, w->now);
	dump(w);
	assert_true(flow_list_fetch(w->list, &router, &out, w->now));
	assert_non_null(strstr(buf_text(&out), " host=router mac= by=router scope=router "));
	buf_free(&out);
}

static void filters_pick(void **state)
{
	static const struct {
		const char *host, *ipv, *proto, *port, *ids;
	} rows[] = {
		{ NULL, NULL, NULL, NULL, "1 2 3 4 " },
		{ NULL, "4", NULL, NULL, "1 3 4 " },
		{ NULL, "6", NULL, NULL, "2 " },
		{ NULL, NULL, "tcp", NULL, "1 2 3 " },
		{ NULL, NULL, NULL, "53", "4 " },
		{ NULL, NULL, NULL, "40000", "1 2 3 4 " }, /* the source's port */
		{ DESKTOP, NULL, NULL, NULL, "1 2 3 " },   /* of one it is the peer */
		{ LAPTOP, NULL, NULL, NULL, "3 " },
		{ "router", NULL, NULL, NULL, "4 " },
		{ SERVER4, NULL, "tcp", NULL, "1 " },
		{ "nobody", NULL, NULL, NULL, "" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_list_filter filter = filter_of(rows[i].host, rows[i].ipv, rows[i].proto, rows[i].port);

		check_ids(w, &filter, rows[i].ids);
		filter.json = true;
		check_ids(w, &filter, rows[i].ids);
	}
}

static void an_object_has_all_of_a_flow(void **state)
{
	static const char expected[] =
		",\"host\":\"" DESKTOP "\",\"mac\":\"" DESKTOP
		"\",\"peer\":\"\",\"peer_mac\":\"\",\"by\":\"neighbour\","
		"\"scope\":\"wan\",\"ipv\":6,\"proto\":6,\"zone\":0,\"id\":2,\"inbound\":false,\"start\":null,"
		"\"original\":{\"src\":\"2001:db8:1::a\",\"dst\":\"2001:db8:feed::80\",\"sport\":40000,\"dport\":80,"
		"\"bytes\":2000,\"packets\":2},"
		"\"reply\":{\"src\":\"2001:db8:feed::80\",\"dst\":\"2001:db8:1::a\",\"sport\":80,\"dport\":40000,"
		"\"bytes\":2001,\"packets\":2},\"in\":2001,\"out\":2000}\n";
	struct flow_list_filter filter = filter_of(NULL, "6", NULL, NULL);
	struct world *w = *state;
	struct buf out = BUF_INIT;

	filter.json = true;
	flow_list_ask(w->list, &filter, w->now);
	dump(w);
	assert_true(flow_list_fetch(w->list, &filter, &out, w->now));
	assert_memory_equal(buf_text(&out), "{\"schema\":1,\"time\":1", 19);
	assert_string_equal(strstr(buf_text(&out), ",\"host\""), expected);
	buf_free(&out);
}

static void the_next_whole_dump_is_listed_once(void **state)
{
	const struct flow_list_filter filter = filter_of("nobody", NULL, NULL, NULL);
	struct world *w = *state;

	assert_false(fetch(w, &filter, ""));
	dump_begins(w);
	flow_list_ask(w->list, &filter, w->now); /* this dump may have passed what is asked for */
	dump_ends(w);
	assert_false(fetch(w, &filter, ""));
	dump_begins(w);
	assert_false(fetch(w, &filter, ""));
	dump_ends(w);
	assert_true(fetch(w, &filter, ""));
	assert_false(fetch(w, &filter, ""));
}

static void a_later_dump_leaves_a_listing_alone(void **state)
{
	const struct flow_list_filter filter = filter_of(NULL, NULL, "udp", NULL);
	struct world *w = *state;
	struct buf out = BUF_INIT;

	flow_list_ask(w->list, &filter, w->now);
	dump(w);
	dump_begins(w);
	dump_ends(w);
	assert_true(flow_list_fetch(w->list, &filter, &out, w->now));
	assert_non_null(strstr(buf_text(&out), "host=router"));
	buf_free(&out);
}

static void a_listing_is_kept_for_five_seconds(void **state)
{
	const struct flow_list_filter filter = filter_of(NULL, NULL, "udp", NULL);
	struct world *w = *state;

	flow_list_ask(w->list, &filter, w->now);
	dump(w);
	w->now += 5 * S;
	assert_false(fetch(w, &filter, ""));
	flow_list_ask(w->list, &filter, w->now);
	dump_begins(w);
	dump_ends(w);
	w->now += 5 * S - 1;
	assert_true(fetch(w, &filter, ""));
}

/* One listing at a time: who comes second waits, but not for one that nobody fetches. */
static void the_first_who_asked_comes_first(void **state)
{
	const struct flow_list_filter first = filter_of("a", NULL, NULL, NULL),
				      second = filter_of("b", NULL, NULL, NULL);
	struct world *w = *state;

	flow_list_ask(w->list, &first, w->now);
	dump_begins(w);
	flow_list_ask(w->list, &second, w->now);
	dump_ends(w);
	flow_list_ask(w->list, &second, w->now);
	assert_false(fetch(w, &second, ""));
	assert_true(fetch(w, &first, ""));
	flow_list_ask(w->list, &first, w->now);
	dump(w);
	w->now += 5 * S;
	flow_list_ask(w->list, &second, w->now);
	dump(w);
	assert_false(fetch(w, &first, ""));
	assert_true(fetch(w, &second, ""));
}

static void what_is_too_long_is_cut_and_says_so(void **state)
{
	static const char text_end[] = "# more flows than one listing takes: narrow it down\n",
			  json_end[] = "{\"schema\":1,\"cut\":true}\n";
	struct flow_list_filter filter = filter_of(NULL, NULL, NULL, NULL);
	struct world *w = *state;

	for (int json = 0; json < 2; json++) {
		const char *expected = json ? json_end : text_end;
		struct buf out = BUF_INIT;

		filter.json = json;
		flow_list_ask(w->list, &filter, w->now);
		dump_begins(w);
		/* One flow again and again; as text a line has at least 100 bytes, as JSON 400. */
		for (int i = 0; i < FLOW_LIST_MAX / (json ? 400 : 100); i++)
			entry(w, event_masqueraded("192.168.1.10", SERVER4), 1, 443);
		dump_ends(w);
		assert_true(flow_list_fetch(w->list, &filter, &out, w->now));
		assert_in_range(out.len, FLOW_LIST_MAX, FLOW_LIST_MAX + 1024);
		assert_string_equal(buf_text(&out) + out.len - strlen(expected), expected);
		buf_free(&out);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_that_make_no_sense_are_named),
		TEST(lines_say_whose_a_flow_is),
		TEST(filters_pick),
		TEST(an_object_has_all_of_a_flow),
		TEST(the_next_whole_dump_is_listed_once),
		TEST(a_later_dump_leaves_a_listing_alone),
		TEST(a_listing_is_kept_for_five_seconds),
		TEST(the_first_who_asked_comes_first),
		TEST(what_is_too_long_is_cut_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
