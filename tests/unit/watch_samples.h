/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_samples: samples for the live view, made by hand, and checks of what is made of them.
 */
#pragma once

#include "hostmeter/watch/frame.h"
#include "hostmeter/watch/history.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)
#define T0 (UINT64_C(1795442400) * S) /* 2026-11-23 14:00:00 UTC */

static inline struct watch_sample sample_at(uint64_t time)
{
	return (struct watch_sample){ .time = time, .taken = time };
}

static inline struct watch_sample_host *put_host(struct watch_sample *sample, const char *label, const char *mac,
	uint64_t down4, uint64_t up4, uint64_t down6, uint64_t up6)
{
	struct watch_sample_host *host = watch_sample_add_host(sample);

	assert_non_null(host);
	snprintf(host->label, sizeof(host->label), "%s", label);
	snprintf(host->mac, sizeof(host->mac), "%s", mac);
	host->bytes[WATCH_IPV4][WATCH_DOWN] = down4;
	host->bytes[WATCH_IPV4][WATCH_UP] = up4;
	host->bytes[WATCH_IPV6][WATCH_DOWN] = down6;
	host->bytes[WATCH_IPV6][WATCH_UP] = up6;
	host->connections[WATCH_IPV4] = (uint32_t)(down4 % 7);
	host->connections[WATCH_IPV6] = (uint32_t)(down6 % 5);
	return host;
}

static inline void put_link(struct watch_sample *sample, const char *name, uint64_t down, uint64_t up)
{
	struct watch_sample_link *link = watch_sample_add_link(sample);

	assert_non_null(link);
	snprintf(link->name, sizeof(link->name), "%s", name);
	link->bytes[WATCH_DOWN] = down;
	link->bytes[WATCH_UP] = up;
}

static inline void add(struct watch_history *history, struct watch_sample sample)
{
	assert_int_equal(watch_history_add(history, &sample), 0);
	assert_int_equal(sample.hosts, 0);
}

static inline void about(double value, double expected)
{
	if (fabs(value - expected) > 0.001 * (expected + 1))
		fail_msg("%g is not %g", value, expected);
}

/* Each row's cells have the widths that they say, and nothing in them could move the cursor. */
static inline void assert_whole(const struct watch_frame *frame)
{
	for (int i = 0; i < frame->width * frame->height; i++) {
		const struct watch_cell *cell = &frame->cell[i];
		wchar_t wide[16];
		size_t len = mbstowcs(wide, cell->text, 16);
		int width = 0;

		assert_in_range(len, 0, 15);
		for (size_t c = 0; c < len; c++) {
			assert_true(wcwidth(wide[c]) >= 0);
			assert_true(frame->utf8 || wide[c] < 0x80);
			width += wcwidth(wide[c]);
		}
		assert_in_range(width, 0, 2);
		if (width == 2)
			assert_string_equal(cell[1].text, "");
		if (width == 2)
			assert_true((i + 1) % frame->width != 0);
		if (!cell->text[0])
			assert_true(i % frame->width && cell[-1].text[0]);
	}
}
