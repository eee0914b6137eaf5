/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/file_watch.h"

#include "scratch_dir.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PATHS = 4, DEADLINE_S = 10 };

#define EVERY_NS (20 * CLOCK_NS_PER_MS)

struct scene {
	struct loop *loop;
	struct loop_timer *deadline;
	struct file_watch *files;
	unsigned int told[PATHS];
	bool late;
};

static void too_late(void *ctx)
{
	struct scene *scene = ctx;

	scene->late = true;
	loop_stop(scene->loop);
}

static void stop(void *ctx)
{
	loop_stop(((struct scene *)ctx)->loop);
}

static void count(void *ctx, size_t path)
{
	struct scene *scene = ctx;

	assert_true(path < PATHS);
	scene->told[path]++;
	loop_stop(scene->loop);
}

/* Follows up to PATHS paths in the scratch directory; the list ends with NULL. */
static void open_scene(struct scene *scene, void **state, const char *const *names)
{
	const char *paths[PATHS];
	size_t n = 0;

	*scene = (struct scene){ .loop = loop_new() };
	assert_non_null(scene->loop);
	scene->deadline = loop_timer_add(scene->loop, too_late, scene);
	for (; names[n]; n++)
		paths[n] = scratch_path(state, names[n]);
	scene->files = file_watch_new(scene->loop, paths, n, EVERY_NS, count, scene);
	assert_non_null(scene->files);
}

static void close_scene(struct scene *scene)
{
	file_watch_free(scene->files);
	loop_free(scene->loop);
}

