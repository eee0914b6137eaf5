/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dump.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

enum { RETRIES = 4 };

/* What can be dumped. Each family header starts with the family in one byte; the rest of it is zero. */
static const struct dump_step {
	uint16_t type;
	uint8_t family;
	uint8_t header_len;
} dump_steps[NL_DUMP_STEPS] = {
	{ NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, AF_UNSPEC, sizeof(struct nfgenmsg) },
	{ RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg) },
	{ RTM_GETADDR, AF_INET, sizeof(struct ifaddrmsg) },
	{ RTM_GETADDR, AF_INET6, sizeof(struct ifaddrmsg) },
	{ RTM_GETRULE, AF_INET, sizeof(struct fib_rule_hdr) },
	{ RTM_GETRULE, AF_INET6, sizeof(struct fib_rule_hdr) },
	{ RTM_GETROUTE, AF_INET, sizeof(struct rtmsg) },
	{ RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg) },
	{ RTM_GETNEIGH, AF_UNSPEC, sizeof(struct ndmsg) },
};

void nl_dump_start(struct nl_dump *dump, unsigned int step, unsigned int end)
{
	*dump = (struct nl_dump){ .step = step, .end = end, .retries = RETRIES };
}

void nl_dump_stop(struct nl_dump *dump)
{
	dump->step = dump->end;
}

bool nl_dump_runs(const struct nl_dump *dump)
{
	return dump->step < dump->end;
}

const struct nlmsghdr *nl_dump_request(struct nl_dump *dump, void *buffer, uint32_t seq)
{
	const struct dump_step *step = &dump_steps[dump->step];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	uint8_t *family = mnl_nlmsg_put_extra_header(message, step->header_len);

	*family = step->family;
	message->nlmsg_type = step->type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = seq;
	dump->seq = seq;
	dump->interrupted = false;
	return message;
}

static bool is_busy(const struct nlmsghdr *message)
{
	const struct nlmsgerr *refusal = mnl_nlmsg_get_payload(message);

	return mnl_nlmsg_get_payload_len(message) >= sizeof(*refusal) && refusal->error == -EBUSY;
}

/* On to the next step, or the same again if the table changed meanwhile. */
static enum nl_dump_told advance(struct nl_dump *dump)
{
	if (dump->interrupted && dump->retries > 0)
		dump->retries--;
	else
		dump->step++;
	return nl_dump_runs(dump) ? NL_DUMP_NEXT : NL_DUMP_ENDS;
}

enum nl_dump_told nl_dump_take(struct nl_dump *dump, const void *datagram, size_t len)
{
	const struct nlmsghdr *message = datagram;
	int left = (int)len;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_seq != dump->seq)
			continue;
		dump->interrupted |= message->nlmsg_flags & NLM_F_DUMP_INTR;
		if (message->nlmsg_type == NLMSG_DONE)
			return advance(dump);
		if (message->nlmsg_type != NLMSG_ERROR)
			continue;
		if (!is_busy(message))
			return advance(dump);
		nl_dump_stop(dump);
		return NL_DUMP_REFUSED;
	}
	return NL_DUMP_GOES_ON;
}
