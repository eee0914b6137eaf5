/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal at the other end of a pseudo-terminal: what is written to it, what keys it sends, how it is given back.
 */
#include "hostmeter/watch/term.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 5000 };

static const struct term_look looks[] = {
	{ -1, -1, -1, -1, false, false, false },
	{ 114, 2, 238, 4, true, false, false },
	{ 245, 8, -1, -1, false, true, true },
};

/* curses keeps some of what it allocates for a terminal; leaks of our own are still seen. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libtinfo\nleak:libncurses\n";
}

static const struct pollfd nothing = { .fd = -1 };

/* The terminal is our standard input and output for as long as a test runs. */
struct world {
	int master, in, out;
	struct termios before;
	char shown[65536]; /* all that was written to the terminal */
	size_t len;
};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int slave;

	setenv("TERM", "xterm-256color", 1);
	unsetenv("NO_COLOR");
	unsetenv("LINES");
	unsetenv("COLUMNS");
	w->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_true(w->master >= 0);
	assert_int_equal(grantpt(w->master) | unlockpt(w->master), 0);
	slave = open(ptsname(w->master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
	assert_int_equal(tcgetattr(slave, &w->before), 0);
	fflush(stdout);
	w->in = dup(STDIN_FILENO);
	w->out = dup(STDOUT_FILENO);
	assert_int_equal(dup2(slave, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(dup2(slave, STDOUT_FILENO), STDOUT_FILENO);
	close(slave);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	term_close();
	fflush(stdout);
	dup2(w->in, STDIN_FILENO);
	dup2(w->out, STDOUT_FILENO);
	close(w->in);
	close(w->out);
	if (w->master >= 0)
		close(w->master);
	free(w);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
}

/* Reads what is written to the terminal until it has this text. */
static void sees(struct world *w, const char *text)
{
	int64_t deadline = now_ms() + PATIENCE_MS;

	while (!strstr(w->shown, text)) {
		struct pollfd polled = { .fd = w->master, .events = POLLIN };
		ssize_t got;

		if (now_ms() >= deadline)
			fail_msg("the terminal was not sent '%s'", text + (text[0] == '\033'));
		poll(&polled, 1, 100);
		got = read(w->master, w->shown + w->len, sizeof(w->shown) - 1 - w->len);
		w->len += got > 0 ? (size_t)got : 0;
	}
}

static void open_term(enum term_colours colours)
{
	assert_int_equal(term_check(), 0);
	assert_int_equal(term_open(looks, sizeof(looks) / sizeof(looks[0]), colours), 0);
}

/* Lets the terminal send this and returns the key that it is. */
static int key_of(const struct world *w, const char *bytes, int *x, int *y)
{
	int64_t deadline = now_ms() + PATIENCE_MS;
	int key;

	assert_int_equal(write(w->master, bytes, strlen(bytes)), strlen(bytes));
	while ((key = term_key(x, y)) == WATCH_KEY_NONE && now_ms() < deadline)
		assert_int_equal(term_wait(&nothing, 1, 100), 0);
	return key;
}

/* ---- Opening and closing */

static void only_a_terminal_can_be_drawn_on(void **state)
{
	int null = open("/dev/null", O_RDWR);
	struct world *w = *state;
	int slave = dup(STDOUT_FILENO);

	assert_int_equal(term_check(), 0);
	setenv("TERM", "dumb", 1);
	assert_int_equal(term_check(), -ENOTTY);
	setenv("TERM", "no-such-terminal", 1);
	assert_int_equal(term_check(), -ENODEV);
	assert_int_equal(term_open(looks, 1, TERM_COLOURS_NEVER), -ENODEV);
	unsetenv("TERM");
	assert_int_equal(term_check(), -ENODEV);
	setenv("TERM", "xterm-256color", 1);
	dup2(null, STDOUT_FILENO);
	assert_int_equal(term_check(), -ENOTTY);
	dup2(slave, STDOUT_FILENO);
	dup2(null, STDIN_FILENO);
	assert_int_equal(term_check(), -ENOTTY);
	assert_int_equal(term_open(looks, 1, TERM_COLOURS_NEVER), -ENODEV);
	dup2(slave, STDIN_FILENO);
	assert_int_equal(term_check(), 0);
	close(slave);
	close(null);
	assert_true(w->master >= 0);
}

static void assert_given_back(const struct world *w)
{
	struct termios after;

	assert_int_equal(tcgetattr(STDIN_FILENO, &after), 0);
	assert_int_equal(after.c_iflag, w->before.c_iflag);
	assert_int_equal(after.c_oflag, w->before.c_oflag);
	assert_int_equal(after.c_lflag, w->before.c_lflag);
}

static void closing_gives_all_back(void **state)
{
	struct world *w = *state;
	struct sigaction action;
	struct termios taken;
	sigset_t mask;

	open_term(TERM_COLOURS_AUTO);
	term_begin();
	term_put(0, 0, 0, "text");
	term_show();
	assert_int_equal(tcgetattr(STDIN_FILENO, &taken), 0);
	assert_false(taken.c_lflag & (ECHO | ICANON));
	sees(w, "\033[?1049h");
	assert_null(strstr(w->shown, "\033[?1049l"));
	term_close();
	sees(w, "\033[?1049l");
	sees(w, "\033[?1006;1000l");
	assert_given_back(w);
	assert_int_equal(sigaction(SIGTERM, NULL, &action), 0);
	assert_ptr_equal(action.sa_handler, SIG_DFL);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	assert_false(sigismember(&mask, SIGTERM));
	term_close(); /* once more is nothing */
}

/* A process that dies by a signal has given the terminal back, and dies of that signal. */
static void a_crash_gives_all_back(void **state)
{
	struct world *w = *state;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		if (term_open(looks, 1, TERM_COLOURS_AUTO))
			_exit(1);
		term_begin();
		term_put(0, 0, 0, "text");
		term_show();
		raise(SIGQUIT);
		_exit(2);
	}
	sees(w, "text");
	sees(w, "\033[?1000l");
	sees(w, "\033[?1049l");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGQUIT);
	assert_given_back(w);
}

/* ---- Drawing */

static void text_stands_at_its_cell(void **state)
{
	struct world *w = *state;
	int width, height;

	open_term(TERM_COLOURS_NEVER);
	term_size(&width, &height);
	assert_int_equal(width, 80);
	assert_int_equal(height, 24);
	term_begin();
	term_put(2, 3, 0, "plain");
	term_put(9, 5, 1, "bold");
	term_put(0, 7, 2, "dim");
	term_put(0, 9, 99, "no look");
	term_show();
	sees(w, "\033[4d  plain");
	sees(w, ";1mbold");
	sees(w, ";2;7mdim");
	sees(w, "no look");
	assert_null(strstr(w->shown, "38;5;"));
}

static void colours_are_those_of_the_look(void **state)
{
	struct world *w = *state;

	open_term(TERM_COLOURS_AUTO);
	term_begin();
	term_put(0, 0, 1, "first");
	term_put(0, 1, 2, "second");
	term_show();
	sees(w, "second");
	assert_non_null(strstr(w->shown, "38;5;114m"));
	assert_non_null(strstr(w->shown, "48;5;238m"));
	assert_non_null(strstr(w->shown, "38;5;245m"));
	assert_null(strstr(w->shown, ";2;7m")); /* colour says it */
}

static void fewer_colours_have_their_own_numbers(void **state)
{
	struct world *w = *state;

	setenv("TERM", "xterm", 1);
	open_term(TERM_COLOURS_AUTO);
	term_begin();
	term_put(0, 0, 1, "first");
	term_put(0, 1, 2, "second");
	term_show();
	sees(w, "second");
	assert_non_null(strstr(w->shown, "\033[32m"));
	assert_non_null(strstr(w->shown, "\033[44m"));
	assert_non_null(strstr(w->shown, "\033[30m")); /* 8 of 8 colours is 0 */
	assert_null(strstr(w->shown, "\033[40m"));     /* on the terminal's own ground */
}

static void no_color_is_heeded_unless_told_otherwise(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2; i++) {
		setenv("NO_COLOR", "1", 1);
		open_term(i ? TERM_COLOURS_ALWAYS : TERM_COLOURS_AUTO);
		term_begin();
		term_put(0, 0, 1, i ? "second" : "first");
		term_show();
		sees(w, i ? "second" : "first");
		assert_int_equal(strstr(w->shown, "38;5;114m") != NULL, i);
		term_close();
	}
	unsetenv("NO_COLOR");
}

