/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/attribute.h"

#include "events.h"
#include "zones.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct hash_key secret = { { 1, 2 } };

struct world {
	struct topology *topology;
	struct tunnels *tunnels;
	bool all_is_sighted;
	struct neigh *neigh;
	struct sightings *sightings;
	struct hosts *hosts;
	struct names *names;
	struct zones *zones;
	bool has_zones;
};

static void take(void *ctx, const struct rtnl_event *event)
{
	struct world *w = ctx;

	topology_rtnl(w->topology, event, 0);
	tunnels_rtnl(w->tunnels, event);
	neigh_rtnl(w->neigh, event, 1);
}

static void tell(struct world *w, struct rtnl_event event)
{
	take(w, &event);
}

/* NULL for lan: found. */
static struct world *world_new(const char *const *lan)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->topology = topology_new(&(struct topology_config){ .lan = lan }, 100);
	w->tunnels = tunnels_new(&(struct tunnels_config){ .peers = 0 });
	w->neigh = neigh_new(100);
	w->sightings = sightings_new(100);
	w->hosts = hosts_new(100);
	w->names = names_new();
	w->zones = zones_new(100);
	events_of_network(take, w);
	tell(w, event_neigh(LAN, "192.168.1.10", DESKTOP));
	tell(w, event_neigh(LAN, "2001:db8:1::10", DESKTOP));
	tell(w, event_neigh(LAN, "192.168.1.11", LAPTOP));
	tell(w, event_neigh(GUEST, "192.168.2.10", VISITOR));
	tell(w, event_neigh(LAN, "192.168.1.254", SECOND_ROUTER));
	return w;
}

static int begin(void **state)
{
	*state = world_new(NULL);
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	topology_free(w->topology);
	tunnels_free(w->tunnels);
	neigh_free(w->neigh);
	sightings_free(w->sightings);
	hosts_free(w->hosts);
	names_free(w->names);
	zones_free(w->zones);
	free(w);
	return 0;
}

static struct attribution ask(struct world *w, const struct ct_event *event, enum attribute_evidence evidence)
{
	const struct attribute_sources sources = { &secret, w->topology, w->tunnels, w->neigh, w->sightings, w->names,
		w->hosts, w->all_is_sighted, w->has_zones ? w->zones : NULL, NULL, 0, false, false };
	bool sighted;

	return attribute(&sources, event, evidence, &sighted);
}

static void see(struct world *w, const struct ct_event *flow, enum ct_dir dir, uint32_t indev, uint32_t outdev,
	const char *mac)
{
	struct sighting s = event_sighting(flow, dir, indev, outdev, mac);
	struct sightings_end from = { .ifindex = indev, .mac = s.mac, .has_mac = s.has_mac };
	bool swapped;
	uint64_t pair = flow_pair(&secret, s.proto, s.zone, &s.src, s.sport, &s.dst, s.dport, &swapped);

	assert_true(sightings_add(w->sightings, pair, swapped, &from, &(struct sightings_end){ .ifindex = outdev }, 1));
}

/* "-": none. "router", "unknown", "other", a MAC or an address else. */
static void check_host(const struct world *w, uint32_t index, const char *want)
{
	char text[ADDR_TEXT];

	assert_string_equal(index == HOST_NONE ? "-" : hosts_label(w->hosts, index, text), want);
}

/* --- The table that attribute.c begins with, row by row, each with the two ends in both orders */

#define DESKTOP_IP "192.168.1.10"
#define LAPTOP_IP "192.168.1.11"
#define VISITOR_IP "192.168.2.10"
#define ROUTER_LAN_IP "192.168.1.1"
#define ROUTER_WAN_IP "198.51.100.2"

static const struct row {
	const char *one, *other;
	enum flow_scope scope;
	const char *host, *peer; /* the host is at the end called one, the peer at the other */
	uint32_t wan;
	enum flow_by by;
} rows[] = {
	/* LAN, LAN */
	{ DESKTOP_IP, LAPTOP_IP, FLOW_LOCAL, DESKTOP, LAPTOP, 0, FLOW_BY_NEIGHBOUR },
	{ DESKTOP_IP, VISITOR_IP, FLOW_LOCAL, DESKTOP, VISITOR, 0, FLOW_BY_NEIGHBOUR },
	/* LAN, WAN */
	{ DESKTOP_IP, SERVER4, FLOW_WAN, DESKTOP, "-", WAN, FLOW_BY_NEIGHBOUR },
	{ "2001:db8:1::10", SERVER6, FLOW_WAN, DESKTOP, "-", WAN, FLOW_BY_NEIGHBOUR },
	{ VISITOR_IP, "198.51.100.77", FLOW_WAN, VISITOR, "-", WAN, FLOW_BY_NEIGHBOUR },
	/* LAN, router: by any of its addresses */
	{ DESKTOP_IP, ROUTER_LAN_IP, FLOW_LOCAL, DESKTOP, "-", 0, FLOW_BY_NEIGHBOUR },
	{ DESKTOP_IP, ROUTER_WAN_IP, FLOW_LOCAL, DESKTOP, "-", 0, FLOW_BY_NEIGHBOUR },
	/* WAN, WAN: nobody here has it */
	{ SERVER4, "203.0.113.81", FLOW_WAN, "unknown", "-", WAN, FLOW_BY_NONE },
	/* router, WAN */
	{ ROUTER_WAN_IP, SERVER4, FLOW_WAN, "router", "-", WAN, FLOW_BY_ROUTER },
	{ ROUTER_LAN_IP, SERVER4, FLOW_WAN, "router", "-", WAN, FLOW_BY_ROUTER },
	/* router, router */
	{ ROUTER_LAN_IP, ROUTER_WAN_IP, FLOW_IGNORED, NULL, NULL, 0, FLOW_BY_NONE },
	{ "127.0.0.1", "127.0.0.1", FLOW_IGNORED, NULL, NULL, 0, FLOW_BY_NONE },
	/* Groups */
	{ DESKTOP_IP, "224.0.0.251", FLOW_LOCAL, DESKTOP, "-", 0, FLOW_BY_NEIGHBOUR },
	{ DESKTOP_IP, "192.168.1.255", FLOW_LOCAL, DESKTOP, "-", 0, FLOW_BY_NEIGHBOUR },
	{ ROUTER_LAN_IP, "224.0.0.251", FLOW_LOCAL, "router", "-", 0, FLOW_BY_ROUTER },
};

