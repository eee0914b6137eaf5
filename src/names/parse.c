/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parse.h"

#include "parser.h"

#include <stdlib.h>
#include <string.h>

/* --- The formats with one line for each name */

static void cut_comment(struct names_parser *p)
{
	for (size_t i = 0; i < p->words; i++) {
		char *hash = strchr(p->word[i], '#');

		if (!hash)
			continue;
		*hash = '\0';
		p->words = hash == p->word[i] ? i : i + 1;
	}
}

static bool parse_ethers(struct names_parser *p)
{
	struct entry *entry = entry_begin(&p->entry, false);

	if (p->words < 2 || !entry_add_mac(entry, p->word[0]))
		return false;
	cut_comment(p);
	if (p->words >= 2)
		entry->name = p->word[1];
	entry_report(p, entry);
	return true;
}

static bool parse_hosts(struct names_parser *p)
{
	struct entry *entry = entry_begin(&p->entry, false);
	struct addr addr;

	if (p->words < 2 || addr_parse(&addr, p->word[0]))
		return false;
	entry_add_address(entry, p->word[0]);
	cut_comment(p);
	for (size_t i = 1; i < p->words; i++) {
		entry->name = p->word[i];
		if (entry_report(p, entry))
			break;
	}
	return true;
}

static bool parse_leases(struct names_parser *p)
{
	struct entry *entry = entry_begin(&p->entry, false);
	struct addr addr;

	if (p->words == 2 && !strcmp(p->word[0], "duid")) /* the server's own */
		return true;
	if (p->words < 4 || !parser_is_digits(p->word[0]) || addr_parse(&addr, p->word[2]))
		return false;
	entry->name = p->word[3];
	if (!entry_add_mac(entry, p->word[1]) && p->words >= 5)
		entry_add_duid(entry, p->word[4]);
	entry_add_address(entry, p->word[2]);
	entry_report(p, entry);
	return true;
}

/* The words from first to last, with spaces between, up to the end of the last. */
static char *join(struct names_parser *p, size_t first, size_t last)
{
	for (char *c = p->word[first]; c < p->word[last]; c++)
		if (!*c)
			*c = ' ';
	return p->word[first];
}

/* The name may have spaces: what is behind it is found from the end. */
static bool parse_odhcpd(struct names_parser *p)
{
	static const char broken[] = "broken ";
	struct entry *entry = entry_begin(&p->entry, false);
	size_t end = p->words;

	if (strcmp(p->word[0], "#") != 0)
		return false;
	while (strchr(p->word[end - 1], '/'))
		end--;
	if (end < 8 || !parser_is_digits(p->word[end - 3] + (*p->word[end - 3] == '-')) ||
		!parser_is_digits(p->word[end - 1]))
		return false;
	if (!entry_add_mac(entry, p->word[2])) {
		if (!strcmp(p->word[3], "ipv4"))
			return false;
		entry_add_duid(entry, p->word[2]);
	}
	for (size_t i = end; i < p->words; i++) {
		char *slash = strchr(p->word[i], '/');

		/* Shorter ones are prefixes that were delegated to a router. */
		if (strcmp(slash, "/128") != 0)
			continue;
		*slash = '\0';
		entry->has_card = false;
		entry_add_address(entry, p->word[i]);
	}
	entry->name = join(p, 4, end - 4);
	parser_unescape(entry->name, "\\x");
	if (!strncmp(entry->name, broken, sizeof(broken) - 1))
		entry->name += sizeof(broken) - 1;
	entry_report(p, entry);
	return true;
}

/* --- Lines */

static void take_line(struct names_parser *p, const char *text, size_t len)
{
	char *c = p->copy;

	if (len > NAMES_PARSE_LINE)
		len = NAMES_PARSE_LINE;
	memcpy(p->text, text, len);
	p->text[len] = '\0';
	/* A NUL must not end a hostile name. */
	for (char *nul; (nul = memchr(p->text, '\0', len));)
		*nul = '\1';
	memcpy(p->copy, p->text, len + 1);
	for (p->words = 0; p->words < PARSER_WORDS; p->words++) {
		while (parser_is_space(*c))
			c++;
		if (!*c)
			return;
		p->word[p->words] = c;
		while (*c && !parser_is_space(*c))
			c++;
		if (*c)
			*c++ = '\0';
	}
}

/* A block has lines that would be others' elsewhere; a MAC of digits alone is no time of expiry. */
static bool parse_line(struct names_parser *p)
{
	static bool (*const formats[])(struct names_parser *) = { parse_block, parse_odhcpd, parse_csv, parse_ethers,
		parse_leases, parse_hosts };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i](p))
			return true;
	return false;
}

struct names_parser *names_parser_new(names_parse_each *each, void *ctx)
{
	struct names_parser *parser = calloc(1, sizeof(*parser));

	if (parser)
		*parser = (struct names_parser){ .each = each, .ctx = ctx };
	return parser;
}

static void line(struct names_parser *p, const char *text, size_t len)
{
	take_line(p, text, len);
	if (p->words && parse_line(p))
		p->known = true;
	else if (p->words && p->word[0][0] != '#')
		p->unknown = true;
}

/* Keeps what comes of a line before its end; of a long line only the start counts. */
static void keep(struct names_parser *p, const char *text, size_t len)
{
	size_t room = NAMES_PARSE_LINE - p->partial_len;

	if (len > room)
		len = room;
	memcpy(p->partial + p->partial_len, text, len);
	p->partial_len += len;
}

static void end_partial(struct names_parser *p)
{
	if (p->partial_len)
		line(p, p->partial, p->partial_len);
	p->partial_len = 0;
}

void names_parser_feed(struct names_parser *p, const char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf"; /* some editors put it before UTF-8 */

	if (!p->begun && len >= sizeof(mark) - 1 && !memcmp(text, mark, sizeof(mark) - 1)) {
		text += sizeof(mark) - 1;
		len -= sizeof(mark) - 1;
	}
	p->begun = true;
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t bytes = end ? (size_t)(end - text) : len;

		if (!end || p->partial_len)
			keep(p, text, bytes);
		else
			line(p, text, bytes);
		if (end)
			end_partial(p);
		bytes += end ? 1 : 0;
		text += bytes;
		len -= bytes;
	}
}

bool names_parser_end(struct names_parser *p, bool is_cut)
{
	bool known;

	if (!is_cut)
		end_partial(p);
	parse_block_end(p);
	known = p->known || !p->unknown;
	free(p);
	return known;
}
