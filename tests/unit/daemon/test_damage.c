/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thousand damages of the checkpoint and its journal, of many kinds: none is silent, no counter that was shown falls
 * unless the log says that counts are missing, none is ever above the truth, and where no count is said to be missing
 * the counts are exact after the next dump. HM_DAMAGE_SEED runs one case alone.
 */
#include "hostmeter/base/log.h"

#include "damage_world.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CASES = 1000, ALL_SECONDS = 300, FILE_MOST = 1 << 17, BLOCK = 64, LOG_MOST = 4096, GENERATION_AT = 16 };

struct bytes {
	unsigned char of[FILE_MOST];
	size_t len;
	bool exists;
};

static char directory[] = "/tmp/test_damage.XXXXXX", path[64], old_path[80], bad_path[80], log_path[80];
static int log_fd;

static void get(const char *from, struct bytes *bytes)
{
	FILE *file = fopen(from, "rb");

	bytes->exists = file;
	bytes->len = 0;
	if (!file)
		return;
	bytes->len = fread(bytes->of, 1, FILE_MOST, file);
	assert_in_range(bytes->len, 0, FILE_MOST - 1);
	fclose(file);
}

static void put(const char *to, const struct bytes *bytes)
{
	FILE *file;

	remove(to);
	if (!bytes->exists)
		return;
	file = fopen(to, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes->of, 1, bytes->len, file), bytes->len);
	fclose(file);
}

static bool same(const struct bytes *a, const struct bytes *b)
{
	return a->exists == b->exists && a->len == b->len && !memcmp(a->of, b->of, a->len);
}

/* --- Damages */

static size_t place(struct world *dice, const struct bytes *file)
{
	return file->len ? (size_t)world_random(dice, file->len) : 0;
}

static void flip(struct world *dice, struct bytes *file)
{
	for (uint64_t n = 1 + world_random(dice, 3); n && file->len; n--)
		file->of[place(dice, file)] ^= (unsigned char)(1 << world_random(dice, 8));
}

static void cut(struct world *dice, struct bytes *file)
{
	file->len = place(dice, file);
}

/* The tail only. */
static void cut_tail(struct world *dice, struct bytes *file)
{
	size_t by = 1 + (size_t)world_random(dice, 300);

	file->len = by < file->len ? file->len - by : 0;
}

static void zero_block(struct world *dice, struct bytes *file)
{
	size_t at = place(dice, file), len = (size_t)world_random(dice, 3) * 500 + BLOCK;

	memset(file->of + at, 0, len < file->len - at ? len : file->len - at);
}

/* Over another block, or between. */
static void duplicate_block(struct world *dice, struct bytes *file)
{
	size_t len = 1 + (size_t)world_random(dice, 5 * BLOCK), from = place(dice, file), to = place(dice, file);
	unsigned char block[5 * BLOCK + 1];

	if (len > file->len - from)
		len = file->len - from;
	memcpy(block, file->of + from, len);
	if (world_random(dice, 2)) {
		assert_true(file->len + len < FILE_MOST);
		memmove(file->of + to + len, file->of + to, file->len - to);
		file->len += len;
	} else if (len > file->len - to) {
		len = file->len - to;
	}
	memcpy(file->of + to, block, len);
}

static void empty(struct world *dice, struct bytes *file)
{
	(void)dice;
	file->len = 0;
}

static void add_garbage(struct world *dice, struct bytes *file)
{
	for (uint64_t n = 1 + world_random(dice, 500); n; n--)
		file->of[file->len++] = (unsigned char)world_random(dice, 256);
}

static void take_out(struct world *dice, struct bytes *file)
{
	size_t at = place(dice, file), len = 1 + (size_t)world_random(dice, 300);

	if (len > file->len - at)
		len = file->len - at;
	memmove(file->of + at, file->of + at + len, file->len - at - len);
	file->len -= len;
}

static void lose(struct world *dice, struct bytes *file)
{
	(void)dice;
	file->exists = false;
}

static void (*const damages[])(struct world *dice, struct bytes *file) = { flip, flip, flip, cut, cut_tail, cut_tail,
	zero_block, duplicate_block, duplicate_block, empty, add_garbage, take_out, lose };

enum { DAMAGES = sizeof(damages) / sizeof(damages[0]), SWAPS = 3 };

/* The files as a killed meter left them, one of its first, and one of another meter. */
struct left {
	struct bytes current, old, early, foreign;
};

/* Whether the truth of the meter that left the files is known of what is in them now. */
static bool damage(struct world *dice, const struct left *left, struct bytes *current, struct bytes *old)
{
	uint64_t kind = world_random(dice, DAMAGES + SWAPS), both = world_random(dice, 6);

	*current = left->current;
	*old = left->old;
	if (kind == DAMAGES) {
		*current = left->old;
		*old = left->current;
	} else if (kind == DAMAGES + 1) {
		/* Of another generation: the same file as it was a while ago cannot be told. */
		if (memcmp(left->early.of + GENERATION_AT, left->current.of + GENERATION_AT, 8) != 0)
			*current = left->early;
	} else if (kind == DAMAGES + 2) {
		*current = left->foreign;
	} else {
		damages[kind](dice, current);
	}
	if (kind >= DAMAGES)
		return kind != DAMAGES + 2;
	if (!both)
		damages[world_random(dice, DAMAGES)](dice, old);
	else if (both == 1)
		old->exists = false; /* the next one is being written */
	return true;
}

/* --- What is said */