static void check_row(struct world *w, const struct row *row, bool turned)
{
	struct ct_event e = event_flow(turned ? row->other : row->one, turned ? row->one : row->other);
	struct attribution a = ask(w, &e, ATTRIBUTE_FINAL);

	assert_int_equal(a.scope, row->scope);
	if (row->scope == FLOW_IGNORED)
		return;
	/* Two LAN hosts: the host is who began, so that one is not always the one. */
	if (turned && row->peer[0] != '-') {
		check_host(w, a.host, row->peer);
		check_host(w, a.peer, row->host);
		assert_false(a.host_is_reply);
	} else {
		check_host(w, a.host, row->host);
		check_host(w, a.peer, row->peer);
		if (a.host != HOST_UNKNOWN)
			assert_int_equal(a.host_is_reply, turned);
	}
	assert_int_equal(a.by, row->by);
	assert_int_equal(a.wan, row->wan);
}

static void scopes(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row(*state, &rows[i], false);
		check_row(*state, &rows[i], true);
	}
}

/*
 * Where bridged packets pass the firewall (br_netfilter), those of a group are seen to leave by the LAN. There is still
 * no single host at that end.
 */
static void a_group_on_a_bridge_is_no_peer(void **state)
{
	static const char *const groups[] = { "224.0.0.251", "192.168.1.255", "255.255.255.255" };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct ct_event e = event_flow(DESKTOP_IP, groups[i]);
		struct attribution a;

		see(w, &e, CT_ORIGINAL, LAN, LAN, DESKTOP);
		a = ask(w, &e, ATTRIBUTE_FINAL);
		assert_int_equal(a.scope, FLOW_LOCAL);
		check_host(w, a.host, DESKTOP);
		check_host(w, a.peer, "-");
		assert_int_equal(a.by, FLOW_BY_NFLOG);
	}
}

/* One link, with the hosts and the gateway on it. */
static void a_side_router_has_hosts(void **state)
{
	struct world *w = *state;
	struct ct_event out = event_flow("198.51.100.77", SERVER4), in = event_flow(SERVER4, "198.51.100.77"),
			both = event_flow("198.51.100.77", "198.51.100.78"), none = event_flow(SERVER4, "203.0.113.81");
	struct attribution a;

	tell(w, event_neigh(WAN, "198.51.100.77", VISITOR));
	tell(w, event_neigh(WAN, "198.51.100.78", LAPTOP));
	a = ask(w, &out, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_WAN);
	check_host(w, a.host, VISITOR);
	assert_false(a.host_is_reply);
	assert_int_equal(a.wan, WAN);
	a = ask(w, &in, ATTRIBUTE_FROM_TABLES);
	check_host(w, a.host, VISITOR);
	assert_true(a.host_is_reply);
	a = ask(w, &both, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_LOCAL);
	check_host(w, a.peer, LAPTOP);
	a = ask(w, &none, ATTRIBUTE_FINAL);
	check_host(w, a.host, "unknown");
	/* By its first packet, sent back out of the link that it came by. */
	out = event_flow("198.51.100.79", SERVER4);
	see(w, &out, CT_ORIGINAL, WAN, WAN, SECOND_ROUTER);
	a = ask(w, &out, ATTRIBUTE_FROM_PACKET);
	check_host(w, a.host, SECOND_ROUTER);
	assert_int_equal(a.by, FLOW_BY_NFLOG);
}

/* The LAN is gone, and its addresses are where the default route leads: what it asked there is no host's. */
static void a_server_is_no_host_of_a_lan_that_is_gone(void **state)
{
	struct world *w = *state;
	struct ct_event out = event_masqueraded(DESKTOP_IP, "198.51.100.77");
	struct attribution a;

	tell(w, event_neigh(WAN, "198.51.100.77", VISITOR));
	tell(w, event_gone(event_addr(LAN, "192.168.1.1", 24)));
	tell(w, event_gone(event_link(LAN, "lan", 0, ARPHRD_ETHER)));
	a = ask(w, &out, ATTRIBUTE_FINAL);
	check_host(w, a.host, "unknown");
	assert_int_equal(a.scope, FLOW_WAN);
}