/* Runs until this path was told of; forgets all that was told then, and returns how often the others were. */
static unsigned int expect_told(struct scene *scene, size_t path)
{
	unsigned int others = 0;

	loop_timer_set(scene->deadline, DEADLINE_S * CLOCK_NS_PER_S);
	while (!scene->told[path] && !scene->late)
		loop_run(scene->loop);
	assert_false(scene->late);
	for (size_t i = 0; i < PATHS; i++) {
		others += i == path ? 0 : scene->told[i];
		scene->told[i] = 0;
	}
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

static void bursts_are_told_once(void **state)
{
	struct scene scene;
	uint64_t began, took;

	open_scene(&scene, state, FOLLOW("leases", "fence"));
	for (int i = 0; i < 500; i++)
		scratch_replace(state, "leases", "x\n");
	expect_told(&scene, 0);
	scratch_write(state, "fence", "w", "x\n");
	assert_int_equal(expect_told(&scene, 1), 0);

	/* A file that is never left in peace is told of nevertheless. */
	began = clock_mono_ns();
	loop_timer_set(scene.deadline, DEADLINE_S * CLOCK_NS_PER_S);
	while (!scene.told[0] && !scene.late) {
		struct loop_timer *tick = loop_timer_add(scene.loop, stop, &scene);

		scratch_write(state, "leases", "a", "x\n");
		loop_timer_set(tick, 5 * CLOCK_NS_PER_MS);
		loop_run(scene.loop);
		loop_timer_del(tick);
	}
	assert_false(scene.late);
	took = clock_mono_ns() - began;
	assert_in_range(took, 0, 3 * CLOCK_NS_PER_S);
	close_scene(&scene);
}

static void nothing_to_follow_is_fine(void **state)
{
	struct scene scene = { .loop = loop_new() };

	(void)state;
	scene.files = file_watch_new(scene.loop, NULL, 0, EVERY_NS, count, &scene);
	assert_non_null(scene.files);
	close_scene(&scene);
	file_watch_free(NULL);
	scene.loop = loop_new();
	errno = 0;
	assert_null(file_watch_new(scene.loop, FOLLOW("not/absolute"), 1, EVERY_NS, count, &scene));
	assert_int_equal(errno, EINVAL);
	loop_free(scene.loop);
}

/* ---- Reading */

static void expect_text(void **state, const char *name, int error, const char *expected)
{
	struct buf text = BUF_INIT;

	assert_int_equal(file_read_matching(scratch_path(state, name), &text), error);
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
}

static void all_that_matches_is_read_in_order(void **state)
{
	scratch_write(state, "odhcpd.b", "w", "b1\nb2");
	scratch_write(state, "odhcpd.a", "w", "a1\n");
	scratch_write(state, "odhcpd.empty", "w", "");
	scratch_write(state, "other", "w", "no\n");
	expect_text(state, "odhcpd*", 0, "a1\nb1\nb2\n");
	expect_text(state, "other", 0, "no\n");
	expect_text(state, "missing", 0, "");
	expect_text(state, "missing*", 0, "");
	expect_text(state, "missing/dir/x", 0, "");
}

static void only_regular_files_are_opened(void **state)
{
	assert_int_equal(mkfifo(scratch_path(state, "x1"), 0600), 0);
	assert_int_equal(mkdir(scratch_path(state, "x2"), 0700), 0);
	assert_int_equal(symlink("/dev/zero", scratch_path(state, "x3")), 0);
	assert_int_equal(symlink("x4", scratch_path(state, "x4")), 0);
	scratch_write(state, "x5", "w", "fine\n");
	assert_int_equal(symlink("x5", scratch_path(state, "x6")), 0);
	expect_text(state, "x[1-3]", 0, "");
	expect_text(state, "x[56]", 0, "fine\nfine\n");
	expect_text(state, "x[45]", -ELOOP, "fine\n"); /* the others are read */
}

static void a_file_that_is_too_long_is_read_in_part(void **state)
{
	FILE *file = fopen(scratch_path(state, "long1"), "w");
	struct buf text = BUF_INIT;
	size_t lines = FILE_READ_BYTES / 16;

	for (size_t i = 0; i < lines; i++)
		fprintf(file, "%015zu\n", i);
	fclose(file);
	assert_int_equal(file_read_matching(scratch_path(state, "long1"), &text), 0);
	assert_int_equal(text.len, FILE_READ_BYTES);
	buf_reset(&text);
	scratch_write(state, "long1", "a", "x\n");
	assert_int_equal(file_read_matching(scratch_path(state, "long1"), &text), -EFBIG);
	assert_int_equal(text.len, FILE_READ_BYTES);
	buf_reset(&text);

	/* Cut behind a whole line; the limit is that of all files together. */
	scratch_write(state, "long0", "w", "first\n");
	assert_int_equal(file_read_matching(scratch_path(state, "long*"), &text), -EFBIG);
	assert_int_equal(text.len, 6 + (FILE_READ_BYTES - 6) / 16 * 16);
	assert_memory_equal(text.data, "first\n000000000000000\n", 22);
	assert_int_equal(text.data[text.len - 1], '\n');
	buf_free(&text);
}

static void so_many_files_are_too_many(void **state)
{
	struct buf text = BUF_INIT;
	char name[32];

	for (int i = 0; i <= FILE_READ_MATCHES; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		scratch_write(state, name, "w", "x\n");
	}
	assert_int_equal(file_read_matching(scratch_path(state, "many*"), &text), -EFBIG);
	assert_int_equal(text.len, 2 * FILE_READ_MATCHES);
	buf_free(&text);
}

static void one_file_says_what_is_wrong(void **state)
{
	struct buf text = BUF_INIT;

	scratch_write(state, "ten", "w", "0123456789");
	assert_int_equal(mkfifo(scratch_path(state, "fifo"), 0600), 0);
	assert_int_equal(file_read(scratch_path(state, "ten"), 10, &text), 0);
	assert_string_equal(buf_text(&text), "0123456789");
	assert_int_equal(file_read(scratch_path(state, "ten"), 9, &text), -EFBIG);
	assert_string_equal(buf_text(&text), "0123456789012345678");
	assert_int_equal(file_read(scratch_path(state, "none"), 10, &text), -ENOENT);
	assert_int_equal(file_read(scratch_path(state, "fifo"), 10, &text), -EINVAL);
	assert_int_equal(file_read(scratch_path(state, ""), 10, &text), -EINVAL);
	buf_free(&text);
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
		SCRATCH_TEST(bursts_are_told_once),
		cmocka_unit_test(nothing_to_follow_is_fine),
		SCRATCH_TEST(all_that_matches_is_read_in_order),
		SCRATCH_TEST(only_regular_files_are_opened),
		SCRATCH_TEST(a_file_that_is_too_long_is_read_in_part),
		SCRATCH_TEST(so_many_files_are_too_many),
		SCRATCH_TEST(one_file_says_what_is_wrong),
	};

	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
