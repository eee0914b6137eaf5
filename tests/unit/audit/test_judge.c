/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judge of --audit, with readings that nobody made: each reason is given where it holds, for as much as it holds,
 * and a byte beyond is not explained.
 */
#include "state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)
#define MAC "00:00:5e:00:53:01"

enum { MOST = 16, NEVER = -1 };

/* One flow of desktop's; numbers are bytes of both directions alike. */
struct tale {
	int64_t low0, high0, low1, high1; /* at the four moments; NEVER: not in that dump */
	int64_t end;                      /* its DESTROY, NEVER: none */
	enum audit_moment ends_in;        /* the moment in which that comes */
	uint64_t end_s;                   /* when, in seconds; 0: in the middle of that moment */
	enum audit_scope reported[2];     /* AUDIT_SCOPES: not reported at that end */
	bool stranger;                    /* its addresses are nobody's */
	uint32_t status;
	bool uncounted;
};

struct scene {
	struct audit *audit;
	struct audit_report report;
	struct audit_reported reported[2];
	struct audit_reported_host host[2][3];
	struct addr address[1];
	struct tale tale[4];
	size_t tales;
	struct audit_link link[2][2];
	size_t links[2];
	bool routers;     /* the host of all flows is the router */
	const char *peer; /* of each flow, NULL: none */
	bool wrong_side;  /* the meter says that the host did not begin them */
};

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	addr_parse(&a, text);
	return a;
}

static struct ct_event event_of(const struct tale *tale, size_t number, int64_t bytes, enum ct_event_type type)
{
	struct ct_event e = { .type = type,
		.family = 4,
		.proto = 6,
		.id = (uint32_t)number + 1,
		.status = tale->status,
		.has_counters = !tale->uncounted };

	e.tuple[CT_ORIGINAL].src = address(tale->stranger ? "203.0.113.77" : "192.168.1.2");
	e.tuple[CT_ORIGINAL].dst = address("203.0.113.9");
	e.tuple[CT_ORIGINAL].sport = (uint16_t)(1000 + number);
	e.tuple[CT_ORIGINAL].dport = 443;
	e.tuple[CT_REPLY].src = address("203.0.113.9");
	e.tuple[CT_REPLY].dst = address("198.51.100.2");
	for (int dir = 0; dir < 2 && !tale->uncounted; dir++)
		e.bytes[dir] = (uint64_t)bytes;
	return e;
}

/* Two ends at which the meter has what it says, one host, no flows. */
static struct scene make(uint64_t before, uint64_t after)
{
	struct scene s = { 0 };

	s.audit = audit_new(MOST);
	s.address[0] = address("192.168.1.2");
	for (int end = 0; end < 2; end++) {
		struct audit_reported_host *host = &s.host[end][0];

		strcpy(host->label, "desktop");
		strcpy(host->mac, MAC);
		host->addresses = 1;
		host->bytes[AUDIT_WAN][AUDIT_IPV4][AUDIT_IN] = host->bytes[AUDIT_WAN][AUDIT_IPV4][AUDIT_OUT] = end ?
			after :
			before;
		s.reported[end] = (struct audit_reported){ .hosts = 1,
			.addresses = 1,
			.time = 1000 * S,
			.ready = true,
			.reliable = true,
			.uptime_ns = (uint64_t)(1000 + 30 * end) * S,
			.dump_interval_ns = 10 * S };
	}
	return s;
}

static void tell(struct scene *s, struct tale tale)
{
	s->tale[s->tales++] = tale;
}

