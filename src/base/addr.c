/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t addr_len(uint8_t family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

static int af_of(uint8_t family)
{
	return family == 4 ? AF_INET : AF_INET6;
}

struct addr addr_make(uint8_t family, const void *bytes, size_t len)
{
	struct addr a = { 0 };

	if (!len || len != addr_len(family))
		return a;
	a.family = family;
	memcpy(a.b, bytes, len);
	return a;
}

int addr_parse(struct addr *a, const char *text)
{
	struct addr parsed = { .family = strchr(text, ':') ? 6 : 4 };

	if (inet_pton(af_of(parsed.family), text, parsed.b) != 1)
		return -EINVAL;
	*a = parsed;
	return 0;
}

const char *addr_format(const struct addr *a, char text[static ADDR_TEXT])
{
	text[0] = '\0';
	if (addr_len(a->family))
		inet_ntop(af_of(a->family), a->b, text, ADDR_TEXT);
	return text;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == 4 ? a->b[0] == 127 : a->family == 6 && !memcmp(a->b, one, sizeof(one));
}

bool addr_is_multicast(const struct addr *a)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	if (a->family == 4)
		return (a->b[0] & 0xf0) == 0xe0 || !memcmp(a->b, broadcast, sizeof(broadcast));
	return a->family == 6 && a->b[0] == 0xff;
}

bool addr_is_link_local(const struct addr *a)
{
	if (a->family == 4)
		return a->b[0] == 169 && a->b[1] == 254;
	return a->family == 6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_unspecified(const struct addr *a)
{
	static const uint8_t zero[16];

	return addr_len(a->family) && !memcmp(a->b, zero, sizeof(zero));
}

/* The bits of byte i that a prefix of len bits covers. */
static uint8_t prefix_mask(unsigned int len, unsigned int i)
{
	if (len >= 8 * (i + 1))
		return 0xff;
	return len <= 8 * i ? 0 : (uint8_t)(0xff << (8 * (i + 1) - len));
}

struct prefix prefix_make(const struct addr *addr, unsigned int len)
{
	unsigned int bytes = (unsigned int)addr_len(addr->family);
	struct prefix p = { .addr = *addr };

	p.len = (uint8_t)(len < 8 * bytes ? len : 8 * bytes);
	for (unsigned int i = 0; i < sizeof(p.addr.b); i++)
		p.addr.b[i] &= prefix_mask(p.len, i);
	return p;
}

/* One to three decimal digits; -1 for anything else. */
static int parse_len(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && digits <= 3 && !text[digits] ? atoi(text) : -1;
}

int prefix_parse(struct prefix *p, const char *text)
{
	const char *slash = strchrnul(text, '/');
	char bare[ADDR_TEXT];
	struct addr addr;
	int len, bits;

	if ((size_t)(slash - text) >= sizeof(bare))
		return -EINVAL;
	memcpy(bare, text, (size_t)(slash - text));
	bare[slash - text] = '\0';
	if (addr_parse(&addr, bare))
		return -EINVAL;

	bits = 8 * (int)addr_len(addr.family);
	len = *slash ? parse_len(slash + 1) : bits;
	if (len < 0 || len > bits)
		return -EINVAL;
	*p = prefix_make(&addr, (unsigned int)len);
	return 0;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	unsigned int whole = p->len / 8;

	if (!addr_len(a->family) || p->addr.family != a->family || memcmp(p->addr.b, a->b, whole))
		return false;
	return p->len % 8 == 0 || ((p->addr.b[whole] ^ a->b[whole]) & prefix_mask(p->len, whole)) == 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(struct mac *m, const char *text)
{
	struct mac parsed;

	for (int i = 0; i < MAC_LEN; i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return -EINVAL;
		/* One kind of separator throughout, and none at the end. */
		if (i == MAC_LEN - 1 ? text[2] != '\0' : text[2] != ':' && text[2] != '-')
			return -EINVAL;
		if (i > 0 && i < MAC_LEN - 1 && text[2] != text[-1])
			return -EINVAL;
		parsed.b[i] = (uint8_t)(high << 4 | low);
	}
	*m = parsed;
	return 0;
}

const char *mac_format(const struct mac *m, char text[static MAC_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < MAC_LEN; i++) {
		text[3 * i] = digits[m->b[i] >> 4];
		text[3 * i + 1] = digits[m->b[i] & 15];
		text[3 * i + 2] = i < MAC_LEN - 1 ? ':' : '\0';
	}
	return text;
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return !memcmp(a->b, b->b, MAC_LEN);
}

bool mac_is_zero(const struct mac *m)
{
	static const struct mac zero;

	return mac_equal(m, &zero);
}

bool mac_is_host(const struct mac *m)
{
	return !mac_is_zero(m) && !(m->b[0] & 1);
}

bool mac_is_random(const struct mac *m)
{
	return m->b[0] & 2;
}
