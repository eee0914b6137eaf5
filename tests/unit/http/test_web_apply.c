/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the log says of a --web.config.file, and what stays in effect. Handshakes and passwords: test_tls,
 * test_basic_auth. */
#include "hostmeter/http/web_apply.h"

#include "hostmeter/base/log.h"
#include "hostmeter/http/basic_auth.h"
#include "hostmeter/http/server.h"
#include "hostmeter/os/loop.h"
#include "pem.h"
#include "scratch_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define TLS "tls_server_config:\n  cert_file: server\n  key_file: key\n"
#define USERS "basic_auth_users:\n  alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze\n"

static struct loop *loop;
static struct http_server *server;
static struct basic_auth *auth;
static struct web_apply *web;
static char path[256];
static int log_fd;

static void handler(void *ctx, const struct http_request *request, struct http_response *response)
{
	(void)ctx, (void)request, (void)response;
}

static int setup(void **state)
{
	if (scratch_enter(state))
		return -1;
	scratch_write(state, "server", "w", PEM_SERVER);
	scratch_write(state, "key", "w", PEM_KEY);
	snprintf(path, sizeof(path), "%s", scratch_path(state, "web.yml"));
	log_fd = open(scratch_path(state, "log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	log_set_fd(log_fd);
	loop = loop_new();
	auth = basic_auth_new(loop, handler, NULL);
	server = http_server_new(loop, basic_auth_request, NULL, auth);
	web = NULL;
	return 0;
}

static int teardown(void **state)
{
	web_apply_free(web);
	basic_auth_free(auth);
	http_server_free(server);
	loop_free(loop);
	log_set_fd(STDERR_FILENO);
	close(log_fd);
	return scratch_leave(state);
}

static int begin(void **state, const char *text)
{
	scratch_write(state, "web.yml", "w", text);
	return web_apply_new(&web, path, server, auth);
}

static int reload(void)
{
	int error = web_apply_prepare(&web, path, server, auth);

	if (!error)
		web_apply_commit(web);
	return error;
}

/* The log since the last call has this line about the file, and no other. */
static void logged(const char *expected)
{
	char text[1024] = "", line[1024];

	assert_true(pread(log_fd, text, sizeof(text) - 1, 0) >= 0);
	assert_int_equal(ftruncate(log_fd, 0), 0);
	assert_int_equal(lseek(log_fd, 0, SEEK_SET), 0);
	if (!*expected) {
		assert_string_equal(text, "");
		return;
	}
	snprintf(line, sizeof(line), "%s%s\n", path, expected);
	if (!strstr(text, line) || strchr(text, '\n')[1])
		fail_msg("%s, not %s", text, line);
}

static void no_file_is_fine(void **state)
{
	(void)state;
	assert_int_equal(web_apply_new(&web, NULL, server, auth), 0);
	assert_null(web);
	assert_false(web_apply_has_tls(web));
}

static void a_mistake_ends_the_start(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{ "\nnonsense: 1\n", ":2: unknown key \"nonsense\"" },
		{ TLS "  client_ca_file: none\n  client_auth_type: RequireAndVerifyClientCert\n", NULL },
	};
	char line[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(begin(state, cases[i].text), -EINVAL);
		assert_null(web);
		snprintf(line, sizeof(line), ":4: client_ca_file: \"%s\" cannot be read: No such file or directory",
			scratch_path(state, "none"));
		logged(cases[i].line ? cases[i].line : line);
	}
	assert_int_equal(web_apply_new(&web, scratch_path(state, "."), server, auth), -EINVAL);
}

static void a_mistake_later_changes_nothing(void **state)
{
	assert_int_equal(begin(state, TLS USERS), 0);
	assert_true(web_apply_has_tls(web));
	logged("");
	scratch_write(state, "web.yml", "w", TLS "basic_auth_users: 1\n");
	assert_int_equal(reload(), -EINVAL);
	logged(":4: basic_auth_users: keys with values are expected here: what was read before stays");
	scratch_write(state, "web.yml", "w", USERS);
	assert_int_equal(reload(), -EINVAL);
	logged(": TLS is on, and only a restart can switch it off: what was read before stays");
	scratch_write(state, "web.yml", "w", TLS);
	assert_int_equal(reload(), 0);
	logged("");
	assert_true(web_apply_has_tls(web));
}

static void tls_does_not_come_later(void **state)
{
	assert_int_equal(begin(state, USERS), 0);
	assert_false(web_apply_has_tls(web));
	scratch_write(state, "web.yml", "w", TLS);
	assert_int_equal(reload(), -EINVAL);
	logged(": TLS is off, and only a restart can switch it on: what was read before stays");
	assert_false(web_apply_has_tls(web));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_file_is_fine),
		TEST(a_mistake_ends_the_start),
		TEST(a_mistake_later_changes_nothing),
		TEST(tls_does_not_come_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