static void play_moment(struct scene *s, enum audit_moment m)
{
	struct readings *flows = s->audit->flows;
	uint64_t now = (10 + 10 * (uint64_t)m) * S;

	for (size_t i = 0; i < s->tales; i++) {
		const struct tale *t = &s->tale[i];
		struct ct_event e = event_of(t, i, t->end, CT_DESTROY);

		if (t->end != NEVER && t->ends_in == m)
			readings_add(flows, &e, t->end_s ? t->end_s * S : now - 5 * S);
	}
	readings_dump_begins(flows, now);
	for (size_t i = 0; i < s->tales; i++) {
		const struct tale *t = &s->tale[i];
		int64_t bytes[AUDIT_MOMENTS] = { t->low0, t->high0, t->low1, t->high1 };
		struct ct_event e = event_of(t, i, bytes[m], CT_ENTRY);

		if (bytes[m] != NEVER)
			readings_add(flows, &e, now);
	}
	readings_dump_ended(flows, now);
}

static void play_end(struct scene *s, enum audit_end end)
{
	play_moment(s, AUDIT_LOW_OF(end));
	for (size_t i = 0; i < s->tales; i++) {
		struct audit_reported_flow flow = { .flow = event_of(&s->tale[i], i, 0, CT_ENTRY),
			.scope = s->tale[i].reported[end],
			.began = !s->wrong_side,
			.host = "desktop",
			.mac = MAC };

		if (s->routers) {
			strcpy(flow.host, "router");
			*flow.mac = '\0';
		}
		if (s->peer) {
			strcpy(flow.peer, s->peer);
			strcpy(flow.peer_mac, "00:00:5e:00:53:02");
		}
		if (flow.scope != AUDIT_SCOPES)
			assert_int_equal(audit_take_flow(s->audit, end, &flow), 0);
	}
	s->reported[end].host = s->host[end];
	s->reported[end].address = s->address;
	assert_int_equal(audit_take_reported(s->audit, end, &s->reported[end]), 0);
	for (size_t i = 0; i < s->links[end]; i++)
		audit_take_link(s->audit, end, &s->link[end][i]);
	play_moment(s, AUDIT_HIGH_OF(end));
}

static void judge(struct scene *s)
{
	play_end(s, AUDIT_BEGIN);
	play_end(s, AUDIT_END);
	assert_int_equal(audit_judge(s->audit, &s->report), 0);
}

static void clear(struct scene *s)
{
	audit_report_clear(&s->report);
	audit_free(s->audit);
}

static const struct audit_line *line_of(const struct scene *s, int kind, const char *host,
	enum audit_direction direction)
{
	for (size_t i = 0; i < s->report.lines; i++) {
		const struct audit_line *line = &s->report.line[i];

		if ((int)line->kind == kind && line->direction == direction && line->family == AUDIT_IPV4 &&
			!strcmp(line->host, host))
			return line;
	}
	fail_msg("no line of %s", host);
	return NULL;
}

static const struct audit_line *desktop(const struct scene *s, enum audit_direction direction)
{
	return line_of(s, AUDIT_HOST, "desktop", direction);
}

/*
 * That this reason accounts for so much of desktop's difference in both directions, and nothing is left; frees the
 * scene.
 */
static void expect(struct scene *s, enum audit_reason reason, uint64_t bytes)
{
	judge(s);
	for (enum audit_direction d = 0; d < 2; d++) {
		for (enum audit_reason r = 0; r < AUDIT_REASONS; r++) {
			if (desktop(s, d)->reason[r] != (r == reason ? bytes : 0))
				fail_msg("reason %d: %llu", r, (unsigned long long)desktop(s, d)->reason[r]);
		}
		assert_int_equal(desktop(s, d)->unexplained, 0);
	}
	assert_int_equal(s->report.unexplained, 0);
	clear(s);
}

/* That so much is left, in both directions of the host and of the sum. */
static void expect_unexplained(struct scene *s, uint64_t bytes)
{
	judge(s);
	for (enum audit_direction d = 0; d < 2; d++) {
		assert_int_equal(desktop(s, d)->unexplained, bytes);
		assert_int_equal(line_of(s, AUDIT_SUM, "", d)->unexplained, bytes);
	}
	assert_true(s->report.unexplained >= 4);
	clear(s);
}

static struct tale quiet(void)
{
	return (struct tale){ 100, 100, 400, 400, NEVER, 0, 0, { AUDIT_WAN, AUDIT_WAN }, false, 0, false };
}

