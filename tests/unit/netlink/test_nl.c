/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On the real rtnetlink, which dumps links for everybody. */
#include "hostmeter/netlink/nl.h"

#include "hostmeter/os/loop.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

struct world {
	struct loop *loop;
	struct nl *nl;
	int requests, answers, again; /* again: dumps that the end of a dump starts */
	uint32_t seq;
};

static void on_datagram(void *ctx, enum source source, bool outgoing, const void *data, size_t len)
{
	const struct nlmsghdr *message = data;
	struct world *w = ctx;

	assert_int_equal(source, SOURCE_RTNL);
	assert_true(len >= sizeof(*message));
	if (outgoing) {
		assert_int_equal(message->nlmsg_type, RTM_GETLINK);
		assert_int_not_equal(message->nlmsg_seq, w->seq);
		w->seq = message->nlmsg_seq;
		w->requests++;
		return;
	}
	assert_int_equal(message->nlmsg_seq, w->seq);
	w->answers++;
	if (nl_is_dumping(w->nl, SOURCE_RTNL))
		return;
	if (w->again-- > 0)
		assert_int_equal(nl_dump_links(w->nl), 0);
	else
		loop_stop(w->loop);
}

static void on_overrun(void *ctx, enum source source)
{
	(void)ctx;
	fail_msg("overrun of source %d", source);
}

static void on_failed(void *ctx, enum source source, int error)
{
	(void)ctx;
	fail_msg("source %d failed: %d", source, error);
}

static void test_a_dump(void **state)
{
	struct world w = { .loop = loop_new(), .again = 1 };
	const struct nl_callbacks callbacks = { &w, on_datagram, on_overrun, on_failed };
	const struct nl_options options = { .receive_buffer[SOURCE_RTNL] = 1 << 16 };

	(void)state;
	w.nl = nl_new(w.loop, &options, &callbacks);
	assert_non_null(w.nl);
	assert_false(nl_is_open(w.nl, SOURCE_RTNL));
	assert_int_equal(nl_fd(w.nl, SOURCE_RTNL), -1);
	assert_int_equal(nl_receive_buffer(w.nl, SOURCE_RTNL), 0);
	assert_int_equal(nl_dump_links(w.nl), -ENOTCONN);
	assert_int_equal(nl_set_reliable(w.nl, true), -ENOTCONN);
	assert_false(nl_is_reliable(w.nl));
	assert_int_equal(nl_open_source(w.nl, SOURCE_RTNL), 0);
	assert_int_equal(nl_open_source(w.nl, SOURCE_RTNL), -EALREADY);
	assert_true(nl_is_open(w.nl, SOURCE_RTNL));
	assert_int_equal(nl_receive_buffer(w.nl, SOURCE_RTNL), nl_receive_buffer_asked(w.nl, SOURCE_RTNL));

	assert_int_equal(nl_dump_links(w.nl), 0);
	assert_true(nl_is_dumping(w.nl, SOURCE_RTNL));
	assert_int_equal(nl_dump_rtnl(w.nl), -EBUSY);
	loop_run(w.loop);
	assert_int_equal(w.requests, 2);
	assert_true(w.answers >= 4); /* links and NLMSG_DONE, twice */
	assert_false(nl_drain(w.nl, SOURCE_RTNL, 10));
	nl_free(w.nl);
	loop_free(w.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_dump) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
