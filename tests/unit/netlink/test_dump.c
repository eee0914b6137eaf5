/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dump.h"

#include "netlink_build.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static _Alignas(8) char request_buffer[NL_DUMP_REQUEST_MAX];

static const struct nlmsghdr *request(struct nl_dump *dump, uint32_t seq)
{
	return nl_dump_request(dump, request_buffer, seq);
}

/* A datagram of one message, as the kernel answers. */
static union message answer(uint16_t type, uint16_t flags, uint32_t seq, int error)
{
	const struct nlmsgerr payload = { .error = error };
	union message message;

	build_start(&message, type, &payload, sizeof(payload));
	message.head.nlmsg_flags = flags;
	message.head.nlmsg_seq = seq;
	return message;
}

static enum nl_dump_told take(struct nl_dump *dump, uint16_t type, uint16_t flags, uint32_t seq, int error)
{
	const union message a = answer(type, flags, seq, error);

	return nl_dump_take(dump, &a, a.head.nlmsg_len);
}

static void test_requests(void **state)
{
	struct nl_dump dump;
	const struct nlmsghdr *message;

	(void)state;
	nl_dump_start(&dump, NL_DUMP_CONNTRACK, NL_DUMP_CONNTRACK + 1);
	message = request(&dump, 7);
	assert_int_equal(message->nlmsg_type, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET); /* not GET_CTRZERO */
	assert_int_equal(message->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(message->nlmsg_seq, 7);
	assert_int_equal(message->nlmsg_len, NLMSG_HDRLEN + sizeof(struct nfgenmsg));
	assert_int_equal(((const struct nfgenmsg *)mnl_nlmsg_get_payload(message))->nfgen_family, AF_UNSPEC);
}

/* The network's shape: each step once, in order, with the family and the header of its kind. */
static void test_all_steps(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t family;
		size_t header;
	} wanted[] = {
		{ RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg) },
		{ RTM_GETADDR, AF_INET, sizeof(struct ifaddrmsg) },
		{ RTM_GETADDR, AF_INET6, sizeof(struct ifaddrmsg) },
		{ RTM_GETRULE, AF_INET, sizeof(struct fib_rule_hdr) },
		{ RTM_GETRULE, AF_INET6, sizeof(struct fib_rule_hdr) },
		{ RTM_GETROUTE, AF_INET, sizeof(struct rtmsg) },
		{ RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg) },
		{ RTM_GETNEIGH, AF_UNSPEC, sizeof(struct ndmsg) },
	};
	struct nl_dump dump;
	const size_t count = sizeof(wanted) / sizeof(wanted[0]);

	(void)state;
	nl_dump_start(&dump, NL_DUMP_LINK, NL_DUMP_STEPS);
	for (uint32_t i = 0; i < count; i++) {
		const struct nlmsghdr *message = request(&dump, i + 1);

		assert_true(nl_dump_runs(&dump));
		assert_int_equal(message->nlmsg_type, wanted[i].type);
		assert_int_equal(*(const uint8_t *)mnl_nlmsg_get_payload(message), wanted[i].family);
		assert_int_equal(message->nlmsg_len, NLMSG_HDRLEN + MNL_ALIGN(wanted[i].header));
		assert_int_equal(take(&dump, RTM_NEWLINK, NLM_F_MULTI, i + 1, 0), NL_DUMP_GOES_ON);
		assert_int_equal(take(&dump, NLMSG_DONE, NLM_F_MULTI, i + 1, 0),
			i + 1 < count ? NL_DUMP_NEXT : NL_DUMP_ENDS);
	}
	assert_false(nl_dump_runs(&dump));
}

/* An event, or the answer to a dump that was given up, ends nothing. */
static void test_others_answers(void **state)
{
	struct nl_dump dump;

	(void)state;
	nl_dump_start(&dump, NL_DUMP_CONNTRACK, NL_DUMP_CONNTRACK + 1);
	request(&dump, 5);
	assert_int_equal(take(&dump, NLMSG_DONE, NLM_F_MULTI, 4, 0), NL_DUMP_GOES_ON);
	assert_int_equal(take(&dump, NLMSG_DONE, NLM_F_MULTI, 0, 0), NL_DUMP_GOES_ON);
	assert_int_equal(take(&dump, NLMSG_ERROR, 0, 4, -EBUSY), NL_DUMP_GOES_ON);
	assert_true(nl_dump_runs(&dump));
	assert_int_equal(take(&dump, NLMSG_DONE, NLM_F_MULTI, 5, 0), NL_DUMP_ENDS);
}

/* The kernel says that the table changed under it: again, but not for ever. */
static void test_interrupted(void **state)
{
	struct nl_dump dump;
	uint32_t seq = 1;

	(void)state;
	nl_dump_start(&dump, NL_DUMP_LINK, NL_DUMP_LINK + 1);
	do {
		const struct nlmsghdr *message = request(&dump, seq);

		assert_int_equal(message->nlmsg_type, RTM_GETLINK);
		assert_int_equal(take(&dump, RTM_NEWLINK, NLM_F_MULTI | NLM_F_DUMP_INTR, seq, 0), NL_DUMP_GOES_ON);
	} while (take(&dump, NLMSG_DONE, NLM_F_MULTI, seq, 0) == NL_DUMP_NEXT && seq++ < 100);
	assert_int_equal(seq, 5);
	/* Whether a step was interrupted is forgotten with its request. */
	nl_dump_start(&dump, NL_DUMP_LINK, NL_DUMP_LINK + 1);
	request(&dump, 8);
	assert_int_equal(take(&dump, NLMSG_DONE, NLM_F_DUMP_INTR, 8, 0), NL_DUMP_NEXT);
	request(&dump, 9);
	assert_int_equal(take(&dump, NLMSG_DONE, 0, 9, 0), NL_DUMP_ENDS);
}

static void test_errors(void **state)
{
	struct nl_dump dump;

	(void)state;
	nl_dump_start(&dump, NL_DUMP_LINK, NL_DUMP_LINK + 2);
	request(&dump, 1);
	assert_int_equal(take(&dump, NLMSG_ERROR, 0, 1, -EOPNOTSUPP),
		NL_DUMP_NEXT); /* this step alone is not to be had */
	request(&dump, 2);
	assert_int_equal(take(&dump, NLMSG_ERROR, 0, 2, -EBUSY), NL_DUMP_REFUSED);
	assert_false(nl_dump_runs(&dump));
}

/* Lengths that lie. */
static void test_damaged(void **state)
{
	struct nl_dump dump;
	union message a = answer(NLMSG_ERROR, 0, 1, -EBUSY);

	(void)state;
	nl_dump_start(&dump, NL_DUMP_LINK, NL_DUMP_LINK + 1);
	request(&dump, 1);
	assert_int_equal(nl_dump_take(&dump, &a, 0), NL_DUMP_GOES_ON);
	assert_int_equal(nl_dump_take(&dump, &a, NLMSG_HDRLEN - 1), NL_DUMP_GOES_ON);
	assert_int_equal(nl_dump_take(&dump, &a, a.head.nlmsg_len - 1), NL_DUMP_GOES_ON);
	/* An error without a code is an error all the same, and not EBUSY. */
	a.head.nlmsg_len = NLMSG_HDRLEN;
	assert_int_equal(nl_dump_take(&dump, &a, NLMSG_HDRLEN), NL_DUMP_ENDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_all_steps),
		cmocka_unit_test(test_others_answers),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
