#ifndef LOITER_UI_PROMPT_H
#define LOITER_UI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A line that the user types: the keys go here while it is open. Knows nothing of what the text is
 * for. The history is per prompt and lives as long as it.
 */
#define PROMPT_LENGTH_MAX  200 /* characters */
#define PROMPT_TEXT_MAX    (4 * PROMPT_LENGTH_MAX + 1)
#define PROMPT_HISTORY_MAX 32

struct prompt {
	uint32_t line[PROMPT_LENGTH_MAX]; /* code points */
	int length;
	int cursor;
	bool open;
	const char *title;                                 /* shown in front: "/"; static text */
	char history[PROMPT_HISTORY_MAX][PROMPT_TEXT_MAX]; /* oldest first */
	int history_count;
	int history_at; /* history_count = the new line */
};

enum prompt_result {
	PROMPT_EDITING,
	PROMPT_DONE,      /* Enter: the text is the answer */
	PROMPT_CANCELLED, /* Esc, Ctrl-C, or Backspace in an empty line */
};

void prompt_open(struct prompt *prompt, const char *title);
enum prompt_result prompt_key(struct prompt *prompt, uint32_t key);
/* As UTF-8. Returns `out`. */
const char *prompt_text(const struct prompt *prompt, char out[PROMPT_TEXT_MAX]);

#endif
