#include "viewer/ui/screen.h"

#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <term.h>
#undef columns /* term.h takes this word for a capability */

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "formats/base/macros.h"
#include "viewer/ui/theme.h"

#define ESCAPE_DELAY_MS 40 /* to tell the Esc key from the begin of a key's sequence */

struct screen {
	SCREEN *curses;
	struct canvas canvas;
	const struct theme *theme;
	cchar_t *line; /* one row for curses */
	int rows;      /* of the terminal; the canvas may have a limit */
	int columns;
	bool repaint;
};

/*
 * What signal handlers may touch: it is complete before the first handler is installed. The pipe
 * wakes the loop; `leave` is what the terminal wants to hear last.
 */
static struct {
	volatile sig_atomic_t end_signal;
	volatile sig_atomic_t stop_wanted; /* SIGTSTP, from outside: Ctrl-Z is a key like others */
	volatile sig_atomic_t continued;   /* SIGCONT: the shell may have used the terminal */
	int pipe[2];
	struct termios before;
	char leave[256];
	size_t leave_length;
} terminal;

static void note_signal(int number)
{
	int saved = errno;
	ssize_t ignored;

	if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT)
		terminal.end_signal = terminal.end_signal ? terminal.end_signal : number;
	if (number == SIGTSTP)
		terminal.stop_wanted = 1;
	if (number == SIGCONT)
		terminal.continued = 1;
	ignored = write(terminal.pipe[1], "", 1);
	(void)ignored; /* a full pipe wakes as well */
	errno = saved;
}

/* A crash of ours: only what is allowed in a handler, then die as we would have. */
static void crash(int number)
{
	ssize_t ignored = write(STDOUT_FILENO, terminal.leave, terminal.leave_length);

	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
	signal(number, SIG_DFL);
	raise(number);
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static const int noted_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };
static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

/* Before curses starts: it leaves signals alone that have a handler. */
static void install_handlers(void)
{
	for (size_t i = 0; i < LO_COUNT_OF(noted_signals); i++)
		handle(noted_signals[i], note_signal, 0);
	for (size_t i = 0; i < LO_COUNT_OF(crash_signals); i++)
		handle(crash_signals[i], crash, (int)SA_RESETHAND);
}

static void remove_handlers(void)
{
	for (size_t i = 0; i < LO_COUNT_OF(noted_signals); i++)
		handle(noted_signals[i], SIG_DFL, 0);
	for (size_t i = 0; i < LO_COUNT_OF(crash_signals); i++)
		handle(crash_signals[i], SIG_DFL, 0);
}

static const char *capability(const char *name)
{
	const char *text = tigetstr(name);

	return text == (const char *)-1 ? NULL : text;
}

/* Without the padding "$<5>" of terminals that need time: a dying program has none to wait. */
static void add_leave_string(const char *name)
{
	const char *text = capability(name);

	while (text && *text && terminal.leave_length < sizeof(terminal.leave)) {
		const char *end = strncmp(text, "$<", 2) == 0 ? strchr(text, '>') : NULL;

		if (end)
			text = end + 1;
		else
			terminal.leave[terminal.leave_length++] = *text++;
	}
}

/* What newterm() would only die of, told in a sentence; and what to send when we crash. */
static enum lo_result check_terminal(struct lo_error *err)
{
	const char *name = getenv("TERM");
	enum lo_result result = LO_OK;
	int status;

	if (!name || !*name)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"TERM is not set, so the kind of terminal is not known");
	if (setupterm(name, STDOUT_FILENO, &status) == ERR)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"there is no description of the terminal '%.60s' (TERM) on this "
				"machine; TERM=xterm or TERM=vt100 may do",
				name);
	if (!capability("cup"))
		result = lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"the terminal '%.60s' (TERM) cannot move its cursor", name);
	terminal.leave_length = 0;
	add_leave_string("sgr0");
	add_leave_string("cnorm");
	add_leave_string("rmkx");
	add_leave_string("rmcup");
	del_curterm(cur_term);
	return result;
}

