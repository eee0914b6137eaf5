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

enum way { BELOW, ABOVE, WAYS }; /* the meter has less than the kernel; more */

struct cell {
	uint64_t meter, kernel;
	uint64_t room[WAYS][AUDIT_REASONS];
};

/* One host: cells by scope, family, direction. */
struct row {
	struct cell cell[AUDIT_SCOPES][AUDIT_FAMILIES][AUDIT_DIRECTIONS];
};

/* Which of a host's counts. */
struct slot {
	enum audit_scope scope;
	enum audit_family family;
	enum audit_direction direction;
};

enum { SLOTS = AUDIT_SCOPES * AUDIT_FAMILIES * AUDIT_DIRECTIONS };

static struct slot slot_of(int i)
{
	return (struct slot){ i / (AUDIT_FAMILIES * AUDIT_DIRECTIONS), i / AUDIT_DIRECTIONS % AUDIT_FAMILIES,
		i % AUDIT_DIRECTIONS };
}

struct judging {
	struct audit *audit;
	struct audit_report *report;
	struct row *row;                                   /* by number of the host */
	uint32_t *number;                                  /* where a host's counts went: itself, or other */
	struct cell sum[AUDIT_FAMILIES][AUDIT_DIRECTIONS]; /* of all hosts, with the WAN */
	uint64_t missing[AUDIT_FAMILIES][AUDIT_DIRECTIONS]
			[AUDIT_REASONS]; /* what the meter has less in the sum, and why */
	uint64_t unknown[AUDIT_FAMILIES];
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
	return by_address_flow(j->audit->addresses, &flow->first, j->audit->router);
}

/* Whether the meter may not have counted any of it yet when it was asked. */
static bool is_held(const struct audit_flow *flow, enum audit_end end)
{
	if (flow->reported[end].given && !flow->reborn)
		return flow->reported[end].scope == AUDIT_UNDECIDED;
	return flow->fresh_end[end] && (flow->reborn || !is_decided(flow, AUDIT_BEGIN));
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
		add(&cell->room[BELOW][AUDIT_HELD], value[AUDIT_END_LOW]);
	if (is_held(flow, AUDIT_BEGIN))
		add(&cell->room[ABOVE][AUDIT_HELD], value[AUDIT_BEGIN_LOW]);
	for (enum way way = 0; way < WAYS; way++) {
		add(&cell->room[way][AUDIT_ZEROED], flow->zeroed ? ANY : 0);
		add(&cell->room[way][AUDIT_UNHEARD], flow->unheard ? ANY : 0);
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
	}
}

static void count_flow(struct audit_report *report, const struct audit_flow *flow)
{
	report->flows++;
	report->ended += flow->ended != AUDIT_MOMENTS;
	report->uncounted += flow->uncounted;
	report->offloaded += flow->offloaded;
	report->zeroed += flow->zeroed;
	report->unheard += flow->unheard;
}

static void take_flow(void *ctx, const struct audit_flow *flow)
{
	struct judging *j = ctx;
	struct audit_owner owner = owner_of(j, flow);
	enum audit_family family = flow->first.family == 6 ? AUDIT_IPV6 : AUDIT_IPV4;
	uint32_t first = by_address_find(j->audit->addresses, &flow->first.tuple[CT_ORIGINAL].src);
	uint32_t last = by_address_find(j->audit->addresses, &flow->first.tuple[CT_REPLY].src);

	count_flow(j->report, flow);
	if (!owner.given) {
		j->report->unknown++;
		add(&j->unknown[family], flow->value[AUDIT_END_HIGH][0] + flow->value[AUDIT_END_HIGH][1]);
		return;
	}
	if (owner.scope >= AUDIT_SCOPES || owner.host == AUDIT_NOBODY)
		return;
	/* Which of the two ends is the host's is not believed where its addresses tell. */
	if (first != last && (first == owner.host || last == owner.host))
		owner.began = first == owner.host;
	add_to_host(j, flow, owner.scope, owner.host, owner.began);
	if (owner.peer != AUDIT_NOBODY)
		add_to_host(j, flow, owner.scope, owner.peer, !owner.began);
}

static struct cell *cell_at(struct judging *j, uint32_t host, struct slot at)
{
	return &j->row[host].cell[at.scope][at.family][at.direction];
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
			j->number[host->number] = audit->other;
	}
}