static void nothing_moves_while_it_is_read(void **state)
{
	struct scene s = make(5000, 5300);

	(void)state;
	tell(&s, quiet());
	expect(&s, AUDIT_NOT_READ, 0);
}

static void one_byte_too_many_or_too_few_is_a_fault(void **state)
{
	struct scene s = make(5000, 5301);

	(void)state;
	tell(&s, quiet());
	expect_unexplained(&s, 1);
	s = make(5000, 5299);
	tell(&s, quiet());
	expect_unexplained(&s, 1);
}

static void what_passes_between_the_readings(void **state)
{
	struct scene s = make(5000, 5290);
	struct tale t = quiet();

	(void)state;
	t.low1 = 380; /* the meter read 390 of it */
	tell(&s, t);
	expect(&s, AUDIT_NOT_READ, 10);
	s = make(5000, 5279);
	tell(&s, t);
	expect_unexplained(&s, 1);
	/* At the begin it is the other way round: read before the rest passed, the rest is counted later. */
	t = quiet();
	t.low0 = 70;
	s = make(5000, 5330);
	tell(&s, t);
	expect(&s, AUDIT_NOT_READ, 30);
	s = make(5000, 5331);
	tell(&s, t);
	expect_unexplained(&s, 1);
}

static void flows_that_end_between_the_readings(void **state)
{
	struct scene s = make(5000, 5300);
	struct tale t = quiet();

	(void)state;
	t.high1 = NEVER;
	t.end = 450;
	t.ends_in = AUDIT_END_HIGH;
	t.end_s = 35;
	tell(&s, t);
	expect(&s, AUDIT_ENDED, 50);
}

static void flows_that_begin_and_end_in_the_interval(void **state)
{
	struct scene s = make(5000, 5077);
	struct tale t = { NEVER, NEVER, NEVER, NEVER, 77, AUDIT_END_LOW, 0, { AUDIT_SCOPES, AUDIT_SCOPES }, false, 0,
		false };

	(void)state;
	tell(&s, t); /* the meter does not tell whose: its address does */
	expect(&s, AUDIT_NOT_READ, 0);
	s = make(5000, 5000); /* and a meter that forgets it is at fault */
	tell(&s, t);
	expect_unexplained(&s, 77);
}

static void undecided_flows_are_held_back(void **state)
{
	struct scene s = make(5000, 5000);
	struct tale t = quiet();

	(void)state;
	t.reported[AUDIT_BEGIN] = t.reported[AUDIT_END] = AUDIT_UNDECIDED;
	tell(&s, t);
	expect(&s, AUDIT_PENDING, 300);
	/* Decided meanwhile: what was held at the begin is counted too. */
	t.reported[AUDIT_END] = AUDIT_WAN;
	s = make(5000, 5400);
	tell(&s, t);
	expect(&s, AUDIT_PENDING, 100);
	s = make(5000, 5401);
	tell(&s, t);
	expect_unexplained(&s, 1);
}

static void an_end_is_held_for_a_moment_only(void **state)
{
	struct scene s = make(5000, 5000);
	struct tale t = { NEVER, NEVER, NEVER, NEVER, 77, AUDIT_END_LOW, 29, { AUDIT_SCOPES, AUDIT_SCOPES }, false, 0,
		false };

	(void)state;
	tell(&s, t); /* one second before the reading */
	expect(&s, AUDIT_PENDING, 77);
	t.end_s = 27;
	s = make(5000, 5000);
	tell(&s, t);
	expect_unexplained(&s, 77);
}

static void flows_of_nobody(void **state)
{
	struct scene s = make(5000, 5070);
	struct tale t = { NEVER, NEVER, NEVER, NEVER, 35, AUDIT_END_LOW, 0, { AUDIT_SCOPES, AUDIT_SCOPES }, true, 0,
		false };

	(void)state;
	tell(&s, t);
	expect(&s, AUDIT_UNKNOWN, 70);
	s = make(5000, 5071);
	tell(&s, t);
	expect_unexplained(&s, 1);
}

