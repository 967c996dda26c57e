#ifndef LOITER_UI_KEY_H
#define LOITER_UI_KEY_H

#include <stdint.h>

/*
 * A key as one number: the character it types, a control character (KEY_CTRL), or one of these,
 * which lie above Unicode.
 */
#define KEY_CTRL(letter) ((uint32_t)((letter)&0x1f))

enum key_code {
	KEYCODE_NONE = 0,
	KEYCODE_UP = 0x110000,
	KEYCODE_DOWN,
	KEYCODE_LEFT,
	KEYCODE_RIGHT,
	KEYCODE_SHIFT_LEFT,
	KEYCODE_SHIFT_RIGHT,
	KEYCODE_PAGE_UP,
	KEYCODE_PAGE_DOWN,
	KEYCODE_HOME,
	KEYCODE_END,
	KEYCODE_ENTER,
	KEYCODE_BACKSPACE,
	KEYCODE_DELETE,
	KEYCODE_ESCAPE,
	KEYCODE_TAB,
	KEYCODE_SHIFT_TAB,
	KEYCODE_F1,
	KEYCODE_LIMIT,
};

#define KEY_LABEL_MAX 16

/* "Enter", "Ctrl-L", "PgDn", "q". Returns `name`. */
const char *key_label(uint32_t key, char name[KEY_LABEL_MAX]);

#endif
