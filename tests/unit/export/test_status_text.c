/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/status_text.h"

#include "snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void page_has_everything(void **state)
{
	static const char *const parts[] = {
		"hostmeter 0.1.0, up 0d 00:01:22, ready: yes\n",
		"process: 19.2 s of CPU, 78 bytes of memory, longest turn of the loop lately 0.075 s\n",
		"WAN: wan0\nLAN: br-lan wg0 (down)\n",
		"source events: up, buffer of 13 bytes, 11 overruns\n",
		"source nflog: DOWN, buffer of 19 bytes, 17 overruns\n",
		"flows: 51, undecided 52, without counters 53, offloaded 54; their table 59 bytes\n",
		"attributed by none 36, nflog 37, neighbour 38, address 39, router 40\n",
		"waiting: 56 ends, 55 sightings; 57 tombstones, 58 neighbours\n",
		"connection table: 72 of 73; ends delivered reliably: yes, given up 71 times\n",
		"last dump: 2.5 s ago, took 0.123 s, cost 0.074 s of CPU; every 10.0 s; 31 dumps, 32 broken off\n",
		"checkpoint: 1.5 s ago, 76 failures: No space left on device\n",
		"ends: unseen 44, without counters 45, too early 46; repeated messages 41; counters that fell 42\n",
		"lost or damaged: sightings 47, flows 48, messages 50\n",
		/* 210 + 214, 212 + 216 thousand; the host with most comes first. */
		"hosts: 3; those with the most bytes on the WAN:\n  10.9.0.7 - in 424000 out 428000 bytes, 11 "
		"connections\n"
		"  desktop " DESKTOP
		" in 224000 out 228000 bytes, 7 connections\n  router - in 24000 out 28000 bytes, 3 connections\n",
		"warning: 1 sources of the kernel's news that are not open",
		"warning: 62 times since the start that the kernel dropped messages",
	};
	struct snapshot snapshot = snapshots_full();
	struct buf out = BUF_INIT;

	(void)state;
	status_text_render(&out, &snapshot);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!strstr(buf_text(&out), parts[i]))
			fail_msg("\"%s\" is not in:\n%s", parts[i], buf_text(&out));
	}
	buf_free(&out);
}

static void one_connection_is_one(void **state)
{
	struct snapshot snapshot = snapshots_full();
	struct buf out = BUF_INIT;

	(void)state;
	snapshot.hosts = 1;
	snapshot.host[0].connections[TRAFFIC_IPV4] = 1;
	snapshot.host[0].connections[TRAFFIC_IPV6] = 0;
	status_text_render(&out, &snapshot);
	assert_non_null(strstr(buf_text(&out), " bytes, 1 connection\n"));
	buf_free(&out);
}

static void page_stays_one_page(void **state)
{
	enum { HOSTS = 500, LINKS = 300 };
	struct snapshot snapshot = snapshots_full();
	struct buf out = BUF_INIT;
	int lines = 0;

	(void)state;
	snapshot.hosts = HOSTS;
	snapshot.host = calloc(HOSTS, sizeof(*snapshot.host));
	for (int i = 0; i < HOSTS; i++) {
		snprintf(snapshot.host[i].label, sizeof(snapshot.host[i].label), "host-%03d", i);
		snapshot.host[i].wan.of[TRAFFIC_IPV4][TRAFFIC_IN].bytes = (uint64_t)i;
	}
	snapshot.links = LINKS;
	snapshot.link = calloc(LINKS, sizeof(*snapshot.link));
	for (int i = 0; i < LINKS; i++) {
		snapshot.link[i].side = SIDE_LAN;
		snprintf(snapshot.link[i].name, sizeof(snapshot.link[i].name), "vlan%d", i);
	}
	/* As bad as it gets: everything is warned of, and nothing has happened yet. */
	snapshot.process.reliable = false;
	snapshot.now = 10000 * S;
	snapshot.flows = snapshot.flows_uncounted + 1;
	status_text_render(&out, &snapshot);
	for (const char *at = buf_text(&out); (at = strchr(at, '\n')); at++)
		lines++;
	assert_in_range(lines, 30, STATUS_TEXT_LINES);
	assert_non_null(strstr(buf_text(&out), "  host-499 "));
	assert_non_null(strstr(buf_text(&out), "  host-490 "));
	assert_null(strstr(buf_text(&out), "  host-489 "));
	assert_non_null(strstr(buf_text(&out), " …\n"));
	free(snapshot.host);
	free(snapshot.link);
	buf_free(&out);
}

static void nothing_yet_is_said_so(void **state)
{
	struct snapshot snapshot = { .process = { .running = true, .checkpoint_age_ns = UINT64_MAX } };
	struct buf out = BUF_INIT;

	(void)state;
	status_text_render(&out, &snapshot);
	assert_non_null(strstr(buf_text(&out), ", up 0d 00:00:00, ready: no\n"));
	assert_non_null(strstr(buf_text(&out), "last dump: none yet, "));
	assert_non_null(strstr(buf_text(&out), "checkpoint: none yet, "));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_has_everything),
		cmocka_unit_test(one_connection_is_one),
		cmocka_unit_test(page_stays_one_page),
		cmocka_unit_test(nothing_yet_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