static bool began_anew(const struct audit *audit)
{
	return audit->uptime_ns[AUDIT_END] < audit->uptime_ns[AUDIT_BEGIN];
}

/* Differences modulo 2^64: what left one host and went to another is negative until it is added to the other's. */
static void take_hosts(struct judging *j)
{
	const struct audit *audit = j->audit;
	bool anew = began_anew(audit);

	for (const struct audit_host *host = audit->table; host; host = host->hh.next) {
		for (int i = 0; i < SLOTS; i++) {
			struct slot at = slot_of(i);
			uint64_t before = host->bytes[AUDIT_BEGIN][at.scope][at.family][at.direction];
			uint64_t after = host->bytes[AUDIT_END][at.scope][at.family][at.direction];
			uint64_t grown = anew && after < before ? after : after - before;

			cell_at(j, j->number[host->number], at)->meter += grown;
			if (at.scope == AUDIT_WAN)
				j->sum[at.family][at.direction].meter += grown;
		}
	}
}

/* --- Laying a difference to reasons */

static void lay(struct audit_line *line, uint64_t difference, const uint64_t room[static AUDIT_REASONS])
{
	for (enum audit_reason r = 0; r < AUDIT_REASONS && difference; r++) {
		uint64_t part = room[r] < difference ? room[r] : difference;

		line->reason[r] += part;
		difference -= part;
	}
	line->unexplained = difference;
}

/* What holds for all lines alike. */
static void add_general(const struct judging *j, struct cell *cell, enum audit_family family)
{
	const struct audit *audit = j->audit;
	/* A young one may show what it had before a restart until it has counted so far again. */
	bool restarted = began_anew(audit) || audit->uptime_ns[AUDIT_BEGIN] < YOUNG_DUMPS * audit->dump_interval_ns;
	bool lost = audit->overruns[AUDIT_END] != audit->overruns[AUDIT_BEGIN] || !audit->reliable[AUDIT_BEGIN] ||
		!audit->reliable[AUDIT_END];

	add(&cell->room[ABOVE][AUDIT_UNKNOWN], j->unknown[family]);
	add(&cell->room[BELOW][AUDIT_RESTARTED], restarted ? ANY : 0);
	add(&cell->room[BELOW][AUDIT_LOST], lost ? ANY : 0);
}

static struct audit_line *add_line(struct judging *j, const struct cell *cell)
{
	struct audit_line *line = &j->report->line[j->report->lines++];

	*line = (struct audit_line){ .meter = cell->meter, .kernel = cell->kernel };
	return line;
}

static void judge_cell(struct judging *j, struct cell *cell, struct audit_line *line)
{
	enum way way = cell->meter < cell->kernel ? BELOW : ABOVE;

	add_general(j, cell, line->family);
	lay(line, way == BELOW ? cell->kernel - cell->meter : cell->meter - cell->kernel, cell->room[way]);
	j->report->unexplained += line->unexplained != 0;
}

static void judge_host(struct judging *j, const struct audit_host *host)
{
	for (int i = 0; i < SLOTS; i++) {
		struct slot at = slot_of(i);
		struct cell *cell = cell_at(j, host->number, at);
		struct audit_line *line;

		if (!cell->meter && !cell->kernel)
			continue;
		line = add_line(j, cell);
		line->kind = AUDIT_HOST;
		memcpy(line->host, host->label, sizeof(line->host));
		memcpy(line->mac, host->mac, sizeof(line->mac));
		line->scope = at.scope;
		line->family = at.family;
		line->direction = at.direction;
		judge_cell(j, cell, line);
	}
}

static void judge_sum(struct judging *j, enum audit_family family, enum audit_direction direction)
{
	struct cell *cell = &j->sum[family][direction];
	struct audit_line *line = add_line(j, cell);

	line->kind = AUDIT_SUM;
	line->family = family;
	line->direction = direction;
	judge_cell(j, cell, line);
	if (cell->meter < cell->kernel)
		memcpy(j->missing[family][direction], line->reason, sizeof(line->reason));
}

/* --- The WAN interfaces */

struct growth {
	uint64_t bytes, header_bytes;
	bool changed; /* an interface came or went, or was made anew */
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

