/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of a meter that is not to be trusted: no crash, and whatever is made of it can be judged and shown. */
#include "hostmeter/check/judge.h"
#include "hostmeter/check/print.h"
#include "hostmeter/check/status.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct check_status status;
	struct finding line[JUDGE_MOST];
	struct buf text = BUF_INIT, out = BUF_INIT;
	size_t count;

	buf_add(&text, data, size);
	if (!check_status_read(&status, &text)) {
		const struct check_facts facts = {
			.socket = "",
			.runtime_dir = "",
			.nflog_group = status.meter.nflog_group,
			.fill_percent = 90,
			.link = status.link,
			.links = status.links,
			.names = status.names,
			.names_count = status.names_count,
			.flows = status.flows,
			.flows_uncounted = status.flows_uncounted,
			.flows_offloaded = status.flows_offloaded,
			.meter = status.meter,
		};

		count = judge_all(&facts, line);
		check_print_text(&out, line, count);
		check_print_json(&out, line, count, 0);
		if (buf_error(&out))
			abort();
		finding_clear(line, count);
	}
	buf_free(&text);
	buf_free(&out);
	return 0;
}
