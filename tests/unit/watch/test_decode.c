/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What api writes is what watch_decode reads; and whatever else comes is read as nothing, or refused.
 */
#include "decode.h"

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

#define S UINT64_C(1000000000)

static int read_texts(struct watch_sample *sample, const char *hosts, const char *status)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	int error;

	buf_puts(&a, hosts);
	buf_puts(&b, status);
	error = watch_decode_sample(sample, &a, &b);
	buf_free(&a);
	buf_free(&b);
	return error;
}

static void what_api_writes_is_read(void **state)
{
	struct snapshot snapshot = snapshots_full();
	struct buf hosts = BUF_INIT, status = BUF_INIT;
	struct watch_sample sample;
	size_t wans = 0;

	(void)state;
	api_hosts(&hosts, &snapshot);
	api_status(&status, &snapshot);
	assert_int_equal(watch_decode_sample(&sample, &hosts, &status), 0);
	assert_int_equal(sample.hosts, snapshot.hosts);
	assert_int_equal(sample.addresses, snapshot.addresses);
	for (size_t i = 0; i < snapshot.hosts; i++) {
		const struct snapshot_host *from = &snapshot.host[i];
		const struct watch_sample_host *host = &sample.host[i];

		assert_string_equal(host->label, from->label);
		assert_string_equal(host->mac, from->mac);
		for (int f = 0; f < WATCH_FAMILIES; f++) {
			assert_int_equal(host->bytes[f][WATCH_DOWN], from->wan.of[f][TRAFFIC_IN].bytes);
			assert_int_equal(host->bytes[f][WATCH_UP], from->wan.of[f][TRAFFIC_OUT].bytes);
			assert_int_equal(host->local[f][WATCH_DOWN], from->local.of[f][TRAFFIC_IN].bytes);
			assert_int_equal(host->local[f][WATCH_UP], from->local.of[f][TRAFFIC_OUT].bytes);
			assert_int_equal(host->connections[f], from->connections[f]);
		}
		assert_int_equal(host->last_seen != 0, from->last_seen != 0);
		assert_true(host->address + host->addresses <= sample.addresses);
	}
	for (size_t i = 0; i < snapshot.links; i++)
		wans += snapshot.link[i].side == SIDE_WAN;
	assert_true(wans > 0);
	assert_int_equal(sample.links, wans);
	assert_true(sample.has_local);
	assert_true(sample.time / S == snapshot.process.real_ns / S);
	assert_true(sample.time - sample.taken == snapshot.now - snapshot.last_dump_end);
	watch_sample_clear(&sample);
	buf_free(&hosts);
	buf_free(&status);
}

static void fields_are_where_they_belong(void **state)
{
	static const char hosts[] =
		"{\"schema\":1,\"time\":1000.25,\"dump_time\":1000.2,\"hosts\":[{\"host\":\"a\",\"mac\":null,"
		"\"addresses\":[\"10.0.0.1\",\"::1\"],"
		"\"wan\":{\"4\":{\"in\":{\"bytes\":1},\"out\":{\"bytes\":2}},\"6\":{\"in\":{\"bytes\":3},\"out\":{"
		"\"bytes\":"
		"9007199254740993}}},\"connections\":{\"4\":5,\"6\":6},\"first_seen\":1,\"last_seen\":null}]}";
	static const char status[] =
		"{\"schema\":1,\"time\":1000.5,\"ready\":false,\"interfaces\":["
		"{\"interface\":\"lan0\",\"side\":\"lan\"},"
		"{\"interface\":\"wan0\",\"side\":\"wan\",\"rx\":{\"bytes\":7},\"tx\":{\"bytes\":8}}],"
		"\"warnings\":[{\"count\":3,\"text\":\"lost\"},{\"count\":1,\"text\":\"off\"}]}";
	struct watch_sample s;

	(void)state;
	assert_int_equal(read_texts(&s, hosts, status), 0);
	assert_int_equal(s.hosts, 1);
	assert_string_equal(s.host[0].label, "a");
	assert_string_equal(s.host[0].mac, "");
	assert_int_equal(s.host[0].bytes[WATCH_IPV4][WATCH_DOWN], 1);
	assert_int_equal(s.host[0].bytes[WATCH_IPV4][WATCH_UP], 2);
	assert_int_equal(s.host[0].bytes[WATCH_IPV6][WATCH_DOWN], 3);
	assert_int_equal(s.host[0].bytes[WATCH_IPV6][WATCH_UP], 9007199254740993);
	assert_int_equal(s.host[0].connections[WATCH_IPV6], 6);
	assert_int_equal(s.host[0].addresses, 2);
	assert_string_equal(s.address[1], "::1");
	assert_int_equal(s.host[0].first_seen, S);
	assert_int_equal(s.host[0].last_seen, 0);
	assert_int_equal(s.time, 1000 * S + S / 4);
	assert_int_equal(s.taken, 1000 * S + S / 5);
	assert_int_equal(s.links, 1);
	assert_string_equal(s.link[0].name, "wan0");
	assert_int_equal(s.link[0].bytes[WATCH_UP], 8);
	assert_int_equal(s.warnings, 3);
	assert_string_equal(s.warning[0], "3 lost");
	assert_string_equal(s.warning[1], "off");
	watch_sample_clear(&s);
}

