/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the meter had counted of a flow when it was asked lies between two readings of ours, low and high, and less than
 * low by what it holds back. So over the interval it counted
 *
 *     at least  low(end) - held(end) - high(begin)     at most  high(end) - (low(begin) - held(begin))
 *
 * kernel is high(end) - high(begin): on a line where nothing moves while the two look, it is what the meter has, to the
 * byte. A difference to it is laid to the reasons that can account for it, one after the other, each for as much as it
 * can; what is left then nobody can explain.
 */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ANY (UINT64_MAX / 64) /* may account for all */

enum { ETHERNET_HEADER = 14, YOUNG_DUMPS = 3 };

/* A WireGuard interface counts its messages: 16 bytes before each packet, 16 behind it, and up to 15 of padding. */
enum { WIREGUARD_OVERHEAD = 47 };

enum way { BELOW, ABOVE, WAYS }; /* the meter has less than the kernel; more */

struct cell {
	uint64_t meter, kernel;
	uint64_t room[WAYS][AUDIT_REASONS];
};

/* One host: cells by scope, family, direction. */
struct row {
	struct cell cell[AUDIT_SCOPES][AUDIT_FAMILIES][AUDIT_DIRECTIONS];
};

struct judging {
	struct audit *audit;
	struct audit_report *report;
	struct row *row;                                   /* by number of the host */
	uint32_t *number;                                  /* where a host's counts went: itself, or other */
	struct cell sum[AUDIT_FAMILIES][AUDIT_DIRECTIONS]; /* of all hosts, with the WAN */
	const struct audit_line *sum_line[AUDIT_FAMILIES][AUDIT_DIRECTIONS];
	struct cell tunnel[AUDIT_DIRECTIONS]; /* outer packets of tunnels: on the WAN, and of no host */
	uint64_t unknown[AUDIT_FAMILIES];
	uint64_t forwarded[AUDIT_DIRECTIONS]; /* on the WAN, not the router's own: what a flowtable may have */
	bool in_hardware;                     /* some are offloaded to it */
	bool restarted, lost;                 /* either may account for what the meter has less */
};

static void add(uint64_t *to, uint64_t more)
{
	*to = *to > ANY - (more < ANY ? more : ANY) ? ANY : *to + more;
}

/* --- What the kernel says */

static bool is_decided(const struct audit_flow *flow, enum audit_end end)
{
	return flow->reported[end].given && flow->reported[end].scope != AUDIT_UNDECIDED;
}

/* Whose it is: what the meter says at the end, at the begin, or what the addresses say. */
static struct audit_owner owner_of(const struct judging *j, const struct audit_flow *flow)
{
	if (is_decided(flow, AUDIT_END))
		return flow->reported[AUDIT_END];
	if (is_decided(flow, AUDIT_BEGIN))
		return flow->reported[AUDIT_BEGIN];
	return by_address_flow(j->audit->addresses, &flow->first, AUDIT_ROUTER);
}

/* Whether the meter may not have counted any of it yet when it was asked. */
static bool is_held(const struct audit_flow *flow, enum audit_end end)
{
	if (flow->reported[end].given && !flow->reused)
		return flow->reported[end].scope == AUDIT_UNDECIDED;
	return flow->fresh_end[end] && (flow->reused || !is_decided(flow, AUDIT_BEGIN));
}

static void add_flow(struct cell *cell, const struct audit_flow *flow, enum ct_dir dir)
{
	uint64_t value[AUDIT_MOMENTS];
	enum audit_reason at_begin = flow->ended == AUDIT_BEGIN_HIGH ? AUDIT_ENDED : AUDIT_NOT_READ;
	enum audit_reason at_end = flow->ended == AUDIT_END_HIGH ? AUDIT_ENDED : AUDIT_NOT_READ;

	for (enum audit_moment m = 0; m < AUDIT_MOMENTS; m++)
		value[m] = flow->value[m][dir];
	cell->kernel += value[AUDIT_END_HIGH] - value[AUDIT_BEGIN_HIGH];
	add(&cell->room[BELOW][at_end], value[AUDIT_END_HIGH] - value[AUDIT_END_LOW]);
	add(&cell->room[ABOVE][at_begin], value[AUDIT_BEGIN_HIGH] - value[AUDIT_BEGIN_LOW]);
	if (is_held(flow, AUDIT_END))
		add(&cell->room[BELOW][AUDIT_PENDING], value[AUDIT_END_LOW]);
	if (is_held(flow, AUDIT_BEGIN))
		add(&cell->room[ABOVE][AUDIT_PENDING], value[AUDIT_BEGIN_LOW]);
	for (enum way way = 0; way < WAYS; way++) {
		add(&cell->room[way][AUDIT_ZEROED], flow->zeroed ? ANY : 0);
		add(&cell->room[way][AUDIT_VANISHED], flow->vanished ? ANY : 0);
	}
}

