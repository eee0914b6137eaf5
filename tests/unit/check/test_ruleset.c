/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firewalls as nft and iptables print them: whether the first packets of each direction reach the rule that logs them.
 */
#include "hostmeter/check/ruleset.h"
#include "ruleset_iptables.h"
#include "ruleset_nft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* --- nft -j list ruleset */

/* JSON with single quotes, as the tests' text: quoted() puts the right ones in. */
#define CHAIN(family, table, name, prio, policy)                                                                       \
	"{'chain':{'family':'" family "','table':'" table "','name':'" name                                            \
	"','handle':1,'type':'filter','hook':'forward',"                                                               \
	"'prio':" prio ",'policy':'" policy "'}}"
#define PLAIN(family, table, name) "{'chain':{'family':'" family "','table':'" table "','name':'" name "','handle':1}}"
#define R(family, table, chain, handle, expr)                                                                          \
	"{'rule':{'family':'" family "','table':'" table "','chain':'" chain "','handle':" handle ",'expr':[" expr "]" \
	"}"                                                                                                            \
	"}"
#define MATCH(left, op, right) "{'match':{'op':'" op "','left':" left ",'right':" right "}}"
#define DIRECTION(direction) MATCH("{'ct':{'key':'direction'}}", "==", "'" direction "'")
#define FIRST(direction) MATCH("{'ct':{'key':'packets','dir':'" direction "'}}", "==", "1")
#define STATE(states) MATCH("{'ct':{'key':'state'}}", "in", states)
#define FROM(name) MATCH("{'meta':{'key':'iifname'}}", "==", "'" name "'")
#define TO_LOG "{'log':{'group':60,'snaplen':128,'queue-threshold':100}}"
#define ACCEPT "{'accept':null}"
#define DROP "{'drop':null}"
#define LOG(direction) DIRECTION(direction) "," FIRST(direction) "," TO_LOG
#define HM_CHAIN CHAIN("inet", "hostmeter", "forward", "-150", "accept")
#define HM_RULES                                                                                                       \
	R("inet", "hostmeter", "forward", "2", LOG("original")) "," R("inet", "hostmeter", "forward", "3", LOG("reply"))

static void quoted(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_putc(out, *text == '\'' ? '"' : *text);
}

#define MISSING RULESET_MISSING
#define ASIDE RULESET_ASIDE
#define SHADOWED RULESET_SHADOWED
#define BYPASSED RULESET_BYPASSED
#define PARTLY RULESET_PARTLY
#define LOGGED RULESET_LOGGED

struct firewall {
	const char *what, *text;
	enum ruleset_fate v4[2], v6[2]; /* original, reply */
	const char *place;              /* of the IPv4 reply, or NULL */
};

