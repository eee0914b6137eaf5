/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic_options: the command line of the traffic generator. One table drives parsing and --help.
 */
#pragma once

#include "traffic_frame.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_HOST = 16, MAX_HOSTS = 65534, MAX_ADDRESSES6 = 64 };

static struct options {
	const char *interface;
	bool reflect, concurrent, until_eof, help;
	bool family[2]; /* IPv4, IPv6 */
	uint8_t proto;  /* IPPROTO_ICMP stands for both kinds of ICMP */
	struct mac gateway, mac;
	struct prefix source[2];
	struct addr destination[2];
	uint64_t hosts, addresses6, flows, rate, packets, size, reply_size, reply_packets;
	uint64_t seed, limit, duration, linger;
} options = {
	.family = { true, true },
	.proto = IPPROTO_UDP,
	.mac = { { 2, 0, 0, 0xff, 0xff, 0xfe } },
	.hosts = 1,
	.addresses6 = 3,
	.flows = 1,
	.rate = 1000,
	.packets = 1,
	.size = 100,
	.reply_packets = 1,
	.limit = 100000000,
	.duration = 3600,
	.linger = 500,
};

static inline int set_flag(void *target, const char *text)
{
	(void)text;
	*(bool *)target = true;
	return 0;
}

static inline int set_text(void *target, const char *text)
{
	*(const char **)target = text;
	return 0;
}

static inline int set_number(void *target, const char *text)
{
	char *end;

	errno = 0;
	*(uint64_t *)target = strtoull(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno || *(uint64_t *)target > UINT32_MAX ? -EINVAL : 0;
}

static inline int set_mac(void *target, const char *text)
{
	return mac_parse(target, text);
}

static inline int set_addr(void *target, const char *text)
{
	return addr_parse(target, text);
}

static inline int set_prefix(void *target, const char *text)
{
	return prefix_parse(target, text);
}

static inline int set_families(void *target, const char *text)
{
	bool *family = target;

	family[0] = strchr(text, '4');
	family[1] = strchr(text, '6');
	return strspn(text, "46,") == strlen(text) && (family[0] || family[1]) ? 0 : -EINVAL;
}

static inline int set_proto(void *target, const char *text)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} known[] = { { "udp", IPPROTO_UDP }, { "icmp", IPPROTO_ICMP }, { "tcp", IPPROTO_TCP } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(text, known[i].name) == 0) {
			*(uint8_t *)target = known[i].proto;
			return 0;
		}
	}
	return -EINVAL;
}

static const struct option_row {
	const char *name, *argument, *help;
	int (*set)(void *target, const char *text);
	void *target;
} option_table[] = {
	{ "interface", "IF", "send and receive here", set_text, &options.interface },
	{ "reflect", NULL, "answer instead of asking: be --destination4 and --destination6", set_flag,
		&options.reflect },
	{ "destination4", "ADDR", "where packets go; with --reflect, whom to be", set_addr, &options.destination[0] },
	{ "destination6", "ADDR", "the same for IPv6", set_addr, &options.destination[1] },
	{ "gateway-mac", "MAC", "the router's MAC on this interface", set_mac, &options.gateway },
	{ "families", "4,6", "which families to send (4,6)", set_families, options.family },
	{ "source4", "PREFIX", "host n has its n-th address, counted from 16", set_prefix, &options.source[0] },
	{ "source6", "PREFIX", "hosts have random addresses in this /64", set_prefix, &options.source[1] },
	{ "hosts", "N", "host n has MAC 02:00:00:00:xx:yy, xxyy = n, counted from 1 (1)", set_number, &options.hosts },
	{ "addresses6", "N", "IPv6 addresses of each host (3)", set_number, &options.addresses6 },
	{ "proto", "NAME", "udp, icmp (echo), tcp (SYN to last ACK, with --packets data segments) (udp)", set_proto,
		&options.proto },
	{ "flows", "N", "flows, each with ports of its own; icmp has but 65536 ids (1)", set_number, &options.flows },
	{ "packets", "N", "packets of each flow (1)", set_number, &options.packets },
	{ "size", "BYTES", "of a packet, IP header included (100)", set_number, &options.size },
	{ "rate", "N", "flows a second, with --concurrent packets a second; 0: at once (1000)", set_number,
		&options.rate },
	{ "concurrent", NULL, "open all flows first, then go round them; else one flow after the other", set_flag,
		&options.concurrent },
	{ "seed", "N", "another seed: other IPv6 addresses, other ports (0)", set_number, &options.seed },
	{ "limit", "N", "never send more packets (100000000)", set_number, &options.limit },
	{ "duration", "S", "never send, or reflect, for longer (3600)", set_number, &options.duration },
	{ "linger", "MS", "then answer until nothing came for so long (500)", set_number, &options.linger },
	{ "until-eof", NULL, "answer until stdin ends, whatever --linger says", set_flag, &options.until_eof },
	{ "mac", "MAC", "with --reflect: whose MAC to have (02:00:00:ff:ff:fe)", set_mac, &options.mac },
	{ "reply-packets", "N", "with --reflect: answers to a packet (1)", set_number, &options.reply_packets },
	{ "reply-size", "BYTES", "with --reflect: of an answer, 0: as the question (0)", set_number,
		&options.reply_size },
	{ "help", NULL, "this list", set_flag, &options.help },
};

