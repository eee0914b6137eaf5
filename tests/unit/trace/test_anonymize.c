/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace of the lab, and messages made by hand, before and after.
 */
#include "hostmeter/trace/anonymize.h"

#include "hostmeter/decode/ct_decode.h"
#include "hostmeter/decode/nflog_decode.h"
#include "hostmeter/decode/nlattr.h"
#include "hostmeter/decode/rtnl_decode.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/trace/trace.h"

#include "netlink_build.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TRACE "tests/traces/home.pcap"

static const struct hash_key key = { { 1, 9 } };

enum { HOSTS = 16, SECRETS = 64 };

/* Byte strings that may not be in what comes out. */
struct secrets {
	struct {
		uint8_t bytes[16];
		size_t len;
	} item[SECRETS];
	size_t count;
};

static void keep_secret(struct secrets *secrets, const void *bytes, size_t len)
{
	for (size_t i = 0; i < secrets->count; i++)
		if (secrets->item[i].len == len && !memcmp(secrets->item[i].bytes, bytes, len))
			return;
	assert_true(secrets->count < SECRETS && len <= 16);
	memcpy(secrets->item[secrets->count].bytes, bytes, len);
	secrets->item[secrets->count++].len = len;
}

static void keep_address(struct secrets *secrets, const struct addr *addr)
{
	/* These say nothing of anybody. */
	if (addr->family && !addr_is_loopback(addr) && !addr_is_unspecified(addr) && addr->b[0] != 127)
		keep_secret(secrets, addr->b, addr_len(addr->family));
}

static void collect_rtnl(struct secrets *secrets, const struct rtnl_event *e)
{
	switch (e->type) {
	case RTNL_LINK:
		if (strlen(e->link.name) > 2)
			keep_secret(secrets, e->link.name, strlen(e->link.name));
		break;
	case RTNL_ADDR:
		keep_address(secrets, &e->addr.addr);
		break;
	case RTNL_ROUTE:
		/* What is left of fe80::/64 or ff00::/8 as a prefix is a class, and stays. */
		if (e->route.dst.len && !addr_is_link_local(&e->route.dst.addr) &&
			!addr_is_multicast(&e->route.dst.addr))
			keep_address(secrets, &e->route.dst.addr);
		keep_address(secrets, &e->route.gateway);
		break;
	default:
		keep_address(secrets, &e->neigh.addr);
		if (e->neigh.has_mac)
			keep_secret(secrets, e->neigh.mac.b, MAC_LEN);
		break;
	}
}

static void collect(struct secrets *secrets, const struct trace_datagram *d)
{
	const struct nlmsghdr *message = d->data;
	struct sighting sighting;
	struct rtnl_event rtnl;
	struct ct_event ct;

	for (size_t left = d->len; !d->outgoing && nlattr_is_whole(message, left);) {
		size_t step = NLMSG_ALIGN((size_t)message->nlmsg_len);

		if (d->protocol == NETLINK_ROUTE && !rtnl_decode(message, &rtnl)) {
			collect_rtnl(secrets, &rtnl);
		} else if (d->protocol == NETLINK_NETFILTER && !ct_decode(message, &ct)) {
			for (int dir = 0; dir < 2; dir++) {
				keep_address(secrets, &ct.tuple[dir].src);
				keep_address(secrets, &ct.tuple[dir].dst);
			}
		} else if (d->protocol == NETLINK_NETFILTER && !nflog_decode(message, &sighting)) {
			keep_address(secrets, &sighting.src);
			keep_address(secrets, &sighting.dst);
			keep_secret(secrets, sighting.mac.b, MAC_LEN);
		}
		if (step >= left)
			break;
		message = (const void *)((const char *)message + step);
		left -= step;
	}
}

static void check_secrets(const struct secrets *secrets, const void *bytes, size_t len)
{
	for (size_t i = 0; i < secrets->count; i++)
		assert_null(memmem(bytes, len, secrets->item[i].bytes, secrets->item[i].len));
}

static struct trace_reader *open_trace(void)
{
	struct trace_reader *reader;

