#include "viewer/ui/prompt.h"

#include <stdio.h>
#include <string.h>

#include "formats/base/printable.h"
#include "viewer/ui/key.h"
#include "viewer/ui/utf8.h"

void prompt_open(struct prompt *prompt, const char *title)
{
	prompt->open = true;
	prompt->title = title;
	prompt->length = prompt->cursor = 0;
	prompt->history_at = prompt->history_count;
}

const char *prompt_text(const struct prompt *prompt, char out[PROMPT_TEXT_MAX])
{
	size_t at = 0;

	for (int i = 0; i < prompt->length; i++)
		at += utf8_put(out + at, prompt->line[i]);
	out[at] = '\0';
	return out;
}

static void set_text(struct prompt *prompt, const char *text)
{
	size_t length = strlen(text);

	prompt->length = 0;
	while (length > 0 && prompt->length < PROMPT_LENGTH_MAX) {
		size_t used = printable_next(text, length, &prompt->line[prompt->length++]);

		text += used;
		length -= used;
	}
	prompt->cursor = prompt->length;
}

static void erase(struct prompt *prompt, int from, int to)
{
	memmove(prompt->line + from, prompt->line + to,
			(size_t)(prompt->length - to) * sizeof(*prompt->line));
	prompt->length -= to - from;
	prompt->cursor = from;
}

static void insert(struct prompt *prompt, uint32_t character)
{
	if (prompt->length == PROMPT_LENGTH_MAX)
		return;
	memmove(prompt->line + prompt->cursor + 1, prompt->line + prompt->cursor,
			(size_t)(prompt->length - prompt->cursor) * sizeof(*prompt->line));
	prompt->line[prompt->cursor++] = character;
	prompt->length++;
}

static void recall(struct prompt *prompt, int step)
{
	int at = prompt->history_at + step;

	if (at < 0 || at > prompt->history_count)
		return;
	prompt->history_at = at;
	set_text(prompt, at < prompt->history_count ? prompt->history[at] : "");
}

static void remember(struct prompt *prompt)
{
	char text[PROMPT_TEXT_MAX];

	if (prompt->length == 0)
		return;
	prompt_text(prompt, text);
	if (prompt->history_count > 0 &&
			strcmp(prompt->history[prompt->history_count - 1], text) == 0)
		return;
	if (prompt->history_count == PROMPT_HISTORY_MAX) {
		memmove(prompt->history[0], prompt->history[1],
				(PROMPT_HISTORY_MAX - 1) * sizeof(prompt->history[0]));
		prompt->history_count--;
	}
	memcpy(prompt->history[prompt->history_count++], text, sizeof(text));
}

static int word_start(const struct prompt *prompt)
{
	int at = prompt->cursor;

	while (at > 0 && prompt->line[at - 1] == ' ')
		at--;
	while (at > 0 && prompt->line[at - 1] != ' ')
		at--;
	return at;
}

static enum prompt_result finish(struct prompt *prompt, enum prompt_result result)
{
	if (result == PROMPT_DONE)
		remember(prompt);
	prompt->open = false;
	return result;
}

static void edit(struct prompt *prompt, uint32_t key)
{
	switch (key) {
	case KEYCODE_DELETE:
	case KEY_CTRL('D'):
		if (prompt->cursor < prompt->length)
			erase(prompt, prompt->cursor, prompt->cursor + 1);
		break;
	case KEYCODE_LEFT:
	case KEY_CTRL('B'):
		prompt->cursor -= prompt->cursor > 0;
		break;
	case KEYCODE_RIGHT:
	case KEY_CTRL('F'):
		prompt->cursor += prompt->cursor < prompt->length;
		break;
	case KEYCODE_HOME:
	case KEY_CTRL('A'):
		prompt->cursor = 0;
		break;
	case KEYCODE_END:
	case KEY_CTRL('E'):
		prompt->cursor = prompt->length;
		break;
	case KEY_CTRL('U'):
		erase(prompt, 0, prompt->cursor);
		break;
	case KEY_CTRL('W'):
		erase(prompt, word_start(prompt), prompt->cursor);
		break;
	case KEYCODE_UP:
		recall(prompt, -1);
		break;
	case KEYCODE_DOWN:
		recall(prompt, 1);
		break;
	default:
		if (key >= 0x20 && key != 0x7f && key < KEYCODE_UP)
			insert(prompt, key);
	}
}

enum prompt_result prompt_key(struct prompt *prompt, uint32_t key)
{
	switch (key) {
	case KEYCODE_ENTER:
		return finish(prompt, PROMPT_DONE);
	case KEYCODE_ESCAPE:
	case KEY_CTRL('C'):
		return finish(prompt, PROMPT_CANCELLED);
	case KEYCODE_BACKSPACE:
		if (prompt->length == 0)
			return finish(prompt, PROMPT_CANCELLED);
		if (prompt->cursor > 0)
			erase(prompt, prompt->cursor - 1, prompt->cursor);
		return PROMPT_EDITING;
	default:
		edit(prompt, key);
		return PROMPT_EDITING;
	}
}
