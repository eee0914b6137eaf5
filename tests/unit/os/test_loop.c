/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/loop.h"

#include "hostmeter/base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the callbacks of a test share. */
struct scene {
	struct loop *loop;
	struct loop_timer *timer[4];
	struct loop_io *io;
	struct loop_signal *signal;
	int pipe[2];
	char order[16];
	int count;
	uint64_t at_ns;
};

static void scene_open(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->loop = loop_new();
	assert_non_null(scene->loop);
	assert_int_equal(pipe(scene->pipe), 0);
}

static void scene_close(struct scene *scene)
{
	loop_free(scene->loop);
	close(scene->pipe[0]);
	close(scene->pipe[1]);
}

static void mark(struct scene *scene, char c)
{
	scene->order[strlen(scene->order)] = c;
}

static void mark_a(void *ctx)
{
	mark(ctx, 'a');
}

static void mark_b(void *ctx)
{
	mark(ctx, 'b');
}

static void mark_c_and_stop(void *ctx)
{
	struct scene *scene = ctx;

	mark(scene, 'c');
	loop_stop(scene->loop);
}

static void stop(void *ctx)
{
	loop_stop(((struct scene *)ctx)->loop);
}

static void timers_fire_in_order(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	scene.timer[0] = loop_timer_add(scene.loop, mark_c_and_stop, &scene);
	scene.timer[1] = loop_timer_add(scene.loop, mark_b, &scene);
	scene.timer[2] = loop_timer_add(scene.loop, mark_a, &scene);
	loop_timer_set(scene.timer[0], 12 * CLOCK_NS_PER_MS);
	loop_timer_set(scene.timer[1], 8 * CLOCK_NS_PER_MS);
	loop_timer_set(scene.timer[2], 4 * CLOCK_NS_PER_MS);
	loop_run(scene.loop);
	assert_string_equal(scene.order, "abc");
	scene_close(&scene);
}

static void timer_stopped_or_deleted_is_silent(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	scene.timer[0] = loop_timer_add(scene.loop, mark_c_and_stop, &scene);
	scene.timer[1] = loop_timer_add(scene.loop, mark_a, &scene);
	scene.timer[2] = loop_timer_add(scene.loop, mark_b, &scene);
	scene.timer[3] = loop_timer_add(scene.loop, mark_b, &scene); /* never set */
	loop_timer_set(scene.timer[0], 8 * CLOCK_NS_PER_MS);
	loop_timer_set(scene.timer[1], CLOCK_NS_PER_MS);
	loop_timer_set(scene.timer[2], CLOCK_NS_PER_MS);
	loop_timer_stop(scene.timer[1]);
	loop_timer_del(scene.timer[2]);
	loop_timer_del(NULL);
	loop_run(scene.loop);
	assert_string_equal(scene.order, "c");
	scene_close(&scene);
}

static void again_twice(void *ctx)
{
	struct scene *scene = ctx;

	if (++scene->count == 3)
		loop_stop(scene->loop);
	else
		loop_timer_set(scene->timer[0], CLOCK_NS_PER_MS);
}

static void timer_set_from_its_callback_repeats(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	scene.timer[0] = loop_timer_add(scene.loop, again_twice, &scene);
	loop_timer_set(scene.timer[0], 0);
	loop_run(scene.loop);
	assert_int_equal(scene.count, 3);
	scene_close(&scene);
}

/* Works for 20 ms, then asks for 10 ms more: they count from the end of the work. */
static void work_then_set(void *ctx)
{
	struct scene *scene = ctx;
	uint64_t until = clock_mono_ns() + 20 * CLOCK_NS_PER_MS;

	while (clock_mono_ns() < until)
		continue;
	scene->at_ns = clock_mono_ns();
	loop_timer_set(scene->timer[1], 10 * CLOCK_NS_PER_MS);
}

static void timer_counts_from_the_call(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	scene.timer[0] = loop_timer_add(scene.loop, work_then_set, &scene);
	scene.timer[1] = loop_timer_add(scene.loop, stop, &scene);
	loop_timer_set(scene.timer[0], 0);
	loop_run(scene.loop);
	/* libev's clock and ours may differ by rounding. */
	assert_true(clock_mono_ns() - scene.at_ns > 9 * CLOCK_NS_PER_MS);
	assert_true(loop_stall_ns(scene.loop) >= 20 * CLOCK_NS_PER_MS);
	assert_int_equal(loop_stall_ns(scene.loop), 0);
	scene_close(&scene);
}

static void note_now(void *ctx)
{
	struct scene *scene = ctx;

	scene->at_ns = loop_now_ns(scene->loop);
	loop_stop(scene->loop);
}

static void now_is_the_time_of_the_turn(void **state)
{
	struct scene scene;
	uint64_t before;

	(void)state;
	scene_open(&scene);
	scene.timer[0] = loop_timer_add(scene.loop, note_now, &scene);
	loop_timer_set(scene.timer[0], 5 * CLOCK_NS_PER_MS);
	before = clock_mono_ns();
	loop_run(scene.loop);
	assert_true(scene.at_ns >= before + 4 * CLOCK_NS_PER_MS);
	assert_true(scene.at_ns <= clock_mono_ns());
	scene_close(&scene);
}