static void a_meter_that_began_anew(void **state)
{
	struct scene s = make(5000, 20);

	(void)state;
	s.reported[AUDIT_END].uptime_ns = 5 * S;
	tell(&s, quiet());
	expect(&s, AUDIT_RESTARTED, 280);
	/* A young one may go on from a floor. */
	s = make(5000, 5000);
	s.reported[AUDIT_BEGIN].uptime_ns = 29 * S;
	s.reported[AUDIT_END].uptime_ns = 60 * S;
	tell(&s, quiet());
	expect(&s, AUDIT_RESTARTED, 300);
	/* It loses, but it does not invent. */
	s = make(5000, 5400);
	s.reported[AUDIT_BEGIN].uptime_ns = 29 * S;
	tell(&s, quiet());
	expect_unexplained(&s, 100);
}

static void a_meter_that_lost_ends(void **state)
{
	struct scene s = make(5000, 5200);

	(void)state;
	s.reported[AUDIT_END].overruns = 1;
	tell(&s, quiet());
	expect(&s, AUDIT_LOST, 100);
	s = make(5000, 5200);
	s.reported[AUDIT_BEGIN].reliable = false;
	tell(&s, quiet());
	expect(&s, AUDIT_LOST, 100);
}

static void flows_that_go_without_a_word(void **state)
{
	struct scene s = make(5000, 5350);
	struct tale t = quiet();

	(void)state;
	t.low1 = t.high1 = NEVER;
	tell(&s, t);
	expect(&s, AUDIT_VANISHED, 350);
}

static void counters_that_fell(void **state)
{
	struct scene s = make(5000, 5500);
	struct tale t = quiet();

	(void)state;
	t.low1 = t.high1 = 40; /* 100, more, zeroed, 40: at least 40 were counted */
	tell(&s, t);
	expect(&s, AUDIT_ZEROED, 460);
}

static void flows_without_counters_are_told(void **state)
{
	struct scene s = make(5000, 5300);
	struct tale t = quiet();

	(void)state;
	tell(&s, t);
	t.uncounted = true;
	tell(&s, t);
	t.uncounted = false;
	t.low1 = t.high1 = 100;
	t.status = 1 << 14;
	tell(&s, t);
	judge(&s);
	assert_int_equal(s.report.uncounted, 1);
	assert_int_equal(s.report.offloaded, 1);
	assert_int_equal(s.report.unexplained, 0);
	clear(&s);
}

static void who_sent_what_is_not_taken_from_the_meter(void **state)
{
	struct scene s = make(5000, 5300);
	struct readings *flows = s.audit->flows;
	struct ct_event e;

	(void)state;
	/* It takes in for out, and says so of the connection too. */
	s.host[AUDIT_END][0].bytes[AUDIT_WAN][AUDIT_IPV4][AUDIT_OUT] = 5000 + 10;
	s.wrong_side = true;
	tell(&s, quiet());
	play_end(&s, AUDIT_BEGIN);
	e = event_of(&s.tale[0], 0, 0, CT_ENTRY);
	e.bytes[CT_ORIGINAL] = 400;
	e.bytes[CT_REPLY] = 110;
	readings_add(flows, &e, 25 * S);
	s.tale[0].low1 = s.tale[0].high1 = NEVER;
	s.tale[0].reported[AUDIT_END] = AUDIT_WAN;
	readings_dump_ended(flows, 30 * S);
	s.reported[AUDIT_END].host = s.host[AUDIT_END];
	s.reported[AUDIT_END].address = s.address;
	audit_take_reported(s.audit, AUDIT_END, &s.reported[AUDIT_END]);
	readings_add(flows, &e, 40 * S);
	readings_dump_ended(flows, 40 * S);
	assert_int_equal(audit_judge(s.audit, &s.report), 0);
	assert_int_equal(desktop(&s, AUDIT_OUT)->kernel, 300);
	assert_int_equal(desktop(&s, AUDIT_OUT)->unexplained, 290);
	assert_int_equal(desktop(&s, AUDIT_IN)->kernel, 10);
	assert_int_equal(desktop(&s, AUDIT_IN)->unexplained, 290);
	clear(&s);
}

