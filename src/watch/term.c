/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/term.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include <curses.h>
#include <term.h>

enum { RESTORE_BYTES = 512, ESCAPE_MS = 25, COLOURS_OF_MANY = 256, GROUND_DEFAULT = -1 };

/* The fatal ones first. */
static const int caught[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGQUIT, SIGTERM, SIGINT, SIGHUP };

enum { CAUGHT = sizeof(caught) / sizeof(caught[0]), FATALS = 7 };

/* There is one terminal, and signal handlers have no context. */
static struct {
	SCREEN *screen;
	const struct term_look *look;
	size_t looks;
	bool colours;
	struct termios before;
	char restore[RESTORE_BYTES]; /* restores the screen, for a signal handler, which may only write(2) */
	size_t restore_len;
	sigset_t waiting; /* the signal mask while waiting, which alone lets signals in */
	struct sigaction old[CAUGHT];
} term;

static volatile sig_atomic_t told_to_end;

/* ---- Signals and restoring */

static void put_back(int signo)
{
	ssize_t ignored = write(STDOUT_FILENO, term.restore, term.restore_len);

	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &term.before);
	/* SA_RESETHAND: the signal now has its default effect. */
	raise(signo);
}

static void end(int signo)
{
	(void)signo;
	told_to_end = 1;
}

/* Appends a capability without its padding, "$<5>". */
static void keep(const char *text)
{
	if (!text || text == (const char *)-1)
		return;
	for (; *text && term.restore_len < sizeof(term.restore); text++) {
		if (text[0] == '$' && text[1] == '<' && strchr(text, '>'))
			text = strchr(text, '>');
		else
			term.restore[term.restore_len++] = *text;
	}
}

static void keep_restore(void)
{
	static const char no_mouse[] = "\033[?1000l\033[?1002l\033[?1003l\033[?1006l";
	static const char *const names[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup" };
	const char *kmous = tigetstr("kmous");

	term.restore_len = 0;
	if (kmous && kmous != (const char *)-1)
		keep(no_mouse);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		keep(tigetstr(names[i]));
}

static void catch_signals(void)
{
	struct sigaction last = { .sa_handler = put_back, .sa_flags = SA_RESETHAND | SA_NODEFER };
	struct sigaction soft = { .sa_handler = end };

	/* Before curses starts: it leaves signals that have a handler alone. */
	for (int i = 0; i < CAUGHT; i++)
		sigaction(caught[i], i < FATALS ? &last : &soft, &term.old[i]);
	signal(SIGPIPE, SIG_IGN);
}

/* From here on these signals arrive only in term_wait(), so that none is missed just before it waits. */
static void hold_signals(void)
{
	static const int held[] = { SIGTERM, SIGINT, SIGHUP, SIGWINCH, SIGTSTP };
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	term.waiting = set;
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		sigaddset(&set, held[i]);
		sigdelset(&term.waiting, held[i]);
	}
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void let_signals_go(void)
{
	for (int i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &term.old[i], NULL);
	sigprocmask(SIG_SETMASK, &term.waiting, NULL);
}

/* ---- Opening and closing */

bool term_locale(void)
{
	/* LC_CTYPE only: numbers keep their decimal point. */
	return setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8");
}

int term_check(void)
{
	const char *name = getenv("TERM");
	int error;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || (name && !strcmp(name, "dumb")))
		return -ENOTTY;
	if (!name || !*name || setupterm(name, STDOUT_FILENO, &error) != OK)
		return -ENODEV;
	/* The cursor must be movable. */
	return tigetstr("cup") ? 0 : -ENOTTY;
}

static void set_colours(enum term_colours colours)
{
	const char *no = getenv("NO_COLOR");

	term.colours = colours != TERM_COLOURS_NEVER && (colours == TERM_COLOURS_ALWAYS || !no || !*no) && has_colors();
	if (!term.colours)
		return;
	start_color();
	use_default_colors();
	for (size_t i = 0; i < term.looks && (int)i + 1 < COLOR_PAIRS; i++) {
		const struct term_look *look = &term.look[i];
		bool many = COLORS >= COLOURS_OF_MANY;
		short colour = many ? look->colour : look->colour16, ground = many ? look->ground : look->ground16;

		init_pair((short)(i + 1), colour < COLORS ? colour : (short)(colour % 8),
			ground < COLORS ? ground : GROUND_DEFAULT);
	}
}

