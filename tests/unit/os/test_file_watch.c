/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/file_watch.h"

#include "scratch_dir.h"

#include "hostmeter/base/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PATHS = 4 };

#define DEADLINE_NS (10 * CLOCK_NS_PER_S)

struct scene {
	struct file_watch watch[PATHS];
	size_t count;
};

/* Until no look finds anything: what was written lately may be found twice. */
static void settle(struct scene *scene)
{
	uint64_t deadline = clock_mono_ns() + DEADLINE_NS;
	unsigned int found = 1;

	while (found) {
		found = 0;
		for (size_t i = 0; i < scene->count; i++)
			found += file_watch_look(&scene->watch[i]);
		assert_true(clock_mono_ns() < deadline);
		usleep(1000);
	}
}

/* Follows up to PATHS paths in the scratch directory; the list ends with NULL. */
static void open_scene(struct scene *scene, void **state, const char *const *names)
{
	*scene = (struct scene){ 0 };
	for (; names[scene->count]; scene->count++)
		scene->watch[scene->count].path = strdup(scratch_path(state, names[scene->count]));
	settle(scene);
}

static void close_scene(struct scene *scene)
{
	for (size_t i = 0; i < scene->count; i++)
		free((char *)scene->watch[i].path);
}

/* This path is found changed at the first look. Returns of how many others that is true. */
static unsigned int expect_told(struct scene *scene, size_t path)
{
	unsigned int others = 0;

	for (size_t i = 0; i < scene->count; i++) {
		bool changed = file_watch_look(&scene->watch[i]);

		if (i == path)
			assert_true(changed);
		else
			others += changed;
	}
	settle(scene);
	return others;
}

#define FOLLOW(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void writing_is_seen(void **state)
{
	struct scene scene;

	scratch_write(state, "leases", "w", "one\n");
	scratch_write(state, "hosts", "w", "one\n");
	open_scene(&scene, state, FOLLOW("leases", "hosts"));
	scratch_write(state, "leases", "a", "two\n");
	assert_int_equal(expect_told(&scene, 0), 0);
	scratch_write(state, "leases", "w", "three\n");
	assert_int_equal(expect_told(&scene, 0), 0);
	scratch_write(state, "hosts", "a", "two\n");
	assert_int_equal(expect_told(&scene, 1), 0);
	close_scene(&scene);
}