static void a_local_flow_counts_for_both(void **state)
{
	struct scene s = make(5000, 5000);
	struct tale t = quiet();

	(void)state;
	for (int end = 0; end < 2; end++) {
		strcpy(s.host[end][1].label, "tv");
		strcpy(s.host[end][1].mac, "00:00:5e:00:53:02");
		for (int host = 0; host < 2; host++)
			for (int d = 0; d < 2; d++)
				s.host[end][host].bytes[AUDIT_LOCAL][AUDIT_IPV4][d] = end ? 300 : 0;
		s.reported[end].hosts = 2;
	}
	s.peer = "tv";
	t.reported[AUDIT_BEGIN] = t.reported[AUDIT_END] = AUDIT_LOCAL;
	tell(&s, t);
	judge(&s);
	for (enum audit_direction d = 0; d < 2; d++) {
		assert_int_equal(line_of(&s, AUDIT_HOST, "tv", d)->kernel, 300);
		assert_int_equal(line_of(&s, AUDIT_HOST, "tv", d)->scope, AUDIT_LOCAL);
		assert_int_equal(desktop(&s, d)->kernel, 300);
		assert_int_equal(line_of(&s, AUDIT_SUM, "", d)->kernel, 0); /* no WAN in it */
	}
	assert_int_equal(s.report.unexplained, 0);
	clear(&s);
}

static void a_host_that_is_folded_into_other(void **state)
{
	struct scene s = make(5000, 5300);

	(void)state;
	for (int end = 0; end < 2; end++) {
		strcpy(s.host[end][1].label, end ? "other" : "guest");
		s.host[end][1].bytes[AUDIT_WAN][AUDIT_IPV4][AUDIT_IN] = 900;
		s.reported[end].hosts = 2;
	}
	tell(&s, quiet());
	expect(&s, AUDIT_NOT_READ, 0);
	/* But what is lost on the way shows. */
	s = make(5000, 5300);
	strcpy(s.host[0][1].label, "guest");
	s.host[0][1].bytes[AUDIT_WAN][AUDIT_IPV4][AUDIT_IN] = 900;
	s.reported[0].hosts = 2;
	tell(&s, quiet());
	judge(&s);
	assert_true(line_of(&s, AUDIT_HOST, "other", AUDIT_IN)->unexplained);
	clear(&s);
}

static void a_flow_reborn_is_counted_from_zero(void **state)
{
	struct scene s = make(5000, 5380);
	struct readings *flows = s.audit->flows;
	struct tale t = quiet();
	struct ct_event e;

	(void)state;
	t.low1 = t.high1 = NEVER;
	tell(&s, t);
	play_end(&s, AUDIT_BEGIN);
	e = event_of(&t, 0, 400, CT_DESTROY);
	readings_add(flows, &e, 22 * S);
	readings_add(flows, &e, 23 * S); /* the kernel repeats itself */
	t.low1 = t.high1 = 80;
	s.tale[0] = t; /* the same name, again from zero */
	play_end(&s, AUDIT_END);
	assert_int_equal(audit_judge(s.audit, &s.report), 0);
	assert_int_equal(desktop(&s, AUDIT_IN)->kernel, 380);
	assert_int_equal(s.report.unexplained, 0);
	assert_int_equal(s.report.flows, 2);
	clear(&s);
}

static void an_entry_read_after_its_end_is_old_news(void **state)
{
	struct scene s = make(5000, 5300);
	struct tale t = quiet();

	(void)state;
	t.low1 = NEVER;
	t.high1 = 390;
	t.end = 400;
	t.ends_in = AUDIT_END_HIGH;
	t.end_s = 40; /* as its dump began */
	tell(&s, t);
	judge(&s);
	assert_int_equal(s.report.flows, 1);
	assert_int_equal(desktop(&s, AUDIT_IN)->kernel, 300);
	clear(&s);
}

