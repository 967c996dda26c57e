#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "viewer/ui/key.h"
#include "viewer/ui/list.h"
#include "viewer/ui/prompt.h"
#include "viewer/ui/search.h"

static struct prompt prompt;
static char text[PROMPT_TEXT_MAX];

static void fresh(void)
{
	memset(&prompt, 0, sizeof(prompt));
	prompt_open(&prompt, "/");
}

static void type(const char *keys)
{
	for (; *keys; keys++)
		assert_int_equal(prompt_key(&prompt, (unsigned char)*keys), PROMPT_EDITING);
}

static void letters_are_inserted_at_the_cursor(void **state)
{
	(void)state;
	fresh();
	type("held");
	prompt_key(&prompt, KEYCODE_LEFT);
	prompt_key(&prompt, KEYCODE_LEFT);
	type("l");
	prompt_key(&prompt, KEYCODE_END);
	type("!");
	prompt_key(&prompt, KEYCODE_HOME);
	prompt_key(&prompt, KEYCODE_LEFT);
	prompt_key(&prompt, KEYCODE_DELETE);
	assert_string_equal(prompt_text(&prompt, text), "elld!");
}

static void words_and_beginnings_are_erased(void **state)
{
	(void)state;
	fresh();
	type("mutex lock  ");
	prompt_key(&prompt, KEY_CTRL('W'));
	assert_string_equal(prompt_text(&prompt, text), "mutex ");
	type("abc");
	prompt_key(&prompt, KEYCODE_LEFT);
	prompt_key(&prompt, KEY_CTRL('U'));
	assert_string_equal(prompt_text(&prompt, text), "c");
}

static void the_line_has_a_limit(void **state)
{
	(void)state;
	fresh();
	for (int i = 0; i < PROMPT_LENGTH_MAX + 50; i++)
		prompt_key(&prompt, 0x1f600);
	assert_int_equal(strlen(prompt_text(&prompt, text)), 4 * PROMPT_LENGTH_MAX);
}

static void unknown_keys_and_controls_are_not_typed(void **state)
{
	(void)state;
	fresh();
	prompt_key(&prompt, KEYCODE_F1);
	prompt_key(&prompt, KEYCODE_PAGE_UP);
	prompt_key(&prompt, KEY_CTRL('G'));
	prompt_key(&prompt, 0x7f);
	assert_string_equal(prompt_text(&prompt, text), "");
}

static void enter_answers_and_escape_does_not(void **state)
{
	(void)state;
	fresh();
	type("abc");
	assert_int_equal(prompt_key(&prompt, KEYCODE_ENTER), PROMPT_DONE);
	assert_false(prompt.open);
	assert_string_equal(prompt_text(&prompt, text), "abc");
	prompt_open(&prompt, "/");
	type("abd");
	assert_int_equal(prompt_key(&prompt, KEYCODE_ESCAPE), PROMPT_CANCELLED);
	assert_false(prompt.open);
}

static void backspace_in_an_empty_line_leaves(void **state)
{
	(void)state;
	fresh();
	type("a");
	assert_int_equal(prompt_key(&prompt, KEYCODE_BACKSPACE), PROMPT_EDITING);
	assert_int_equal(prompt_key(&prompt, KEYCODE_BACKSPACE), PROMPT_CANCELLED);
}

static void answers_come_back_with_the_arrows(void **state)
{
	(void)state;
	fresh();
	for (int i = 0; i < PROMPT_HISTORY_MAX + 5; i++) {
		prompt_open(&prompt, "/");
		type("a");
		prompt_key(&prompt, (uint32_t)('a' + i % 26));
		prompt_key(&prompt, KEYCODE_ENTER);
	}
	prompt_open(&prompt, "/");
	assert_int_equal(prompt.history_count, PROMPT_HISTORY_MAX);
	prompt_key(&prompt, KEYCODE_UP);
	prompt_key(&prompt, KEYCODE_UP);
	assert_string_equal(prompt_text(&prompt, text), "aj");
	prompt_key(&prompt, KEYCODE_DOWN);
	assert_string_equal(prompt_text(&prompt, text), "ak");
	prompt_key(&prompt, KEYCODE_DOWN);
	prompt_key(&prompt, KEYCODE_DOWN);
	assert_string_equal(prompt_text(&prompt, text), "");
	for (int i = 0; i < 100; i++)
		prompt_key(&prompt, KEYCODE_UP);
	assert_string_equal(prompt_text(&prompt, text), "af");
}

