/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats with blocks of several lines: UCI's sections, which begin with "config", and ISC's, which are in braces.
 */
#include "parser.h"

#include <stdio.h>
#include <string.h>

enum { STATEMENT_WORDS = 8 };

/* Words up to ';', '{', '}' or the end of the line. */
struct statement {
	char *word[STATEMENT_WORDS];
	size_t words;
	char end; /* which it was; '\0': the end of the line */
};

static bool is_end(char c)
{
	return !c || strchr(";{}", c);
}

/* The character that "\" and up to three octal digits stand for; *from is moved behind them. */
static char read_escape(char **from)
{
	unsigned int byte = 0;
	size_t digits = 0;

	while (digits < 3 && (*from)[digits] >= '0' && (*from)[digits] <= '7')
		byte = 8 * byte + (unsigned int)((*from)[digits++] - '0');
	if (digits == 3) {
		*from += digits;
		return (byte & 0xff) ? (char)byte : '\1';
	}
	return *(*from)++;
}

/* Takes the quotes off the word at *text and resolves its escapes, in place. Returns the word, or NULL if none is left.
 */
static char *read_word(char **text, char *end)
{
	char *from = *text, *word, *to, quote = '\0';

	while (parser_is_space(*from))
		from++;
	*end = *from;
	if (is_end(*from) || *from == '#') {
		*end = *from == '#' ? '\0' : *from;
		*text = *end ? from + 1 : from;
		return NULL;
	}
	for (word = to = from; *from && (quote || (!parser_is_space(*from) && !is_end(*from)));) {
		char c = *from++;

		if (c == quote && quote)
			quote = '\0';
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else
			*to++ = c == '\\' && quote != '\'' && *from ? read_escape(&from) : c;
	}
	*end = *from;
	*text = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

/* False at the end of the line. */
static bool read_statement(char **text, struct statement *statement)
{
	char *word;

	*statement = (struct statement){ .words = 0 };
	do {
		word = read_word(text, &statement->end);
		if (word && statement->words < STATEMENT_WORDS)
			statement->word[statement->words++] = word;
	} while (word && parser_is_space(statement->end));
	return statement->words || statement->end;
}

/* --- A block and what is in it */

void parse_block_end(struct names_parser *p)
{
	if (p->block.kind != BLOCK_NONE)
		entry_report(p, &p->block.entry);
	p->block.kind = BLOCK_NONE;
}

static void begin(struct names_parser *p, int kind)
{
	parse_block_end(p);
	p->block.kind = kind;
	p->block.depth = 0;
	entry_begin(&p->block.entry, kind == BLOCK_ISC);
}

static void set_name(struct block *block, const char *name)
{
	snprintf(block->name, sizeof(block->name), "%s", name);
	block->entry.name = block->name;
}

/* A value may be several: "A B", "A, B". OpenWrt puts an IAID behind a DUID: "A%B". */
static void take(struct block *block, char *values, bool (*add)(struct entry *entry, const char *text))
{
	char *value;

	while ((value = strsep(&values, " ,%")))
		add(&block->entry, value);
}

static void read_setting(struct block *block, const struct statement *s)
{
	static const struct {
		const char *first, *second;
		bool (*add)(struct entry *entry, const char *text); /* NULL: a name */
	} settings[] = {
		{ "option", "name", NULL },
		{ "option", "mac", entry_add_mac },
		{ "list", "mac", entry_add_mac },
		{ "option", "ip", entry_add_address },
		{ "option", "duid", entry_add_duid },
		{ "list", "duid", entry_add_duid },
		{ "hardware", "ethernet", entry_add_mac },
		{ "option", "host-name", NULL },
		{ "client-hostname", NULL, NULL },
		{ "fixed-address", NULL, entry_add_address },
		{ "fixed-address6", NULL, entry_add_address },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		size_t value = settings[i].second ? 2 : 1;

		if (s->words <= value || strcmp(s->word[0], settings[i].first) != 0 ||
			(settings[i].second && strcmp(s->word[1], settings[i].second) != 0))
			continue;
		if (!settings[i].add)
			set_name(block, s->word[value]);
		for (size_t j = value; settings[i].add && j < s->words; j++)
			take(block, s->word[j], settings[i].add);
	}
}

/* --- ISC: "lease ADDRESS {", "host NAME {", statements that end with ";", and "}" */

static bool begins_isc(const struct names_parser *p)
{
	return p->words >= 2 && (!strcmp(p->word[0], "lease") || !strcmp(p->word[0], "host")) && *p->word[1] != '{' &&
		strchr(p->text, '{');
}

static void read_isc(struct names_parser *p, const struct statement *s)
{
	struct block *block = &p->block;

	if (s->end == '{' && s->words >= 2 && (!strcmp(s->word[0], "lease") || !strcmp(s->word[0], "host"))) {
		begin(p, BLOCK_ISC);
		if (!strcmp(s->word[0], "host"))
			set_name(block, s->word[1]);
		else
			entry_add_address(&block->entry, s->word[1]);
	}
	if (block->kind != BLOCK_ISC)
		return;
	if (s->end == '{')
		block->depth++;
	else if (s->words && block->depth == 1)
		read_setting(block, s);
	if (s->end == '}' && !--block->depth)
		parse_block_end(p);
}

/* Statements outside of leases that dhcpd writes. */
static bool is_isc_head(const char *word)
{
	return !strcmp(word, "authoring-byte-order") || !strcmp(word, "server-duid") || !strcmp(word, "failover");
}

/* --- UCI: "config TYPE NAME", "option KEY VALUE", "list KEY VALUE" */

static void begin_uci(struct names_parser *p, const struct statement *s)
{
	bool is_host = s->words >= 2 && (!strcmp(s->word[1], "host") || !strcmp(s->word[1], "domain"));

	begin(p, is_host ? BLOCK_UCI_HOST : BLOCK_UCI);
}

static bool parse_uci(struct names_parser *p)
{
	bool begins = !strcmp(p->word[0], "config"),
	     is_open = p->block.kind == BLOCK_UCI || p->block.kind == BLOCK_UCI_HOST;
	char *text = p->text;
	struct statement s;

	if (!begins && (!is_open || (strcmp(p->word[0], "option") != 0 && strcmp(p->word[0], "list") != 0)))
		return false;
	read_statement(&text, &s);
	if (begins)
		begin_uci(p, &s);
	else if (p->block.kind == BLOCK_UCI_HOST)
		read_setting(&p->block, &s);
	return true;
}

bool parse_block(struct names_parser *p)
{
	char *text = p->text;
	struct statement s;

	if (!begins_isc(p) && p->block.kind != BLOCK_ISC)
		return parse_uci(p) || is_isc_head(p->word[0]);
	while (read_statement(&text, &s))
		read_isc(p, &s);
	return true;
}