static const struct firewall nft[] = {
	{ "our own file", HM_CHAIN "," HM_RULES, { LOGGED, LOGGED }, { LOGGED, LOGGED },
		"nft inet hostmeter forward, handle 3" },
	{ "nothing", "", { MISSING, MISSING }, { MISSING, MISSING }, NULL },
	{ "another group", HM_CHAIN "," R("inet", "hostmeter", "forward", "2", "{'log':{'group':61}}"),
		{ MISSING, MISSING }, { MISSING, MISSING }, NULL },
	{ "no conditions at all", HM_CHAIN "," R("inet", "hostmeter", "forward", "2", TO_LOG "," ACCEPT),
		{ LOGGED, LOGGED }, { LOGGED, LOGGED }, "nft inet hostmeter forward, handle 2" },
	{ "one direction", HM_CHAIN "," R("inet", "hostmeter", "forward", "2", LOG("original")), { LOGGED, MISSING },
		{ LOGGED, MISSING }, NULL },
	{ "one family", CHAIN("ip6", "x", "f", "0", "accept") "," R("ip6", "x", "f", "2", TO_LOG), { MISSING, MISSING },
		{ LOGGED, LOGGED }, NULL },
	{ "one family of inet",
		CHAIN("inet", "x", "f", "0", "accept") "," R("inet", "x", "f", "2",
			MATCH("{'meta':{'key':'nfproto'}}", "==", "'ipv4'") "," TO_LOG),
		{ LOGGED, LOGGED }, { MISSING, MISSING }, NULL },
	{ "an accept in a chain before does not end the way",
		CHAIN("inet", "fw", "forward", "-200", "accept") "," HM_CHAIN "," R("inet", "fw", "forward", "9",
			ACCEPT) "," HM_RULES,
		{ LOGGED, LOGGED }, { LOGGED, LOGGED }, NULL },
	{ "a drop in a chain before does",
		CHAIN("inet", "fw", "forward", "-200", "accept") "," HM_CHAIN "," R("inet", "fw", "forward", "9",
			"{'counter':{'packets':0,'bytes':0}}," DROP) "," HM_RULES,
		{ SHADOWED, SHADOWED }, { SHADOWED, SHADOWED }, "nft inet fw forward, handle 9" },
	{ "a drop in a chain behind does not",
		CHAIN("inet", "fw", "forward", "0", "accept") "," HM_CHAIN
							      "," R("inet", "fw", "forward", "9", DROP) "," HM_RULES,
		{ LOGGED, LOGGED }, { LOGGED, LOGGED }, NULL },
	{ "a policy of drop before, without any accept",
		CHAIN("ip", "fw", "forward", "-200", "drop") "," HM_CHAIN "," HM_RULES, { SHADOWED, SHADOWED },
		{ LOGGED, LOGGED }, "nft ip fw forward, its policy" },
	{ "a policy of drop before, with accepts: what was not accepted is not forwarded",
		CHAIN("ip", "fw", "forward", "-200", "drop") "," HM_CHAIN "," R("ip", "fw", "forward", "4",
			FROM("lan") "," ACCEPT) "," HM_RULES,
		{ LOGGED, LOGGED }, { LOGGED, LOGGED }, NULL },
	{ "established is accepted first",
		CHAIN("inet", "fw", "forward", "0", "drop") "," R("inet", "fw", "forward", "4",
			STATE("['established','related']") "," ACCEPT) "," R("inet", "fw", "forward", "5",
			LOG("original")) "," R("inet", "fw", "forward", "6", LOG("reply")),
		{ BYPASSED, SHADOWED }, { BYPASSED, SHADOWED }, "nft inet fw forward, handle 4" },
	{ "established is accepted first, as one word",
		CHAIN("inet", "fw", "forward", "0", "drop") "," R("inet", "fw", "forward", "4",
			STATE("'established'") "," ACCEPT) "," R("inet", "fw", "forward", "5",
			LOG("original")) "," R("inet", "fw", "forward", "6", LOG("reply")),
		{ LOGGED, SHADOWED }, { LOGGED, SHADOWED }, "nft inet fw forward, handle 4" },
	{ "by a verdict map, as in OpenWrt's fw4",
		CHAIN("inet", "fw4", "forward", "0", "drop") "," R("inet", "fw4", "forward", "4",
			"{'vmap':{'key':{'ct':{'key':'state'}},'data':{'set':[['established',{'accept':null}]]}"
			"}}") "," R("inet", "fw4", "forward", "5", LOG("original")) "," R("inet", "fw4", "forward", "6",
			LOG("reply")),
		{ LOGGED, SHADOWED }, { LOGGED, SHADOWED }, "nft inet fw4 forward, handle 4" },
	{ "some are accepted first",
		CHAIN("inet", "fw", "forward", "0", "accept") "," R("inet", "fw", "forward", "4",
			FROM("lan") "," ACCEPT) "," R("inet", "fw", "forward", "5", TO_LOG),
		{ BYPASSED, BYPASSED }, { BYPASSED, BYPASSED }, "nft inet fw forward, handle 4" },
	{ "some are dropped first: nobody's loss",
		CHAIN("inet", "fw", "forward", "0", "accept") "," R("inet", "fw", "forward", "4",
			STATE("'invalid'") "," DROP) "," R("inet", "fw", "forward", "5",
			FROM("evil") ","
				     "{'reject':{}}") "," R("inet", "fw", "forward", "6", TO_LOG),
		{ LOGGED, LOGGED }, { LOGGED, LOGGED }, NULL },
	{ "a condition of its own",
		HM_CHAIN "," R("inet", "hostmeter", "forward", "2",
			MATCH("{'meta':{'key':'oifname'}}", "==", "'wan'") "," TO_LOG),
		{ PARTLY, PARTLY }, { PARTLY, PARTLY }, "nft inet hostmeter forward, handle 2" },
	{ "xtables' matches are not to be read here",
		HM_CHAIN
		"," R("inet", "hostmeter", "forward", "2", "{'xt':{'type':'match','name':'conntrack'}}," TO_LOG),
		{ PARTLY, PARTLY }, { PARTLY, PARTLY }, NULL },
	{ "behind a jump",
		CHAIN("ip", "x", "f", "0", "accept") "," R("ip", "x", "f", "3",
			"{'jump':{'target':'mine'}}") "," PLAIN("ip", "x", "mine") "," R("ip", "x", "mine", "4",
			TO_LOG),
		{ LOGGED, LOGGED }, { MISSING, MISSING }, "nft ip x mine, handle 4" },
	{ "behind a jump of some",
		CHAIN("ip", "x", "f", "0", "accept") "," R("ip", "x", "f", "3",
			MATCH("{'ct':{'key':'mark'}}", "==", "1") ","
								  "{'jump':{'target':'mine'}}") "," PLAIN("ip", "x",
			"mine") "," R("ip", "x", "mine", "4", TO_LOG),
		{ PARTLY, PARTLY }, { MISSING, MISSING }, NULL },
	{ "behind a jump that accepts, a goto, a return",
		CHAIN("ip", "x", "f", "0", "accept") "," PLAIN("ip", "x", "all") "," R("ip", "x", "all", "1",
			ACCEPT) "," R("ip", "x", "f", "3", "{'jump':{'target':'all'}}") "," R("ip", "x", "f", "4",
			TO_LOG) "," CHAIN("ip6", "x", "f", "0", "accept") "," PLAIN("ip6", "x", "none") "," R("ip6",
			"x", "f", "3", "{'goto':{'target':'none'}}") "," R("ip6", "x", "f", "4", TO_LOG),
		{ SHADOWED, SHADOWED }, { SHADOWED, SHADOWED }, "nft ip x all, handle 1" },
	{ "after a jump that returns",
		CHAIN("ip", "x", "f", "0", "accept") "," PLAIN("ip", "x", "sub") "," R("ip", "x", "sub", "1",
			"{'return':null}") "," R("ip", "x", "sub", "2", ACCEPT) "," R("ip", "x", "f", "3",
			"{'jump':{'target':'sub'}}") "," R("ip", "x", "f", "4", TO_LOG),
		{ LOGGED, LOGGED }, { MISSING, MISSING }, NULL },
	{ "in a chain that nobody enters",
		CHAIN("ip", "x", "f", "0", "accept") "," PLAIN("ip", "x", "mine") "," R("ip", "x", "mine", "4", TO_LOG),
		{ ASIDE, ASIDE }, { MISSING, MISSING }, "nft ip x mine, handle 4" },
	{ "the best rule counts",
		CHAIN("inet", "fw", "forward", "0", "accept") "," R("inet", "fw", "forward", "4", ACCEPT) "," R("inet",
			"fw", "forward", "5", TO_LOG) "," HM_CHAIN "," HM_RULES,
		{ LOGGED, LOGGED }, { LOGGED, LOGGED }, NULL },
	{ "chains of other families and hooks",
		"{'chain':{'family':'netdev','table':'n','name':'i','hook':'ingress','prio':0,'policy':'drop'}}"
		","
		"{'chain':{'family':'inet','table':'n','name':'input','hook':'input','prio':-300,'policy':'"
		"drop'}}," HM_CHAIN "," HM_RULES,
		{ LOGGED, LOGGED }, { LOGGED, LOGGED }, NULL },
};