static void add_to_host(struct judging *j, const struct audit_flow *flow, enum audit_scope scope, uint32_t host,
	bool began)
{
	enum audit_family family = flow->first.family == 6 ? AUDIT_IPV6 : AUDIT_IPV4;

	for (enum ct_dir dir = 0; dir < 2; dir++) {
		enum audit_direction direction = (dir == CT_ORIGINAL) == began ? AUDIT_OUT : AUDIT_IN;

		add_flow(&j->row[j->number[host]].cell[scope][family][direction], flow, dir);
		if (scope == AUDIT_WAN)
			add_flow(&j->sum[family][direction], flow, dir);
		if (scope == AUDIT_WAN && host != AUDIT_ROUTER)
			add(&j->forwarded[direction],
				flow->value[AUDIT_END_HIGH][dir] - flow->value[AUDIT_BEGIN_LOW][dir]);
	}
}

static void add_to_tunnel(struct judging *j, const struct audit_flow *flow, bool began)
{
	for (enum ct_dir dir = 0; dir < 2; dir++)
		add_flow(&j->tunnel[(dir == CT_ORIGINAL) == began ? AUDIT_OUT : AUDIT_IN], flow, dir);
}

static void count_flow(struct audit_report *report, const struct audit_flow *flow)
{
	report->flows++;
	report->ended += flow->ended != AUDIT_MOMENTS;
	report->uncounted += flow->uncounted;
	report->offloaded += flow->offloaded;
	report->zeroed += flow->zeroed;
	report->vanished += flow->vanished;
}

static void take_flow(void *ctx, const struct audit_flow *flow)
{
	struct judging *j = ctx;
	struct audit_owner owner = owner_of(j, flow);
	enum audit_family family = flow->first.family == 6 ? AUDIT_IPV6 : AUDIT_IPV4;
	uint32_t first = by_address_find(j->audit->addresses, &flow->first.tuple[CT_ORIGINAL].src);
	uint32_t last = by_address_find(j->audit->addresses, &flow->first.tuple[CT_REPLY].src);

	count_flow(j->report, flow);
	j->in_hardware |= flow->in_hardware;
	if (!owner.given) {
		j->report->unknown++;
		add(&j->unknown[family], flow->value[AUDIT_END_HIGH][0] + flow->value[AUDIT_END_HIGH][1]);
		return;
	}
	if (owner.scope == AUDIT_TUNNEL)
		add_to_tunnel(j, flow, owner.began);
	if (owner.scope >= AUDIT_SCOPES || owner.host == AUDIT_NOBODY)
		return;
	/* Which of the two ends is the host's is not believed where its addresses tell. */
	if (first != last && (first == owner.host || last == owner.host))
		owner.began = first == owner.host;
	add_to_host(j, flow, owner.scope, owner.host, owner.began);
	if (owner.peer != AUDIT_NOBODY)
		add_to_host(j, flow, owner.scope, owner.peer, !owner.began);
}

/* --- What the meter says */

/*
 * A host that is gone at the end was folded into other, or has another name now and no MAC to know it by: then its
 * counts are other's, and so are those of a newcomer that is older than the audit.
 */
static void find_numbers(struct judging *j)
{
	const struct audit *audit = j->audit;
	bool gone = false;

	for (const struct audit_host *host = audit->table; host; host = host->hh.next) {
		j->number[host->number] = host->number;
		gone |= host->present[AUDIT_BEGIN] && !host->present[AUDIT_END];
	}
	for (const struct audit_host *host = audit->table; gone && host; host = host->hh.next) {
		bool left = host->present[AUDIT_BEGIN] && !host->present[AUDIT_END];
		bool came = !host->present[AUDIT_BEGIN] && host->first_seen &&
			host->first_seen < audit->time[AUDIT_BEGIN];

		if (left || came)
			j->number[host->number] = AUDIT_OTHER;
	}
}

static bool was_restarted(const struct audit *audit)
{
	return audit->uptime_ns[AUDIT_END] < audit->uptime_ns[AUDIT_BEGIN];
}

/* A meter that restarted may begin anew. */
static uint64_t grown(const struct audit *audit, uint64_t before, uint64_t after)
{
	return was_restarted(audit) && after < before ? after : after - before;
}

/* Differences modulo 2^64: what left one host and went to another is negative until it is added to the other's. */
static void take_host(struct judging *j, const struct audit_host *host)
{
	struct row *row = &j->row[j->number[host->number]];

	for (enum audit_scope s = 0; s < AUDIT_SCOPES; s++) {
		for (enum audit_family f = 0; f < AUDIT_FAMILIES; f++) {
			for (enum audit_direction d = 0; d < AUDIT_DIRECTIONS; d++) {
				uint64_t more = grown(j->audit, host->bytes[AUDIT_BEGIN][s][f][d],
					host->bytes[AUDIT_END][s][f][d]);

				row->cell[s][f][d].meter += more;
				j->sum[f][d].meter += s == AUDIT_WAN ? more : 0;
			}
		}
	}
}

