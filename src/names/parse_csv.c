/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats with commas: Kea's memfile and dnsmasq's dhcp-host. */
#include "parser.h"

#include <string.h>

/* Cuts the text into fields without white space around; they may be empty. */
static size_t split(char *text, char *field[static PARSER_WORDS])
{
	size_t count = 0;
	char *one;

	while (count < PARSER_WORDS && (one = strsep(&text, ","))) {
		char *end = one + strlen(one);

		while (parser_is_space(*one))
			one++;
		while (end > one && parser_is_space(end[-1]))
			*--end = '\0';
		field[count++] = one;
	}
	return count;
}

/* --- Kea */

static bool read_titles(struct names_parser *p, char *const *field, size_t count)
{
	static const char *const titles[KEA_COLUMNS] = { "address", "hwaddr", "duid", "hostname", "prefix_len" };

	if (strcmp(field[0], titles[KEA_ADDRESS]) != 0)
		return false;
	for (size_t i = 0; i < KEA_COLUMNS; i++) {
		p->column[i] = PARSER_WORDS;
		for (size_t j = 0; j < count; j++)
			if (!strcmp(field[j], titles[i]))
				p->column[i] = j;
	}
	p->has_columns = true;
	return true;
}

static bool read_kea_lease(struct names_parser *p, char **field, size_t count)
{
	struct entry *entry = entry_begin(&p->entry, true);
	char none[] = "", *cell[KEA_COLUMNS];
	struct addr addr;

	for (size_t i = 0; i < KEA_COLUMNS; i++)
		cell[i] = p->column[i] < count ? field[p->column[i]] : none;
	if (!p->has_columns || addr_parse(&addr, cell[KEA_ADDRESS]))
		return false;
	entry_add_mac(entry, cell[KEA_HWADDR]);
	if (addr.family == 6) {
		entry->has_card = false; /* Kea may have it from the DUID */
		entry_add_duid(entry, cell[KEA_DUID]);
	}
	if (!*cell[KEA_PREFIX_LEN] || !strcmp(cell[KEA_PREFIX_LEN], "128"))
		entry_add_address(entry, cell[KEA_ADDRESS]);
	entry->name = cell[KEA_HOSTNAME];
	parser_unescape(entry->name, "&#x");
	entry_report(p, entry);
	return true;
}

/* --- dhcp-host */

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* "infinite", or a number of seconds or of a unit. */
static bool is_time(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return !strcmp(text, "infinite") ||
		(digits && (!text[digits] || (strchr("smhdwSMHDW", text[digits]) && !text[digits + 1])));
}

/* In brackets; without prefix length, and not only the end of an address that dnsmasq completes. */
static bool add_ipv6(struct entry *entry, char *text)
{
	char *end = strchr(text, ']');

	if (!end || starts_with(text, "[::"))
		return false;
	*end = '\0';
	return entry_add_address(entry, text + 1);
}

static void read_field(struct entry *entry, char *text)
{
	/* 12 digits after a MAC are a name. */
	if ((!entry->has_card || strpbrk(text, ":-.")) && entry_add_mac(entry, text))
		return;
	if (starts_with(text, "id:"))
		entry_add_duid(entry, text + 3);
	else if (*text == '[')
		add_ipv6(entry, text);
	else if (!entry_add_address(entry, text) && !strchr(text, ':') && *text && !is_time(text) &&
		strcmp(text, "ignore") != 0 && !entry->name)
		entry->name = text;
}

static bool read_dhcp_host(struct names_parser *p, char **field, size_t count)
{
	struct entry *entry = entry_begin(&p->entry, false);

	for (size_t i = 0; i < count; i++)
		read_field(entry, field[i]);
	entry_report(p, entry);
	return entry->macs || entry->addresses;
}

bool parse_csv(struct names_parser *p)
{
	static const char option[] = "dhcp-host";
	char *field[PARSER_WORDS], *text = p->text, *comment;
	bool is_option = starts_with(p->word[0], option),
	     has_comma = strchr(p->word[0], ',') || (p->words > 1 && *p->word[1] == ',');
	size_t count;

	if (*p->word[0] == '#' || (!is_option && !has_comma))
		return false;
	if (is_option)
		text = strchr(text, '=') ? strchr(text, '=') + 1 : text;
	else if (strchr(p->word[0], '='))
		return false; /* another option of dnsmasq */
	comment = strstr(text, " #");
	if (comment)
		*comment = '\0';
	count = split(text, field);
	return read_titles(p, field, count) || read_kea_lease(p, field, count) || read_dhcp_host(p, field, count);
}