/* --- The WAN interfaces */

static void put_link(struct scene *s, uint64_t bytes, uint64_t packets)
{
	for (int end = 0; end < 2; end++) {
		s->links[end] = 1;
		s->link[end][0] = (struct audit_link){
			.ifindex = 3, .has_mac = true, .bytes = { 7000, 7000 }, .packets = { 50, 50 }
		};
		for (int d = 0; d < 2 && end; d++) {
			s->link[end][0].bytes[d] += bytes;
			s->link[end][0].packets[d] += packets;
		}
	}
}

static void the_interface_has_headers_and_more(void **state)
{
	struct scene s = make(5000, 5300);

	(void)state;
	tell(&s, quiet());
	put_link(&s, 300 + 2 * 14 + 60, 2);
	judge(&s);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_LINK_HEADERS], 28);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_NO_CONNECTION], 60);
	assert_int_equal(s.report.unexplained, 0);
	clear(&s);
}

/* What passed between the readings explains only what the headers leave. */
static void headers_are_certain(void **state)
{
	struct scene s = make(5000, 5300);
	struct tale t = quiet();

	(void)state;
	t.low1 = 380;
	tell(&s, t);
	put_link(&s, 300 + 2 * 14, 2);
	judge(&s);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_LINK_HEADERS], 28);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_NOT_READ], 0);
	clear(&s);
}

static void a_young_meter_is_no_reason_for_the_interface(void **state)
{
	struct scene s = make(5000, 5300);

	(void)state;
	s.reported[AUDIT_BEGIN].uptime_ns = 2 * S;
	tell(&s, quiet());
	put_link(&s, 1000, 0);
	judge(&s);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_NO_CONNECTION], 700);
	clear(&s);
}

static void what_the_meter_holds_back_the_interface_has(void **state)
{
	struct tale t = { NEVER, NEVER, NEVER, NEVER, 77, AUDIT_END_LOW, 29, { AUDIT_SCOPES, AUDIT_SCOPES }, false, 0,
		false };

	(void)state;
	/* It may hold 77 back: once it does, once it does not. */
	for (uint64_t held = 0; held <= 77; held += 77) {
		struct scene s = make(5000, 5077 - held);

		tell(&s, t);
		put_link(&s, 100, 0);
		judge(&s);
		assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_PENDING], held);
		assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_NO_CONNECTION], 23);
		clear(&s);
	}
}

/* WireGuard counts 32 bytes more for each packet, and fills it up to 16. */
static void wireguard_has_overhead(void **state)
{
	for (uint64_t more = 0; more < 3; more++) {
		struct scene s = make(5000, 5300);

		(void)state;
		tell(&s, quiet());
		put_link(&s, 300 + 2 * 47 + more, 2);
		for (int end = 0; end < 2; end++) {
			s.link[end][0].has_mac = false;
			s.link[end][0].is_wireguard = true;
		}
		judge(&s);
		assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_OVERHEAD], 2 * 47);
		assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_OUT)->reason[AUDIT_NO_CONNECTION], more);
		assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_LINK_HEADERS], 0);
		clear(&s);
	}
}

