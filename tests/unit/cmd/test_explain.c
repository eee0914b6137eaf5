/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace made up so that each kind of decision is in it, and the lines that explain it.
 */
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/trace/trace.h"

#include "netlink_build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define START UINT64_C(1700000000000000000)
#define MS UINT64_C(1000000)

enum { LAN = 3, WAN = 2 };

static const struct mac desktop_mac = { { 0, 0, 0x5e, 0, 0x53, 0x0b } }, laptop_mac = { { 0, 0, 0x5e, 0, 0x53, 0x0c } };

struct fixture {
	char path[40];
	struct trace_writer *writer;
	uint64_t now;
	struct config config;
	struct config_host host[2];
	struct mac mac[2];
	struct buf out;
};

static void put(struct fixture *f, uint16_t protocol, bool outgoing, const struct nlmsghdr *message)
{
	const struct trace_datagram d = { f->now, protocol, outgoing, message, message->nlmsg_len };

	assert_int_equal(trace_write(f->writer, &d), 0);
	f->now += MS;
}

static void put_rtnl(struct fixture *f, const struct rtnl_event *e)
{
	union message m;

	put(f, NETLINK_ROUTE, false,
		e->type == RTNL_LINK          ? build_link(&m, e) :
			e->type == RTNL_ADDR  ? build_rtnl_addr(&m, e, NULL) :
			e->type == RTNL_ROUTE ? build_route(&m, e, 0) :
						build_neigh(&m, e, MAC_LEN));
}

static void put_network(struct fixture *f)
{
	const struct addr none = { .family = 4 }, router = build_addr("192.168.77.1"),
			  provider = build_addr("198.51.100.1");
	const struct addr laptop = build_addr("192.168.77.12");

	put_rtnl(f,
		&(struct rtnl_event){
			.type = RTNL_LINK, .ifindex = WAN, .link = { .name = "wan0", .flags = 1, .arphrd = 1 } });
	put_rtnl(f,
		&(struct rtnl_event){
			.type = RTNL_LINK, .ifindex = LAN, .link = { .name = "lan0", .flags = 1, .arphrd = 1 } });
	put_rtnl(f, &(struct rtnl_event){ .type = RTNL_ADDR, .ifindex = LAN, .addr = { router, 24 } });
	put_rtnl(f,
		&(struct rtnl_event){ .type = RTNL_ROUTE,
			.ifindex = LAN,
			.route = { .dst = prefix_make(&router, 24), .kind = RTN_UNICAST } });
	put_rtnl(f,
		&(struct rtnl_event){ .type = RTNL_ROUTE,
			.ifindex = WAN,
			.route = { .dst = prefix_make(&none, 0), .kind = RTN_UNICAST, .gateway = provider } });
	put_rtnl(f,
		&(struct rtnl_event){ .type = RTNL_NEIGH,
			.ifindex = LAN,
			.neigh = { .addr = laptop, .mac = laptop_mac, .has_mac = true, .state = NUD_REACHABLE } });
}

static void put_dump(struct fixture *f, bool begins)
{
	const struct nfgenmsg fixed = { .nfgen_family = AF_UNSPEC };
	union message m;

	build_start(&m, begins ? NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET : NLMSG_DONE, &fixed, sizeof(fixed));
	m.head.nlmsg_seq = 7;
	m.head.nlmsg_flags = begins ? NLM_F_REQUEST | NLM_F_DUMP : NLM_F_MULTI;
	put(f, NETLINK_NETFILTER, begins, &m.head);
}

/* A flow of a host on the LAN to a server, by its CTA_ID and port. */
static void put_flow(struct fixture *f, uint8_t type, uint32_t id, const char *from, uint64_t sent, uint64_t got)
{
	const struct addr host = build_addr(from), server = build_addr("198.51.100.80"),
			  masked = build_addr("198.51.100.2");
	const struct ct_event e = { .type = type,
		.family = 4,
		.proto = IPPROTO_TCP,
		.id = id,
		.has_counters = true,
		.tuple = { { host, server, (uint16_t)(4000 + id), 443 },
			{ server, masked, 443, (uint16_t)(4000 + id) } },
		.bytes = { sent, got },
		.packets = { sent / 100, got / 100 } };
	union message m;

	put(f, NETLINK_NETFILTER, false, build_ct(&m, &e, 0));
}

static void put_packet(struct fixture *f, uint32_t id, const char *from, const struct mac *mac)
{
	uint8_t tcp[20] = { (uint8_t)((4000 + id) >> 8), (uint8_t)(4000 + id), 0x01, 0xbb }, packet[64];
	union message m;

	put(f, NETLINK_NETFILTER, false,
		build_nflog(&m, LAN, WAN, mac->b, 6, packet,
			build_ip4(packet, IPPROTO_TCP, from, "198.51.100.80", tcp, sizeof(tcp))));
}