/* --- Explaining a difference */

/* The line's difference is explained by one reason after the other, each for as much as its room. */
static void explain(struct audit_line *line, const uint64_t room[static AUDIT_REASONS])
{
	uint64_t difference = line->meter < line->kernel ? line->kernel - line->meter : line->meter - line->kernel;

	for (enum audit_reason r = 0; r < AUDIT_REASONS && difference; r++) {
		line->reason[r] = room[r] < difference ? room[r] : difference;
		difference -= line->reason[r];
	}
	line->unexplained = difference;
}

static void explain_cell(const struct judging *j, struct cell *cell, struct audit_line *line)
{
	line->meter = cell->meter;
	line->kernel = cell->kernel;
	add(&cell->room[ABOVE][AUDIT_UNKNOWN], j->unknown[line->family]);
	add(&cell->room[BELOW][AUDIT_RESTARTED], j->restarted ? ANY : 0);
	add(&cell->room[BELOW][AUDIT_LOST], j->lost ? ANY : 0);
	explain(line, cell->room[cell->meter < cell->kernel ? BELOW : ABOVE]);
}

static void add_line(struct judging *j, const struct audit_line *line)
{
	j->report->unexplained += line->unexplained != 0;
	j->report->line[j->report->lines++] = *line;
}

static void judge_cell(struct judging *j, struct cell *cell, struct audit_line line)
{
	explain_cell(j, cell, &line);
	add_line(j, &line);
}

static void judge_host(struct judging *j, const struct audit_host *host)
{
	struct audit_line line = { .kind = AUDIT_HOST };

	memcpy(line.host, host->label, sizeof(line.host));
	memcpy(line.mac, host->mac, sizeof(line.mac));
	for (line.scope = 0; line.scope < AUDIT_SCOPES; line.scope++) {
		for (line.family = 0; line.family < AUDIT_FAMILIES; line.family++) {
			for (line.direction = 0; line.direction < AUDIT_DIRECTIONS; line.direction++) {
				struct row *row = &j->row[host->number];
				struct cell *cell = &row->cell[line.scope][line.family][line.direction];

				if (cell->meter || cell->kernel)
					judge_cell(j, cell, line);
			}
		}
	}
}

static void judge_sum(struct judging *j, enum audit_family family, enum audit_direction direction)
{
	const struct audit_line line = { .kind = AUDIT_SUM, .family = family, .direction = direction };

	j->sum_line[family][direction] = &j->report->line[j->report->lines];
	judge_cell(j, &j->sum[family][direction], line);
}

/* --- The WAN interfaces */

struct growth {
	uint64_t bytes, header_bytes, overhead_bytes;
	bool changed; /* an interface came or went, or was made anew */
	bool stacked;
};

static const struct audit_link *find_link(const struct audit *audit, enum audit_end end, uint32_t ifindex)
{
	for (size_t i = 0; i < audit->links[end]; i++)
		if (audit->link[end][i].ifindex == ifindex)
			return &audit->link[end][i];
	return NULL;
}

static struct growth grow(const struct audit *audit, enum audit_direction d)
{
	struct growth growth = { .changed = audit->links[AUDIT_BEGIN] != audit->links[AUDIT_END] };
	uint64_t packets;

	for (size_t i = 0; i < audit->links[AUDIT_END]; i++) {
		const struct audit_link *now = &audit->link[AUDIT_END][i];
		const struct audit_link *then = find_link(audit, AUDIT_BEGIN, now->ifindex), none = { 0 };

		if (!then || now->bytes[d] < then->bytes[d] || now->packets[d] < then->packets[d]) {
			growth.changed = true;
			then = &none;
		}
		growth.bytes += now->bytes[d] - then->bytes[d];
		growth.stacked |= now->is_stacked;
		packets = now->packets[d] - then->packets[d];
		growth.header_bytes += now->has_mac ? packets * ETHERNET_HEADER : 0;
		growth.overhead_bytes += now->is_wireguard ? packets * WIREGUARD_OVERHEAD : 0;
	}
	return growth;
}

/*
 * The interfaces are read between our two readings of the connections, so these bound what passed meanwhile. For the
 * rest the interface has more than the meter where all connections together have, and less where the meter counted what
 * was pending at the begin.
 */
