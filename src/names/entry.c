/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parser.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEX_DIGITS "0123456789abcdefABCDEF"

enum { DUID_BYTES = 130 };

bool parser_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

bool parser_is_digits(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static uint8_t byte_of(const char *two_digits)
{
	const char text[3] = { two_digits[0], two_digits[1], '\0' };

	return (uint8_t)strtoul(text, NULL, 16);
}

void parser_unescape(char *text, const char *start)
{
	size_t skip = strlen(start);
	char *to = text;

	while (*text) {
		if (!strncmp(text, start, skip) && strspn(text + skip, HEX_DIGITS) >= 2) {
			char byte = (char)byte_of(text + skip);

			*to++ = byte ? byte : '\1'; /* a NUL must not end a hostile name */
			text += skip + 2;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

static bool read_mac(const char *text, struct mac *mac)
{
	/* dnsmasq's hardware type before an address that is no Ethernet card's; 6 has MACs too. */
	if (!strncmp(text, "06-", 3) && strchr(text, ':'))
		text += 3;

	const size_t first = strspn(text, HEX_DIGITS), groups = first == 12 ? 1 : first == 4 ? 3 : 6;
	const char separator = text[first];
	uint64_t value = 0;

	if (groups > 1 && separator != ':' && separator != '-' && separator != '.')
		return false;
	for (size_t i = 1; i <= groups; i++) {
		size_t len = strspn(text, HEX_DIGITS), most = 2 * MAC_LEN / groups;

		if (len > most || len < (most == 2 ? 1 : most) || text[len] != (i < groups ? separator : '\0'))
			return false;
		value = value << (4 * most) | strtoull(text, NULL, 16);
		text += len + 1;
	}
	for (size_t i = 0; i < MAC_LEN; i++)
		mac->b[i] = (uint8_t)(value >> (8 * (MAC_LEN - 1 - i)));
	return mac_is_host(mac);
}

/* Pairs of hex digits, with ':' between or without. Returns how many bytes, 0 if it is anything else. */
static size_t read_hex(const char *text, uint8_t bytes[static DUID_BYTES])
{
	size_t count = 0;

	while (*text) {
		if (count == DUID_BYTES || strspn(text, HEX_DIGITS) < 2)
			return 0;
		bytes[count++] = byte_of(text);
		text += 2;
		if (*text == ':' && text[1])
			text++;
	}
	return count;
}

/* A file may have 200,000 lines: the arrays are not zeroed for each. */
struct entry *entry_begin(struct entry *entry, bool newer)
{
	entry->name = NULL;
	entry->macs = entry->addresses = 0;
	entry->has_card = false;
	entry->newer = newer;
	return entry;
}

static void add_mac(struct entry *entry, const struct mac *mac)
{
	if (entry->macs < ENTRY_MACS)
		entry->mac[entry->macs++] = *mac;
}

bool entry_add_mac(struct entry *entry, const char *text)
{
	struct mac mac;

	if (!read_mac(text, &mac))
		return false;
	add_mac(entry, &mac);
	entry->has_card = true;
	return true;
}

bool entry_add_duid(struct entry *entry, const char *text)
{
	static const struct {
		size_t len, start_len;
		uint8_t start[4];
	} shapes[] = {
		{ 14, 4, { 0, 1, 0, 1 } }, /* DUID-LLT: type 1, hardware type, time, link-layer address */
		{ 10, 4, { 0, 3, 0, 1 } }, /* DUID-LL: type 3, hardware type, link-layer address */
		{ 7, 1, { 1 } },           /* client identifier: hardware type, link-layer address */
	};
	uint8_t bytes[DUID_BYTES];
	size_t len = read_hex(text, bytes);
	struct mac mac;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (len != shapes[i].len || memcmp(bytes, shapes[i].start, shapes[i].start_len) != 0)
			continue;
		memcpy(mac.b, bytes + len - MAC_LEN, MAC_LEN);
		if (!mac_is_host(&mac))
			return false;
		add_mac(entry, &mac);
		return true;
	}
	return false;
}

bool entry_add_address(struct entry *entry, const char *text)
{
	struct addr addr;

	if (addr_parse(&addr, text) || addr_is_loopback(&addr) || addr_is_multicast(&addr) ||
		addr_is_unspecified(&addr))
		return false;
	if (entry->addresses < ENTRY_ADDRESSES)
		entry->addr[entry->addresses++] = addr;
	return true;
}

/* The first label of a name; NULL if it is none. That of "192.0.2.1.lan" would be 192. */
static const char *label_of(char *name)
{
	size_t digits = name ? strspn(name, "0123456789") : 0;
	struct addr addr;

	if (!name || !strcmp(name, "*") || !strcmp(name, "-") || !addr_parse(&addr, name) ||
		(digits && name[digits] == '.' && isdigit((unsigned char)name[digits + 1])))
		return NULL;
	name[strcspn(name, ".")] = '\0';
	return *name ? name : NULL;
}

bool entry_report(const struct names_parser *p, struct entry *entry)
{
	const char *label = label_of(entry->name);

	for (size_t i = 0; label && i < entry->macs; i++)
		p->each(p->ctx, &entry->mac[i], NULL, label, entry->newer);
	for (size_t i = 0; label && !entry->has_card && i < entry->addresses; i++)
		p->each(p->ctx, NULL, &entry->addr[i], label, entry->newer);
	return label;
}