#define DESKTOP "192.168.77.11"
#define LAPTOP "192.168.77.12"

static void put_all(struct fixture *f)
{
	put_network(f);
	put_flow(f, CT_DESTROY, 1, LAPTOP, 100, 100); /* early */
	put_dump(f, true);
	put_flow(f, CT_ENTRY, 2, LAPTOP, 1000, 2000); /* baseline, by the neighbour table */
	put_dump(f, false);
	put_packet(f, 3, DESKTOP, &desktop_mac);
	put_dump(f, true);
	put_flow(f, CT_ENTRY, 2, LAPTOP, 1500, 2000);
	put_flow(f, CT_ENTRY, 3, DESKTOP, 300, 400); /* by its first packet */
	put_flow(f, CT_ENTRY, 4, DESKTOP, 700, 0);   /* held: packets are logged, and its is late */
	put_dump(f, false);
	put_packet(f, 4, DESKTOP, &desktop_mac);
	put_dump(f, true);
	put_flow(f, CT_ENTRY, 2, LAPTOP, 200, 100);  /* somebody zeroed it */
	put_flow(f, CT_ENTRY, 4, DESKTOP, 900, 100); /* released */
	put_dump(f, false);
	put_flow(f, CT_DESTROY, 3, DESKTOP, 600, 500);
	put_flow(f, CT_DESTROY, 3, DESKTOP, 600, 500); /* repeated */
	put_flow(f, CT_DESTROY, 5, LAPTOP, 800, 800);  /* waits for a packet that never comes */
	f->now += 1000 * MS;
	put_network(f);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/test_explain.XXXXXX");
	close(mkstemp(f->path));
	assert_int_equal(trace_create(&f->writer, f->path), 0);
	f->now = START;
	put_all(f);
	assert_int_equal(trace_close(f->writer), 0);
	f->mac[0] = desktop_mac;
	f->mac[1] = laptop_mac;
	f->host[0] = (struct config_host){ .name = "desktop", .mac = &f->mac[0], .macs = 1 };
	f->host[1] = (struct config_host){ .name = "laptop", .mac = &f->mac[1], .macs = 1 };
	f->config = (struct config){ .replay = f->path, .host = f->host, .hosts = 2, .max_hosts = 100 };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_free(&f->out);
	unlink(f->path);
	free(f);
	return 0;
}

static const char *explain(struct fixture *f, char *host)
{
	buf_reset(&f->out);
	f->config.explain = host;
	assert_int_equal(cmd_replay(&f->config, &f->out), 0);
	return buf_text(&f->out);
}

/* The lines, each without its time and without the flow that it ends with. */
static char *outline(const char *text)
{
	char *result = strdup(""), *copy = strdup(text);

	for (char *rest = copy, *line; (line = strsep(&rest, "\n"));) {
		char *number = strchr(line, '#'), *flow = strstr(line, " | ");
		char *longer;

		if (flow)
			*flow = '\0';
		assert_true(asprintf(&longer, "%s%s%s", result, number ? number : line, *line ? "\n" : "") >= 0);
		free(result);
		result = longer;
	}
	free(copy);
	return result;
}

static void check(struct fixture *f, char *host, const char *expected)
{
	char *got = outline(explain(f, host));

	assert_string_equal(got, expected);
	free(got);
}

#define DESKTOP_LINES                                                                                                  \
	"#3 decided host=desktop mac=00:00:5e:00:53:0b by=nflog scope=wan "                                            \
	"orig=192.168.77.11(lan,lan0,packet=00:00:5e:00:53:0b) reply=198.51.100.80(wan,wan0,via=198.51.100.1)\n"       \
	"#3 counted host=desktop scope=wan in=400 out=300 in_packets=4 out_packets=3 from=dump\n"                      \
	"#4 held\n"                                                                                                    \
	"#4 decided host=desktop mac=00:00:5e:00:53:0b by=nflog scope=wan "                                            \
	"orig=192.168.77.11(lan,lan0,packet=00:00:5e:00:53:0b) reply=198.51.100.80(wan,wan0,via=198.51.100.1)\n"       \
	"#4 counted host=desktop scope=wan in=100 out=900 in_packets=1 out_packets=9 from=dump released\n"             \
	"#3 ended\n"                                                                                                   \
	"#3 counted host=desktop scope=wan in=100 out=300 in_packets=1 out_packets=3 from=end\n"                       \
	"#3 repeated\n"
#define DESKTOP_SUM                                                                                                    \
	"sum host=desktop mac=00:00:5e:00:53:0b scope=wan ipv=4 in=600 out=1500 in_packets=6 out_packets=15\n"

