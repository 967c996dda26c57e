#include "viewer/ui/input.h"

#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <unistd.h>

#include "viewer/ui/key.h"

static const struct {
	wint_t curses;
	uint32_t key;
} function_keys[] = {
	{ KEY_UP, KEYCODE_UP },
	{ KEY_DOWN, KEYCODE_DOWN },
	{ KEY_LEFT, KEYCODE_LEFT },
	{ KEY_RIGHT, KEYCODE_RIGHT },
	{ KEY_SLEFT, KEYCODE_SHIFT_LEFT },
	{ KEY_SRIGHT, KEYCODE_SHIFT_RIGHT },
	{ KEY_PPAGE, KEYCODE_PAGE_UP },
	{ KEY_NPAGE, KEYCODE_PAGE_DOWN },
	{ KEY_HOME, KEYCODE_HOME },
	{ KEY_END, KEYCODE_END },
	{ KEY_ENTER, KEYCODE_ENTER },
	{ KEY_BACKSPACE, KEYCODE_BACKSPACE },
	{ KEY_DC, KEYCODE_DELETE },
	{ KEY_BTAB, KEYCODE_SHIFT_TAB },
	{ KEY_F(1), KEYCODE_F1 },
};

/* Home and End are sent in more ways than terminal descriptions admit. */
void input_open(void)
{
	static const struct {
		const char *sequence;
		int key;
	} more[] = {
		{ "\033[H", KEY_HOME },
		{ "\033OH", KEY_HOME },
		{ "\033[1~", KEY_HOME },
		{ "\033[7~", KEY_HOME },
		{ "\033[F", KEY_END },
		{ "\033OF", KEY_END },
		{ "\033[4~", KEY_END },
		{ "\033[8~", KEY_END },
	};

	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
		if (key_defined(more[i].sequence) == 0)
			define_key(more[i].sequence, more[i].key);
}

static uint32_t from_function_key(wint_t code)
{
	for (size_t i = 0; i < sizeof(function_keys) / sizeof(*function_keys); i++)
		if (function_keys[i].curses == code)
			return function_keys[i].key;
	return KEYCODE_NONE;
}

static uint32_t from_character(wint_t character)
{
	switch (character) {
	case '\r':
	case '\n':
		return KEYCODE_ENTER;
	case '\t':
		return KEYCODE_TAB;
	case 0x1b:
		return KEYCODE_ESCAPE;
	case 0x08:
	case 0x7f:
		return KEYCODE_BACKSPACE;
	default:
		return (uint32_t)character;
	}
}

/* The rest of a control sequence, up to its final byte. */
static void swallow_parameters(void)
{
	wint_t code;

	while (wget_wch(stdscr, &code) == OK)
		if (code >= 0x40 && code <= 0x7e)
			return;
}

/*
 * Esc with more behind it is a key that the terminal description does not know (Ctrl-arrows,
 * bracketed paste, focus reports): its letters must not be taken for ours. Curses has waited for
 * ESCDELAY, so what belongs to it is here by now; nobody types that fast.
 */
static bool swallow_sequence(void)
{
	wint_t code;

	if (wget_wch(stdscr, &code) != OK)
		return false;
	if (code == 'O')
		return wget_wch(stdscr, &code) == OK;
	if (code != '[') {
		unget_wch((wchar_t)code);
		return false;
	}
	swallow_parameters();
	return true;
}

uint32_t input_next(void)
{
	wint_t code;

	for (;;) {
		uint32_t key;
		int kind = wget_wch(stdscr, &code);

		if (kind == ERR)
			return KEYCODE_NONE;
		if (kind == KEY_CODE_YES && code == KEY_MOUSE)
			swallow_parameters(); /* a report nobody asked for */
		key = kind == KEY_CODE_YES ? from_function_key(code) : from_character(code);
		if (key == KEYCODE_ESCAPE && swallow_sequence())
			continue;
		if (key != KEYCODE_NONE)
			return key;
	}
}

int input_descriptor(void)
{
	return STDIN_FILENO;
}