	assert_int_equal(trace_open(&reader, TRACE), 0);
	return reader;
}

/* Netlink is in its machine's byte order, and so is the trace: on a machine of the other one there is nothing to test.
 */
static bool trace_is_refused(void)
{
	struct trace_reader *reader;

	if (htole16(1) == 1)
		return false;
	assert_true(trace_open(&reader, TRACE) < 0);
	return true;
}

static void nothing_of_the_original_is_left(void **state)
{
	struct secrets secrets = { .count = 0 };
	struct trace_reader *reader;
	struct trace_datagram d;
	struct buf out = BUF_INIT;
	struct anonymizer *a;

	(void)state;
	if (trace_is_refused())
		return;
	a = anonymize_new(&key);
	reader = open_trace();
	while (trace_read(reader, &d) == 1) {
		collect(&secrets, &d);
		anonymize_datagram(a, d.protocol, d.outgoing, d.data, d.len, &out);
	}
	/*
	 * Three hosts and a server with two families each, the router, MACs, interfaces: the search has something to
	 * find.
	 */
	assert_true(secrets.count > 20);
	assert_true(out.len > 10000);
	check_secrets(&secrets, out.data, out.len);
	buf_free(&out);
	trace_reader_free(reader);
	anonymize_free(a);
}

/* --- The same totals */

static struct meter *new_meter(uint64_t start_real_ns)
{
	struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 100, .max_flows = 10000 };

	options.start_real_ns = start_real_ns;
	return meter_new(&options);
}

static int by_counts(const void *a, const void *b)
{
	const struct snapshot_host *x = a, *y = b;
	int order = memcmp(&x->wan, &y->wan, sizeof(x->wan));

	return order ? order : memcmp(&x->local, &y->local, sizeof(x->local));
}

/* Metered, with or without pseudonyms: the hosts in an order that needs no names. */
static void meter_trace(struct anonymizer *a, struct snapshot *snapshot)
{
	struct trace_reader *reader = open_trace();
	struct meter *meter = NULL;
	struct dispatch *dispatch = NULL;
	struct trace_datagram d;
	struct buf out = BUF_INIT;

	while (trace_read(reader, &d) == 1) {
		if (!meter) {
			meter = new_meter(d.real_ns);
			dispatch = dispatch_new(meter);
			for (enum source source = 0; source < SOURCE_COUNT; source++)
				meter_source(meter, source, true, 0);
		}
		meter_tick(meter, d.real_ns);
		buf_reset(&out);
		if (a)
			anonymize_datagram(a, d.protocol, d.outgoing, d.data, d.len, &out);
		dispatch_datagram(dispatch, d.protocol, d.outgoing, a ? out.data : d.data, a ? out.len : d.len,
			d.real_ns);
	}
	meter_settle(meter, d.real_ns);
	assert_int_equal(meter_snapshot(meter, snapshot, d.real_ns), 0);
	qsort(snapshot->host, snapshot->hosts, sizeof(snapshot->host[0]), by_counts);
	dispatch_free(dispatch);
	meter_free(meter);
	buf_free(&out);
	trace_reader_free(reader);
}

static void totals_are_the_same(void **state)
{
	struct snapshot plain, changed;
	struct anonymizer *a;

	(void)state;
	if (trace_is_refused())
		return;
	a = anonymize_new(&key);
	meter_trace(NULL, &plain);
	meter_trace(a, &changed);
	assert_true(plain.hosts >= 6);
	assert_int_equal(plain.hosts, changed.hosts);
	for (size_t i = 0; i < plain.hosts; i++) {
		assert_memory_equal(&plain.host[i].wan, &changed.host[i].wan, sizeof(plain.host[i].wan));
		assert_memory_equal(&plain.host[i].local, &changed.host[i].local, sizeof(plain.host[i].local));
		assert_int_equal(plain.host[i].special, changed.host[i].special);
		if (!plain.host[i].special)
			assert_string_not_equal(plain.host[i].mac, changed.host[i].mac);
	}
	assert_memory_equal(plain.stats.attributed, changed.stats.attributed, sizeof(plain.stats.attributed));
	assert_int_equal(plain.stats.attributed[FLOW_BY_NFLOG] > 0, 1);
	assert_int_equal(plain.links, changed.links);
	snapshot_clear(&plain);
	snapshot_clear(&changed);
	anonymize_free(a);
}