/* --- iptables-save; both families read the same text here */

#define OURS_REPLY                                                                                                     \
	"-m conntrack --ctdir REPLY -m connbytes --connbytes 1:1 --connbytes-mode packets --connbytes-dir reply -j "   \
	"NFLOG --nflog-group 60 --nflog-size 128 --nflog-threshold 100\n"
#define OURS_ORIGINAL                                                                                                  \
	"-m conntrack --ctdir ORIGINAL -m connbytes --connbytes 1:1 --connbytes-mode packets --connbytes-dir "         \
	"original -j NFLOG --nflog-group 60 --nflog-size 128\n"
#define HEAD                                                                                                           \
	"# Generated by iptables-save\n*mangle\n:PREROUTING ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:HOSTMETER - [0:0]\n"
#define OURS "-A HOSTMETER " OURS_ORIGINAL "-A HOSTMETER " OURS_REPLY "COMMIT\n"
#define FILTER "*filter\n:FORWARD DROP [0:0]\n"
#define BOTH(a, b)                                                                                                     \
	{ a, b },                                                                                                      \
	{                                                                                                              \
		a, b                                                                                                   \
	}

static const struct firewall iptables[] = {
	{ "our own file", HEAD "-A FORWARD -j HOSTMETER\n" OURS, BOTH(LOGGED, LOGGED),
		"iptables mangle HOSTMETER, rule 2" },
	{ "nothing", "", BOTH(MISSING, MISSING), NULL },
	{ "no jump", HEAD OURS, BOTH(ASIDE, ASIDE), "iptables mangle HOSTMETER, rule 2" },
	{ "an accept before the jump", HEAD "-A FORWARD -j ACCEPT\n-A FORWARD -j HOSTMETER\n" OURS,
		BOTH(SHADOWED, SHADOWED), "iptables mangle FORWARD, rule 1" },
	{ "a drop before the jump", HEAD "-A FORWARD -j DROP\n-A FORWARD -j HOSTMETER\n" OURS, BOTH(SHADOWED, SHADOWED),
		NULL },
	{ "an accept of some", HEAD "-A FORWARD -p tcp -j ACCEPT\n-A FORWARD -j HOSTMETER\n" OURS,
		BOTH(BYPASSED, BYPASSED), "iptables mangle FORWARD, rule 1" },
	{ "marks before it do no harm",
		HEAD "-A FORWARD -m mac --mac-source 00:00:5e:00:53:01 -j MARK --set-xmark 0x1/0xffffffff\n"
		     "-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu\n-A FORWARD -j "
		     "HOSTMETER\n" OURS,
		BOTH(LOGGED, LOGGED), NULL },
	{ "filter drops afterwards", FILTER "COMMIT\n" HEAD "-A FORWARD -j HOSTMETER\n" OURS, BOTH(LOGGED, LOGGED),
		NULL },
	{ "mangle drops before", FILTER "-A FORWARD " OURS_REPLY "COMMIT\n*mangle\n:FORWARD DROP [0:0]\nCOMMIT\n",
		BOTH(MISSING, SHADOWED), "iptables mangle FORWARD, its policy" },
	{ "established is accepted first",
		FILTER "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
		       "-A FORWARD " OURS_ORIGINAL "-A FORWARD " OURS_REPLY "COMMIT\n",
		BOTH(LOGGED, SHADOWED), "iptables filter FORWARD, rule 1" },
	{ "not what is negated",
		FILTER "-A FORWARD -m conntrack ! --ctstate ESTABLISHED -j ACCEPT\n"
		       "-A FORWARD " OURS_REPLY "COMMIT\n",
		BOTH(MISSING, BYPASSED), NULL },
	{ "a comment is no condition",
		FILTER
		"-A FORWARD -m comment --comment \"all \\\" -p tcp\" -j ACCEPT\n-A FORWARD -j NFLOG --nflog-group 60\n",
		BOTH(SHADOWED, SHADOWED), NULL },
	{ "goto", FILTER ":log - [0:0]\n-A FORWARD -g log\n-A log -j NFLOG --nflog-prefix \"a b\" --nflog-group 60\n",
		BOTH(LOGGED, LOGGED), NULL },
	{ "another table's chain of the same name",
		"*nat\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT\n" HEAD "-A FORWARD -j HOSTMETER\n" OURS,
		BOTH(LOGGED, LOGGED), NULL },
};

