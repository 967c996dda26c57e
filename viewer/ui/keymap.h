#ifndef LOITER_UI_KEYMAP_H
#define LOITER_UI_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

#include "viewer/ui/action.h"
#include "viewer/ui/key.h"

/* Where a key counts: the view that has the keys. Sets of these. */
enum scope {
	SCOPE_FINDINGS = 1 << 0,
	SCOPE_TIMELINE = 1 << 1,
	SCOPE_FLAME = 1 << 2,
	SCOPE_TASKS = 1 << 3,
	SCOPE_DETAIL = 1 << 4,
	SCOPE_HELP = 1 << 5,
};

#define SCOPE_ANY   (SCOPE_VIEWS | SCOPE_HELP)
#define SCOPE_VIEWS (SCOPE_FINDINGS | SCOPE_TIMELINE | SCOPE_FLAME | SCOPE_TASKS | SCOPE_DETAIL)

/*
 * One key, one meaning: a key stands in one row only, whatever the scope, so that what the fingers
 * learned in one view is never wrong in another.
 */
struct key_binding {
	uint32_t key;
	enum action action;
	unsigned scopes;
};

/* Ends with key KEYCODE_NONE. Of several keys for one action the first is the one to show. */
extern const struct key_binding default_keys[];

/* ACTION_NONE when the key means nothing there. */
enum action keymap_find(unsigned scope, uint32_t key);

/* The `i`-th key bound to the action in this scope, KEYCODE_NONE past the last. */
uint32_t keymap_key(unsigned scope, enum action action, unsigned i);

/* All keys of the action in this scope, "j Down"; "" when none. Returns `out`. */
const char *keymap_keys(unsigned scope, enum action action, char *out, size_t capacity);

#endif
