/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts.h"

#include "hostmeter/base/clock.h"

#include <stdio.h>
#include <string.h>

const char *watch_format_amount(char text[static WATCH_NUMBER], double amount, bool binary)
{
	static const char *const powers[2][7] = {
		{ "", "k", "M", "G", "T", "P", "E" },
		{ "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" },
	};
	double base = binary ? 1024 : 1000;
	int power = 0;

	/* 999.6 would be printed as 1000: it is 1.00 of the next power. */
	while (amount >= base - 0.5 && power < 6) {
		amount /= base;
		power++;
	}
	snprintf(text, WATCH_NUMBER, "%.*f%s",
		power == 0 || amount >= 99.95 ? 0 :
			amount >= 9.995       ? 1 :
						2,
		amount, powers[binary][power]);
	return text;
}

const char *watch_format_bytes(char text[static WATCH_NUMBER], double bytes, const struct watch_view *view)
{
	watch_format_amount(text, bytes, view->binary);
	return strcat(text, "B");
}

const char *watch_format_rate(char text[static WATCH_NUMBER], double rate, const struct watch_view *view)
{
	watch_format_amount(text, view->bytes ? rate : rate * 8, view->binary);
	return strcat(text, view->bytes ? "B/s" : "b/s");
}

int watch_format_rate_width(const struct watch_view *view)
{
	return view->binary ? 9 : 8; /* "97.7Kib/s", "12.3Mb/s" */
}

const char *watch_format_percent(char text[static WATCH_NUMBER], double share)
{
	if (share < 0)
		snprintf(text, WATCH_NUMBER, "-");
	else if (share > 0 && share < 0.005)
		snprintf(text, WATCH_NUMBER, "<1%%");
	else
		snprintf(text, WATCH_NUMBER, "%.0f%%", share * 100);
	return text;
}

const char *watch_format_age(char text[static WATCH_NUMBER], uint64_t now, uint64_t when)
{
	static const struct {
		uint64_t below, seconds;
		char letter;
	} units[] = { { 60, 1, 's' }, { 3600, 60, 'm' }, { 86400, 3600, 'h' }, { UINT64_MAX, 86400, 'd' } };
	size_t i = 0;
	uint64_t seconds = now > when ? (now - when) / CLOCK_NS_PER_S : 0;

	if (seconds < 2)
		return strcpy(text, "now");
	while (seconds >= units[i].below)
		i++;
	snprintf(text, WATCH_NUMBER, "%u%c", (unsigned int)(seconds / units[i].seconds), units[i].letter);
	return text;
}

const char *watch_format_interval(char text[static WATCH_NUMBER], uint64_t ns)
{
	double seconds = (double)ns / CLOCK_NS_PER_S;

	if (seconds < 60)
		snprintf(text, WATCH_NUMBER, "%g s", seconds);
	else if (seconds < 3600)
		snprintf(text, WATCH_NUMBER, "%.3g min", seconds / 60);
	else
		snprintf(text, WATCH_NUMBER, "%.3g h", seconds / 3600);
	return text;
}