static attr_t curses_attributes(const struct theme_style *style)
{
	attr_t attributes = A_NORMAL;

	if (style->attributes & THEME_BOLD)
		attributes |= A_BOLD;
	if (style->attributes & THEME_DIM)
		attributes |= A_DIM;
	if (style->attributes & THEME_REVERSE)
		attributes |= A_REVERSE;
	if (style->attributes & THEME_UNDERLINE)
		attributes |= A_UNDERLINE;
	return attributes;
}

/* Pair numbers are role + 1: pair 0 is the terminal's own. */
static void set_up_colors(struct screen *screen, bool mono)
{
	int colors = 0;

	if (!mono && has_colors() && start_color() == OK && use_default_colors() == OK)
		colors = COLORS;
	screen->theme = theme_choose(colors, mono || colors == 0);
	for (short role = 0; role < STYLE_COUNT && screen->theme->colors; role++)
		init_pair((short)(role + 1), screen->theme->styles[role].foreground,
				screen->theme->styles[role].background);
}

static enum lo_result start_curses(struct screen *screen, struct lo_error *err)
{
	screen->curses = newterm(NULL, stdout, stdin);
	if (!screen->curses)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"the terminal could not be set up");
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	meta(stdscr, TRUE);
	leaveok(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	curs_set(0);
	return LO_OK;
}

bool screen_locale_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

enum lo_result screen_open(
		struct screen **out, const struct screen_options *options, struct lo_error *err)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	enum lo_result result;

	if (!screen)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the screen");
	terminal.pipe[0] = terminal.pipe[1] = -1;
	terminal.end_signal = terminal.stop_wanted = terminal.continued = 0;
	canvas_init(&screen->canvas, options->ascii || !screen_locale_is_utf8());
	result = check_terminal(err);
	if (result != LO_OK)
		goto fail;
	if (pipe2(terminal.pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
		result = lo_fail_errno(err, errno, "cannot make a pipe");
		goto fail;
	}
	tcgetattr(STDIN_FILENO, &terminal.before);
	install_handlers();
	result = start_curses(screen, err);
	if (result != LO_OK)
		goto fail;
	set_up_colors(screen, options->mono || theme_no_color());
	result = screen_follow_size(screen, err);
	if (result != LO_OK)
		goto fail;
	*out = screen;
	return LO_OK;
fail:
	screen_close(screen);
	return result;
}

void screen_close(struct screen *screen)
{
	if (!screen)
		return;
	if (screen->curses) {
		endwin();
		delscreen(screen->curses);
	}
	if (terminal.pipe[0] >= 0) {
		remove_handlers();
		close(terminal.pipe[0]);
		close(terminal.pipe[1]);
		terminal.pipe[0] = terminal.pipe[1] = -1;
	}
	free(screen->line);
	canvas_release(&screen->canvas);
	free(screen);
}

struct canvas *screen_canvas(struct screen *screen)
{
	return &screen->canvas;
}

enum lo_result screen_follow_size(struct screen *screen, struct lo_error *err)
{
	struct winsize size;
	enum lo_result result;
	cchar_t *line;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
			(size.ws_row != LINES || size.ws_col != COLS))
		resizeterm(size.ws_row, size.ws_col);
	if (screen->line && screen->rows == LINES && screen->columns == COLS)
		return LO_OK;
	result = canvas_resize(&screen->canvas, LINES, COLS, err);
	if (result != LO_OK)
		return result;
	line = realloc(screen->line, (size_t)screen->canvas.columns * sizeof(*line));
	if (!line)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a line");
	screen->line = line;
	screen->rows = LINES;
	screen->columns = COLS;
	screen->repaint = true;
	return LO_OK;
}

static void convert_cell(const struct screen *screen, const struct canvas_cell *cell, cchar_t *out)
{
	const struct theme_style *style = &screen->theme->styles[cell->style];
	wchar_t text[CANVAS_MARKS + 2] = { (wchar_t)cell->character };

	for (int i = 0; i < CANVAS_MARKS; i++)
		text[i + 1] = (wchar_t)cell->marks[i];
	setcchar(out, text, curses_attributes(style),
			(short)(screen->theme->colors ? cell->style + 1 : 0), NULL);
}