/* In a VRF, packets are seen to come and leave by its device: the routes tell the links. */
static void a_vrf_hides_the_links(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_masqueraded(DESKTOP_IP, SERVER4);
	struct rtnl_event vrf = event_link(50, "vrf-red", 0, ARPHRD_ETHER);
	struct attribution a;

	vrf.link.kind = RTNL_KIND_VRF;
	tell(w, vrf);
	see(w, &e, CT_ORIGINAL, 50, 50, LAPTOP);
	a = ask(w, &e, ATTRIBUTE_FROM_PACKET);
	assert_int_equal(a.scope, FLOW_WAN);
	check_host(w, a.host, LAPTOP); /* whose packet it was */
	assert_int_equal(a.wan, WAN);
}

/* --- What only carries what another flow counts */

static void a_translators_flows(void **state)
{
	struct world *w = *state;
	struct ct_event inside = event_flow("2001:db8:1::10", "64:ff9b::cb00:7150"),
			outside = event_flow("192.168.255.9", SERVER4), back = event_flow(SERVER4, "192.168.255.9"),
			own = event_flow("2001:db8:1::1", "64:ff9b::cb00:7150");
	struct attribution a;

	tell(w, event_link(40, "nat64", 0, ARPHRD_NONE));
	tell(w, event_route(40, "64:ff9b::/96", NULL));
	tell(w, event_route(40, "192.168.255.0/24", NULL));
	a = ask(w, &inside, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_WAN);
	check_host(w, a.host, DESKTOP);
	assert_int_equal(a.wan, 40);
	a = ask(w, &outside, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_TUNNEL);
	check_host(w, a.host, "-");
	assert_false(a.host_is_reply);
	assert_int_equal(a.wan, WAN);
	a = ask(w, &back, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_TUNNEL);
	assert_true(a.host_is_reply);
	assert_int_equal(a.wan, WAN);
	a = ask(w, &own, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_WAN);
	check_host(w, a.host, "router");
}

static void outer_packets_are_nobodys(void **state)
{
	struct world *w = *state;
	struct ct_event out = event_flow(ROUTER_WAN_IP, SERVER4), in = event_flow(SERVER4, ROUTER_WAN_IP),
			lan = event_flow(ROUTER_LAN_IP, DESKTOP_IP), through = event_masqueraded(DESKTOP_IP, SERVER4);
	struct rtnl_event wg = event_link(41, "wg0", 0, ARPHRD_NONE);
	struct attribution a;

	out.proto = in.proto = lan.proto = through.proto = IPPROTO_ESP;
	a = ask(w, &out, ATTRIBUTE_FROM_PACKET);
	assert_int_equal(a.scope, FLOW_TUNNEL);
	check_host(w, a.host, "-");
	assert_int_equal(a.wan, WAN);
	a = ask(w, &in, ATTRIBUTE_FROM_PACKET);
	assert_int_equal(a.scope, FLOW_TUNNEL);
	assert_true(a.host_is_reply);
	/* To a host of the LAN it is local, and a host's own tunnel is the host's. */
	assert_int_equal(ask(w, &lan, ATTRIBUTE_FROM_TABLES).scope, FLOW_LOCAL);
	assert_int_equal(ask(w, &through, ATTRIBUTE_FROM_TABLES).scope, FLOW_WAN);
	/* Until WireGuard's port is known, the router's UDP waits. */
	wg.link.kind = RTNL_KIND_WIREGUARD;
	tell(w, wg);
	out.proto = IPPROTO_UDP;
	out.tuple[CT_ORIGINAL].sport = 51820;
	assert_int_equal(ask(w, &out, ATTRIBUTE_FROM_TABLES).scope, FLOW_UNDECIDED);
	assert_int_equal(ask(w, &out, ATTRIBUTE_FINAL).scope, FLOW_WAN);
	tunnels_port(w->tunnels, 41, 51820);
	assert_int_equal(ask(w, &out, ATTRIBUTE_FROM_TABLES).scope, FLOW_TUNNEL);
}

/* What the proxy takes is local for the host: the proxy's own flow crosses the WAN. */
static void a_transparent_proxy_takes_what_is_not_forwarded(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_flow(DESKTOP_IP, SERVER4), other = event_masqueraded(LAPTOP_IP, SERVER4);
	struct rtnl_event local = event_route(LO, "0.0.0.0/0", NULL), rule = event_rule(4, 100, 100);
	struct attribution a;

	tell(w, event_rule(4, 32766, RT_TABLE_MAIN));
	local.route.kind = RTN_LOCAL;
	local.route.table = 100;
	tell(w, local);
	w->all_is_sighted = true;
	assert_int_equal(ask(w, &e, ATTRIBUTE_FROM_TABLES).scope, FLOW_WAN); /* no rule looks at the table */
	rule.rule.is_general = false;
	tell(w, rule);
	a = ask(w, &e, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_LOCAL);
	check_host(w, a.host, DESKTOP);
	check_host(w, a.peer, "-");
	see(w, &other, CT_ORIGINAL, LAN, WAN, LAPTOP);
	assert_int_equal(ask(w, &other, ATTRIBUTE_FROM_TABLES).scope, FLOW_WAN);
	w->all_is_sighted = false; /* without rules nobody knows */
	assert_int_equal(ask(w, &e, ATTRIBUTE_FROM_TABLES).scope, FLOW_WAN);
	w->all_is_sighted = true;
	tell(w, event_gone(local));
	assert_int_equal(ask(w, &e, ATTRIBUTE_FROM_TABLES).scope, FLOW_WAN);
}

