#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "viewer/ui/keymap.h"

static void a_key_stands_in_one_row_only(void **state)
{
	(void)state;
	for (const struct key_binding *a = default_keys; a->key; a++)
		for (const struct key_binding *b = a + 1; b->key; b++)
			if (a->key == b->key) {
				char name[KEY_LABEL_MAX];

				fail_msg("%s is bound twice", key_label(a->key, name));
			}
}

static void every_row_names_an_action_and_a_scope(void **state)
{
	(void)state;
	for (const struct key_binding *row = default_keys; row->key; row++) {
		assert_in_range(row->action, ACTION_NONE + 1, ACTION_COUNT - 1);
		assert_int_not_equal(row->scopes, 0);
		assert_int_equal(row->scopes & ~(unsigned)SCOPE_ANY, 0);
	}
}

static void every_action_has_a_key_a_name_and_help(void **state)
{
	(void)state;
	for (int action = ACTION_NONE + 1; action < ACTION_COUNT; action++) {
		const struct action_info *info = &action_infos[action];

		assert_non_null(info->name);
		assert_non_null(info->help);
		assert_in_range(info->group, 0, ACTION_GROUP_COUNT - 1);
		if (keymap_key(SCOPE_ANY, (enum action)action, 0) == KEYCODE_NONE)
			fail_msg("no key for %s", info->name);
		for (int other = action + 1; other < ACTION_COUNT; other++)
			assert_string_not_equal(info->name, action_infos[other].name);
	}
	for (int group = 0; group < ACTION_GROUP_COUNT; group++)
		assert_non_null(action_group_names[group]);
}

/* What no terminal may lack: the layout-safe ways next to the letters. */
static void letters_and_arrows_do_the_same(void **state)
{
	static const struct {
		uint32_t letter;
		uint32_t other;
	} pairs[] = {
		{ 'j', KEYCODE_DOWN },
		{ 'k', KEYCODE_UP },
		{ 'h', KEYCODE_LEFT },
		{ 'l', KEYCODE_RIGHT },
		{ 'w', '+' },
		{ 's', '-' },
		{ 'a', KEYCODE_SHIFT_LEFT },
		{ 'd', KEYCODE_SHIFT_RIGHT },
		{ '?', KEYCODE_F1 },
		{ 'Q', KEY_CTRL('C') },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		assert_int_not_equal(keymap_find(SCOPE_TIMELINE, pairs[i].letter), ACTION_NONE);
		assert_int_equal(keymap_find(SCOPE_TIMELINE, pairs[i].letter),
				keymap_find(SCOPE_TIMELINE, pairs[i].other));
	}
}

static void escape_never_quits(void **state)
{
	(void)state;
	for (unsigned scope = 1; scope & SCOPE_ANY; scope <<= 1) {
		assert_int_equal(keymap_find(scope, KEYCODE_ESCAPE), ACTION_CANCEL);
		assert_int_equal(keymap_find(scope, 'q'), ACTION_CLOSE);
		assert_int_equal(keymap_find(scope, '?'), ACTION_HELP);
	}
}

static void a_key_means_nothing_outside_its_scope(void **state)
{
	(void)state;
	assert_int_equal(keymap_find(SCOPE_TIMELINE, 'w'), ACTION_ZOOM_IN);
	assert_int_equal(keymap_find(SCOPE_FINDINGS, 'w'), ACTION_NONE);
	assert_int_equal(keymap_find(SCOPE_FLAME, 'V'), ACTION_WEIGHT);
	assert_int_equal(keymap_find(SCOPE_TASKS, 'V'), ACTION_NONE);
	assert_int_equal(keymap_find(SCOPE_ANY, 0xe9), ACTION_NONE);
}

static void keys_of_an_action_are_listed_best_first(void **state)
{
	char keys[80];

	(void)state;
	assert_string_equal(keymap_keys(SCOPE_TIMELINE, ACTION_ZOOM_IN, keys, sizeof(keys)), "w +");
	assert_string_equal(
			keymap_keys(SCOPE_FINDINGS, ACTION_QUIT, keys, sizeof(keys)), "Q Ctrl-C");
	assert_string_equal(keymap_keys(SCOPE_FINDINGS, ACTION_ZOOM_IN, keys, sizeof(keys)), "");
	assert_string_equal(keymap_keys(SCOPE_TIMELINE, ACTION_ZOOM_IN, keys, 2), "w");
}

static void keys_have_names_that_people_know(void **state)
{
	char name[KEY_LABEL_MAX];

	(void)state;
	assert_string_equal(key_label(KEYCODE_PAGE_DOWN, name), "PgDn");
	assert_string_equal(key_label(KEY_CTRL('L'), name), "Ctrl-L");
	assert_string_equal(key_label('q', name), "q");
	assert_string_equal(key_label(' ', name), "Space");
	assert_string_equal(key_label(0xe9, name), "U+00E9");
	for (uint32_t key = KEYCODE_UP; key < KEYCODE_LIMIT; key++)
		assert_true(strlen(key_label(key, name)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_stands_in_one_row_only),
		cmocka_unit_test(every_row_names_an_action_and_a_scope),
		cmocka_unit_test(every_action_has_a_key_a_name_and_help),
		cmocka_unit_test(letters_and_arrows_do_the_same),
		cmocka_unit_test(escape_never_quits),
		cmocka_unit_test(a_key_means_nothing_outside_its_scope),
		cmocka_unit_test(keys_of_an_action_are_listed_best_first),
		cmocka_unit_test(keys_have_names_that_people_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
