/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status that api writes, read back as facts; and documents that are none. */
#include "hostmeter/check/facts.h"

#include "hostmeter/export/api.h"

#include "snapshots.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void reads_what_api_writes(void **state)
{
	struct snapshot snapshot = snapshots_full();
	const struct check_meter *m;
	static struct check_facts s;
	struct buf text = BUF_INIT;

	(void)state;
	snapshot.wan[1].count[WAN_TUNNEL][WAN_RX] = (struct traffic_count){ 861, 862 };
	snapshot.wan[1].count[WAN_TUNNEL][WAN_TX] = (struct traffic_count){ 863, 864 };
	api_status(&text, &snapshot);
	assert_int_equal(check_facts_read(&s, &text), 0);
	m = &s.meter;
	assert_true(m->answers && m->reliable);
	assert_int_equal(m->nflog_group, 87);
	assert_true(m->source[SOURCE_EVENTS].up && !m->source[SOURCE_NFLOG].up);
	assert_int_equal(m->source[SOURCE_NFLOG].overruns, 17);
	assert_int_equal(m->source[SOURCE_DUMP].buffer, 16);
	assert_int_equal(m->source[SOURCE_RTNL].buffer_asked, 86);
	assert_int_equal(m->switched_off, 71);
	assert_int_equal(m->ends, 33);
	assert_int_equal(m->ends_unseen, 44);
	assert_int_equal(m->ends_uncounted, 45);
	assert_int_equal(m->resets, 42);
	assert_int_equal(m->refused, 48);
	assert_int_equal(m->sightings_lost, 47);
	assert_int_equal(m->damaged, 50);
	assert_int_equal(m->checkpoint_failures, 76);
	assert_int_equal(m->checkpoint_damages, 95);
	assert_string_equal(m->checkpoint_error, "No space left on device");
	assert_int_equal(m->hosts_folded, 49);
	assert_int_equal(m->made_up, 0);
	assert_int_equal(m->places, 94);
	assert_int_equal(m->places_taken, 93);
	assert_int_equal(m->places_unanswered, 46);
	assert_int_equal(m->left_unanswered, 97);
	assert_string_equal(m->made_up_on, "br-lan");
	assert_int_equal(m->sighted, 37);
	/* Both WANs' unknown; with what was attributed, the router's own and tunnels. */
	assert_int_equal(m->unknown_bytes, 801 + 803 + 831 + 833);
	assert_int_equal(m->wan_bytes, 801 + 803 + 831 + 833 + 811 + 813 + 821 + 823 + 861 + 863);
	assert_int_equal(s.wans, 2);
	assert_string_equal(s.wan[1].name, "wan0");
	assert_int_equal(s.wan[1].seen, 831 + 833 + 811 + 813 + 821 + 823 + 861 + 863);
	assert_int_equal(s.wan[1].unseen, 841 + 843);
	assert_int_equal(s.wan[1].packets, 832 + 834 + 812 + 814 + 822 + 824 + 862 + 864 + 842 + 844);
	assert_true(m->dump_age == 2.5 && m->dump_interval == 10);
	assert_int_equal(s.flows, 51);
	assert_int_equal(s.flows_uncounted, 53);
	assert_int_equal(s.flows_offloaded, 54);
	assert_int_equal(s.links, 3);
	assert_string_equal(s.link[0].name, "wan0");
	assert_int_equal(s.link[0].side, CHECK_WAN);
	assert_int_equal(s.link[1].side, CHECK_LAN);
	assert_int_equal(s.names_count, 2);
	assert_string_equal(s.names[0].error, "");
	assert_string_equal(s.names[1].path, "/etc/hosts");
	assert_string_equal(s.names[1].error, "Permission denied");
	assert_int_equal(s.listens, 2);
	assert_string_equal(s.listen[1], "[::1]:10061");
	buf_free(&text);
}

static void reads_that_first_packets_are_missing(void **state)
{
	struct snapshot snapshot = snapshots_full();
	static struct check_facts s;
	struct buf text = BUF_INIT;

	(void)state;
	snapshot.source[SOURCE_NFLOG].up = true;
	snapshot.stats.unsighted = 9;
	snapshot.places.unanswered = 200;
	snapshot.places.taken = 399;
	api_status(&text, &snapshot);
	assert_int_equal(check_facts_read(&s, &text), 0);
	assert_int_equal(s.meter.unsighted, 9);
	assert_int_equal(s.meter.made_up, 200);
	buf_free(&text);
}

static int read_text(struct check_facts *s, const char *text)
{
	struct buf copy = BUF_INIT;
	int error;

	buf_puts(&copy, text);
	error = check_facts_read(s, &copy);
	buf_free(&copy);
	return error;
}

static void refuses_what_is_none(void **state)
{
	static struct check_facts s;

	(void)state;
	assert_int_equal(read_text(&s, ""), -EBADMSG);
	assert_int_equal(read_text(&s, "[]"), -EBADMSG);
	assert_int_equal(read_text(&s, "{\"schema\":1}"), -EBADMSG);
	assert_int_equal(read_text(&s, "{\"schema\":2,\"flows\":{}}"), -EPROTO);
	assert_false(s.meter.answers);
	assert_int_equal(read_text(&s,
				 "{\"schema\":1,\"flows\":{\"live\":-1},\"sources\":[1,{\"source\":2}],\"wan\":\"x\"}"),
		0);
	assert_int_equal(s.flows, 0);
	assert_true(s.meter.dump_age < 0);
}

static void lists_are_bounded(void **state)
{
	static struct check_facts s;
	struct buf text = BUF_INIT;

	(void)state;
	buf_puts(&text, "{\"schema\":1,\"flows\":{},\"interfaces\":[0");
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, ",{\"interface\":\"a\",\"side\":\"wan\"}");
	buf_puts(&text, "],\"names\":[0");
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, ",{\"path\":\"/a\"}");
	buf_puts(&text, "],\"listen\":[0");
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, ",\":1\"");
	buf_puts(&text, "],\"wan\":[0");
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, ",{\"unknown\":{\"rx\":{\"bytes\":1}}}");
	buf_puts(&text, "]}");
	assert_int_equal(check_facts_read(&s, &text), 0);
	assert_true(s.wans == CHECK_STATUS_MOST && s.meter.unknown_bytes == 1000);
	assert_true(s.links == CHECK_STATUS_MOST && s.names_count == CHECK_STATUS_MOST &&
		s.listens == CHECK_STATUS_MOST);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_api_writes),
		cmocka_unit_test(reads_that_first_packets_are_missing),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(lists_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