/* A packet of a group that came by the WAN is nobody's WAN traffic. */
static void a_group_has_no_wan_traffic(void **state)
{
	struct ct_event e = event_flow("198.51.100.1", "224.0.0.1");
	struct attribution a = ask(*state, &e, ATTRIBUTE_FINAL);

	assert_int_equal(a.scope, FLOW_LOCAL);
	check_host(*state, a.host, "unknown");
}

/* With and without its first packet, and whatever interface a copy was seen to leave by. */
static void routed_groups_are_of_who_sends(void **state)
{
	static const struct {
		const char *from, *group;
		uint32_t indev, outdev;
		enum flow_scope scope;
		const char *host;
	} cases[] = {
		{ "198.51.100.1", "239.1.2.3", WAN, LAN, FLOW_WAN, "other" },
		{ SERVER4, "232.0.0.1", WAN, GUEST, FLOW_WAN, "other" },
		{ SERVER4, "224.0.1.1", WAN, LAN, FLOW_WAN, "other" },
		{ SERVER6, "ff0e::77", WAN, LAN, FLOW_WAN, "other" },
		{ SERVER6, "ff35:40:2001:db8::7", WAN, LAN, FLOW_WAN, "other" },
		{ DESKTOP_IP, "239.1.2.3", LAN, WAN, FLOW_LOCAL, DESKTOP },
		{ DESKTOP_IP, "239.1.2.3", LAN, GUEST, FLOW_LOCAL, DESKTOP },
		{ "2001:db8:1::10", "ff0e::77", LAN, WAN, FLOW_LOCAL, DESKTOP },
		/* The prefix of its address is gone, and it is known from before. */
		{ "203.0.113.99", "239.255.255.250", LAN, GUEST, FLOW_LOCAL, LAPTOP },
		/* Not forwarded: heard only. */
		{ "198.51.100.1", "224.0.0.251", 0, 0, FLOW_LOCAL, "unknown" },
		{ SERVER6, "ff02::1", 0, 0, FLOW_LOCAL, "unknown" },
		{ "198.51.100.1", "255.255.255.255", 0, 0, FLOW_LOCAL, "unknown" },
	};
	struct world *w = *state;

	tell(w, event_neigh(LAN, "203.0.113.99", LAPTOP));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ct_event e = event_flow(cases[i].from, cases[i].group);
		bool known = strcmp(cases[i].host, "unknown") != 0;

		for (int seen = 0; seen < 1 + !!cases[i].indev; seen++) {
			struct attribution a = ask(w, &e,
				known ? ATTRIBUTE_FROM_TABLES : ATTRIBUTE_FINAL); /* nothing to wait for */

			assert_int_equal(a.scope, cases[i].scope);
			check_host(w, a.host, cases[i].host);
			check_host(w, a.peer, "-");
			assert_int_equal(a.host_is_reply, cases[i].scope == FLOW_WAN);
			assert_int_equal(a.wan, cases[i].scope == FLOW_WAN ? WAN : a.wan);
			if (cases[i].indev)
				see(w, &e, CT_ORIGINAL, cases[i].indev, cases[i].outdev,
					cases[i].indev == WAN                  ? "02:00:00:00:00:ff" :
						!strcmp(cases[i].host, LAPTOP) ? LAPTOP :
										 DESKTOP);
		}
	}
}

/* --- Address translation: the ends are the original source and the reply source */

static void nat_is_seen_through(void **state)
{
	struct ct_event out = event_masqueraded(DESKTOP_IP, SERVER4), in = event_forwarded(SERVER4, DESKTOP_IP);
	/* Hairpin: a LAN host by the router's WAN address to another LAN host, both translated. */
	struct ct_event hairpin = event_forwarded(DESKTOP_IP, LAPTOP_IP);
	struct attribution a = ask(*state, &out, ATTRIBUTE_FROM_TABLES);

	assert_int_equal(a.scope, FLOW_WAN);
	check_host(*state, a.host, DESKTOP);
	assert_false(a.host_is_reply);

	a = ask(*state, &in, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_WAN);
	check_host(*state, a.host, DESKTOP);
	assert_true(a.host_is_reply);
	assert_int_equal(a.wan, WAN);

	hairpin.tuple[CT_REPLY].dst = event_ip(ROUTER_LAN_IP);
	a = ask(*state, &hairpin, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_LOCAL);
	check_host(*state, a.host, DESKTOP);
	check_host(*state, a.peer, LAPTOP);
}

/* --- Efforts */

static void evidence_goes_step_by_step(void **state)
{
	struct world *w = *state;
	struct ct_event known = event_masqueraded(DESKTOP_IP, SERVER4), strange = event_flow("192.168.1.99", SERVER4),
			outside = event_flow(SERVER4, "203.0.113.81"),
			to_router = event_flow(DESKTOP_IP, ROUTER_LAN_IP);
	struct attribution a;

	assert_int_equal(ask(w, &known, ATTRIBUTE_FROM_PACKET).scope, FLOW_UNDECIDED);
	assert_int_equal(ask(w, &known, ATTRIBUTE_FROM_TABLES).scope, FLOW_WAN);
	assert_int_equal(ask(w, &strange, ATTRIBUTE_FROM_TABLES).scope, FLOW_UNDECIDED);
	a = ask(w, &strange, ATTRIBUTE_FINAL);
	assert_int_equal(a.scope, FLOW_WAN);
	assert_int_equal(a.by, FLOW_BY_NONE);
	check_host(w, a.host, "unknown");
	assert_int_equal(ask(w, &outside, ATTRIBUTE_FROM_TABLES).scope, FLOW_UNDECIDED);
	/* What is not forwarded is never sighted, so nothing is waited for. */
	assert_int_equal(ask(w, &to_router, ATTRIBUTE_FROM_PACKET).scope, FLOW_LOCAL);
}