int term_open(const struct term_look *looks, size_t count, enum term_colours colours)
{
	if (tcgetattr(STDIN_FILENO, &term.before) != 0)
		return -ENODEV;
	term.look = looks;
	term.looks = count;
	told_to_end = 0;
	catch_signals();
	term.screen = newterm(NULL, stdout, stdin);
	if (!term.screen) {
		let_signals_go();
		return -ENODEV;
	}
	keep_restore();
	hold_signals();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	set_colours(colours);
	mouseinterval(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	return 0;
}

void term_close(void)
{
	if (!term.screen)
		return;
	mousemask(0, NULL);
	endwin();
	delscreen(term.screen);
	term.screen = NULL;
	tcsetattr(STDIN_FILENO, TCSANOW, &term.before);
	let_signals_go();
}

/* ---- Drawing */

void term_size(int *width, int *height)
{
	*width = COLS;
	*height = LINES;
}

void term_begin(void)
{
	erase();
}

void term_put(int x, int y, unsigned int look, const char *text)
{
	const struct term_look *l = look < term.looks ? &term.look[look] : NULL;
	attr_t attributes = A_NORMAL;

	if (l && l->bold)
		attributes |= A_BOLD;
	/* With colours, dim is a colour. */
	if (l && l->dim && !term.colours)
		attributes |= A_DIM;
	if (l && l->reverse)
		attributes |= A_REVERSE;
	attr_set(attributes, term.colours && l ? (short)(look + 1) : 0, NULL);
	mvaddstr(y, x, text);
}

void term_show(void)
{
	refresh();
}

/* ---- Keys */

int term_wait(const struct pollfd *polled, size_t count, int timeout_ms)
{
	struct pollfd all[1 + TERM_FDS] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	struct timespec time = { .tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L };
	int ready;

	memcpy(all + 1, polled, count * sizeof(*polled));
	ready = ppoll(all, 1 + count, timeout_ms < 0 ? NULL : &time, &term.waiting);
	/* A terminal that was closed ends the program too. */
	return told_to_end || (ready > 0 && all[0].revents & (POLLHUP | POLLERR | POLLNVAL)) ? -EINTR : 0;
}

static int key_of_mouse(int *x, int *y)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return WATCH_KEY_OTHER;
	*x = event.x;
	*y = event.y;
	if (event.bstate & BUTTON4_PRESSED)
		return WATCH_KEY_WHEEL_UP;
	if (event.bstate & BUTTON5_PRESSED)
		return WATCH_KEY_WHEEL_DOWN;
	return event.bstate & BUTTON1_PRESSED ? WATCH_KEY_CLICK : WATCH_KEY_OTHER;
}

static int key_of_code(wint_t code, int *x, int *y)
{
	static const struct {
		wint_t code;
		int key;
	} keys[] = {
		{ KEY_UP, WATCH_KEY_UP },
		{ KEY_DOWN, WATCH_KEY_DOWN },
		{ KEY_PPAGE, WATCH_KEY_PAGE_UP },
		{ KEY_NPAGE, WATCH_KEY_PAGE_DOWN },
		{ KEY_HOME, WATCH_KEY_HOME },
		{ KEY_END, WATCH_KEY_END },
		{ KEY_ENTER, WATCH_KEY_ENTER },
		{ KEY_BACKSPACE, WATCH_KEY_BACKSPACE },
	};

	if (code == KEY_MOUSE)
		return key_of_mouse(x, y);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return WATCH_KEY_OTHER;
}

int term_key(int *x, int *y)
{
	wint_t code;

	switch (get_wch(&code)) {
	case KEY_CODE_YES:
		return key_of_code(code, x, y);
	case OK:
		if (code == '\r' || code == '\n')
			return WATCH_KEY_ENTER;
		if (code == '\b' || code == 0x7f)
			return WATCH_KEY_BACKSPACE;
		return code == 0x1b ? WATCH_KEY_ESCAPE : (int)code;
	default:
		return WATCH_KEY_NONE;
	}
}
