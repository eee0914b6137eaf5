/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 32, DUID_BYTES = 130 };

/* A line, cut into words, and who gets the names in it. */
struct line {
	names_parse_each *each;
	void *ctx;
	char text[NAMES_PARSE_LINE + 1];
	char *word[WORDS];
	size_t words;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void split(struct line *line, const char *text, size_t len)
{
	char *p = line->text;

	if (len > NAMES_PARSE_LINE)
		len = NAMES_PARSE_LINE;
	memcpy(line->text, text, len);
	line->text[len] = '\0';
	/* A NUL must not end a hostile name. */
	for (size_t i = 0; i < len; i++)
		if (!line->text[i])
			line->text[i] = '\1';
	for (line->words = 0; line->words < WORDS; line->words++) {
		while (is_space(*p))
			p++;
		if (!*p)
			return;
		line->word[line->words] = p;
		while (*p && !is_space(*p))
			p++;
		if (*p)
			*p++ = '\0';
	}
}

static void cut_comment(struct line *line)
{
	for (size_t i = 0; i < line->words; i++) {
		char *hash = strchr(line->word[i], '#');

		if (!hash)
			continue;
		*hash = '\0';
		line->words = hash == line->word[i] ? i : i + 1;
	}
}

/* Six numbers of one or two hex digits, separated by ':' or '-'. */
static bool read_mac(const char *text, struct mac *mac)
{
	char separator = '\0';

	for (int i = 0; i < MAC_LEN; i++) {
		char digits[3] = { 0 };
		size_t len = strspn(text, "0123456789abcdefABCDEF");

		if (len < 1 || len > 2)
			return false;
		memcpy(digits, text, len);
		mac->b[i] = (uint8_t)strtoul(digits, NULL, 16);
		text += len;
		if (i == MAC_LEN - 1)
			break;
		if ((*text != ':' && *text != '-') || (separator && *text != separator))
			return false;
		separator = *text++;
	}
	return !*text && mac_is_host(mac);
}

/* Pairs of hex digits, with ':' between or without. Returns how many bytes, 0 if it is anything else. */
static size_t read_hex(const char *text, uint8_t bytes[static DUID_BYTES])
{
	size_t count = 0;

	while (*text) {
		char digits[3] = { text[0], text[1], '\0' };

		if (count == DUID_BYTES || strspn(digits, "0123456789abcdefABCDEF") != 2)
			return 0;
		bytes[count++] = (uint8_t)strtoul(digits, NULL, 16);
		text += 2;
		if (*text == ':' && text[1])
			text++;
	}
	return count;
}

/* DUID-LLT: type 1, hardware type, time, link-layer address. DUID-LL: type 3, hardware type, link-layer address. */
static bool duid_mac(const char *text, struct mac *mac)
{
	static const uint8_t llt[] = { 0, 1, 0, 1 }, ll[] = { 0, 3, 0, 1 };
	uint8_t bytes[DUID_BYTES];
	size_t len = read_hex(text, bytes);

	if ((len != 14 || memcmp(bytes, llt, sizeof(llt))) && (len != 10 || memcmp(bytes, ll, sizeof(ll))))
		return false;
	memcpy(mac->b, bytes + len - MAC_LEN, MAC_LEN);
	return mac_is_host(mac);
}

static bool read_address(const char *text, struct addr *addr)
{
	return !addr_parse(addr, text) && !addr_is_loopback(addr) && !addr_is_multicast(addr) &&
		!addr_is_unspecified(addr);
}

/* The first label of a name; NULL if it is none. */
static const char *label_of(char *name)
{
	struct addr addr;

	if (!strcmp(name, "*") || !strcmp(name, "-") || !addr_parse(&addr, name))
		return NULL;
	name[strcspn(name, ".")] = '\0';
	return *name ? name : NULL;
}

static void report(const struct line *line, const struct mac *mac, const struct addr *addr, const char *label)
{
	if (label)
		line->each(line->ctx, mac, addr, label);
}

static void ethers_line(struct line *line)
{
	struct mac mac;

	cut_comment(line);
	if (line->words >= 2 && read_mac(line->word[0], &mac))
		report(line, &mac, NULL, label_of(line->word[1]));
}

static void hosts_line(struct line *line)
{
	struct addr addr;

	cut_comment(line);
	if (line->words >= 2 && read_address(line->word[0], &addr))
		report(line, NULL, &addr, label_of(line->word[1]));
}

static void leases_line(struct line *line)
{
	const char *label;
	struct addr addr;
	struct mac mac;

	/* Also skips "duid", the server's own. */
	if (line->words < 4 || !isdigit((unsigned char)line->word[0][0]))
		return;
	label = label_of(line->word[3]);
	if (read_mac(line->word[1], &mac)) {
		report(line, &mac, NULL, label);
		return;
	}
	if (line->words >= 5 && duid_mac(line->word[4], &mac))
		report(line, &mac, NULL, label);
	if (read_address(line->word[2], &addr))
		report(line, NULL, &addr, label);
}

/* A lease in a comment has the MAC, and names that the lines for resolvers lack. */
static void odhcpd_lease(struct line *line)
{
	static const char broken[] = "broken\\x20"; /* marks names that are invalid in DNS */
	char *name = line->word[4];
	const char *label;
	uint8_t bytes[DUID_BYTES];
	struct addr addr;
	struct mac mac;

	if (!strncmp(name, broken, sizeof(broken) - 1))
		name += sizeof(broken) - 1;
	label = label_of(name);
	if (!strcmp(line->word[3], "ipv4")) {
		bool plain = read_hex(line->word[2], bytes) == MAC_LEN;

		if (plain)
			memcpy(mac.b, bytes, MAC_LEN);
		if (plain ? mac_is_host(&mac) : read_mac(line->word[2], &mac))
			report(line, &mac, NULL, label);
		return;
	}
	if (duid_mac(line->word[2], &mac))
		report(line, &mac, NULL, label);
	for (size_t i = 8; i < line->words; i++) {
		char *slash = strchr(line->word[i], '/');

		/* Shorter ones are prefixes that were delegated to a router. */
		if (!slash || strcmp(slash, "/128") != 0)
			continue;
		*slash = '\0';
		if (read_address(line->word[i], &addr))
			report(line, NULL, &addr, label);
	}
}

static void odhcpd_line(struct line *line)
{
	if (line->words && line->word[0][0] != '#')
		hosts_line(line);
	else if (line->words >= 8 && !strcmp(line->word[0], "#"))
		odhcpd_lease(line);
}

void names_parse(enum names_format format, const char *text, size_t len, names_parse_each *each, void *ctx)
{
	static void (*const parse[])(struct line * line) = {
		[NAMES_FORMAT_ETHERS] = ethers_line,
		[NAMES_FORMAT_LEASES] = leases_line,
		[NAMES_FORMAT_ODHCPD] = odhcpd_line,
		[NAMES_FORMAT_HOSTS] = hosts_line,
	};
	struct line line = { .each = each, .ctx = ctx };

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t bytes = end ? (size_t)(end - text) : len;

		split(&line, text, bytes);
		parse[format](&line);
		bytes += end ? 1 : 0;
		text += bytes;
		len -= bytes;
	}
}