static void read_one_byte(void *ctx, int events)
{
	struct scene *scene = ctx;
	char c;

	assert_int_equal(events, LOOP_READ);
	assert_int_equal(read(scene->pipe[0], &c, 1), 1);
	mark(scene, c);
	if (c == 'z')
		loop_stop(scene->loop);
}

static void io_is_level_triggered(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	scene.io = loop_io_add(scene.loop, scene.pipe[0], LOOP_READ, read_one_byte, &scene);
	assert_int_equal(write(scene.pipe[1], "xyz", 3), 3);
	loop_run(scene.loop);
	assert_string_equal(scene.order, "xyz");
	scene_close(&scene);
}

static void resume_and_mark(void *ctx)
{
	struct scene *scene = ctx;

	mark(scene, 'r');
	loop_io_resume(scene->io);
	loop_io_resume(scene->io);
}

/* What comes while it is paused is there when it is resumed. */
static void io_paused_is_silent(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	scene.io = loop_io_add(scene.loop, scene.pipe[0], LOOP_READ, read_one_byte, &scene);
	scene.timer[0] = loop_timer_add(scene.loop, resume_and_mark, &scene);
	loop_timer_set(scene.timer[0], 4 * CLOCK_NS_PER_MS);
	loop_io_pause(scene.io);
	loop_io_pause(scene.io);
	assert_int_equal(write(scene.pipe[1], "yz", 2), 2);
	loop_run(scene.loop);
	assert_string_equal(scene.order, "ryz");
	scene_close(&scene);
}

static void write_and_delete_myself(void *ctx, int events)
{
	struct scene *scene = ctx;

	assert_int_equal(events, LOOP_WRITE);
	assert_int_equal(write(scene->pipe[1], "z", 1), 1);
	loop_io_del(scene->io);
	mark(scene, 'w');
}

static void io_deleted_in_its_callback_is_silent(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	scene.io = loop_io_add(scene.loop, scene.pipe[1], LOOP_WRITE, write_and_delete_myself, &scene);
	loop_io_add(scene.loop, scene.pipe[0], LOOP_READ, read_one_byte, &scene);
	loop_io_del(NULL);
	loop_run(scene.loop);
	assert_string_equal(scene.order, "wz");
	scene_close(&scene);
}

static void signal_raised(void *ctx, int signo)
{
	struct scene *scene = ctx;

	assert_int_equal(signo, SIGUSR1);
	mark(scene, 's');
	loop_stop(scene->loop);
}

static void raise_it(void *ctx)
{
	struct scene *scene = ctx;

	raise(SIGUSR1);
	/* Not yet: it is a callback of a later turn. */
	assert_string_equal(scene->order, "");
	mark(scene, 'r');
}

static void signal_is_an_ordinary_callback(void **state)
{
	struct sigaction action;
	struct scene scene;

	(void)state;
	scene_open(&scene);
	scene.signal = loop_signal_add(scene.loop, SIGUSR1, signal_raised, &scene);
	scene.timer[0] = loop_timer_add(scene.loop, raise_it, &scene);
	loop_timer_set(scene.timer[0], 0);
	loop_run(scene.loop);
	assert_string_equal(scene.order, "rs");
	loop_signal_del(scene.signal);
	loop_signal_del(NULL);
	sigaction(SIGUSR1, NULL, &action);
	assert_ptr_equal(action.sa_handler, SIG_DFL);
	scene_close(&scene);
}

static void free_takes_the_handles_along(void **state)
{
	struct sigaction action;
	struct scene scene;

	(void)state;
	loop_free(NULL);
	scene_open(&scene);
	loop_signal_add(scene.loop, SIGUSR1, signal_raised, &scene);
	loop_timer_set(loop_timer_add(scene.loop, stop, &scene), 0);
	loop_io_add(scene.loop, scene.pipe[0], LOOP_READ, read_one_byte, &scene);
	loop_run(scene.loop);
	sigaction(SIGUSR1, NULL, &action);
	assert_ptr_not_equal(action.sa_handler, SIG_DFL);
	scene_close(&scene);
	sigaction(SIGUSR1, NULL, &action);
	assert_ptr_equal(action.sa_handler, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(timer_stopped_or_deleted_is_silent),
		cmocka_unit_test(timer_set_from_its_callback_repeats),
		cmocka_unit_test(timer_counts_from_the_call),
		cmocka_unit_test(now_is_the_time_of_the_turn),
		cmocka_unit_test(io_is_level_triggered),
		cmocka_unit_test(io_paused_is_silent),
		cmocka_unit_test(io_deleted_in_its_callback_is_silent),
		cmocka_unit_test(signal_is_an_ordinary_callback),
		cmocka_unit_test(free_takes_the_handles_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
