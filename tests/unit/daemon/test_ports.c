/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that come, go, and cannot be had yet. */
#include "ports.h"

#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/snapshot.h"
#include "interfaces.h"
#include "loop_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct fixture {
	struct loop_server server;
	struct meter *meter;
	struct interfaces interfaces;
	struct ports *ports;
	struct loop_timer *look;
	uint16_t wanted;
	int log_fd;
};

static void handler(void *ctx, const struct http_request *request, struct http_response *response)
{
	(void)ctx, (void)request, (void)response;
}

static int setup(void **state)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 10 };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->log_fd = memfd_create("log", MFD_CLOEXEC);
	log_set_fd(f->log_fd);
	loop_server_open(&f->server, handler, NULL, f);
	f->meter = meter_new(&options);
	f->interfaces = (struct interfaces){ .loop = f->server.loop, .meter = f->meter };
	f->ports = ports_new(f->server.loop, f->server.http, &f->interfaces, false);
	assert_non_null(f->ports);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ports_free(f->ports);
	ports_free(NULL);
	loop_server_close(&f->server);
	meter_free(f->meter);
	log_set_fd(STDERR_FILENO);
	close(f->log_fd);
	free(f);
	return 0;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
}

/* A socket that listens; port 0: on a free one, which it is then. */
static int occupy(uint16_t *port)
{
	struct sockaddr_in address = loopback(*port);
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static bool listens(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return yes;
}

static void configure(struct fixture *f, const char *one, const char *two)
{
	char *item[] = { (char *)one, (char *)two, NULL };
	const struct config_strings list = { item, two ? 2 : one ? 1 : 0 };

	assert_int_equal(ports_configure(f->ports, &list), 0);
}

static struct snapshot_process described(const struct fixture *f)
{
	struct snapshot_process process = { .running = true };

	ports_describe(f->ports, &process);
	return process;
}

static size_t count_in_log(const struct fixture *f, const char *text)
{
	static char log[4096];
	ssize_t len = pread(f->log_fd, log, sizeof(log) - 1, 0);
	size_t count = 0;

	log[len > 0 ? len : 0] = '\0';
	for (const char *at = log; (at = strstr(at, text)); at++)
		count++;
	return count;
}

static void look(void *ctx)
{
	struct fixture *f = ctx;

	if (listens(f->wanted))
		loop_stop(f->server.loop);
	else
		loop_timer_set(f->look, 5 * CLOCK_NS_PER_MS);
}

static void until_it_listens(struct fixture *f, uint16_t port)
{
	f->wanted = port;
	f->look = loop_timer_add(f->server.loop, look, f);
	loop_timer_set(f->look, 0);
	loop_server_run(&f->server);
	loop_timer_del(f->look);
}

static const char *where(uint16_t port)
{
	static char text[2][32];
	static int next;

	next = !next;
	snprintf(text[next], sizeof(text[next]), "127.0.0.1:%u", port);
	return text[next];
}

static uint16_t free_port(void)
{
	uint16_t port = 0;

	close(occupy(&port));
	return port;
}

static void addresses_come_and_go(void **state)
{
	struct fixture *f = *state;
	uint16_t one = free_port(), two = free_port();
	struct snapshot_process process;

	configure(f, where(one), NULL);
	assert_true(listens(one));
	assert_int_equal(count_in_log(f, "metrics: "), 0);
	ports_log(f->ports);
	assert_int_equal(count_in_log(f, "metrics: http://127.0.0.1:"), 1);
	configure(f, where(one), where(two));
	assert_true(listens(one) && listens(two));
	assert_int_equal(count_in_log(f, "metrics: http://127.0.0.1:"), 2);
	process = described(f);
	assert_int_equal(process.listens, 2);
	assert_string_equal(process.listen[1], where(two));
	assert_int_equal(process.waitings, 0);
	configure(f, where(two), NULL);
	assert_false(listens(one));
	assert_true(listens(two));
	configure(f, NULL, NULL);
	assert_false(listens(two));
	assert_int_equal(described(f).listens, 0);
}

/* All addresses of a port exclude one of them: what goes is closed before. */
static void one_address_of_a_port_in_place_of_all(void **state)
{
	struct fixture *f = *state;
	uint16_t port = free_port();
	char all[16];

	snprintf(all, sizeof(all), ":%u", port);
	configure(f, all, NULL);
	assert_true(listens(port));
	configure(f, where(port), NULL);
	assert_int_equal(described(f).waitings, 0);
	configure(f, all, NULL);
	assert_int_equal(described(f).waitings, 0);
	assert_true(listens(port));
}

static void a_port_in_use_is_taken_when_it_is_free(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 0;
	int other = occupy(&port);
	struct snapshot_process process;

	configure(f, where(port), NULL);
	process = described(f);
	assert_int_equal(process.listens, 0);
	assert_int_equal(process.waitings, 1);
	assert_string_equal(process.waiting[0].address, where(port));
	assert_int_equal(process.waiting[0].error, -EADDRINUSE);
	assert_int_equal(count_in_log(f, "in use by another program: tried again every 5 s; the meter runs"), 1);
	/* A reload that changes nothing tries, and tells nothing new. */
	configure(f, where(port), NULL);
	assert_int_equal(count_in_log(f, "in use by another program"), 1);
	ports_log(f->ports);
	assert_int_equal(count_in_log(f, "metrics: "), 0);
	close(other);
	until_it_listens(f, port); /* by the timer */
	assert_int_equal(count_in_log(f, "metrics: "), 1);
	assert_int_equal(described(f).waitings, 0);
}

/* 192.0.2.1 is nobody's (RFC 5737). */
static void an_address_that_is_not_there_waits(void **state)
{
	struct fixture *f = *state;
	uint16_t port = free_port();

	configure(f, "192.0.2.1:10060", where(port));
	assert_int_equal(described(f).waiting[0].error, -EADDRNOTAVAIL);
	assert_int_equal(count_in_log(f, "listen \"192.0.2.1:10060\": this machine does not have the address yet"), 1);
	assert_true(listens(port));
	configure(f, where(port), NULL);
	assert_int_equal(described(f).waitings, 0);
}

/* Far earlier than the timer. */
static void news_of_addresses_try_at_once(void **state)
{
	struct fixture *f = *state;
	uint64_t began = clock_mono_ns();
	uint16_t port = 0;
	int other = occupy(&port);

	configure(f, where(port), NULL);
	ports_turn(f->ports, 0);
	close(other);
	ports_turn(f->ports, 1);
	until_it_listens(f, port);
	assert_in_range(clock_mono_ns() - began, 0, 4 * CLOCK_NS_PER_S);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_come_and_go),
		TEST(one_address_of_a_port_in_place_of_all),
		TEST(a_port_in_use_is_taken_when_it_is_free),
		TEST(an_address_that_is_not_there_waits),
		TEST(news_of_addresses_try_at_once),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
