#include "viewer/ui/key.h"

#include <stdio.h>

static const char *const code_names[] = {
	[KEYCODE_UP - KEYCODE_UP] = "Up",
	[KEYCODE_DOWN - KEYCODE_UP] = "Down",
	[KEYCODE_LEFT - KEYCODE_UP] = "Left",
	[KEYCODE_RIGHT - KEYCODE_UP] = "Right",
	[KEYCODE_SHIFT_LEFT - KEYCODE_UP] = "Shift-Left",
	[KEYCODE_SHIFT_RIGHT - KEYCODE_UP] = "Shift-Right",
	[KEYCODE_PAGE_UP - KEYCODE_UP] = "PgUp",
	[KEYCODE_PAGE_DOWN - KEYCODE_UP] = "PgDn",
	[KEYCODE_HOME - KEYCODE_UP] = "Home",
	[KEYCODE_END - KEYCODE_UP] = "End",
	[KEYCODE_ENTER - KEYCODE_UP] = "Enter",
	[KEYCODE_BACKSPACE - KEYCODE_UP] = "Backspace",
	[KEYCODE_DELETE - KEYCODE_UP] = "Delete",
	[KEYCODE_ESCAPE - KEYCODE_UP] = "Esc",
	[KEYCODE_TAB - KEYCODE_UP] = "Tab",
	[KEYCODE_SHIFT_TAB - KEYCODE_UP] = "Shift-Tab",
	[KEYCODE_F1 - KEYCODE_UP] = "F1",
};

const char *key_label(uint32_t key, char name[KEY_LABEL_MAX])
{
	if (key >= KEYCODE_UP && key < KEYCODE_LIMIT)
		snprintf(name, KEY_LABEL_MAX, "%s", code_names[key - KEYCODE_UP]);
	else if (key < 0x20)
		snprintf(name, KEY_LABEL_MAX, "Ctrl-%c", (int)(key + '@'));
	else if (key == ' ')
		snprintf(name, KEY_LABEL_MAX, "Space");
	else if (key < 0x7f)
		snprintf(name, KEY_LABEL_MAX, "%c", (int)key);
	else
		snprintf(name, KEY_LABEL_MAX, "U+%04X", (unsigned)key);
	return name;
}
