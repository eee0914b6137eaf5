/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/names/follow.h"

#include "events.h"
#include "scratch_dir.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/meter/names.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

enum { DEADLINE_S = 10 };

#define EVERY_NS (20 * CLOCK_NS_PER_MS)

#define CARD "00:00:5e:00:53:01"

static const char *names_of_address(const struct names *names, const struct addr *addr)
{
	struct names_answer answer = NAMES_NO_ANSWER;

	names_ask_address(names, addr, &answer);
	return answer.name;
}

struct scene {
	struct loop *loop;
	struct loop_timer *deadline;
	struct names *names;
	struct names_follow *follow;
	struct config config;
	char *ethers[1], *leases[2], *odhcpd[1], *hosts[1];
	unsigned int changes;
	bool late;
};

static void too_late(void *ctx)
{
	struct scene *scene = ctx;

	scene->late = true;
	loop_stop(scene->loop);
}

static void note(void *ctx)
{
	struct scene *scene = ctx;

	scene->changes++;
	loop_stop(scene->loop);
}

static char *path_copy(void **state, const char *name)
{
	return strdup(scratch_path(state, name));
}

static void open_scene(struct scene *scene, void **state)
{
	*scene = (struct scene){ .loop = loop_new(), .names = names_new() };
	scene->deadline = loop_timer_add(scene->loop, too_late, scene);
	scene->ethers[0] = path_copy(state, "ethers");
	scene->leases[0] = path_copy(state, "dnsmasq.leases");
	scene->leases[1] = path_copy(state, "dhcp.leases");
	scene->odhcpd[0] = path_copy(state, "hosts.d/odhcpd*");
	scene->hosts[0] = path_copy(state, "hosts");
	scene->config.names_ethers = (struct config_strings){ scene->ethers, 1 };
	scene->config.names_leases = (struct config_strings){ scene->leases, 2 };
	scene->config.names_odhcpd = (struct config_strings){ scene->odhcpd, 1 };
	scene->config.names_hosts = (struct config_strings){ scene->hosts, 1 };
}

static void start(struct scene *scene)
{
	scene->follow = names_follow_new(scene->loop, scene->names, &scene->config, EVERY_NS, note, scene);
	assert_non_null(scene->follow);
}

static void close_scene(struct scene *scene)
{
	names_follow_free(scene->follow);
	loop_free(scene->loop);
	names_free(scene->names);
	free(scene->ethers[0]);
	free(scene->leases[0]);
	free(scene->leases[1]);
	free(scene->odhcpd[0]);
	free(scene->hosts[0]);
}

static void expect_change(struct scene *scene)
{
	loop_timer_set(scene->deadline, DEADLINE_S * CLOCK_NS_PER_S);
	while (!scene->changes && !scene->late)
		loop_run(scene->loop);
	assert_false(scene->late);
	scene->changes = 0;
}

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	return addr;
}

static void expect_name(const struct scene *scene, const char *name, enum names_source source)
{
	struct names_answer answer = NAMES_NO_ANSWER;
	struct mac mac = event_mac(CARD);
	struct addr addr = address("192.0.2.1");

	names_ask_mac(scene->names, &mac, &answer);
	names_ask_address(scene->names, &addr, &answer);
	if (name)
		assert_string_equal(answer.name, name);
	else
		assert_null(answer.name);
	assert_int_equal(answer.source, source);
}

