/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/utf8.h"

#include <string.h>

size_t utf8_char(const char *text, size_t len, uint32_t *code)
{
	/* Below these the form is longer than it need be. */
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *bytes = (const unsigned char *)text;
	size_t more;

	if (!len || (bytes[0] >= 0x80 && bytes[0] < 0xc0) || bytes[0] >= 0xf8)
		return 0;
	more = bytes[0] < 0x80 ? 0 : bytes[0] < 0xe0 ? 1 : bytes[0] < 0xf0 ? 2 : 3;
	if (more >= len)
		return 0;
	*code = more ? bytes[0] & (0x3fu >> more) : bytes[0];
	for (size_t i = 1; i <= more; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3fu);
	}

	bool surrogate = *code >= 0xd800 && *code < 0xe000;

	return *code < least[more] || *code > 0x10ffff || surrogate ? 0 : more + 1;
}

bool utf8_is_visible(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c },
		{ 0x180e, 0x180e },                     /* soft hyphen, Arabic letter mark, vowel separator */
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, /* zero width, line ends, direction */
		{ 0x2060, 0x206f },                     /* zero width, direction */
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, /* byte order mark, annotations */
		{ 0xe0000, 0xe0fff },                   /* tags */
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	return true;
}

/* Whether the control character at text belongs to a text of several lines. */
static bool is_line_end_or_tab(const char *text, size_t len)
{
	return *text == '\n' || *text == '\t' || (*text == '\r' && len > 1 && text[1] == '\n');
}

size_t utf8_disarm(char *text, size_t len, bool lines)
{
	size_t used = 0, step;

	for (size_t at = 0; at < len; at += step) {
		uint32_t code = 0;

		/* Nearly all is printable ASCII. */
		if (text[at] >= ' ' && text[at] <= '~') {
			text[used++] = text[at];
			step = 1;
			continue;
		}
		step = utf8_char(text + at, len - at, &code);
		if (step && (utf8_is_visible(code) || (lines && is_line_end_or_tab(text + at, len - at)))) {
			memmove(text + used, text + at, step);
			used += step;
		} else {
			text[used++] = '?';
			step = step ? step : 1;
		}
	}
	return used;
}

size_t utf8_clean(char *out, size_t size, const char *text, size_t len, const char *unwanted)
{
	size_t used = 0, step;

	for (size_t at = 0; at < len; at += step ? step : 1) {
		uint32_t code = 0;

		step = utf8_char(text + at, len - at, &code);

		bool fine = step && utf8_is_visible(code) && !(code < 0x80 && strchr(unwanted, (int)code));
		size_t more = fine ? step : 1;

		if (!used && fine && code == ' ')
			continue;
		if (used + more >= size)
			break;
		if (fine)
			memcpy(out + used, text + at, step);
		else
			out[used] = '_';
		used += more;
	}
	while (used && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
	return used;
}