/* --- One message */

/* The only message that comes out, borrowed until the next; NULL: none does. */
static const struct nlmsghdr *changed(struct anonymizer *a, uint16_t protocol, bool outgoing,
	const struct nlmsghdr *message)
{
	static struct buf out;
	const struct nlmsghdr *result;

	buf_reset(&out);
	anonymize_datagram(a, protocol, outgoing, message, message->nlmsg_len, &out);
	if (!out.len)
		return NULL;
	result = (const void *)out.data;
	assert_true(nlattr_is_whole(result, out.len));
	assert_int_equal(NLMSG_ALIGN(result->nlmsg_len), out.len);
	return result;
}

static void one_address_has_one_pseudonym_in_all_sources(void **state)
{
	static const struct mac mac = { { 0, 0, 0x5e, 0, 0x53, 1 } };
	const struct addr host = build_addr("192.168.77.10"), server = build_addr("198.51.100.80");
	const struct rtnl_event n = {
		.type = RTNL_NEIGH, .ifindex = 3, .neigh = { .addr = host, .mac = mac, .state = 2 }
	};
	const struct rtnl_event r = { .type = RTNL_ROUTE,
		.ifindex = 3,
		.route = { .dst = prefix_make(&host, 24), .kind = RTN_UNICAST, .gateway = server } };
	const struct rtnl_event l = { .type = RTNL_LINK, .ifindex = 3, .link = { .name = "secret0" } };
	const struct rtnl_event o = { .type = RTNL_ADDR, .ifindex = 3, .addr = { .addr = host, .prefix_len = 24 } };
	const struct ct_event c = { .type = CT_DESTROY,
		.family = 4,
		.proto = IPPROTO_TCP,
		.id = 5,
		.tuple = { { host, server, 4000, 443 }, { server, host, 443, 4000 } } };
	static const uint8_t tcp[24] = { 0x0f, 0xa0, 0x01, 0xbb, [20] = 's', 'e', 'c', 'r' };
	struct anonymizer *a = anonymize_new(&key);
	struct sighting sighting;
	struct rtnl_event e;
	struct ct_event ct;
	union message m;
	uint8_t packet[64];

	(void)state;
	assert_int_equal(ct_decode(changed(a, NETLINK_NETFILTER, false, build_ct(&m, &c, 0)), &ct), 0);
	assert_false(addr_equal(&ct.tuple[0].src, &host));
	assert_true(addr_equal(&ct.tuple[0].src, &ct.tuple[1].dst));
	assert_true(addr_equal(&ct.tuple[0].dst, &ct.tuple[1].src));
	assert_int_equal(ct.tuple[0].sport, 4000);
	assert_int_equal(ct.id, 5);

	build_nflog(&m, 3, 2, mac.b, 6, packet,
		build_ip4(packet, IPPROTO_TCP, "192.168.77.10", "198.51.100.80", tcp, 24));
	assert_int_equal(nflog_decode(changed(a, NETLINK_NETFILTER, false, &m.head), &sighting), 0);
	assert_true(addr_equal(&sighting.src, &ct.tuple[0].src));
	assert_true(addr_equal(&sighting.dst, &ct.tuple[0].dst));
	assert_int_equal(sighting.sport, 4000);
	assert_int_equal(sighting.dport, 443);
	assert_int_equal(sighting.indev, 3);
	assert_true(sighting.has_mac && !mac_equal(&sighting.mac, &mac));

	assert_int_equal(rtnl_decode(changed(a, NETLINK_ROUTE, false, build_neigh(&m, &n, MAC_LEN)), &e), 0);
	assert_true(addr_equal(&e.neigh.addr, &sighting.src));
	assert_true(mac_equal(&e.neigh.mac, &sighting.mac));
	assert_int_equal(rtnl_decode(changed(a, NETLINK_ROUTE, false, build_rtnl_addr(&m, &o, NULL)), &e), 0);
	assert_true(addr_equal(&e.addr.addr, &sighting.src));
	assert_int_equal(rtnl_decode(changed(a, NETLINK_ROUTE, false, build_route(&m, &r, 0)), &e), 0);
	assert_true(prefix_contains(&e.route.dst, &sighting.src));
	assert_true(addr_equal(&e.route.gateway, &sighting.dst));
	assert_int_equal(rtnl_decode(changed(a, NETLINK_ROUTE, false, build_link(&m, &l)), &e), 0);
	assert_string_equal(e.link.name, "if3");
	anonymize_free(a);
}