#define LAPTOP_LINES                                                                                                   \
	"#2 baseline\n"                                                                                                \
	"#2 decided host=laptop mac=00:00:5e:00:53:0c by=neighbour scope=wan "                                         \
	"orig=192.168.77.12(lan,lan0) reply=198.51.100.80(wan,wan0,via=198.51.100.1)\n"                                \
	"#2 counted host=laptop scope=wan in=0 out=500 in_packets=0 out_packets=5 from=dump\n"                         \
	"#2 reset\n"                                                                                                   \
	"#2 counted host=laptop scope=wan in=100 out=200 in_packets=1 out_packets=2 from=dump\n"                       \
	"#5 ended\n"                                                                                                   \
	"#5 waits\n"                                                                                                   \
	"#5 decided host=laptop mac=00:00:5e:00:53:0c by=neighbour scope=wan as=known-when-it-ended\n"                 \
	"#5 counted host=laptop scope=wan in=800 out=800 in_packets=8 out_packets=8 from=end released\n"               \
	"sum host=laptop mac=00:00:5e:00:53:0c scope=wan ipv=4 in=900 out=1500 in_packets=9 out_packets=15\n"

static void each_decision_has_its_line(void **state)
{
	struct fixture *f = *state;

	check(f, "desktop", DESKTOP_LINES DESKTOP_SUM);
	check(f, "00:00:5E:00:53:0B", DESKTOP_LINES DESKTOP_SUM);
	check(f, DESKTOP, DESKTOP_LINES DESKTOP_SUM);
	check(f, "laptop", LAPTOP_LINES);
	/* Whose a flow was that ended too early nobody has asked: only its address tells. */
	check(f, LAPTOP, "#1 ended\n#1 early\n" LAPTOP_LINES);
}

static void all_is_everybody_in_the_order_of_time(void **state)
{
	struct fixture *f = *state;
	const char *text = explain(f, "all");
	char last[32] = "";
	int lines = 0;

	for (const char *line = text; *line && strncmp(line, "sum", 3); line = strchr(line, '\n') + 1, lines++) {
		assert_memory_equal(line, "2023-11-14T22:13:2", 18);
		assert_true(strncmp(last, line, 27) <= 0);
		snprintf(last, sizeof(last), "%.27s", line);
	}
	assert_int_equal(lines, 19);
	assert_non_null(strstr(text, "\nsum host=desktop mac=00:00:5e:00:53:0b scope=wan ipv=4 in=600 out=1500 "));
	assert_non_null(strstr(text, "\nsum host=laptop mac=00:00:5e:00:53:0c scope=wan ipv=4 in=900 out=1500 "));
	assert_non_null(strstr(text,
		" #4 held | tcp 6 src=192.168.77.11 dst=198.51.100.80 sport=4004 dport=443 packets=7 bytes=700 "
		"src=198.51.100.80 dst=198.51.100.2 sport=443 dport=4004 packets=0 bytes=0\n"));
}

/* What the lines add up to is what the same replay's metrics say. */
static void sums_are_the_metrics(void **state)
{
	struct fixture *f = *state;

	f->config.explain = NULL;
	assert_int_equal(cmd_replay(&f->config, &f->out), 0);
	assert_non_null(strstr(buf_text(&f->out),
		"{host=\"desktop\",mac=\"00:00:5e:00:53:0b\",ipv=\"4\",direction=\"in\"} 600\n"));
	assert_non_null(strstr(buf_text(&f->out),
		"{host=\"desktop\",mac=\"00:00:5e:00:53:0b\",ipv=\"4\",direction=\"out\"} 1500\n"));
	assert_non_null(strstr(buf_text(&f->out),
		"{host=\"laptop\",mac=\"00:00:5e:00:53:0c\",ipv=\"4\",direction=\"in\"} 900\n"));
}

static void stranger_has_no_lines(void **state)
{
	check(*state, "tablet", "");
}

/* A name without the configuration that gives it; an address needs none. */
static void a_name_without_configuration_is_refused(void **state)
{
	struct fixture *f = *state;

	f->config.hosts = 0;
	f->config.explain = "desktop";
	assert_int_equal(cmd_replay(&f->config, &f->out), CMD_FAILED);
	assert_int_equal(f->out.len, 0);
	assert_non_null(strstr(explain(f, "00:00:5e:00:53:0b"), " decided "));
	check(f, "00:00:5e:00:53:77", "");
	check(f, "203.0.113.77", "");
	check(f, "router", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_decision_has_its_line),
		TEST(all_is_everybody_in_the_order_of_time),
		TEST(sums_are_the_metrics),
		TEST(stranger_has_no_lines),
		TEST(a_name_without_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