static void nonsense_is_nothing(void **state)
{
	static const char ok[] = "{\"schema\":1,\"hosts\":[]}";
	struct watch_sample s;
	struct buf long_name = BUF_INIT;

	(void)state;
	assert_int_equal(read_texts(&s, "", ""), -EBADMSG);
	assert_int_equal(read_texts(&s, ok, "[]"), -EBADMSG);
	assert_int_equal(read_texts(&s, "{\"schema\":1}", ok), -EBADMSG);
	assert_int_equal(read_texts(&s, "{\"schema\":1,\"hosts\":[", ok), -EBADMSG);
	assert_int_equal(read_texts(&s, "{\"schema\":2,\"hosts\":[]}", ok), -EPROTO);
	assert_int_equal(read_texts(&s, ok, "{\"schema\":2}"), -EPROTO);
	assert_int_equal(read_texts(&s, ok, ok), 0);
	assert_int_equal(s.hosts + s.links + s.warnings + s.time + s.taken, 0);
	watch_sample_clear(&s);
	/* Wrong types, negative counts, times that are none. */
	assert_int_equal(read_texts(&s,
				 "{\"schema\":1,\"time\":-5,\"dump_time\":-1e300,\"hosts\":[5,null,{\"host\":7,\"wan\":"
				 "{\"4\":{\"in\":{\"bytes\":-1}}},"
				 "\"addresses\":[1,{}],\"last_seen\":1e300}]}",
				 "{\"schema\":1,\"interfaces\":{\"a\":1},\"warnings\":[1,{}]}"),
		0);
	assert_int_equal(s.hosts, 3);
	assert_string_equal(s.host[2].label, "");
	assert_int_equal(s.host[2].bytes[WATCH_IPV4][WATCH_DOWN], 0);
	assert_int_equal(s.host[2].last_seen, 0);
	watch_sample_clear(&s);
	buf_puts(&long_name, "{\"schema\":1,\"hosts\":[{\"host\":\"");
	for (int i = 0; i < 1000; i++)
		buf_puts(&long_name, "x");
	buf_puts(&long_name, "\"}]}");
	assert_int_equal(read_texts(&s, buf_text(&long_name), ok), 0);
	assert_int_equal(strlen(s.host[0].label), WATCH_LABEL - 1);
	watch_sample_clear(&s);
	buf_free(&long_name);
}

static void lists_are_bounded(void **state)
{
	static const char hosts[] = "{\"schema\":1,\"hosts\":[]}";
	struct buf status = BUF_INIT;
	struct watch_sample s;

	(void)state;
	buf_puts(&status, "{\"schema\":1,\"interfaces\":[{}");
	for (int i = 1; i <= 64; i++)
		buf_puts(&status, ",{\"interface\":\"wan\",\"side\":\"wan\"}");
	buf_puts(&status, "],\"warnings\":[{}");
	for (int i = 1; i <= 64; i++)
		buf_puts(&status, ",{\"count\":1,\"text\":\"lost\"}");
	buf_puts(&status, "]}");
	assert_int_equal(read_texts(&s, hosts, buf_text(&status)), 0);
	assert_int_equal(s.links, 63); /* of the first 64 interfaces */
	assert_int_equal(s.warnings, 64);
	watch_sample_clear(&s);
	buf_free(&status);
}

#define TUPLES(src, sport, dst, dport, reply)                                                                          \
	"\"original\":{\"src\":\"" src "\",\"dst\":\"" dst "\",\"sport\":" sport ",\"dport\":" dport "},"              \
	"\"reply\":{\"src\":\"" dst "\",\"dst\":\"" src "\",\"sport\":" reply ",\"dport\":1}"

