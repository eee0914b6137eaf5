/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/flow_list.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/json.h"
#include "hostmeter/base/protocol.h"
#include "hostmeter/base/version.h"
#include "hostmeter/decode/nfct.h"
#include "hostmeter/export/flow_text.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_NS (5 * CLOCK_NS_PER_S)

enum state { IDLE, WANTED, RUNNING, DONE };

struct flow_list {
	const struct meter *meter;
	enum state state;
	struct flow_list_filter filter;
	struct buf text;
	uint64_t until; /* kept */
	uint64_t time;  /* of the dump, ns since 1970 */
	bool cut;
};

static bool read_number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*value = strtoul(text, &end, 10);
	return !*end && *value <= max;
}

const char *flow_list_filter_set(struct flow_list_filter *filter, const char *host, const char *ipv, const char *proto,
	const char *port)
{
	unsigned long number;

	if (host && *host) {
		if (strlen(host) >= sizeof(filter->host))
			return "host";
		strncpy(filter->host, host, sizeof(filter->host)); /* pads: filters are compared as bytes */
	}
	if (ipv && *ipv) {
		if (strcmp(ipv, "4") && strcmp(ipv, "6"))
			return "ipv";
		filter->family = (uint8_t)(*ipv - '0');
	}
	if (proto && *proto) {
		int known = read_number(proto, UINT8_MAX, &number) ? (int)number : protocol_number(proto);

		if (known < 0)
			return "proto";
		filter->proto = (uint8_t)known;
	}
	if (port && *port) {
		if (!read_number(port, UINT16_MAX, &number))
			return "port";
		filter->port = (uint16_t)number;
	}
	return NULL;
}

void flow_list_ask(struct flow_list *list, const struct flow_list_filter *filter, uint64_t now)
{
	bool same = !memcmp(filter, &list->filter, sizeof(*filter));

	if (same && (list->state == WANTED || list->state == RUNNING))
		return;
	/* Another listing is being made or waits to be fetched: it comes first. */
	if (!same && (list->state == RUNNING || (list->state == DONE && now < list->until)))
		return;
	list->filter = *filter;
	list->state = WANTED;
}

static void on_dump_began(void *ctx, uint64_t now)
{
	struct flow_list *list = ctx;

	(void)now;
	if (list->state != WANTED)
		return;
	buf_reset(&list->text);
	list->cut = false;
	list->time = clock_real_ns();
	list->state = RUNNING;
}

/* --- One entry */

static bool passes(const struct flow_list_filter *f, const struct ct_event *event, const struct meter_flow *flow)
{
	const struct ct_tuple *tuple = &event->tuple[CT_ORIGINAL];

	return (!f->family || f->family == event->family) && (!f->proto || f->proto == event->proto) &&
		(!f->port || f->port == tuple->sport || f->port == tuple->dport) &&
		(!f->host[0] || flow_text_is_of(f->host, event, flow));
}

static void put_tuple(struct buf *out, const char *key, const struct ct_event *event, int dir)
{
	const struct ct_tuple *tuple = &event->tuple[dir];
	char text[ADDR_TEXT];

	json_begin(out, key, '{');
	json_put_text(out, "src", addr_format(&tuple->src, text));
	json_put_text(out, "dst", addr_format(&tuple->dst, text));
	json_put_u64(out, "sport", tuple->sport);
	json_put_u64(out, "dport", tuple->dport);
	json_put_u64(out, "bytes", event->bytes[dir]);
	json_put_u64(out, "packets", event->packets[dir]);
	json_end(out, '}');
}

static void put_json(struct buf *out, uint64_t time, const struct ct_event *event, const struct meter_flow *flow)
{
	json_begin(out, NULL, '{');
	json_put_u64(out, "schema", API_SCHEMA);
	json_put_time(out, "time", time);
	json_put_text(out, "host", flow->host);
	json_put_text(out, "mac", flow->mac);
	json_put_text(out, "peer", flow->peer);
	json_put_text(out, "peer_mac", flow->peer_mac);
	json_put_text(out, "by", flow_by_name(flow->by));
	json_put_text(out, "scope", flow_text_scope(flow));
	json_put_u64(out, "ipv", event->family);
	json_put_u64(out, "proto", event->proto);
	json_put_u64(out, "zone", event->zone);
	json_put_u64(out, "id", event->id);
	json_put_bool(out, "inbound", flow->inbound);
	json_put_time(out, "start", event->start_ns);
	put_tuple(out, "original", event, CT_ORIGINAL);
	put_tuple(out, "reply", event, CT_REPLY);
	json_put_u64(out, "in", flow->in_bytes);
	json_put_u64(out, "out", flow->out_bytes);
	json_end(out, '}');
	buf_putc(out, '\n');
}

static void on_entry(void *ctx, const struct nlmsghdr *message, const struct ct_event *event)
{
	struct flow_list *list = ctx;
	struct meter_flow flow = { .scope = FLOW_UNDECIDED };
	struct buf *out = &list->text;

	if (list->state != RUNNING)
		return;
	meter_find_flow(list->meter, event, &flow);
	if (!passes(&list->filter, event, &flow))
		return;
	if (out->len > FLOW_LIST_MAX) {
		list->cut = true;
		return;
	}
	if (list->filter.json) {
		put_json(out, list->time, event, &flow);
	} else if (!nfct_print(out, message)) {
		flow_text_put_hosts(out, &flow);
		buf_printf(out, " in=%" PRIu64 " out=%" PRIu64 "\n", flow.in_bytes, flow.out_bytes);
	}
}

static void on_dump_ended(void *ctx, bool complete, uint64_t now)
{
	struct flow_list *list = ctx;

	(void)complete;
	if (list->state != RUNNING)
		return;
	if (list->cut)
		buf_puts(&list->text,
			list->filter.json ? "{\"schema\":1,\"cut\":true}\n" :
					    "# more flows than one listing takes: narrow it down\n");
	list->state = DONE;
	list->until = now + KEPT_NS;
}

bool flow_list_fetch(struct flow_list *list, const struct flow_list_filter *filter, struct buf *out, uint64_t now)
{
	if (list->state != DONE || memcmp(filter, &list->filter, sizeof(*filter)))
		return false;
	list->state = IDLE;
	if (now < list->until)
		buf_add(out, list->text.data, list->text.len);
	buf_free(&list->text);
	return now < list->until;
}

/* --- Made and freed */

struct flow_list *flow_list_new(const struct meter *meter, struct dispatch *dispatch)
{
	struct flow_list *list = calloc(1, sizeof(*list));
	const struct dispatch_listener listener = {
		.ctx = list, .dump_began = on_dump_began, .entry = on_entry, .dump_ended = on_dump_ended
	};

	if (!list || dispatch_subscribe(dispatch, &listener)) {
		free(list);
		return NULL;
	}
	list->meter = meter;
	return list;
}

void flow_list_free(struct flow_list *list)
{
	if (!list)
		return;
	buf_free(&list->text);
	free(list);
}