static void every_file_is_found_and_followed_in_the_order_of_trust(void **state)
{
	struct scene scene;
	struct mac mac = event_mac(CARD);

	open_scene(&scene, state);
	scratch_write(state, "hosts", "w", "127.0.0.1 localhost\n192.0.2.1 by-hosts.example\n");
	start(&scene);
	assert_int_equal(scene.changes, 0); /* what was there is no change */
	expect_name(&scene, "by-hosts", NAMES_HOSTS);

	assert_int_equal(mkdir(scratch_path(state, "hosts.d"), 0700), 0);
	scratch_write(state, "hosts.d/odhcpd.lan", "w", "192.0.2.1\tby-odhcpd.lan\tby-odhcpd\n");
	expect_change(&scene);
	expect_name(&scene, "by-odhcpd", NAMES_ODHCPD);

	scratch_write(state, "dhcp.leases", "w", "1 " CARD " 192.0.2.1 by-second-leases *\n");
	expect_change(&scene);
	expect_name(&scene, "by-second-leases", NAMES_LEASES);
	scratch_write(state, "dnsmasq.leases", "w", "1 " CARD " 192.0.2.1 by-leases *\n");
	expect_change(&scene);
	expect_name(&scene, "by-leases", NAMES_LEASES);

	scratch_replace(state, "ethers", CARD " by-ethers\n");
	expect_change(&scene);
	expect_name(&scene, "by-ethers", NAMES_ETHERS);

	names_set_mac(scene.names, NAMES_CONFIG, &mac, "by-config");
	expect_name(&scene, "by-config", NAMES_CONFIG);
	assert_true(names_replace(scene.names, NAMES_CONFIG, 0, NULL));

	/* And back. */
	scratch_replace(state, "ethers", "# none\n");
	expect_change(&scene);
	expect_name(&scene, "by-leases", NAMES_LEASES);
	assert_int_equal(unlink(scratch_path(state, "dnsmasq.leases")), 0);
	expect_change(&scene);
	expect_name(&scene, "by-second-leases", NAMES_LEASES);
	scratch_write(state, "dhcp.leases", "w", "1 " CARD " 192.0.2.1 * *\n");
	expect_change(&scene);
	expect_name(&scene, "by-odhcpd", NAMES_ODHCPD);
	assert_int_equal(rename(scratch_path(state, "hosts.d"), scratch_path(state, "away")), 0);
	expect_change(&scene);
	expect_name(&scene, "by-hosts", NAMES_HOSTS);
	scratch_write(state, "hosts", "w", "");
	expect_change(&scene);
	expect_name(&scene, NULL, NAMES_SOURCES);
	close_scene(&scene);
}

static void a_change_that_changes_no_name_is_none(void **state)
{
	struct scene scene;

	open_scene(&scene, state);
	scratch_write(state, "dhcp.leases", "w", "1 " CARD " 192.0.2.1 phone *\n");
	start(&scene);
	/* Renewed: only the time differs. It is read before hosts, which brings a name and so ends the wait. */
	scratch_replace(state, "dhcp.leases", "2 " CARD " 192.0.2.1 phone *\n");
	scratch_write(state, "hosts", "w", "192.0.2.9 fence\n");
	loop_timer_set(scene.deadline, DEADLINE_S * CLOCK_NS_PER_S);
	while (!names_of_address(scene.names, &(struct addr){ .family = 4, .b = { 192, 0, 2, 9 } }) && !scene.late)
		loop_run(scene.loop);
	assert_false(scene.late);
	assert_int_equal(scene.changes, 1);
	close_scene(&scene);
}

static void hostile_files_hurt_nobody(void **state)
{
	struct scene scene;
	struct addr ninth, early, late;
	FILE *file;
	int null = open("/dev/null", O_WRONLY);

	open_scene(&scene, state);
	log_set_fd(null); /* it warns, which is not what is tested */
	assert_int_equal(mkfifo(scratch_path(state, "ethers"), 0600), 0);
	assert_int_equal(mkdir(scratch_path(state, "dnsmasq.leases"), 0700), 0);
	scratch_write(state, "dhcp.leases", "w", "1 " CARD " 192.0.2.1 \xff\"};drop\x1b[2J *\n");
	/* More names than a list holds. */
	file = fopen(scratch_path(state, "hosts"), "w");
	for (unsigned int i = 0; i <= NAMES_LIST_LIMIT; i++)
		fprintf(file, "2001:db8::%x:%x host%u\n", i >> 16, i & 0xffff, i);
	fclose(file);
	/* More bytes than are read. */
	assert_int_equal(mkdir(scratch_path(state, "hosts.d"), 0700), 0);
	file = fopen(scratch_path(state, "hosts.d/odhcpd"), "w");
	fprintf(file, "192.0.2.7 early\n");
	for (size_t i = 0; i <= FILE_READ_BYTES / 64; i++)
		fprintf(file, "%63s\n", "#");
	fprintf(file, "192.0.2.8 late\n");
	fclose(file);
	start(&scene);
	expect_name(&scene, "__};drop_[2J", NAMES_LEASES);
	ninth = address("2001:db8::9");
	assert_string_equal(names_of_address(scene.names, &ninth), "host9");
	early = address("192.0.2.7");
	late = address("192.0.2.8");
	assert_string_equal(names_of_address(scene.names, &early), "early");
	assert_null(names_of_address(scene.names, &late));
	/* And afterwards all goes on. */
	scratch_write(state, "hosts", "w", "192.0.2.1 nas\n");
	scratch_write(state, "dhcp.leases", "w", "");
	expect_change(&scene);
	expect_name(&scene, "nas", NAMES_HOSTS);
	close_scene(&scene);
	log_set_fd(STDERR_FILENO);
	close(null);
}