static void every_protocol_keeps_its_ports(void **state)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, 33, IPPROTO_ICMP,
		IPPROTO_ICMPV6, IPPROTO_GRE, IPPROTO_ESP };
	struct anonymizer *a = anonymize_new(&key);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(protos); i++) {
		uint8_t l4[24] = { protos[i / 2] == IPPROTO_ICMPV6 ? 128 : 8, 0, 0x12, 0x34, 0x56, 0x78 }, packet[80];
		struct sighting before, after;
		union message m;
		size_t len = i % 2 ? build_ip6(packet, protos[i / 2], "2001:db8::1", "2001:db8::2", l4, sizeof(l4)) :
				     build_ip4(packet, protos[i / 2], "192.0.2.1", "192.0.2.2", l4, sizeof(l4));

		build_nflog(&m, 3, 2, NULL, 0, packet, len);
		assert_int_equal(nflog_decode(&m.head, &before), 0);
		assert_int_equal(nflog_decode(changed(a, NETLINK_NETFILTER, false, &m.head), &after), 0);
		assert_int_equal(after.family, before.family);
		assert_int_equal(after.proto, before.proto);
		assert_int_equal(after.has_ports, before.has_ports);
		assert_int_equal(after.sport, before.sport);
		assert_int_equal(after.dport, before.dport);
		assert_false(after.has_mac);
	}
	anonymize_free(a);
}

static void requests_and_ends_of_dumps_stay(void **state)
{
	const struct ifinfomsg fixed = { .ifi_family = AF_INET6, .ifi_index = 77 };
	struct anonymizer *a = anonymize_new(&key);
	char refusal[] = "EBUSY and what was asked for.";
	const int32_t error = -16;
	const struct nlmsghdr *out;
	union message m;

	(void)state;
	build_start(&m, RTM_GETLINK, &fixed, sizeof(fixed));
	m.head.nlmsg_seq = 12;
	m.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	out = changed(a, NETLINK_ROUTE, true, &m.head);
	assert_non_null(out);
	assert_int_equal(out->nlmsg_seq, 12);
	assert_int_equal(out->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(((const struct ifinfomsg *)NLMSG_DATA(out))->ifi_family, AF_INET6);
	assert_int_equal(((const struct ifinfomsg *)NLMSG_DATA(out))->ifi_index, 0);

	memcpy(refusal, &error, sizeof(error));
	build_start(&m, NLMSG_ERROR, refusal, sizeof(refusal));
	out = changed(a, NETLINK_NETFILTER, false, &m.head);
	assert_int_equal(((const struct nlmsgerr *)NLMSG_DATA(out))->error, -16);
	assert_null(memmem(out, out->nlmsg_len, "asked", 5));
	assert_int_equal(anonymize_left_out(a), 0);

	/* What the meter does not follow is not for strangers. */
	build_start(&m, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, "\0\0\0\0", 4);
	assert_null(changed(a, NETLINK_NETFILTER, true, &m.head));
	build_start(&m, RTM_NEWRULE, "\2\0\0\0", 4);
	assert_null(changed(a, NETLINK_ROUTE, false, &m.head));
	assert_int_equal(anonymize_left_out(a), 2);
	anonymize_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_the_original_is_left),
		cmocka_unit_test(totals_are_the_same),
		cmocka_unit_test(one_address_has_one_pseudonym_in_all_sources),
		cmocka_unit_test(every_protocol_keeps_its_ports),
		cmocka_unit_test(requests_and_ends_of_dumps_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