static void add_room(const struct cell *sum, const struct audit_line *line, bool more,
	uint64_t room[static AUDIT_REASONS])
{
	for (enum audit_reason r = AUDIT_NOT_READ; r <= AUDIT_ENDED; r++) {
		add(&room[r], sum->room[BELOW][r]);
		add(&room[r], sum->room[ABOVE][r]);
	}
	for (enum audit_reason r = AUDIT_ENDED + 1; r < AUDIT_NO_COUNTERS; r++)
		if (!more)
			add(&room[r], sum->room[ABOVE][r]);
		else if (line->meter < line->kernel)
			add(&room[r], line->reason[r]);
}

static void judge_links(struct judging *j, enum audit_direction d)
{
	struct growth growth = grow(j->audit, d);
	struct audit_line line = { .kind = AUDIT_LINK, .direction = d, .kernel = growth.bytes };
	struct audit_line tunnel = { .direction = d };
	uint64_t room[AUDIT_REASONS] = { 0 };
	bool more;

	if (!j->audit->links[AUDIT_BEGIN] && !j->audit->links[AUDIT_END])
		return;
	j->tunnel[d].meter = grown(j->audit, j->audit->tunnel[AUDIT_BEGIN][d], j->audit->tunnel[AUDIT_END][d]);
	explain_cell(j, &j->tunnel[d], &tunnel);
	line.meter = tunnel.meter;
	for (enum audit_family f = 0; f < AUDIT_FAMILIES; f++)
		line.meter += j->sum[f][d].meter;
	more = line.kernel >= line.meter;
	add_room(&j->tunnel[d], &tunnel, more, room);
	for (enum audit_family f = 0; f < AUDIT_FAMILIES; f++)
		add_room(&j->sum[f][d], j->sum_line[f][d], more, room);
	room[AUDIT_LINK_CHANGED] = growth.changed ? ANY : 0;
	if (more) {
		room[AUDIT_LINK_HEADERS] = growth.header_bytes;
		room[AUDIT_OVERHEAD] = growth.overhead_bytes;
		room[AUDIT_NO_COUNTERS] = j->report->uncounted ? ANY : 0;
		room[AUDIT_OFFLOADED] = j->report->offloaded && !j->audit->flowtables_count ? ANY : 0;
		room[AUDIT_NO_CONNECTION] = ANY;
	} else {
		/* Each connection may have been offloaded: one that closes no longer shows it. */
		bool bypassed = j->in_hardware || (growth.stacked && j->report->offloaded);

		room[AUDIT_BYPASSED] = bypassed ? j->forwarded[d] : 0;
		room[AUDIT_DROPPED] = d == AUDIT_OUT ? ANY : 0;
	}
	explain(&line, room);
	add_line(j, &line);
}

/* --- The whole */

static void judge_all(struct judging *j)
{
	const struct audit *audit = j->audit;

	/* A meter that started a moment ago may show what it had before until it has counted so far again. */
	j->restarted = was_restarted(audit) || audit->uptime_ns[AUDIT_BEGIN] < YOUNG_DUMPS * audit->dump_interval_ns;
	j->lost = audit->overruns[AUDIT_END] != audit->overruns[AUDIT_BEGIN] || !audit->reliable[AUDIT_BEGIN] ||
		!audit->reliable[AUDIT_END];
	find_numbers(j);
	readings_each(audit->flows, take_flow, j);
	for (const struct audit_host *host = audit->table; host; host = host->hh.next)
		take_host(j, host);
	for (const struct audit_host *host = audit->table; host; host = host->hh.next)
		judge_host(j, host);
	for (enum audit_family f = 0; f < AUDIT_FAMILIES; f++)
		for (enum audit_direction d = 0; d < AUDIT_DIRECTIONS; d++)
			judge_sum(j, f, d);
	judge_links(j, AUDIT_IN);
	judge_links(j, AUDIT_OUT);
}

int audit_judge(struct audit *audit, struct audit_report *report)
{
	size_t sums = AUDIT_FAMILIES * AUDIT_DIRECTIONS, most = (audit->hosts * AUDIT_SCOPES + 1) * sums;
	struct judging j = { .audit = audit, .report = report };
	int error = -ENOMEM;

	*report = (struct audit_report){ .refused = readings_refused(audit->flows),
		.cut = audit->cut,
		.flowtables_count = audit->flowtables_count };
	j.row = calloc(audit->hosts, sizeof(*j.row));
	j.number = calloc(audit->hosts, sizeof(*j.number));
	report->line = calloc(most + AUDIT_DIRECTIONS, sizeof(*report->line));
	if (j.row && j.number && report->line) {
		judge_all(&j);
		error = 0;
	}
	free(j.row);
	free(j.number);
	if (error)
		audit_report_clear(report);
	return error;
}

void audit_report_clear(struct audit_report *report)
{
	free(report->line);
	*report = (struct audit_report){ 0 };
}