static void check(const struct firewall *f, const struct ruleset *ruleset, uint8_t family,
	const enum ruleset_fate want[2])
{
	struct ruleset_answer answer;
	struct buf place = BUF_INIT;

	for (int reply = 0; reply < 2; reply++) {
		assert_true(ruleset_ask(ruleset, family, reply ? RULESET_REPLY : RULESET_ORIGINAL, 60, &answer));
		if (answer.fate != want[reply])
			fail_msg("%s: IPv%d %s is %d, not %d", f->what, family == RULESET_IPV4 ? 4 : 6,
				reply ? "reply" : "original", (int)answer.fate, (int)want[reply]);
	}
	if (f->place && family == RULESET_IPV4) {
		ruleset_describe(ruleset, &answer, &place);
		assert_string_equal(buf_text(&place), f->place);
		buf_free(&place);
	}
}

static void fates_in_nft(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(nft) / sizeof(nft[0]); i++) {
		struct ruleset ruleset = { 0 };
		struct buf text = BUF_INIT;

		quoted(&text, "{'nftables':[{'metainfo':{'version':'1.0.6'}}");
		quoted(&text, nft[i].text[0] ? "," : "");
		quoted(&text, nft[i].text);
		quoted(&text, "]}");
		if (ruleset_nft_rules(&ruleset, text.data, text.len))
			fail_msg("%s: not read: %s", nft[i].what, buf_text(&text));
		check(&nft[i], &ruleset, RULESET_IPV4, nft[i].v4);
		check(&nft[i], &ruleset, RULESET_IPV6, nft[i].v6);
		ruleset_clear(&ruleset);
		buf_free(&text);
	}
}