/* Outer packets of tunnels are no host's, but the WAN's: the meter's count of them stands beside the interface's. */
static void tunnels_are_of_the_interface(void **state)
{
	struct scene s = make(5000, 5300);
	struct tale t = quiet();

	(void)state;
	tell(&s, t);
	t.low0 = t.high0 = 1000;
	t.low1 = 1950;
	t.high1 = 2000;
	t.reported[AUDIT_BEGIN] = t.reported[AUDIT_END] = AUDIT_TUNNEL;
	tell(&s, t);
	for (int d = 0; d < 2; d++) {
		s.reported[AUDIT_BEGIN].tunnel[d] = 4000;
		s.reported[AUDIT_END].tunnel[d] = 4980;
	}
	put_link(&s, 300 + 1000 + 2 * 14, 2);
	judge(&s);
	for (enum audit_direction d = 0; d < 2; d++) {
		assert_int_equal(desktop(&s, d)->kernel, 300);
		assert_int_equal(line_of(&s, AUDIT_SUM, "", d)->kernel, 300);
		assert_int_equal(line_of(&s, AUDIT_LINK, "", d)->meter, 300 + 980);
		assert_int_equal(line_of(&s, AUDIT_LINK, "", d)->reason[AUDIT_NOT_READ], 20);
		assert_int_equal(line_of(&s, AUDIT_LINK, "", d)->reason[AUDIT_NO_CONNECTION], 0);
	}
	assert_int_equal(s.report.unexplained, 0);
	clear(&s);
	/* More than the interface had cannot have come in. */
	s = make(5000, 5300);
	tell(&s, quiet());
	s.reported[AUDIT_END].tunnel[AUDIT_IN] = 7;
	put_link(&s, 300, 0);
	judge(&s);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->unexplained, 7);
	clear(&s);
}

static void the_interface_has_less(void **state)
{
	struct scene s = make(5000, 5300);

	(void)state;
	tell(&s, quiet());
	put_link(&s, 290, 2);
	judge(&s);
	/* What was counted may be dropped on its way out, but it cannot have come in. */
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_OUT)->reason[AUDIT_DROPPED], 10);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->unexplained, 10);
	assert_int_equal(s.report.unexplained, 1);
	clear(&s);
}

/* What a flowtable forwards from and to the port below a VLAN or PPPoE, only the flows count. */
static void a_flowtable_bypasses_the_interface(void **state)
{
	static const struct {
		uint32_t status;
		bool stacked;
		uint64_t tunnel, bypassed, unexplained;
	} cases[] = {
		{ 1 << 14, true, 0, 210, 0 }, { 1 << 14, false, 0, 0, 210 }, /* Ethernet itself counts them */
		{ 1 << 15, false, 0, 210, 0 },                               /* unless hardware forwards */
		{ 0, true, 0, 0, 210 }, { 1 << 14, true, 300, 300, 210 }, /* more than was forwarded: it is another's */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s = make(5000, 5300);
		struct tale t = quiet();
		const struct audit_line *line;

		(void)state;
		tell(&s, t);
		t.low0 = t.high0 = t.low1 = t.high1 = 100;
		t.status = cases[i].status;
		tell(&s, t);
		s.reported[AUDIT_END].tunnel[AUDIT_IN] = cases[i].tunnel;
		put_link(&s, 90, 2);
		s.link[AUDIT_BEGIN][0].is_stacked = s.link[AUDIT_END][0].is_stacked = cases[i].stacked;
		judge(&s);
		line = line_of(&s, AUDIT_LINK, "", AUDIT_IN);
		assert_int_equal(line->reason[AUDIT_BYPASSED], cases[i].bypassed);
		assert_int_equal(line->unexplained, cases[i].unexplained);
		line = line_of(&s, AUDIT_LINK, "", AUDIT_OUT);
		assert_int_equal(line->reason[AUDIT_DROPPED], cases[i].bypassed ? 0 : 210);
		clear(&s);
	}
}

/* A flowtable has what is forwarded, and nothing of the router's own. */
static void what_the_router_sends_is_not_bypassed(void **state)
{
	struct scene s = make(5000, 5300);
	struct tale t = quiet();

	(void)state;
	for (int end = 0; end < 2; end++) {
		strcpy(s.host[end][0].label, "router");
		*s.host[end][0].mac = '\0';
	}
	s.routers = true;
	t.status = 1 << 14;
	tell(&s, t);
	put_link(&s, 290, 2);
	s.link[AUDIT_END][0].is_stacked = true;
	judge(&s);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_BYPASSED], 0);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->unexplained, 10);
	clear(&s);
}