/* ---- Keys */

static void keys_are_decoded(void **state)
{
	static const struct {
		const char *bytes;
		int key;
	} cases[] = {
		{ "q", 'q' },
		{ " ", ' ' },
		{ "\x15", 0x15 },
		{ "é", 0xe9 },
		{ "東", 0x6771 },
		{ "😀", 0x1f600 },
		{ "\r", WATCH_KEY_ENTER },
		{ "\n", WATCH_KEY_ENTER },
		{ "\x7f", WATCH_KEY_BACKSPACE },
		{ "\b", WATCH_KEY_BACKSPACE },
		{ "\033OA", WATCH_KEY_UP },
		{ "\033OB", WATCH_KEY_DOWN },
		{ "\033[5~", WATCH_KEY_PAGE_UP },
		{ "\033[6~", WATCH_KEY_PAGE_DOWN },
		{ "\033OH", WATCH_KEY_HOME },
		{ "\033OF", WATCH_KEY_END },
		{ "\033OM", WATCH_KEY_ENTER },
		{ "\033OP", WATCH_KEY_OTHER }, /* F1 */
		{ "\033[3~", WATCH_KEY_OTHER },
		{ "\033", WATCH_KEY_ESCAPE },
	};
	struct world *w = *state;
	int x, y;

	assert_true(term_locale());
	open_term(TERM_COLOURS_AUTO);
	assert_int_equal(term_key(&x, &y), WATCH_KEY_NONE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int key = key_of(w, cases[i].bytes, &x, &y);

		if (key != cases[i].key)
			fail_msg("case %zu is %x, not %x", i, (unsigned int)key, (unsigned int)cases[i].key);
		assert_int_equal(term_key(&x, &y), WATCH_KEY_NONE);
	}
}