static void fates_in_iptables(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(iptables) / sizeof(iptables[0]); i++) {
		struct ruleset ruleset = { 0 };

		assert_int_equal(ruleset_iptables(&ruleset, "iptables", RULESET_IPV4, iptables[i].text,
					 strlen(iptables[i].text)),
			0);
		assert_int_equal(ruleset_iptables(&ruleset, "ip6tables", RULESET_IPV6, iptables[i].text,
					 strlen(iptables[i].text)),
			0);
		check(&iptables[i], &ruleset, RULESET_IPV4, iptables[i].v4);
		check(&iptables[i], &ruleset, RULESET_IPV6, iptables[i].v6);
		ruleset_clear(&ruleset);
	}
}

/* iptables-nft's rules show in both listings; the one that can be read counts. */
static void listings_add_up(void **state)
{
	static const char in_nft[] = "{'nftables':[" CHAIN("ip", "mangle", "FORWARD", "-150", "accept") "," R("ip",
		"mangle", "FORWARD", "2", "{'xt':{'type':'match','name':'connbytes'}}," TO_LOG) "]}";
	static const char saved[] = HEAD "-A FORWARD -j HOSTMETER\n" OURS;
	struct ruleset ruleset = { 0 };
	struct ruleset_answer answer;
	struct buf text = BUF_INIT;

	(void)state;
	quoted(&text, in_nft);
	assert_int_equal(ruleset_nft_rules(&ruleset, text.data, text.len), 0);
	buf_free(&text);
	ruleset_ask(&ruleset, RULESET_IPV4, RULESET_REPLY, 60, &answer);
	assert_int_equal(answer.fate, RULESET_PARTLY);
	assert_int_equal(ruleset_iptables(&ruleset, "iptables", RULESET_IPV4, saved, strlen(saved)), 0);
	ruleset_ask(&ruleset, RULESET_IPV4, RULESET_REPLY, 60, &answer);
	assert_int_equal(answer.fate, RULESET_LOGGED);
	ruleset_clear(&ruleset);
}