static int error_of(const struct scene *scene, const char *path)
{
	size_t count;
	const struct snapshot_names *file = names_follow_files(scene->follow, &count);

	while (count && strcmp(file->path, path) != 0)
		file++, count--;
	assert_int_not_equal(count, 0);
	assert_int_equal(file->error, names_follow_try(path));
	return file->error;
}

/* Its earlier names are gone: they may be wrong by now. One line in the log. */
static void a_file_of_no_format_is_told_of(void **state)
{
	struct scene scene;
	char log[1000] = "";
	ssize_t len;
	int fd;

	open_scene(&scene, state);
	fd = open(scratch_path(state, "log"), O_RDWR | O_CREAT, 0600);
	log_set_fd(fd);
	scratch_write(state, "dhcp.leases", "w", "1 " CARD " 192.0.2.1 phone *\n");
	start(&scene);
	assert_int_equal(error_of(&scene, scene.leases[1]), 0);
	assert_int_equal(error_of(&scene, scene.leases[0]), 0); /* does not exist */
	scratch_replace(state, "dhcp.leases", "phone = " CARD "\n");
	expect_change(&scene);
	expect_name(&scene, NULL, NAMES_SOURCES);
	assert_int_equal(error_of(&scene, scene.leases[1]), NAMES_USELESS);
	scratch_replace(state, "dhcp.leases", "tablet = " CARD "\n");
	names_follow_look(scene.follow);
	len = pread(fd, log, sizeof(log) - 1, 0);
	assert_true(len > 0);
	assert_non_null(strstr(log, "names: "));
	assert_non_null(strstr(log, "dhcp.leases: no line of it could be used\n"));
	assert_ptr_equal(strchr(log, '\n') + 1, log + len);
	scratch_replace(state, "dhcp.leases", "1 " CARD " 192.0.2.1 phone *\n");
	expect_change(&scene);
	assert_int_equal(error_of(&scene, scene.leases[1]), 0);
	close_scene(&scene);
	log_set_fd(STDERR_FILENO);
	close(fd);
}

/* Long before the timer looks. */
static void a_look_finds_changes_at_once(void **state)
{
	struct scene scene;

	open_scene(&scene, state);
	scene.follow = names_follow_new(scene.loop, scene.names, &scene.config, 3600 * CLOCK_NS_PER_S, note, &scene);
	assert_non_null(scene.follow);
	names_follow_look(scene.follow);
	assert_int_equal(scene.changes, 0);
	scratch_write(state, "hosts", "w", "192.0.2.1 nas\n");
	expect_name(&scene, NULL, NAMES_SOURCES);
	names_follow_look(scene.follow);
	assert_int_equal(scene.changes, 1);
	expect_name(&scene, "nas", NAMES_HOSTS);
	close_scene(&scene);
}

/* Names of files that are not listed any more go, names of those that are come, all at once. */
static void other_files_take_the_place(void **state)
{
	struct scene scene;

	open_scene(&scene, state);
	scratch_write(state, "hosts", "w", "192.0.2.1 nas\n");
	scratch_write(state, "ethers", "w", CARD " desk\n");
	start(&scene);
	expect_name(&scene, "desk", NAMES_ETHERS);
	assert_int_equal(names_follow_configure(scene.follow, &scene.config), 0);
	assert_int_equal(scene.changes, 0); /* the same files */
	scene.config.names_ethers.count = 0;
	assert_int_equal(names_follow_configure(scene.follow, &scene.config), 0);
	assert_int_equal(scene.changes, 1);
	expect_name(&scene, "nas", NAMES_HOSTS);
	scene.config.names_hosts.count = 0;
	scene.config.names_ethers.count = 1;
	assert_int_equal(names_follow_configure(scene.follow, &scene.config), 0);
	expect_name(&scene, "desk", NAMES_ETHERS);
	/* They are followed. */
	scene.changes = 0;
	scratch_replace(state, "ethers", CARD " table\n");
	expect_change(&scene);
	expect_name(&scene, "table", NAMES_ETHERS);
	close_scene(&scene);
}

static void count_turn(void *ctx)
{
	unsigned int *turns = ctx;

	(*turns)++;
}

/* One line of the log ends so. */
static void expect_line(void **state, const char *end)
{
	static char log[10000];
	FILE *file = fopen(scratch_path(state, "log"), "r");
	size_t len = fread(log, 1, sizeof(log) - 1, file);
	const char *found;

	fclose(file);
	log[len] = '\0';
	found = strstr(log, end);
	if (!found || strstr(found + 1, end))
		fail_msg("not one \"%s\" in \"%s\"", end, log);
}