static void an_old_neighbour_is_the_last_resort(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_masqueraded(DESKTOP_IP, SERVER4);
	struct attribution a;

	tell(w, event_gone(event_neigh(LAN, DESKTOP_IP, DESKTOP)));
	a = ask(w, &e, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.by, FLOW_BY_ADDRESS);
	check_host(w, a.host, DESKTOP);
}

/* A neighbour with that address on another link is somebody else. */
static void neighbours_are_asked_by_interface(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_masqueraded(DESKTOP_IP, SERVER4);

	tell(w, event_neigh(GUEST, DESKTOP_IP, VISITOR));
	check_host(w, ask(w, &e, ATTRIBUTE_FROM_TABLES).host, DESKTOP);
}

/* --- Sightings */

static void a_sighting_is_believed_first(void **state)
{
	struct world *w = *state;
	struct ct_event out = event_masqueraded(DESKTOP_IP, SERVER4), in = event_forwarded(SERVER4, DESKTOP_IP);
	struct attribution a;

	/* The neighbour table still has the address' former owner. */
	see(w, &out, CT_ORIGINAL, LAN, WAN, VISITOR);
	a = ask(w, &out, ATTRIBUTE_FROM_PACKET);
	assert_int_equal(a.scope, FLOW_WAN);
	assert_int_equal(a.by, FLOW_BY_NFLOG);
	assert_int_equal(a.wan, WAN);
	check_host(w, a.host, VISITOR);

	/* Inbound: the host's own packet is the reply; before it only the interfaces are known. */
	see(w, &in, CT_ORIGINAL, WAN, LAN, "02:00:00:00:00:ff");
	assert_int_equal(ask(w, &in, ATTRIBUTE_FROM_PACKET).scope, FLOW_UNDECIDED);
	see(w, &in, CT_REPLY, LAN, WAN, LAPTOP);
	a = ask(w, &in, ATTRIBUTE_FROM_PACKET);
	assert_int_equal(a.scope, FLOW_WAN);
	assert_true(a.host_is_reply);
	check_host(w, a.host, LAPTOP);
}

static void sightings_come_in_both_orders(void **state)
{
	static const char *const from[] = { DESKTOP_IP, "192.168.1.12" };
	struct world *w = *state;

	for (int first = 0; first < 2; first++) {
		struct ct_event e = event_flow(from[first], VISITOR_IP);
		struct attribution a;

		for (int i = 0; i < 2; i++) {
			enum ct_dir dir = i ? !first : first;

			assert_int_equal(ask(w, &e, ATTRIBUTE_FROM_PACKET).scope,
				FLOW_UNDECIDED); /* two hosts need both */
			see(w, &e, dir, dir == CT_ORIGINAL ? LAN : GUEST, dir == CT_ORIGINAL ? GUEST : LAN,
				dir == CT_ORIGINAL ? LAPTOP : VISITOR);
		}
		a = ask(w, &e, ATTRIBUTE_FROM_PACKET);
		assert_int_equal(a.scope, FLOW_LOCAL);
		check_host(w, a.host, LAPTOP);
		check_host(w, a.peer, VISITOR);
	}
}

/* Policy routing: the packet left by another line than the routes say. */
static void the_packets_interfaces_beat_the_routes(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_flow(DESKTOP_IP, "10.9.0.7"); /* by the routes LAN to LAN */
	struct attribution a;

	see(w, &e, CT_ORIGINAL, LAN, WAN, DESKTOP);
	a = ask(w, &e, ATTRIBUTE_FROM_PACKET);
	assert_int_equal(a.scope, FLOW_WAN);
	check_host(w, a.peer, "-");
	assert_int_equal(a.wan, WAN);
}

/* The same the other way round: the next hop of a route that the packet did not take is nobody's host. */
static void the_routes_gateway_is_not_the_packets(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_forwarded(SERVER4, "172.16.5.5"); /* by the routes at the provider's gateway */

	tell(w, event_neigh(WAN, "198.51.100.1", "02:00:00:00:00:ff"));
	tell(w, event_neigh(LAN, "172.16.5.5", LAPTOP));
	see(w, &e, CT_ORIGINAL, WAN, LAN, "02:00:00:00:00:ff");
	check_host(w, ask(w, &e, ATTRIBUTE_FROM_TABLES).host, LAPTOP);
}

static void sighted_is_told(void **state)
{
	struct world *w = *state;
	const struct attribute_sources sources = { &secret, w->topology, w->tunnels, w->neigh, w->sightings, w->names,
		w->hosts, w->all_is_sighted, w->has_zones ? w->zones : NULL, NULL, 0, false, false };
	struct ct_event e = event_masqueraded(DESKTOP_IP, SERVER4), other = event_masqueraded(LAPTOP_IP, SERVER4);
	bool sighted;

	see(w, &e, CT_ORIGINAL, LAN, WAN, DESKTOP);
	attribute(&sources, &e, ATTRIBUTE_FINAL, &sighted);
	assert_true(sighted);
	attribute(&sources, &other, ATTRIBUTE_FINAL, &sighted);
	assert_false(sighted);
}

