/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ruleset: what of a firewall's rules decides whether the first packets of forwarded flows are logged: chains, and
 * rules that log, accept, drop or lead to another chain. ruleset_nft and ruleset_iptables fill it in.
 *
 * Of a rule's conditions only those are understood that tell a flow's first packet of one direction from the other's;
 * any other condition is "maybe". In a chain's own order an accept ends the way through that base chain (nft) or table
 * (iptables), the next one goes on; a drop ends it for good. A dropped packet needs no host, so only accepts that come
 * first, and drops of everything, keep a rule from its packets.
 */
#ifndef HOSTMETER_CHECK_RULESET_H
#define HOSTMETER_CHECK_RULESET_H

#include "hostmeter/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULESET_IPV4 = 1, RULESET_IPV6 = 2 };
enum { RULESET_ORIGINAL = 1, RULESET_REPLY = 2, RULESET_BOTH = 3 };
enum { RULESET_MOST = 1 << 16 }; /* chains, and rules */

enum ruleset_verdict {
	RULESET_CONTINUE,
	RULESET_ACCEPT,
	RULESET_DROP,
	RULESET_JUMP,
	RULESET_GOTO,
	RULESET_RETURN,
};

struct ruleset_chain {
	const char *tool;    /* the program for it: "nft", "iptables", "ip6tables-legacy", …; static */
	unsigned int source; /* which parse: names are unique within one */
	uint8_t families;
	char *family, *table, *name; /* family: as nft calls it, "" for iptables */
	bool at_forward;             /* a base chain of the forward hook */
	int priority;
	bool drops; /* its policy */
};

struct ruleset_rule {
	uint32_t chain;
	uint32_t number; /* nft: its handle; iptables: its place in the chain, from 1 */
	uint8_t families;
	uint8_t always, maybe; /* first packets of which directions it matches for certain; at all */
	enum ruleset_verdict verdict;
	char *target; /* of a jump or goto, else NULL */
	int group;    /* NFLOG group that it logs to, -1: none */
};

struct ruleset_flowtable {
	char *family, *table, *name;
	bool counts;   /* has the flag counter */
	bool hardware; /* has the flag offload */
};

struct ruleset {
	struct ruleset_chain *chain;
	struct ruleset_rule *rule;
	struct ruleset_flowtable *flowtable;
	size_t chains, rules, flowtables;
	unsigned int sources;
};

/* Adds a copy of what is given, texts too. The index, or -ENOMEM, -E2BIG. */
int ruleset_add_chain(struct ruleset *ruleset, const struct ruleset_chain *chain);
int ruleset_add_rule(struct ruleset *ruleset, const struct ruleset_rule *rule);
int ruleset_add_flowtable(struct ruleset *ruleset, const struct ruleset_flowtable *flowtable);

/* The index of a chain of the source being read, -1 if there is none. family "" for iptables. */
int ruleset_find(const struct ruleset *ruleset, unsigned int source, const char *family, const char *table,
	const char *name);

/* Frees what is inside. */
void ruleset_clear(struct ruleset *ruleset);

/* How the first packets of one direction fare, from the worst to the best. */
enum ruleset_fate {
	RULESET_MISSING,  /* no rule logs them */
	RULESET_ASIDE,    /* a rule would, in a chain that no forwarded packet enters */
	RULESET_SHADOWED, /* a rule would, but all packets end before it */
	RULESET_BYPASSED, /* some are accepted before it */
	RULESET_PARTLY,   /* it has conditions that are not understood here */
	RULESET_LOGGED,
};

/* chain: of the rule at fault or, where all is well, of the rule that logs; rule -1: the chain's policy. */
struct ruleset_answer {
	enum ruleset_fate fate;
	int chain, rule;
};

/*
 * The fate of a direction's first packets of a family with respect to this NFLOG group. false: the rules are too
 * tangled to say.
 */
bool ruleset_ask(const struct ruleset *ruleset, uint8_t family, uint8_t direction, uint16_t group,
	struct ruleset_answer *answer);

/* Appends "nft inet fw4 forward, handle 7", "iptables mangle FORWARD, rule 3", or with "policy". */
void ruleset_describe(const struct ruleset *ruleset, const struct ruleset_answer *answer, struct buf *out);

#endif