static void write_many(void **state, const char *name, const char *start, unsigned int lines, const char *end)
{
	FILE *file = fopen(scratch_path(state, name), "w");

	fputs(start, file);
	for (unsigned int i = 0; i < lines; i++)
		fprintf(file, "2001:db8::%x:%x host%u%40s\n", i >> 16, i & 0xffff, i, "");
	fputs(end, file);
	fclose(file);
}

/* The loop has other work: a long file is read over many turns, and its old names count until it was read. */
static void a_long_file_is_read_in_pieces(void **state)
{
	struct scene scene;
	unsigned int turns = 0;

	open_scene(&scene, state);
	scratch_write(state, "hosts", "w", "192.0.2.1 old\n");
	start(&scene);
	write_many(state, "hosts", "192.0.2.1 new\n", 50000, "");
	names_follow_look(scene.follow);
	expect_name(&scene, "old", NAMES_HOSTS);
	loop_on_turn_end(scene.loop, count_turn, &turns);
	expect_change(&scene);
	expect_name(&scene, "new", NAMES_HOSTS);
	assert_in_range(turns, 40, 1000); /* 3.3 MB */
	loop_on_turn_end(scene.loop, NULL, NULL);

	/* What changes while it is read is read again. */
	write_many(state, "hosts", "192.0.2.1 newer\n", 50000, "");
	names_follow_look(scene.follow);
	scratch_replace(state, "hosts", "192.0.2.1 last\n");
	names_follow_look(scene.follow);
	expect_change(&scene);
	expect_name(&scene, "last", NAMES_HOSTS);
	close_scene(&scene);
}

static void a_reading_can_be_given_up(void **state)
{
	struct scene scene;

	open_scene(&scene, state);
	start(&scene);
	write_many(state, "hosts", "", 50000, "");
	names_follow_look(scene.follow);
	close_scene(&scene);
}

/* /proc/kmsg has no end, and nobody writes to the FIFO. */
static void what_is_no_file_is_told_of(void **state)
{
	struct scene scene;

	open_scene(&scene, state);
	log_set_fd(open(scratch_path(state, "log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	scratch_write(state, "ethers", "w", CARD " nas\n");
	assert_int_equal(symlink("/proc/kmsg", scratch_path(state, "dnsmasq.leases")), 0);
	assert_int_equal(mkfifo(scratch_path(state, "dhcp.leases"), 0600), 0);
	assert_int_equal(symlink("/dev/zero", scratch_path(state, "hosts")), 0);
	alarm(DEADLINE_S);
	start(&scene);
	alarm(0);
	expect_name(&scene, "nas", NAMES_ETHERS);
	assert_int_equal(error_of(&scene, scene.leases[0]), -EOPNOTSUPP);
	assert_int_equal(error_of(&scene, scene.leases[1]), -EINVAL);
	assert_int_equal(error_of(&scene, scene.hosts[0]), -EINVAL);
	assert_int_equal(error_of(&scene, scene.ethers[0]), 0);
	expect_line(state,
		"dnsmasq.leases: is a file that the kernel makes up, as those in /proc: reading it might never end\n");
	expect_line(state, "dhcp.leases: is not a regular file\n");
	expect_line(state, "hosts: is not a regular file\n");
	close_scene(&scene);
	log_set_fd(STDERR_FILENO);
}

static void nothing_configured_is_nothing_to_do(void **state)
{
	struct scene scene;

	open_scene(&scene, state);
	scene.config = (struct config){ 0 };
	scratch_write(state, "hosts", "w", "192.0.2.1 nas\n");
	start(&scene);
	expect_name(&scene, NULL, NAMES_SOURCES);
	close_scene(&scene);
	names_follow_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(every_file_is_found_and_followed_in_the_order_of_trust),
		SCRATCH_TEST(a_change_that_changes_no_name_is_none),
		SCRATCH_TEST(hostile_files_hurt_nobody),
		SCRATCH_TEST(a_file_of_no_format_is_told_of),
		SCRATCH_TEST(a_look_finds_changes_at_once),
		SCRATCH_TEST(other_files_take_the_place),
		SCRATCH_TEST(a_long_file_is_read_in_pieces),
		SCRATCH_TEST(a_reading_can_be_given_up),
		SCRATCH_TEST(what_is_no_file_is_told_of),
		SCRATCH_TEST(nothing_configured_is_nothing_to_do),
	};

	return cmocka_run_group_tests_name("naming", tests, NULL, NULL);
}
