/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --check finds without a meter on the machine that runs this test: only what holds on any. */
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A port of every address that this process listens on, as the configuration names it. */
static int listen_on(char where[static 8])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(where, 8, ":%u", ntohs(at.sin_port));
	return fd;
}

static void expect(const json_t *all, const char *name, const char *state, const char *text)
{
	size_t i;
	json_t *one;

	json_array_foreach (json_object_get(all, "checks"), i, one) {
		if (strcmp(json_string_value(json_object_get(one, "name")), name))
			continue;
		assert_string_equal(json_string_value(json_object_get(one, "state")), state);
		assert_non_null(strstr(json_string_value(json_object_get(one, "text")), text));
		return;
	}
	fail_msg("there is no %s", name);
}

static void without_a_meter(void **state)
{
	char where[8], *listens[] = { where }, *missing[] = { (char[]){ "nosuch0" } };
	int fd = listen_on(where);
	struct config config = {
		.socket = (char[]){ "/nonexistent/hostmeter.sock" },
		.runtime_dir = (char[]){ "/nonexistent" },
		.nflog_group = 65535,
		.reliable_fill = 90,
		.json = true,
		.listen = { listens, 1 },
		.wan = { missing, 1 },
	};
	char in_use[64];
	struct buf out = BUF_INIT;
	json_t *all;

	(void)state;
	prctl(PR_SET_NAME, "tester");
	assert_int_equal(cmd_check(&config, &out), CMD_FAILED);
	all = json_loadb(out.data, out.len, 0, NULL);
	assert_true(json_is_false(json_object_get(all, "good")));
	expect(all, "meter", "unknown", "none runs (nobody answers on /nonexistent/hostmeter.sock)");
	expect(all, "overruns", "unknown", "only a running meter knows");
	expect(all, "uncounted", "unknown", "only a running meter knows");
	expect(all, "lan", "unknown", "only a running meter knows");
	expect(all, "wan", "bad", "there is no interface \"nosuch0\" among ");
	expect(all, "names", "ok", "0 paths");
	snprintf(in_use, sizeof(in_use), "%s: in use by tester (process %d)", where, (int)getpid());
	expect(all, "port", "bad", in_use);
	json_decref(all);
	close(fd);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_meter),
	};

	return cmocka_run_group_tests_name("cmd_check", tests, NULL, NULL);
}
