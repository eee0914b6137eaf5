/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of a meter that is not to be trusted: no crash, and whatever is made of it can be judged and shown. */
#include "hostmeter/check/facts.h"
#include "hostmeter/check/judge.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct check_facts facts;
	struct finding line[JUDGE_MOST];
	struct buf text = BUF_INIT, out = BUF_INIT;
	size_t count;

	buf_add(&text, data, size);
	facts = (struct check_facts){ .socket = "", .runtime_dir = "", .fill_percent = 90 };
	if (!check_facts_read(&facts, &text)) {
		count = judge_all(&facts, line);
		finding_print_text(&out, line, count);
		finding_print_json(&out, line, count, 0);
		if (buf_error(&out))
			abort();
		finding_clear(line, count);
	}
	buf_free(&text);
	buf_free(&out);
	return 0;
}