static const char *said(void)
{
	static char text[LOG_MOST];
	ssize_t len = pread(log_fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = 0;
	return text;
}

static void forget_what_was_said(void)
{
	assert_int_equal(ftruncate(log_fd, 0), 0);
	assert_int_equal(lseek(log_fd, 0, SEEK_SET), 0);
}

static bool says_that_counts_are_missing(const char *text)
{
	return strstr(text, "counts start anew") || strstr(text, "missing");
}

/* --- The test */

static void remove_all(void)
{
	remove(path);
	remove(old_path);
	remove(bad_path);
}

static void make_foreign(struct left *left)
{
	struct world other;

	remove_all();
	world_start(&other, path, 1000000);
	for (int i = 0; i < 100; i++)
		world_step(&other);
	get(path, &left->foreign);
	world_kill(&other);
}

static void make_history(struct world *w, uint64_t seed, struct left *left)
{
	remove_all();
	world_start(w, path, seed);
	for (uint64_t i = 60 + world_random(w, 200), n = 0; n < i; n++) {
		world_step(w);
		if (n == 10)
			get(path, &left->early);
	}
	get(path, &left->current);
	get(old_path, &left->old);
	world_kill(w);
}

static void judge(struct world *w, uint64_t seed, bool touched, bool loaded)
{
	const char *text = said();
	struct world_sums counted = world_counted(w);
	size_t lines = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	if (touched && (!checkpointer_damages(w->checkpointer) || lines != 1))
		fail_msg("case %" PRIu64 ": not one line: \"%s\"", seed, text);
	if (!touched && (lines || checkpointer_damages(w->checkpointer)))
		fail_msg("case %" PRIu64 ": nothing was damaged: \"%s\"", seed, text);
	if (!world_at_least(&counted, &w->shown) && !says_that_counts_are_missing(text))
		fail_msg("case %" PRIu64 ": a counter fell silently: \"%s\"", seed, text);
	if (!loaded && !strstr(text, "counts start anew"))
		fail_msg("case %" PRIu64 ": it starts anew silently: \"%s\"", seed, text);
}

static void judge_after_a_dump(struct world *w, uint64_t seed, bool exact)
{
	struct world_sums counted;

	for (int i = 0; i < 3; i++) {
		world_dump(w);
		counted = world_counted(w);
		if (!world_at_least(&w->truth, &counted))
			fail_msg("case %" PRIu64 ": more than the truth", seed);
	}
	if (exact && memcmp(&counted, &w->truth, sizeof(counted)) != 0)
		fail_msg("case %" PRIu64 ": less than the truth, and none was said to be missing", seed);
}

static bool run_case(uint64_t seed, uint64_t tally[3])
{
	static struct left left;
	static struct bytes current, old;
	struct world w, dice = { .random = seed * 77 };
	bool touched, loaded, exact, known;

	if (!left.foreign.exists)
		make_foreign(&left);
	make_history(&w, seed, &left);
	known = damage(&dice, &left, &current, &old);
	/* Without a file before it, a whole one is believed; and where there is none, nothing is damaged. */
	if (!old.exists && (!current.exists || !known || same(&current, &left.early)))
		return false;
	put(path, &current);
	put(old_path, &old);
	/* The file before is not needed, and not looked at, where the other is whole. */
	touched = !same(&current, &left.current);
	forget_what_was_said();
	loaded = world_go_on(&w, path);
	judge(&w, seed, touched, loaded);
	exact = !says_that_counts_are_missing(said());
	if (!known) {
		assert_false(exact);
		world_kill(&w);
		return true;
	}
	tally[!loaded ? 2 : !exact]++;
	if (getenv("HM_DAMAGE_SEED"))
		print_message("%s", said());
	/* Killed once more, before and after the next dump: nothing new is said or lost. */
	if (loaded) {
		forget_what_was_said();
		world_show(&w);
		world_kill(&w);
		loaded = world_go_on(&w, path);
		judge(&w, seed, false, loaded);
	}
	judge_after_a_dump(&w, seed, exact);
	forget_what_was_said();
	world_save(&w);
	world_show(&w);
	world_kill(&w);
	judge(&w, seed, false, world_go_on(&w, path));
	world_kill(&w);
	return touched;
}

static void no_damage_is_silent(void **state)
{
	const char *only = getenv("HM_DAMAGE_SEED");
	uint64_t first = only ? strtoull(only, NULL, 10) : 1, damaged = 0, tally[3] = { 0 };

	(void)state;
	alarm(ALL_SECONDS);
	for (uint64_t seed = first; damaged < (only ? 1 : CASES); seed++)
		damaged += run_case(seed, tally);
	print_message("%" PRIu64 " exact, %" PRIu64 " with counts missing, %" PRIu64 " anew\n", tally[0], tally[1],
		tally[2]);
	assert_true(only || (tally[0] > 100 && tally[1] > 50 && tally[2] > 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_damage_is_silent) };
	FILE *log;
	int failed;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/checkpoint", directory);
	snprintf(old_path, sizeof(old_path), "%s.old", path);
	snprintf(bad_path, sizeof(bad_path), "%s.bad", path);
	snprintf(log_path, sizeof(log_path), "%s/log", directory);
	log = fopen(log_path, "w+");
	if (!log)
		return 1;
	log_fd = fileno(log);
	log_set_fd(log_fd);
	failed = cmocka_run_group_tests_name("damage", tests, NULL, NULL);
	remove_all();
	fclose(log);
	remove(log_path);
	rmdir(directory);
	return failed;
}