	for (size_t i = 0; i < audit->links[AUDIT_END]; i++) {
		const struct audit_link *now = &audit->link[AUDIT_END][i];
		const struct audit_link *then = find_link(audit, AUDIT_BEGIN, now->ifindex), none = { 0 };

		if (!then || now->bytes[d] < then->bytes[d] || now->packets[d] < then->packets[d]) {
			growth.changed = true;
			then = &none;
		}
		growth.bytes += now->bytes[d] - then->bytes[d];
		if (now->has_mac)
			growth.header_bytes += (now->packets[d] - then->packets[d]) * ETHERNET_HEADER;
	}
	return growth;
}

/*
 * The interfaces are read between our two readings of the connections, so these bound what passed meanwhile. For the
 * rest the interface has more than the meter where all connections together have, and less where the meter counted what
 * it had held at the begin.
 */
static void add_room(const struct judging *j, enum audit_family f, enum audit_direction d, bool more,
	uint64_t room[static AUDIT_REASONS])
{
	const struct cell *sum = &j->sum[f][d];

	for (enum audit_reason r = AUDIT_NOT_READ; r < AUDIT_LINK_HEADERS; r++) {
		if (r <= AUDIT_ENDED) {
			add(&room[r], sum->room[BELOW][r]);
			add(&room[r], sum->room[ABOVE][r]);
		} else {
			add(&room[r], more ? j->missing[f][d][r] : sum->room[ABOVE][r]);
		}
	}
}

static void judge_links(struct judging *j, enum audit_direction d)
{
	struct growth growth = grow(j->audit, d);
	uint64_t room[AUDIT_REASONS] = { 0 };
	struct cell cell = { .kernel = growth.bytes };
	struct audit_line *line;

	if (!j->audit->links[AUDIT_BEGIN] && !j->audit->links[AUDIT_END])
		return;
	for (enum audit_family f = 0; f < AUDIT_FAMILIES; f++)
		cell.meter += j->sum[f][d].meter;
	for (enum audit_family f = 0; f < AUDIT_FAMILIES; f++)
		add_room(j, f, d, cell.kernel > cell.meter, room);
	line = add_line(j, &cell);
	line->kind = AUDIT_LINK;
	line->direction = d;
	room[AUDIT_NEW_LINK] = growth.changed ? ANY : 0;
	if (cell.meter > cell.kernel) {
		room[AUDIT_DROPPED] = d == AUDIT_OUT ? ANY : 0;
		lay(line, cell.meter - cell.kernel, room);
	} else {
		uint64_t more = cell.kernel - cell.meter,
			 headers = growth.header_bytes < more ? growth.header_bytes : more;

		/* The headers are certain, and come first. */
		line->reason[AUDIT_LINK_HEADERS] = headers;
		room[AUDIT_NO_COUNTERS] = j->report->uncounted ? ANY : 0;
		room[AUDIT_OFFLOADED] = j->report->offloaded ? ANY : 0;
		room[AUDIT_NO_CONNECTION] = ANY;
		lay(line, more - headers, room);
	}
	j->report->unexplained += line->unexplained != 0;
}

/* --- The whole */

static int prepare(struct judging *j)
{
	size_t most = (size_t)j->audit->hosts * SLOTS + AUDIT_FAMILIES * AUDIT_DIRECTIONS + AUDIT_DIRECTIONS;

	j->row = calloc(j->audit->hosts, sizeof(*j->row));
	j->number = calloc(j->audit->hosts, sizeof(*j->number));
	j->report->line = calloc(most, sizeof(*j->report->line));
	return j->row && j->number && j->report->line ? 0 : -ENOMEM;
}

int audit_judge(struct audit *audit, struct audit_report *report)
{
	struct judging j = { .audit = audit, .report = report };
	int error;

	*report = (struct audit_report){ .refused = readings_refused(audit->flows), .cut = audit->cut };
	error = prepare(&j);
	if (!error) {
		find_numbers(&j);
		readings_settle(audit->flows);
		readings_each(audit->flows, take_flow, &j);
		take_hosts(&j);
		for (const struct audit_host *host = audit->table; host; host = host->hh.next)
			judge_host(&j, host);
		for (enum audit_family f = 0; f < AUDIT_FAMILIES; f++)
			for (enum audit_direction d = 0; d < AUDIT_DIRECTIONS; d++)
				judge_sum(&j, f, d);
		judge_links(&j, AUDIT_IN);
		judge_links(&j, AUDIT_OUT);
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
