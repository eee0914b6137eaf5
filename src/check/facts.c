/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/facts.h"

#include "hostmeter/base/json.h"

#include <errno.h>
#include <string.h>

static void read_sources(struct check_meter *meter, const json_t *list)
{
	size_t i;
	json_t *one;

	json_array_foreach (list, i, one) {
		for (enum source source = 0; source < SOURCE_COUNT; source++) {
			if (strcmp(json_get_text(one, "source"), source_name(source)))
				continue;
			meter->source[source] = (struct check_source){
				.up = json_get_bool(one, "up"),
				.overruns = json_get_u64(one, "overruns"),
				.buffer = json_get_u64(one, "receive_buffer_bytes"),
				.buffer_asked = json_get_u64(one, "receive_buffer_asked_bytes"),
			};
		}
	}
}

/* Received and sent, of one kind on one WAN; unit: "bytes" or "packets". */
static uint64_t kind_sum(const json_t *wan, const char *kind, const char *unit)
{
	const json_t *count = json_object_get(wan, kind);

	return json_get_u64(json_object_get(count, "rx"), unit) + json_get_u64(json_object_get(count, "tx"), unit);
}

static void read_wan(struct check_facts *facts, const json_t *one)
{
	static const char *const seen[] = { "attributed", "router", "unknown", "tunnel" };
	struct check_wan wan = {
		.unseen = kind_sum(one, "unseen", "bytes"),
		.packets = kind_sum(one, "unseen", "packets"),
	};

	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		wan.seen += kind_sum(one, seen[i], "bytes");
		wan.packets += kind_sum(one, seen[i], "packets");
	}
	json_copy_text(wan.name, sizeof(wan.name), json_object_get(one, "interface"));
	facts->meter.unknown_bytes += kind_sum(one, "unknown", "bytes");
	facts->meter.wan_bytes += wan.seen;
	if (facts->wans < CHECK_STATUS_MOST)
		facts->wan[facts->wans++] = wan;
}

/* The count of a warning, 0 if it is not there. */
static uint64_t warning(const json_t *status, const char *id)
{
	size_t i;
	json_t *one;

	json_array_foreach (json_object_get(status, "warnings"), i, one)
		if (!strcmp(json_get_text(one, "id"), id))
			return json_get_u64(one, "count");
	return 0;
}

static void read_meter(struct check_meter *meter, const json_t *status)
{
	const json_t *incomplete = json_object_get(status, "incomplete"), *dump = json_object_get(status, "dump");
	const json_t *age = json_object_get(dump, "age_seconds"), *places = json_object_get(status, "places");

	*meter = (struct check_meter){
		.answers = true,
		.nflog_group = (uint16_t)json_get_u64(status, "nflog_group"),
		.reliable = json_get_bool(status, "reliable"),
		.switched_off = json_get_u64(incomplete, "reliable_switched_off"),
		.ends = json_get_u64(incomplete, "flows_ended"),
		.ends_unseen = json_get_u64(incomplete, "flows_ended_unseen"),
		.ends_uncounted = json_get_u64(incomplete, "flows_ended_uncounted"),
		.resets = json_get_u64(incomplete, "counter_resets"),
		.refused = json_get_u64(incomplete, "flows_refused"),
		.sightings_lost = json_get_u64(incomplete, "first_packets_lost"),
		.damaged = json_get_u64(incomplete, "damaged_messages"),
		.checkpoint_failures = json_get_u64(json_object_get(status, "checkpoint"), "failures"),
		.checkpoint_damages = json_get_u64(json_object_get(status, "checkpoint"), "damages"),
		.hosts_folded = warning(status, "hosts-folded"),
		.made_up = warning(status, "made-up-hosts"),
		.places = json_get_u64(places, "limit"),
		.places_taken = json_get_u64(places, "taken"),
		.places_unanswered = json_get_u64(places, "unanswered"),
		.left_unanswered = json_get_u64(places, "left_unanswered"),
		.sighted = json_get_u64(json_object_get(status, "attributed"), "nflog"),
		.routes_dropped = json_get_u64(incomplete, "routes_dropped"),
		.unsighted = warning(status, "no-rules"),
		.dump_age = json_is_number(age) ? json_number_value(age) : -1,
		.dump_interval = json_number_value(json_object_get(dump, "interval_seconds")),
	};
	json_copy_text(meter->version, sizeof(meter->version), json_object_get(status, "version"));
	json_copy_text(meter->made_up_on, sizeof(meter->made_up_on), json_object_get(places, "unanswered_on"));
	json_copy_text(meter->checkpoint_error, sizeof(meter->checkpoint_error),
		json_object_get(json_object_get(status, "checkpoint"), "error"));
	read_sources(meter, json_object_get(status, "sources"));
}

static void read_lists(struct check_facts *facts, const json_t *document)
{
	size_t i;
	json_t *one;

	json_array_foreach (json_object_get(document, "wan"), i, one)
		read_wan(facts, one);
	json_array_foreach (json_object_get(document, "interfaces"), i, one) {
		struct check_link *link = &facts->link[facts->links];
		const char *side = json_get_text(one, "side");

		if (facts->links == CHECK_STATUS_MOST)
			break;
		json_copy_text(link->name, sizeof(link->name), json_object_get(one, "interface"));
		link->side = !*side ? CHECK_OTHER : !strcmp(side, "wan") ? CHECK_WAN : CHECK_LAN;
		facts->links++;
	}
	json_array_foreach (json_object_get(document, "sides"), i, one) {
		struct check_verdict *verdict = &facts->verdict[facts->verdicts];

		if (facts->verdicts == CHECK_STATUS_MOST)
			break;
		json_copy_text(verdict->name, sizeof(verdict->name), json_object_get(one, "interface"));
		json_copy_text(verdict->side, sizeof(verdict->side), json_object_get(one, "side"));
		json_copy_text(verdict->reason, sizeof(verdict->reason), json_object_get(one, "reason"));
		json_copy_text(verdict->carries, sizeof(verdict->carries), json_object_get(one, "carries"));
		facts->verdicts++;
	}
	json_array_foreach (json_object_get(document, "names"), i, one) {
		struct check_names *names = &facts->names[facts->names_count];

		if (facts->names_count == CHECK_STATUS_MOST)
			break;
		json_copy_text(names->path, sizeof(names->path), json_object_get(one, "path"));
		json_copy_text(names->error, sizeof(names->error), json_object_get(one, "error"));
		facts->names_count++;
	}
	json_array_foreach (json_object_get(document, "listen"), i, one) {
		if (facts->listens < CHECK_STATUS_MOST)
			json_copy_text(facts->listen[facts->listens++], CHECK_NAME, one);
	}
}

int check_facts_read(struct check_facts *facts, const struct buf *status)
{
	int error;
	json_t *document = json_open(status->data, status->len, &error);
	const json_t *flows = json_object_get(document, "flows");

	if (!error && !json_is_object(flows))
		error = -EBADMSG;
	if (!error) {
		facts->links = facts->names_count = facts->listens = facts->verdicts = facts->wans = 0;
		read_meter(&facts->meter, document);
		read_lists(facts, document);
		facts->nflog_group = facts->meter.nflog_group;
		facts->flows = json_get_u64(flows, "live");
		facts->flows_uncounted = json_get_u64(flows, "without_counters");
		facts->flows_offloaded = json_get_u64(flows, "offloaded");
	}
	json_decref(document);
	return error;
}