/* The forward hook sees an ICMP id before masquerading changes it: the original one, at both ends. */
static void echoes_are_joined_by_the_inner_id(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_masqueraded(DESKTOP_IP, SERVER4);
	struct sighting s;
	struct sightings_end from = { .ifindex = LAN, .mac = event_mac(LAPTOP), .has_mac = true };
	uint64_t pair;
	bool swapped;

	e.proto = 1;
	e.tuple[CT_ORIGINAL].sport = e.tuple[CT_ORIGINAL].dport = 77;
	e.tuple[CT_REPLY].sport = e.tuple[CT_REPLY].dport = 1024; /* translated */
	s = event_sighting(&e, CT_ORIGINAL, LAN, WAN, LAPTOP);
	pair = flow_pair(&secret, 1, 0, &s.src, 77, &s.dst, 77, &swapped);
	sightings_add(w->sightings, pair, swapped, &from, &(struct sightings_end){ .ifindex = WAN }, 1);
	check_host(w, ask(w, &e, ATTRIBUTE_FROM_PACKET).host, LAPTOP);
}

/* --- Links and hosts of other kinds */

static void a_link_without_macs_has_hosts_by_address(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_masqueraded("10.9.0.7", SERVER4), in = event_forwarded(SERVER4, "10.9.0.8");
	struct attribution a = ask(w, &e, ATTRIBUTE_FROM_TABLES);

	assert_int_equal(a.scope, FLOW_WAN);
	check_host(w, a.host, "10.9.0.7");
	see(w, &e, CT_ORIGINAL, TUNNEL, WAN, NULL);
	a = ask(w, &e, ATTRIBUTE_FROM_PACKET);
	assert_int_equal(a.by, FLOW_BY_NFLOG);
	check_host(w, a.host, "10.9.0.7");
	a = ask(w, &in, ATTRIBUTE_FROM_TABLES);
	assert_true(a.host_is_reply);
	check_host(w, a.host, "10.9.0.8");
}

static void behind_a_second_router_the_gateway_counts(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_masqueraded("10.50.3.4", SERVER4);
	struct attribution a = ask(w, &e, ATTRIBUTE_FROM_TABLES);

	assert_int_equal(a.scope, FLOW_WAN);
	assert_int_equal(a.by, FLOW_BY_NEIGHBOUR);
	check_host(w, a.host, SECOND_ROUTER);
	/* So does the MAC on the packet. */
	see(w, &e, CT_ORIGINAL, LAN, WAN, SECOND_ROUTER);
	check_host(w, ask(w, &e, ATTRIBUTE_FROM_PACKET).host, SECOND_ROUTER);
}

/* Whatever MAC they are behind, and whatever that is called; the MAC's other addresses stay the MAC's. */
static void configured_addresses_are_hosts(void **state)
{
	static const struct {
		const char *addr, *host;
		enum flow_by by;
	} cases[] = {
		{ "10.50.3.4", "10.50.3.4", FLOW_BY_NEIGHBOUR }, { "10.50.3.5", SECOND_ROUTER, FLOW_BY_NEIGHBOUR },
		{ "2001:db8:1::10", "2001:db8:1::10", FLOW_BY_NEIGHBOUR },
		{ DESKTOP_IP, DESKTOP, FLOW_BY_NEIGHBOUR },          /* named by this MAC as well */
		{ LAPTOP_IP, VISITOR, FLOW_BY_NEIGHBOUR },           /* by another MAC: it stays one host */
		{ "192.168.1.99", "192.168.1.99", FLOW_BY_ADDRESS }, /* no neighbour */
	};
	struct world *w = *state;
	struct mac desktop = event_mac(DESKTOP), second = event_mac(SECOND_ROUTER), visitor = event_mac(VISITOR);

	names_set_mac(w->names, NAMES_CONFIG, &second, "extender");
	names_set_mac(w->names, NAMES_CONFIG, &desktop, "desktop");
	names_set_mac(w->names, NAMES_CONFIG, &visitor, "laptop");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static const char *const names[] = { "tv", NULL, "tv", "desktop", "laptop", "tv" };
		struct ct_event out = event_flow(cases[i].addr, strchr(cases[i].addr, ':') ? SERVER6 : SERVER4),
				in = event_flow(strchr(cases[i].addr, ':') ? SERVER6 : SERVER4, cases[i].addr);
		struct addr addr = event_ip(cases[i].addr);
		struct attribution a;

		if (names[i])
			names_set_address(w->names, NAMES_CONFIG, &addr, names[i]);
		assert_int_equal(ask(w, &out, ATTRIBUTE_FROM_PACKET).scope, FLOW_UNDECIDED);
		for (int inbound = 0; inbound < 2; inbound++) {
			a = ask(w, inbound ? &in : &out, ATTRIBUTE_FROM_TABLES);
			assert_int_equal(a.scope, FLOW_WAN);
			assert_int_equal(a.by, cases[i].by);
			assert_int_equal(a.host_is_reply, inbound);
			check_host(w, a.host, cases[i].host);
		}
		see(w, &out, CT_ORIGINAL, LAN, WAN, i == 3 ? DESKTOP : SECOND_ROUTER);
		a = ask(w, &out, ATTRIBUTE_FROM_PACKET);
		assert_int_equal(a.by, FLOW_BY_NFLOG);
		check_host(w, a.host, cases[i].host);
	}
}