/* As dnsmasq does it: the file stays open and is written over. */
static void writing_without_closing_is_seen(void **state)
{
	struct scene scene;
	int fd = open(scratch_path(state, "leases"), O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	open_scene(&scene, state, FOLLOW("leases"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pwrite(fd, "x\n", 2, 2 * i), 2);
		expect_told(&scene, 0);
	}
	assert_int_equal(ftruncate(fd, 0), 0);
	expect_told(&scene, 0);
	close(fd);
	close_scene(&scene);
}

static void replacing_is_seen_again_and_again(void **state)
{
	struct scene scene;

	scratch_write(state, "hosts", "w", "0\n");
	open_scene(&scene, state, FOLLOW("hosts"));
	for (int i = 0; i < 5; i++) {
		scratch_replace(state, "hosts", "next\n");
		expect_told(&scene, 0);
		/* The new one is followed too. */
		scratch_write(state, "hosts", "a", "more\n");
		expect_told(&scene, 0);
	}
	assert_int_equal(unlink(scratch_path(state, "hosts")), 0);
	expect_told(&scene, 0);
	scratch_write(state, "hosts", "w", "back\n");
	expect_told(&scene, 0);
	scratch_write(state, "hosts", "a", "and followed\n");
	expect_told(&scene, 0);
	close_scene(&scene);
}

static void what_appears_later_is_seen(void **state)
{
	struct scene scene;

	open_scene(&scene, state, FOLLOW("ethers", "a/b/hosts"));
	scratch_write(state, "ethers", "w", "x\n");
	assert_int_equal(expect_told(&scene, 0), 0);
	assert_int_equal(mkdir(scratch_path(state, "a"), 0700), 0);
	assert_int_equal(mkdir(scratch_path(state, "a/b"), 0700), 0);
	scratch_write(state, "a/b/hosts", "w", "x\n");
	assert_int_equal(expect_told(&scene, 1), 0);
	scratch_write(state, "a/b/hosts", "a", "y\n");
	expect_told(&scene, 1);
	/* The directory is replaced as a whole. */
	assert_int_equal(rename(scratch_path(state, "a/b"), scratch_path(state, "a/old")), 0);
	expect_told(&scene, 1);
	assert_int_equal(mkdir(scratch_path(state, "a/b"), 0700), 0);
	scratch_write(state, "a/b/hosts", "w", "new\n");
	expect_told(&scene, 1);
	scratch_write(state, "a/old/hosts", "a", "nobody's any more\n");
	scratch_write(state, "ethers", "a", "y\n");
	assert_int_equal(expect_told(&scene, 0), 0);
	close_scene(&scene);
}

static void patterns_find_files_that_come_and_go(void **state)
{
	struct scene scene;

	assert_int_equal(mkdir(scratch_path(state, "hosts"), 0700), 0);
	open_scene(&scene, state, FOLLOW("hosts/*odhcpd*", "fence"));
	scratch_write(state, "hosts/odhcpd", "w", "x\n");
	expect_told(&scene, 0);
	scratch_write(state, "hosts/odhcpd.lan2", "w", "x\n");
	expect_told(&scene, 0);
	scratch_write(state, "hosts/odhcpd", "a", "y\n");
	expect_told(&scene, 0);
	assert_int_equal(unlink(scratch_path(state, "hosts/odhcpd")), 0);
	expect_told(&scene, 0);
	/* What does not match wakes nobody. */
	scratch_write(state, "hosts/dhcp.cfg", "w", "x\n");
	scratch_write(state, "hosts/.odhcpd", "w", "x\n");
	scratch_write(state, "fence", "w", "x\n");
	assert_int_equal(expect_told(&scene, 1), 0);
	close_scene(&scene);
}

static void symbolic_links_are_followed(void **state)
{
	struct scene scene;

	scratch_write(state, "target", "w", "x\n");
	assert_int_equal(mkdir(scratch_path(state, "real"), 0700), 0);
	assert_int_equal(symlink("real", scratch_path(state, "dir")), 0);
	assert_int_equal(symlink("target", scratch_path(state, "hosts")), 0);
	/* One directory under two names, one file under two names. */
	open_scene(&scene, state, FOLLOW("hosts", "target", "dir/leases", "real/leases"));
	scratch_write(state, "target", "a", "y\n");
	assert_int_equal(expect_told(&scene, 0), 1);
	scratch_replace(state, "target", "z\n");
	assert_int_equal(expect_told(&scene, 0), 1);
	scratch_write(state, "target", "a", "y\n");
	assert_int_equal(expect_told(&scene, 0), 1);
	scratch_write(state, "real/leases", "w", "x\n");
	assert_int_equal(expect_told(&scene, 3), 1);
	scratch_write(state, "dir/leases", "a", "x\n");
	assert_int_equal(expect_told(&scene, 3), 1);
	/* The link goes, its target stays. */
	assert_int_equal(rename(scratch_path(state, "hosts"), scratch_path(state, "away")), 0);
	assert_int_equal(expect_told(&scene, 0), 0);
	close_scene(&scene);
}

static void any_number_of_changes_between_two_looks_is_found_once(void **state)
{
	struct scene scene;

	open_scene(&scene, state, FOLLOW("leases", "fence"));
	for (int i = 0; i < 500; i++)
		scratch_replace(state, "leases", "x\n");
	assert_int_equal(expect_told(&scene, 0), 0);
	scratch_write(state, "fence", "w", "x\n");
	assert_int_equal(expect_told(&scene, 1), 0);

	/* One that changes between any two looks is found at each. */
	for (int i = 0; i < 100; i++) {
		scratch_write(state, "leases", "a", "x\n");
		assert_true(file_watch_look(&scene.watch[0]));
	}
	close_scene(&scene);
}

/* Two writes of one size within a tick of the kernel's clock leave the same times. */
static void what_was_just_written_is_looked_at_again(void **state)
{
	struct file_watch watch = { .path = scratch_path(state, "leases") };

	scratch_write(state, "leases", "w", "one\n");
	assert_true(file_watch_look(&watch));
	assert_true(watch.recent);
	for (int i = 0; i < 100; i++) {
		scratch_write(state, "leases", "r+", i % 2 ? "one\n" : "two\n");
		assert_true(file_watch_look(&watch));
	}
	assert_true(file_watch_look(&watch));
}

static void the_first_look_finds_what_is_there(void **state)
{
	struct file_watch there = { .path = scratch_path(state, "hosts") };
	struct file_watch none = { .path = scratch_path(state, "none") };

	scratch_write(state, "hosts", "w", "x\n");
	assert_true(file_watch_look(&there));
	assert_false(file_watch_look(&none));
	assert_false(file_watch_look(&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(writing_is_seen),
		SCRATCH_TEST(writing_without_closing_is_seen),
		SCRATCH_TEST(replacing_is_seen_again_and_again),
		SCRATCH_TEST(what_appears_later_is_seen),
		SCRATCH_TEST(patterns_find_files_that_come_and_go),
		SCRATCH_TEST(symbolic_links_are_followed),
		SCRATCH_TEST(any_number_of_changes_between_two_looks_is_found_once),
		SCRATCH_TEST(what_was_just_written_is_looked_at_again),
		SCRATCH_TEST(the_first_look_finds_what_is_there),
	};

	return cmocka_run_group_tests_name("file_watch", tests, NULL, NULL);
}