static void small_letters_match_capitals_but_not_the_other_way(void **state)
{
	struct search search;

	(void)state;
	search_init(&search);
	assert_false(search_matches(&search, "anything"));
	assert_int_equal(search_set(&search, "emit|lock$", NULL), LO_OK);
	assert_true(search_matches(&search, "Audit_EMIT"));
	assert_true(search_matches(&search, "mutex lock"));
	assert_false(search_matches(&search, "lock mutex"));
	assert_int_equal(search_set(&search, "Emit", NULL), LO_OK);
	assert_false(search_matches(&search, "emit"));
	assert_int_equal(search_set(&search, "", NULL), LO_OK);
	assert_false(search_is_set(&search));
	search_release(&search);
	search_release(&search);
}

static void a_wrong_pattern_keeps_the_one_before(void **state)
{
	struct search search;
	struct lo_error err;

	(void)state;
	search_init(&search);
	search_set(&search, "good", NULL);
	assert_int_equal(search_set(&search, "(", &err), LO_USAGE);
	assert_true(strlen(err.message) > 0);
	assert_true(search_matches(&search, "good"));
	search_release(&search);
}

static bool is_third(void *context, int row)
{
	(void)context;
	return row % 3 == 0;
}

static bool is_none(void *context, int row)
{
	(void)context;
	(void)row;
	return false;
}

static void a_search_wraps_around_both_ends(void **state)
{
	struct search_rows rows = { 10, is_third, NULL };

	(void)state;
	/* Rows 0, 3, 6 and 9 match. */
	assert_int_equal(search_next(&rows, 0, 1).row, 3);
	assert_int_equal(search_next(&rows, 0, 1).rank, 2);
	assert_int_equal(search_next(&rows, 0, 1).count, 4);
	assert_int_equal(search_next(&rows, 9, 1).row, 0);
	assert_int_equal(search_next(&rows, 0, -1).row, 9);
	assert_int_equal(search_next(&rows, 0, -1).rank, 4);
	assert_int_equal(search_next(&rows, 5, -1).row, 3);
	assert_int_equal(search_next(&rows, 5, 1).row, 6);
	rows.matches = is_none;
	assert_int_equal(search_next(&rows, 4, 1).row, -1);
	assert_int_equal(search_next(&rows, 4, 1).count, 0);
	rows.count = 0;
	assert_int_equal(search_next(&rows, 0, 1).row, -1);
	rows = (struct search_rows){ 1, is_third, NULL };
	assert_int_equal(search_next(&rows, 0, 1).row, 0);
	rows.count = 3;
	assert_int_equal(search_next(&rows, 0, -1).row, 0);
}

static void a_list_keeps_its_selection_in_sight(void **state)
{
	struct list list = { .count = 0 };

	(void)state;
	list_show(&list, 0, 5);
	assert_true(list_act(&list, ACTION_DOWN));
	assert_int_equal(list.selected, 0);
	list_show(&list, 100, 10);
	list_act(&list, ACTION_LAST);
	list_show(&list, 100, 10);
	assert_int_equal(list.selected, 99);
	assert_int_equal(list.top, 90);
	list_act(&list, ACTION_PAGE_UP);
	list_show(&list, 100, 10);
	assert_int_equal(list.selected, 90);
	assert_int_equal(list.top, 81);
	for (int i = 0; i < 9; i++)
		list_act(&list, ACTION_UP);
	list_show(&list, 100, 10);
	assert_int_equal(list.top, 81);
	list_act(&list, ACTION_UP);
	list_show(&list, 100, 10);
	assert_int_equal(list.top, 80);
	list_jump(&list, 40);
	list_show(&list, 100, 10);
	assert_int_equal(list.selected, 40);
	assert_int_equal(list.top, 35);
	list_jump(&list, 44);
	list_show(&list, 100, 10);
	assert_int_equal(list.top, 35);
	for (int i = 0; i < 20; i++)
		list_act(&list, ACTION_HALF_UP);
	list_show(&list, 100, 10);
	assert_int_equal(list.selected, 0);
	assert_int_equal(list.top, 0);
	list_act(&list, ACTION_LAST);
	list_show(&list, 3, 10);
	assert_int_equal(list.selected, 2);
	assert_int_equal(list.top, 0);
	list_show(&list, 3, 0);
	assert_int_equal(list.top, 2);
	assert_false(list_act(&list, ACTION_ZOOM_IN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_are_inserted_at_the_cursor),
		cmocka_unit_test(words_and_beginnings_are_erased),
		cmocka_unit_test(the_line_has_a_limit),
		cmocka_unit_test(unknown_keys_and_controls_are_not_typed),
		cmocka_unit_test(enter_answers_and_escape_does_not),
		cmocka_unit_test(backspace_in_an_empty_line_leaves),
		cmocka_unit_test(answers_come_back_with_the_arrows),
		cmocka_unit_test(small_letters_match_capitals_but_not_the_other_way),
		cmocka_unit_test(a_wrong_pattern_keeps_the_one_before),
		cmocka_unit_test(a_search_wraps_around_both_ends),
		cmocka_unit_test(a_list_keeps_its_selection_in_sight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