static void put_row(struct screen *screen, int row)
{
	const struct canvas *canvas = &screen->canvas;
	const struct canvas_cell *cells = canvas->cells + (size_t)row * (size_t)canvas->columns;
	int count = 0;

	for (int i = 0; i < canvas->columns; i++)
		if (cells[i].width > 0)
			convert_cell(screen, &cells[i], &screen->line[count++]);
	mvadd_wchnstr(row, 0, screen->line, count);
}

/* Whatever the shell did to the terminal while we slept. */
static void take_terminal_again(struct screen *screen)
{
	terminal.continued = 0;
	reset_prog_mode();
	screen->repaint = true;
}

/* The terminal's own strings for moving the rest of a row; all needed, or none is used. */
struct shift_strings {
	const char *save;
	const char *restore;
	const char *plain; /* no attributes */
	const char *go_to;
	const char *remove_some;
	const char *insert_some;
};

static bool find_shift_strings(struct shift_strings *strings)
{
	*strings = (struct shift_strings){ capability("sc"), capability("rc"), capability("sgr0"),
		capability("cup"), capability("dch"), capability("ich") };
	return strings->save && strings->restore && strings->plain && strings->go_to &&
	       strings->remove_some && strings->insert_some;
}

/* The same in what curses believes to be on the terminal. */
static void shift_curses_row(int row, int left, int by)
{
	wmove(curscr, row, left);
	for (int i = 0; i < abs(by); i++)
		if (by > 0)
			wdelch(curscr);
		else
			winsch(curscr, ' ');
}

/*
 * A pan changes nearly every cell of a timeline, which curses would send one by one: up to 90 KB.
 * Two short strings per row do the same, since every cell is still there, some columns further.
 * Afterwards curses compares as usual and sends what is really new, so a hint that was wrong costs
 * bytes and nothing else. Cursor and attributes are put back: curses knows nothing of this.
 */
static void apply_shift(const struct canvas_shift *shift)
{
	struct shift_strings strings;

	if (shift->by == 0 || !find_shift_strings(&strings))
		return;
	putp(strings.save);
	putp(strings.plain);
	for (int row = shift->top; row < shift->top + shift->rows; row++) {
		putp(tiparm(strings.go_to, row, shift->left));
		putp(tiparm(shift->by > 0 ? strings.remove_some : strings.insert_some,
				abs(shift->by)));
		shift_curses_row(row, shift->left, shift->by);
	}
	putp(strings.restore);
	fflush(stdout); /* putp() writes by stdio, curses past it: ours must come first */
}

void screen_show(struct screen *screen)
{
	if (terminal.stop_wanted)
		screen_suspend(screen);
	if (terminal.continued)
		take_terminal_again(screen);
	if (screen->repaint)
		clearok(curscr, TRUE);
	else
		apply_shift(&screen->canvas.shift);
	screen->repaint = false;
	for (int row = 0; row < screen->canvas.rows; row++)
		put_row(screen, row);
	refresh();
}

void screen_repaint(struct screen *screen)
{
	screen->repaint = true;
}

void screen_suspend(struct screen *screen)
{
	terminal.stop_wanted = 0;
	endwin();
	handle(SIGTSTP, SIG_DFL, 0);
	kill(0, SIGTSTP); /* we sleep in here until SIGCONT */
	handle(SIGTSTP, note_signal, 0);
	screen->repaint = true;
	refresh(); /* ends what endwin() began: the modes are set again */
}

int screen_signal(const struct screen *screen)
{
	(void)screen;
	return terminal.end_signal;
}

int screen_wake_descriptor(const struct screen *screen)
{
	(void)screen;
	return terminal.pipe[0];
}

void screen_take_wake(struct screen *screen)
{
	char bytes[64];

	(void)screen;
	while (read(terminal.pipe[0], bytes, sizeof(bytes)) > 0)
		continue;
}