/* Two LANs with the same addresses: without its packet, a flow is not given to the host that the routes lead to. */
static void zones_have_hosts_of_their_own(void **state)
{
	struct world *w = *state;
	struct ct_event one = event_masqueraded(DESKTOP_IP, SERVER4), other = one,
			single = event_flow(LAPTOP_IP, SERVER4);
	struct addr addr = event_ip(DESKTOP_IP);

	w->has_zones = true;
	one.zone = single.zone = 1;
	other.zone = 2;
	check_host(w, ask(w, &one, ATTRIBUTE_FROM_TABLES).host, DESKTOP);
	tell(w, event_neigh(GUEST, DESKTOP_IP, VISITOR));
	assert_int_equal(ask(w, &one, ATTRIBUTE_FROM_TABLES).scope, FLOW_UNDECIDED);
	assert_int_equal(ask(w, &other, ATTRIBUTE_FROM_TABLES).scope, FLOW_UNDECIDED);
	check_host(w, ask(w, &one, ATTRIBUTE_FINAL).host, "unknown");
	check_host(w, ask(w, &single, ATTRIBUTE_FROM_TABLES).host, LAPTOP);
	/* Neither by its name. */
	names_set_address(w->names, NAMES_CONFIG, &addr, "desktop");
	check_host(w, ask(w, &other, ATTRIBUTE_FINAL).host, "unknown");
	/* The same ends in both zones: each has its own packet. */
	see(w, &other, CT_ORIGINAL, GUEST, WAN, VISITOR);
	assert_int_equal(ask(w, &one, ATTRIBUTE_FROM_PACKET).scope, FLOW_UNDECIDED);
	check_host(w, ask(w, &other, ATTRIBUTE_FROM_PACKET).host, VISITOR);
	see(w, &one, CT_ORIGINAL, LAN, WAN, DESKTOP);
	check_host(w, ask(w, &one, ATTRIBUTE_FROM_PACKET).host, DESKTOP);
	check_host(w, ask(w, &other, ATTRIBUTE_FROM_PACKET).host, VISITOR);
	/* Packets without their zone: by the ports, and by what the zone means if both have the same. */
	one = event_masqueraded(DESKTOP_IP, "203.0.113.81");
	see(w, &one, CT_ORIGINAL, GUEST, WAN, VISITOR);
	one.zone = 2;
	check_host(w, ask(w, &one, ATTRIBUTE_FROM_PACKET).host, VISITOR);
	one.zone = 0;
	see(w, &one, CT_ORIGINAL, LAN, WAN, DESKTOP);
	one.zone = 2;
	check_host(w, ask(w, &one, ATTRIBUTE_FINAL).host, VISITOR);
	one.zone = 3;
	check_host(w, ask(w, &one, ATTRIBUTE_FINAL).host, "unknown");
	/* Inbound: the interface of the packet, and the neighbour there. */
	one = event_forwarded(SERVER4, DESKTOP_IP);
	one.zone = 2;
	see(w, &one, CT_ORIGINAL, WAN, GUEST, "02:00:00:00:00:ff");
	check_host(w, ask(w, &one, ATTRIBUTE_FROM_TABLES).host, VISITOR);
	/* Where zones are used, the one without number is one of them. */
	one = event_masqueraded(DESKTOP_IP, "203.0.113.82");
	assert_int_equal(ask(w, &one, ATTRIBUTE_FROM_TABLES).scope, FLOW_UNDECIDED);
	/* The other network is gone. */
	tell(w, event_gone(event_link(GUEST, "guest", 0, ARPHRD_ETHER)));
	assert_int_equal(ask(w, &one, ATTRIBUTE_FROM_TABLES).scope, FLOW_WAN);
}

/* Both networks have the same prefix, and no packet is seen. */
static void zones_are_learned_from_neighbours(void **state)
{
	struct world *w = *state;
	struct ct_event one = event_masqueraded(DESKTOP_IP, SERVER4), two = one,
			own = event_flow("192.168.1.77", SERVER4);

	w->has_zones = true;
	one.zone = 1;
	two.zone = own.zone = 2;
	one.has_counters = two.has_counters = own.has_counters = true;
	tell(w, event_addr(GUEST, "192.168.1.1", 24));
	/* Without an answer the neighbour of the other network may be missing still. */
	assert_int_equal(ask(w, &two, ATTRIBUTE_FROM_TABLES).scope, FLOW_UNDECIDED);
	check_host(w, ask(w, &two, ATTRIBUTE_FINAL).host, "unknown");
	one.packets[CT_REPLY] = two.packets[CT_REPLY] = own.packets[CT_REPLY] = 1;
	check_host(w, ask(w, &one, ATTRIBUTE_FROM_TABLES).host, DESKTOP);
	tell(w, event_neigh(GUEST, DESKTOP_IP, VISITOR));
	/* One zone says nothing: it may be of all interfaces. */
	check_host(w, ask(w, &one, ATTRIBUTE_FINAL).host, "unknown");
	check_host(w, ask(w, &two, ATTRIBUTE_FINAL).host, "unknown");
	/* A host of the second network that the first has not. */
	tell(w, event_neigh(GUEST, "192.168.1.77", SECOND_ROUTER));
	check_host(w, ask(w, &own, ATTRIBUTE_FROM_TABLES).host, SECOND_ROUTER);
	check_host(w, ask(w, &one, ATTRIBUTE_FROM_TABLES).host, DESKTOP);
	check_host(w, ask(w, &two, ATTRIBUTE_FROM_TABLES).host, VISITOR);
	/* The second zone is of both interfaces. */
	two = event_masqueraded(LAPTOP_IP, SERVER4);
	two.zone = 2;
	two.has_counters = true;
	two.packets[CT_REPLY] = 1;
	check_host(w, ask(w, &two, ATTRIBUTE_FROM_TABLES).host, LAPTOP);
	check_host(w, ask(w, &one, ATTRIBUTE_FINAL).host, "unknown");
}