static void the_interface_beside_flows_without_counters(void **state)
{
	struct scene s = make(5000, 5300);
	struct tale t = quiet();

	(void)state;
	tell(&s, quiet());
	t.uncounted = true;
	tell(&s, t);
	put_link(&s, 1000, 0);
	judge(&s);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_NO_COUNTERS], 700);
	clear(&s);
	s = make(5000, 5300);
	t = quiet();
	t.status = 1 << 15;
	tell(&s, t);
	put_link(&s, 1000, 0);
	judge(&s);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_OFFLOADED], 700);
	clear(&s);
	/* Where all flowtables count, it is something else. */
	s = make(5000, 5300);
	tell(&s, t);
	put_link(&s, 1000, 0);
	audit_take_flowtables(s.audit, true);
	judge(&s);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_OFFLOADED], 0);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_NO_CONNECTION], 700);
	assert_true(s.report.flowtables_count);
	clear(&s);
}

static void an_interface_made_anew(void **state)
{
	struct scene s = make(5000, 5300);

	(void)state;
	tell(&s, quiet());
	put_link(&s, 0, 0);
	s.link[AUDIT_END][0] =
		(struct audit_link){ .ifindex = 3, .has_mac = true, .bytes = { 200, 200 }, .packets = { 1, 1 } };
	judge(&s);
	assert_int_equal(line_of(&s, AUDIT_LINK, "", AUDIT_IN)->reason[AUDIT_LINK_CHANGED], 100);
	assert_int_equal(s.report.unexplained, 0);
	clear(&s);
}

static void no_room_is_told(void **state)
{
	struct scene s = make(0, 0);
	struct tale t = quiet();

	(void)state;
	for (size_t i = 0; i < MOST + 3; i++) {
		struct ct_event e = event_of(&t, i, 1, CT_ENTRY);

		readings_add(s.audit->flows, &e, 0);
	}
	judge(&s);
	assert_int_equal(s.report.refused, 3);
	clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_moves_while_it_is_read),
		cmocka_unit_test(one_byte_too_many_or_too_few_is_a_fault),
		cmocka_unit_test(what_passes_between_the_readings),
		cmocka_unit_test(flows_that_end_between_the_readings),
		cmocka_unit_test(flows_that_begin_and_end_in_the_interval),
		cmocka_unit_test(undecided_flows_are_held_back),
		cmocka_unit_test(an_end_is_held_for_a_moment_only),
		cmocka_unit_test(flows_of_nobody),
		cmocka_unit_test(a_meter_that_began_anew),
		cmocka_unit_test(a_meter_that_lost_ends),
		cmocka_unit_test(flows_that_go_without_a_word),
		cmocka_unit_test(counters_that_fell),
		cmocka_unit_test(flows_without_counters_are_told),
		cmocka_unit_test(who_sent_what_is_not_taken_from_the_meter),
		cmocka_unit_test(a_local_flow_counts_for_both),
		cmocka_unit_test(a_host_that_is_folded_into_other),
		cmocka_unit_test(a_flow_reborn_is_counted_from_zero),
		cmocka_unit_test(an_entry_read_after_its_end_is_old_news),
		cmocka_unit_test(the_interface_has_headers_and_more),
		cmocka_unit_test(headers_are_certain),
		cmocka_unit_test(a_young_meter_is_no_reason_for_the_interface),
		cmocka_unit_test(what_the_meter_holds_back_the_interface_has),
		cmocka_unit_test(wireguard_has_overhead),
		cmocka_unit_test(tunnels_are_of_the_interface),
		cmocka_unit_test(the_interface_has_less),
		cmocka_unit_test(a_flowtable_bypasses_the_interface),
		cmocka_unit_test(what_the_router_sends_is_not_bypassed),
		cmocka_unit_test(the_interface_beside_flows_without_counters),
		cmocka_unit_test(an_interface_made_anew),
		cmocka_unit_test(no_room_is_told),
	};

	return cmocka_run_group_tests_name("audit_judge", tests, NULL, NULL);
}
