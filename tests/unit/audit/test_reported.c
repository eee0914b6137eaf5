/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What api writes is what the audit reads; and whatever else comes is nothing, or refused. */
#include "hostmeter/audit/reported.h"

#include "hostmeter/export/api.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "snapshots.h"

static int read_text(int (*read)(struct audit_reported *reported, const struct buf *document), const char *text)
{
	struct audit_reported reported = { 0 };
	struct buf document = BUF_INIT;
	int error;

	buf_puts(&document, text);
	error = read(&reported, &document);
	buf_free(&document);
	reported_clear(&reported);
	return error;
}

static int read_line(struct audit_reported_flow *flow, const char *text)
{
	return reported_read_flow(flow, text, strlen(text));
}

static void what_api_writes_is_read(void **state)
{
	struct snapshot snapshot = snapshots_full();
	struct buf hosts = BUF_INIT, status = BUF_INIT;
	struct audit_reported reported = { 0 };
	size_t addresses = 0, metered = 0;

	(void)state;
	snapshot.wan[1].count[WAN_TUNNEL][WAN_RX].bytes = 861;
	snapshot.wan[1].count[WAN_TUNNEL][WAN_TX].bytes = 863;
	snapshot.wan[0].count[WAN_TUNNEL][WAN_TX].bytes = 7;
	api_hosts(&hosts, &snapshot);
	api_status(&status, &snapshot);
	assert_int_equal(reported_read_hosts(&reported, &hosts), 0);
	assert_int_equal(reported_read_status(&reported, &status), 0);
	assert_int_equal(reported.hosts, snapshot.hosts);
	for (size_t i = 0; i < reported.hosts; i++) {
		const struct audit_reported_host *host = &reported.host[i];

		assert_string_equal(host->label, snapshot.host[i].label);
		assert_string_equal(host->mac, snapshot.host[i].mac);
		assert_int_equal(host->address, addresses);
		addresses += host->addresses;
		for (enum audit_family f = 0; f < AUDIT_FAMILIES; f++) {
			for (enum audit_direction d = 0; d < AUDIT_DIRECTIONS; d++) {
				assert_int_equal(host->bytes[AUDIT_WAN][f][d], snapshot.host[i].wan.of[f][d].bytes);
				assert_int_equal(host->bytes[AUDIT_LOCAL][f][d], snapshot.host[i].local.of[f][d].bytes);
			}
		}
	}
	assert_int_equal(addresses, snapshot.addresses);
	assert_int_equal(reported.overruns, snapshot.source[SOURCE_EVENTS].overruns);
	assert_int_equal(reported.tunnel[AUDIT_IN], 861);
	assert_int_equal(reported.tunnel[AUDIT_OUT], 863 + 7);
	assert_int_equal(reported.reliable, snapshot.process.reliable);
	assert_int_equal(reported.dump_interval_ns, snapshot.process.dump_interval_ns);
	for (size_t i = 0; i < snapshot.links; i++) {
		const struct topology_link *link = &snapshot.link[i];

		if ((link->side != SIDE_WAN && link->side != SIDE_LAN) || !link->ifindex)
			continue;
		assert_int_equal(reported.link[metered].ifindex, link->ifindex);
		assert_int_equal(reported.link[metered++].is_wan, link->side == SIDE_WAN);
	}
	assert_true(metered);
	assert_int_equal(reported.links, metered);
	reported_clear(&reported);
	assert_int_equal(reported.hosts, 0);
	buf_free(&hosts);
	buf_free(&status);
}

static void a_flow_is_read(void **state)
{
	struct audit_reported_flow flow;

	(void)state;
	assert_int_equal(read_line(&flow,
				 "{\"schema\":1,\"host\":\"desktop\",\"mac\":\"00:00:5e:00:53:01\",\"peer\":\"tv\","
				 "\"peer_mac\":\"00:00:5e:00:53:02\",\"inbound\":false,\"scope\":\"local\",\"ipv\":6,"
				 "\"proto\":17,\"zone\":3,"
				 "\"id\":4294967295,\"original\":{\"src\":\"2001:db8::1\",\"dst\":\"2001:db8::2\","
				 "\"sport\":5,\"dport\":53}}"),
		0);
	assert_string_equal(flow.host, "desktop");
	assert_string_equal(flow.peer_mac, "00:00:5e:00:53:02");
	assert_true(flow.began);
	assert_int_equal(flow.scope, AUDIT_LOCAL);
	assert_int_equal(flow.flow.family, 6);
	assert_int_equal(flow.flow.proto, 17);
	assert_int_equal(flow.flow.zone, 3);
	assert_int_equal(flow.flow.id, UINT32_MAX);
	assert_int_equal(flow.flow.tuple[CT_ORIGINAL].dport, 53);
	assert_int_equal(flow.flow.tuple[CT_ORIGINAL].dst.b[15], 2);
}

static void the_scope_of_a_flow(void **state)
{
	static const struct {
		const char *text;
		enum audit_scope scope;
	} cases[] = {
		{ "wan", AUDIT_WAN },
		{ "router", AUDIT_WAN },
		{ "local", AUDIT_LOCAL },
		{ "tunnel", AUDIT_TUNNEL },
		{ "none", AUDIT_IGNORED },
		{ "undecided", AUDIT_UNDECIDED },
		{ "new", AUDIT_UNDECIDED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct audit_reported_flow flow;
		char line[256];

		snprintf(line, sizeof(line),
			"{\"schema\":1,\"scope\":\"%s\",\"original\":{\"src\":\"192.0.2.1\",\"dst\":\"192.0.2.2\"}}",
			cases[i].text);
		assert_int_equal(read_line(&flow, line), 0);
		assert_int_equal(flow.scope, cases[i].scope);
	}
}

static void what_is_no_document_is_refused(void **state)
{
	struct audit_reported_flow flow;

	(void)state;
	assert_int_equal(read_text(reported_read_hosts, ""), -EBADMSG);
	assert_int_equal(read_text(reported_read_hosts, "[]"), -EBADMSG);
	assert_int_equal(read_text(reported_read_hosts, "{\"schema\":1}"), -EBADMSG);
	assert_int_equal(read_text(reported_read_hosts, "{\"schema\":2,\"hosts\":[]}"), -EPROTO);
	assert_int_equal(read_text(reported_read_hosts,
				 "{\"schema\":1,\"hosts\":[5,{},{\"addresses\":[7,\"x\"],\"wan\":[]}]}"),
		0);
	assert_int_equal(read_text(reported_read_status, "{\"schema\":3}"), -EPROTO);
	assert_int_equal(read_text(reported_read_status,
				 "{\"schema\":1,\"interfaces\":[{\"index\":-1,\"side\":\"wan\"},4],\"sources\":9}"),
		0);
	assert_int_equal(read_line(&flow, "{\"schema\":1,\"cut\":true}"), -ENODATA);
	assert_int_equal(read_line(&flow, "{\"schema\":1}"), -EBADMSG);
	assert_int_equal(read_line(&flow, "ipv4 2 tcp"), -EBADMSG);
	assert_int_equal(read_line(&flow, "{\"schema\":1,\"original\":{\"src\":\"1.2.3.4\",\"dst\":\"nowhere\"}}"),
		-EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_api_writes_is_read),
		cmocka_unit_test(a_flow_is_read),
		cmocka_unit_test(the_scope_of_a_flow),
		cmocka_unit_test(what_is_no_document_is_refused),
	};

	return cmocka_run_group_tests_name("audit_read", tests, NULL, NULL);
}
