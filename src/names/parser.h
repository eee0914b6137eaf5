/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parser: what the formats of names_parser_feed() share. */
#pragma once

#include "parse.h"

enum { PARSER_WORDS = 32, ENTRY_MACS = 16, ENTRY_ADDRESSES = 24 };

/* A name, and who gets it. What does not fit is left out. */
struct entry {
	char *name; /* NULL: none; is cut */
	struct mac mac[ENTRY_MACS];
	size_t macs;
	struct addr addr[ENTRY_ADDRESSES]; /* get the name only without has_card */
	size_t addresses;
	bool has_card; /* a MAC is surely a network card of the host: it is not from a DUID */
	bool newer;
};

enum kea_column { KEA_ADDRESS, KEA_HWADDR, KEA_DUID, KEA_HOSTNAME, KEA_PREFIX_LEN, KEA_COLUMNS };

/* A section or block of several lines. */
struct block {
	enum { BLOCK_NONE, BLOCK_UCI, BLOCK_UCI_HOST, BLOCK_ISC } kind;
	size_t depth; /* of braces */
	struct entry entry;
	char name[NAMES_PARSE_LINE + 1];
};

struct names_parser {
	names_parse_each *each;
	void *ctx;
	bool begun, known, unknown;         /* a line of a known format was there; one of none */
	char partial[NAMES_PARSE_LINE + 1]; /* a line whose end has not come yet */
	size_t partial_len;
	char text[NAMES_PARSE_LINE + 1]; /* the line; the format that knows it may change it */
	char copy[NAMES_PARSE_LINE + 1]; /* the same, cut into words at white space; so may this */
	char *word[PARSER_WORDS];
	size_t words;       /* at least one */
	struct entry entry; /* what a line alone says */
	struct block block;
	bool has_columns;
	size_t column[KEA_COLUMNS]; /* PARSER_WORDS: there is none of this title */
};

/* Each reads the line if it is of its format. False, and nothing was changed, if it is not. */
bool parse_csv(struct names_parser *p);   /* kea and dhcp-host */
bool parse_block(struct names_parser *p); /* isc and uci */

/* Reports the block that is open, if any. */
void parse_block_end(struct names_parser *p);

/* Empties it. Returns entry. */
struct entry *entry_begin(struct entry *entry, bool newer);

/* Each adds what the text is to the entry. False: it is something else, or can belong to no host. */
bool entry_add_mac(struct entry *entry, const char *text);
bool entry_add_duid(struct entry *entry, const char *text); /* also a client identifier of DHCPv4 */
bool entry_add_address(struct entry *entry, const char *text);

/* Gives the name to whom it belongs. False if it is no name. */
bool entry_report(const struct names_parser *p, struct entry *entry);

bool parser_is_space(char c);
bool parser_is_digits(const char *text); /* one at least */

/* Replaces each start with two hex digits behind it by the byte that they say. */
void parser_unescape(char *text, const char *start);
