#include "viewer/ui/keymap.h"

#include <stdio.h>
#include <string.h>

enum action keymap_find(unsigned scope, uint32_t key)
{
	for (const struct key_binding *row = default_keys; row->key; row++)
		if (row->key == key && (row->scopes & scope))
			return row->action;
	return ACTION_NONE;
}

uint32_t keymap_key(unsigned scope, enum action action, unsigned i)
{
	for (const struct key_binding *row = default_keys; row->key; row++)
		if (row->action == action && (row->scopes & scope) && i-- == 0)
			return row->key;
	return KEYCODE_NONE;
}

const char *keymap_keys(unsigned scope, enum action action, char *out, size_t capacity)
{
	char name[KEY_LABEL_MAX];
	uint32_t key;

	*out = '\0';
	for (unsigned i = 0; (key = keymap_key(scope, action, i)) != KEYCODE_NONE; i++) {
		size_t length = strlen(out);

		snprintf(out + length, capacity - length, "%s%s", i ? " " : "",
				key_label(key, name));
	}
	return out;
}