static void link_local_is_told_by_neighbours(void **state)
{
	struct world *w = *state;
	struct ct_event e = event_flow("fe80::a", "fe80::1"), upstream = event_flow("fe80::2", "fe80::ffff");
	struct attribution a;

	tell(w, event_neigh(LAN, "fe80::a", DESKTOP));
	tell(w, event_neigh(WAN, "fe80::ffff", "02:00:00:00:00:ff"));
	a = ask(w, &e, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_LOCAL);
	check_host(w, a.host, DESKTOP);
	assert_false(a.host_is_reply);
	/* One that no neighbour tells of: the router's own address says which link it is. */
	e = event_flow("fe80::b", "fe80::1");
	a = ask(w, &e, ATTRIBUTE_FINAL);
	assert_int_equal(a.scope, FLOW_LOCAL);
	/* The router and its provider, as in DHCPv6: the router's own WAN traffic. */
	a = ask(w, &upstream, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_WAN);
	check_host(w, a.host, "router");
	assert_int_equal(a.wan, WAN);
}

static void what_the_configuration_leaves_out_is_other(void **state)
{
	static const char *const lan[] = { "br-lan", NULL };
	struct world *w = world_new(lan);
	struct ct_event out = event_masqueraded(VISITOR_IP, SERVER4), local = event_flow(DESKTOP_IP, VISITOR_IP);
	struct attribution a = ask(w, &out, ATTRIBUTE_FROM_TABLES);
	void *own = w;

	(void)state;
	assert_int_equal(a.scope, FLOW_WAN);
	check_host(w, a.host, "other");
	a = ask(w, &local, ATTRIBUTE_FROM_TABLES);
	assert_int_equal(a.scope, FLOW_LOCAL);
	check_host(w, a.host, DESKTOP);
	check_host(w, a.peer, "other");
	end(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scopes, begin, end),
		cmocka_unit_test_setup_teardown(a_group_on_a_bridge_is_no_peer, begin, end),
		cmocka_unit_test_setup_teardown(a_side_router_has_hosts, begin, end),
		cmocka_unit_test_setup_teardown(a_server_is_no_host_of_a_lan_that_is_gone, begin, end),
		cmocka_unit_test_setup_teardown(a_vrf_hides_the_links, begin, end),
		cmocka_unit_test_setup_teardown(a_translators_flows, begin, end),
		cmocka_unit_test_setup_teardown(outer_packets_are_nobodys, begin, end),
		cmocka_unit_test_setup_teardown(a_transparent_proxy_takes_what_is_not_forwarded, begin, end),
		cmocka_unit_test_setup_teardown(a_group_has_no_wan_traffic, begin, end),
		cmocka_unit_test_setup_teardown(routed_groups_are_of_who_sends, begin, end),
		cmocka_unit_test_setup_teardown(nat_is_seen_through, begin, end),
		cmocka_unit_test_setup_teardown(evidence_goes_step_by_step, begin, end),
		cmocka_unit_test_setup_teardown(an_old_neighbour_is_the_last_resort, begin, end),
		cmocka_unit_test_setup_teardown(neighbours_are_asked_by_interface, begin, end),
		cmocka_unit_test_setup_teardown(a_sighting_is_believed_first, begin, end),
		cmocka_unit_test_setup_teardown(sightings_come_in_both_orders, begin, end),
		cmocka_unit_test_setup_teardown(the_packets_interfaces_beat_the_routes, begin, end),
		cmocka_unit_test_setup_teardown(the_routes_gateway_is_not_the_packets, begin, end),
		cmocka_unit_test_setup_teardown(sighted_is_told, begin, end),
		cmocka_unit_test_setup_teardown(echoes_are_joined_by_the_inner_id, begin, end),
		cmocka_unit_test_setup_teardown(a_link_without_macs_has_hosts_by_address, begin, end),
		cmocka_unit_test_setup_teardown(behind_a_second_router_the_gateway_counts, begin, end),
		cmocka_unit_test_setup_teardown(configured_addresses_are_hosts, begin, end),
		cmocka_unit_test_setup_teardown(zones_have_hosts_of_their_own, begin, end),
		cmocka_unit_test_setup_teardown(zones_are_learned_from_neighbours, begin, end),
		cmocka_unit_test_setup_teardown(link_local_is_told_by_neighbours, begin, end),
		cmocka_unit_test(what_the_configuration_leaves_out_is_other),
	};

	return cmocka_run_group_tests_name("attribute", tests, NULL, NULL);
}
