/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Periods as text, in any zone and at any time: what is taken is a time that can be written and read again unchanged;
 * what is not gets one line of text. The first byte chooses the zone, the second one the billing periods, the next four
 * are the time.
 */
#include "hostmeter/base/utf8.h"
#include "ledger/range.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_taken(struct range range, int64_t now)
{
	char label[RANGE_LABEL], error[RANGE_ERROR];
	struct range again;

	require(range.from < range.to);
	require(calendar_date_of(range.from).year >= 1970);
	require(strlen(range_label(range, label)) >= 4);
	if (strstr(label, " to "))
		return;
	require(!range_parse(&again, label, now, NULL, error));
	require(again.from == range.from && again.to == range.to);
}

static void check_refused(char *error)
{
	char copy[RANGE_ERROR];

	require(memchr(error, '\0', RANGE_ERROR) && *error);
	strcpy(copy, error);
	copy[utf8_disarm(copy, strlen(copy), false)] = '\0';
	require(!strcmp(copy, error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const zones[] = { "Europe/Brussels", "Australia/Lord_Howe", "Pacific/Apia",
		"America/Sao_Paulo", "America/St_Johns", "Asia/Kathmandu", "UTC", "XYZ12:30" };
	struct period_rule rule;
	struct range range;
	char *text, error[RANGE_ERROR] = "";
	int64_t now;

	if (size < HEAD)
		return 0;
	calendar_use(zones[data[0] % 8]);
	rule = (struct period_rule){ .every = (enum period_every)(data[1] % 3),
		.day = data[1] % 3 == PERIOD_WEEK ? data[1] / 3 % 7 : data[1] / 3 % 31 + 1,
		.days = data[1] + 1,
		.from = { 2026, 3, 2 },
		.hour = data[1] % 24 };
	now = (int64_t)data[2] << 24 | data[3] << 16 | data[4] << 8 | data[5];
	text = malloc(size - HEAD + 1); /* reading past its end is seen */
	require(text);
	memcpy(text, data + HEAD, size - HEAD);
	text[size - HEAD] = '\0';
	if (!range_parse(&range, text, now, data[1] == 255 ? NULL : &rule, error))
		check_taken(range, now);
	else
		check_refused(error);
	free(text);
	return 0;
}