/* A terminal may send another code for this key than its terminfo says. */
static void both_codes_of_backspace_are_known(void **state)
{
	struct world *w = *state;
	int x, y;

	setenv("TERM", "vt100", 1);
	open_term(TERM_COLOURS_AUTO);
	assert_int_equal(key_of(w, "\x7f", &x, &y), WATCH_KEY_BACKSPACE);
	assert_int_equal(key_of(w, "\b", &x, &y), WATCH_KEY_BACKSPACE);
}

static void the_mouse_clicks_and_scrolls(void **state)
{
	struct world *w = *state;
	int x = -1, y = -1;

	open_term(TERM_COLOURS_AUTO);
	assert_int_equal(key_of(w, "\033[<0;2;5M", &x, &y), WATCH_KEY_CLICK);
	assert_int_equal(x, 1);
	assert_int_equal(y, 4);
	assert_int_equal(key_of(w, "\033[<64;3;6M", &x, &y), WATCH_KEY_WHEEL_UP);
	assert_int_equal(key_of(w, "\033[<65;80;24M", &x, &y), WATCH_KEY_WHEEL_DOWN);
	assert_int_equal(x, 79);
	assert_int_equal(y, 23);
}

static void another_size_is_a_key(void **state)
{
	struct world *w = *state;
	struct winsize size = { .ws_row = 50, .ws_col = 200 };
	int width, height, x, y;

	open_term(TERM_COLOURS_AUTO);
	assert_int_equal(ioctl(w->master, TIOCSWINSZ, &size), 0);
	raise(SIGWINCH);
	assert_int_equal(term_wait(&nothing, 1, PATIENCE_MS), 0);
	assert_int_equal(term_key(&x, &y), WATCH_KEY_OTHER);
	term_size(&width, &height);
	assert_int_equal(width, 200);
	assert_int_equal(height, 50);
}

/* ---- Waiting */

static void a_wait_ends_for_a_key_an_answer_or_its_time(void **state)
{
	struct world *w = *state;
	int ends[2], x, y;
	int64_t from;

	open_term(TERM_COLOURS_AUTO);
	assert_int_equal(pipe(ends), 0);
	from = now_ms();
	assert_int_equal(term_wait(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, 30), 0);
	assert_true(now_ms() - from >= 29);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(term_wait((struct pollfd[]){ { .fd = -1 }, { .fd = ends[0], .events = POLLIN } }, 2, -1), 0);
	assert_int_equal(write(w->master, "k", 1), 1);
	assert_int_equal(term_wait(&nothing, 1, -1), 0);
	assert_int_equal(term_key(&x, &y), 'k');
	close(ends[0]);
	close(ends[1]);
}

/* A signal that comes between two waits is not lost: the next wait ends at once. */
static void a_signal_or_a_hangup_ends_it(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		open_term(TERM_COLOURS_AUTO);
		raise(signals[i]);
		assert_int_equal(term_wait(&nothing, 1, -1), -EINTR);
		term_close();
	}
	open_term(TERM_COLOURS_AUTO);
	assert_int_equal(term_wait(&nothing, 1, 0), 0);
	close(w->master);
	w->master = -1;
	assert_int_equal(term_wait(&nothing, 1, -1), -EINTR);
}

#define ON_A_TERMINAL(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_TERMINAL(only_a_terminal_can_be_drawn_on),
		ON_A_TERMINAL(closing_gives_all_back),
		ON_A_TERMINAL(a_crash_gives_all_back),
		ON_A_TERMINAL(text_stands_at_its_cell),
		ON_A_TERMINAL(colours_are_those_of_the_look),
		ON_A_TERMINAL(fewer_colours_have_their_own_numbers),
		ON_A_TERMINAL(no_color_is_heeded_unless_told_otherwise),
		ON_A_TERMINAL(keys_are_decoded),
		ON_A_TERMINAL(both_codes_of_backspace_are_known),
		ON_A_TERMINAL(the_mouse_clicks_and_scrolls),
		ON_A_TERMINAL(another_size_is_a_key),
		ON_A_TERMINAL(a_wait_ends_for_a_key_an_answer_or_its_time),
		ON_A_TERMINAL(a_signal_or_a_hangup_ends_it),
	};

	setenv("LC_ALL", "C.UTF-8", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