enum { OPTIONS = sizeof(option_table) / sizeof(*option_table) };

static inline void options_help(void)
{
	puts("usage: traffic --interface IF --gateway-mac MAC --destination4 ADDR --source4 PREFIX ...\n"
	     "       traffic --reflect --interface IF --destination4 ADDR --destination6 ADDR ...\n\n"
	     "Plays many hosts behind a router, and the server before it, with raw frames. Answers ARP and neighbour\n"
	     "solicitations for its addresses. Writes \"traffic: ready\" and \"traffic: sent\" to stderr as it gets\n"
	     "there, and at the end (or on SIGTERM) a JSON object to stdout: the true IP bytes of each MAC, or of\n"
	     "each remote address.\n");
	for (size_t i = 0; i < OPTIONS; i++)
		printf("  --%-14s%-8s%s\n", option_table[i].name,
			option_table[i].argument ? option_table[i].argument : "", option_table[i].help);
}

static inline int options_wrong(const char *what)
{
	fprintf(stderr, "traffic: %s\n", what);
	return -EINVAL;
}

/* What the generator needs of one family. 0, or -EINVAL after a line on stderr. */
static inline int options_check_family(size_t i)
{
	const struct prefix *source = &options.source[i];
	uint8_t family = i ? 6 : 4;

	if (!options.family[i])
		return 0;
	if (options.destination[i].family != family || source->addr.family != family)
		return options_wrong(i ? "IPv6 needs --destination6 and --source6" :
					 "IPv4 needs --destination4 and --source4");
	if (family == 6 && source->len != 64)
		return options_wrong("--source6 must be a /64");
	if (family == 4 && FIRST_HOST + options.hosts >= UINT64_C(1) << (32 - source->len))
		return options_wrong("--source4 has no room for so many hosts");
	if (options.size < frame_overhead(family, options.proto) + (options.proto == IPPROTO_TCP))
		return options_wrong("--size is less than the headers take");
	return 0;
}

static inline int options_check(void)
{
	if (!options.interface)
		return options_wrong("--interface is missing");
	if (options.destination[0].family == 6 || options.destination[1].family == 4)
		return options_wrong("--destination4 and --destination6 are exchanged");
	if (options.reflect)
		return 0;
	if (!mac_is_host(&options.gateway))
		return options_wrong("--gateway-mac is missing");
	if (!options.hosts || options.hosts > MAX_HOSTS)
		return options_wrong("--hosts must be 1 to 65534");
	if (!options.addresses6 || options.addresses6 > MAX_ADDRESSES6)
		return options_wrong("--addresses6 must be 1 to 64");
	if (!options.packets || options.packets > 10000000)
		return options_wrong("--packets must be 1 to 10000000");
	if (options.proto == IPPROTO_TCP && options.concurrent)
		return options_wrong("--concurrent is for udp and icmp");
	return options_check_family(0) ? -EINVAL : options_check_family(1);
}

/* Reads the command line into options. 0, or -EINVAL after a line on stderr. */
static inline int options_parse(int argc, char *argv[])
{
	struct option list[OPTIONS + 1] = { 0 };
	int c, i;

	for (i = 0; i < OPTIONS; i++)
		list[i] = (struct option){ option_table[i].name,
			option_table[i].argument ? required_argument : no_argument, NULL, 1 };
	while ((c = getopt_long(argc, argv, "", list, &i)) != -1) {
		if (c != 1)
			return -EINVAL;
		if (option_table[i].set(option_table[i].target, optarg)) {
			fprintf(stderr, "traffic: --%s: bad value: %s\n", option_table[i].name, optarg);
			return -EINVAL;
		}
	}
	if (optind < argc)
		return options_wrong("what is this argument without an option?");
	return options.help ? 0 : options_check();
}