static void no_listing_is_an_error(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"nftables\":{}}", "Error: syntax error" };
	struct ruleset ruleset = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_true(ruleset_nft_rules(&ruleset, texts[i], strlen(texts[i])) < 0);
	ruleset_clear(&ruleset);
}

/* Chains that jump to themselves, and a tree of jumps that would take for ever: no answer, soon. */
static void tangles_are_given_up(void **state)
{
	static const char loop[] = FILTER ":a - [0:0]\n-A FORWARD -j a\n-A a -j a\n";
	struct ruleset ruleset = { 0 };
	struct ruleset_answer answer;
	struct buf text = BUF_INIT;

	(void)state;
	ruleset_iptables(&ruleset, "iptables", RULESET_IPV4, loop, strlen(loop));
	assert_false(ruleset_ask(&ruleset, RULESET_IPV4, RULESET_REPLY, 60, &answer));
	ruleset_clear(&ruleset);
	buf_puts(&text, FILTER);
	for (int i = 0; i < 60; i++)
		buf_printf(&text, ":c%d - [0:0]\n", i);
	buf_puts(&text, "-A FORWARD -j c0\n");
	for (int i = 0; i < 59; i++)
		buf_printf(&text, "-A c%d -j c%d\n-A c%d -j c%d\n", i, i + 1, i, i + 1);
	ruleset_iptables(&ruleset, "iptables", RULESET_IPV4, text.data, text.len);
	assert_false(ruleset_ask(&ruleset, RULESET_IPV4, RULESET_REPLY, 60, &answer));
	ruleset_clear(&ruleset);
	buf_free(&text);
}

/* What nft 1.0.6 prints on a kernel that has them. */
static void flowtables_and_their_flags(void **state)
{
	static const char text[] =
		"table inet fw4 {\n\tflowtable ft {\n\t\thook ingress priority filter\n\t\tdevices = { br-lan, wan }\n"
		"\t\tflags offload\n\t\tcounter\n\t}\n}\n"
		"table ip x {\n\tflowtable plain {\n\t\thook ingress priority filter\n\t\tdevices = { wan }\n\t}\n"
		"\tflowtable counted {\n\t\thook ingress priority filter + 1\n\t\tcounter;\n\t}\n}\n";
	struct ruleset r = { 0 };

	(void)state;
	assert_int_equal(ruleset_nft_flowtables(&r, text, strlen(text)), 0);
	assert_int_equal(r.flowtables, 3);
	assert_string_equal(r.flowtable[0].family, "inet");
	assert_string_equal(r.flowtable[0].table, "fw4");
	assert_string_equal(r.flowtable[0].name, "ft");
	assert_true(r.flowtable[0].counts && r.flowtable[0].hardware);
	assert_string_equal(r.flowtable[1].table, "x");
	assert_string_equal(r.flowtable[1].name, "plain");
	assert_false(r.flowtable[1].counts || r.flowtable[1].hardware);
	assert_true(r.flowtable[2].counts && !r.flowtable[2].hardware);
	ruleset_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fates_in_nft),
		cmocka_unit_test(fates_in_iptables),
		cmocka_unit_test(listings_add_up),
		cmocka_unit_test(no_listing_is_an_error),
		cmocka_unit_test(tangles_are_given_up),
		cmocka_unit_test(flowtables_and_their_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