static int read_listing(struct watch_connections *list, const char *text)
{
	struct buf lines = BUF_INIT;
	int error;

	*list = (struct watch_connections){ .label = "a", .mac = "00:00:5e:00:53:0b" };
	buf_puts(&lines, text);
	error = watch_decode_connections(list, &lines);
	buf_free(&lines);
	return error;
}

static void connections_are_read(void **state)
{
	static const char text[] =
		"{\"schema\":1,\"time\":1000.25,\"host\":\"a\",\"mac\":\"00:00:5e:00:53:0b\",\"scope\":\"wan\","
		"\"proto\":6,\"id\":7,"
		"\"inbound\":false,\"start\":999.5," TUPLES("10.0.0.1", "40000", "192.0.2.1", "443",
			"443") ",\"in\":1,\"out\":2}\n"
			       "{\"schema\":1,\"time\":1000.25,\"host\":\"a\",\"mac\":\"00:00:5e:00:53:0b\",\"scope\":"
			       "\"wan\",\"proto\":6,\"id\":8,"
			       "\"inbound\":true,\"start\":null," TUPLES("2001:db8::1", "50000", "2001:db8::2", "80",
				       "8080") ",\"in\":3,\"out\":4}\n"
					       /* Inside of the LAN, told from the other's side, whose name is the same.
						*/
					       "{\"schema\":1,\"time\":1000.25,\"host\":\"a\",\"mac\":\"00:00:5e:00:53:"
					       "0c\",\"peer_mac\":\"00:00:5e:00:53:0b\","
					       "\"scope\":\"local\",\"proto\":17,\"id\":9,\"inbound\":false,\"start\":"
					       "null," TUPLES("10.0.0.2", "5353", "10.0.0.1", "53",
						       "53") ",\"in\":5,\"out\":6}\n"
							     "{\"schema\":1,\"cut\":true}\n";
	struct watch_connections list;

	(void)state;
	assert_int_equal(read_listing(&list, text), 0);
	assert_int_equal(list.count, 3);
	assert_true(list.cut);
	assert_true(list.time == 1000 * S + S / 4);
	assert_int_equal(list.list[0].id, 7);
	assert_int_equal(list.list[0].bytes[WATCH_DOWN], 1);
	assert_int_equal(list.list[0].bytes[WATCH_UP], 2);
	assert_int_equal(list.list[0].own_port, 40000);
	assert_int_equal(watch_connection_remote_port(&list.list[0]), 443);
	assert_true(list.list[0].began == 999 * S + S / 2);
	assert_false(list.list[0].inbound || list.list[0].local);
	assert_int_equal(list.list[1].own_port, 8080);
	assert_int_equal(watch_connection_remote_port(&list.list[1]), 50000);
	assert_true(list.list[1].inbound);
	assert_true(list.list[2].inbound && list.list[2].local);
	assert_int_equal(list.list[2].bytes[WATCH_DOWN], 6);
	assert_int_equal(list.list[2].bytes[WATCH_UP], 5);
	watch_connections_clear(&list);
}

static void nonsense_is_no_connection(void **state)
{
	struct watch_connections list;

	(void)state;
	assert_int_equal(read_listing(&list, ""), 0);
	assert_int_equal(list.count, 0);
	assert_int_equal(read_listing(&list,
				 "{\"schema\":1}\n"
				 "{\"schema\":1," TUPLES("nobody", "1", "10.0.0.1", "2",
					 "3") "}\n"
					      "{\"schema\":1,\"proto\":\"x\"," TUPLES("10.0.0.2", "99999", "10.0.0.1",
						      "-2", "\"a\"") ",\"in\":-1}"),
		0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.list[0].sport + list.list[0].dport + list.list[0].own_port + list.list[0].proto, 0);
	watch_connections_clear(&list);
	assert_int_equal(read_listing(&list, "{\"schema\":1}\nno such host\n"), -EBADMSG);
	assert_int_equal(read_listing(&list, "{\"schema\":2}\n"), -EPROTO);
	assert_null(list.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_api_writes_is_read),
		cmocka_unit_test(fields_are_where_they_belong),
		cmocka_unit_test(nonsense_is_nothing),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(connections_are_read),
		cmocka_unit_test(nonsense_is_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
