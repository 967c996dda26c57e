#include <locale.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "viewer/ui/canvas.h"
#include "viewer/ui/theme.h"

static char *printed;

static const char *print(const struct canvas *canvas, bool marks)
{
	size_t size;
	FILE *out;

	free(printed);
	out = open_memstream(&printed, &size);
	canvas_print(canvas, out, marks);
	fclose(out);
	return printed;
}

static void start(struct canvas *canvas, int rows, int columns, bool ascii)
{
	canvas_init(canvas, ascii);
	assert_int_equal(canvas_resize(canvas, rows, columns, NULL), LO_OK);
}

/* The invariant of canvas.h: the widths of a row add up to its columns. */
static void check_widths(const struct canvas *canvas)
{
	for (int row = 0; row < canvas->rows; row++) {
		const struct canvas_cell *cells = canvas->cells + row * canvas->columns;
		int column = 0;

		while (column < canvas->columns) {
			assert_true(cells[column].width == 1 || cells[column].width == 2);
			if (cells[column].width == 2)
				assert_int_equal(cells[column + 1].width, 0);
			column += cells[column].width;
		}
		assert_int_equal(column, canvas->columns);
	}
}

static void text_is_clipped_at_the_pane_not_at_the_canvas(void **state)
{
	struct canvas canvas;
	struct pane rest;
	struct pane left;

	(void)state;
	start(&canvas, 2, 10, true);
	rest = pane_of(&canvas);
	left = pane_take_left(&rest, 4);
	pane_text(left, 0, 0, STYLE_TEXT, "abcdefgh");
	pane_text(rest, 1, 3, STYLE_TEXT, "xyz123");
	pane_text(rest, 2, 0, STYLE_TEXT, "below");
	pane_text(rest, -1, 0, STYLE_TEXT, "above");
	pane_put(rest, 0, -1, STYLE_TEXT, '!');
	assert_string_equal(print(&canvas, false), "abcd\n       xyz\n");
	canvas_release(&canvas);
}

static void cut_text_ends_in_an_ellipsis_within_its_width(void **state)
{
	struct canvas canvas;

	(void)state;
	start(&canvas, 3, 12, true);
	assert_int_equal(pane_text_end(pane_of(&canvas), 0, 0, 5, STYLE_TEXT, "abcde"), 5);
	assert_int_equal(pane_text_end(pane_of(&canvas), 1, 0, 5, STYLE_TEXT, "abcdef"), 5);
	assert_int_equal(pane_text_end(pane_of(&canvas), 2, 0, 0, STYLE_TEXT, "abcdef"), 0);
	assert_string_equal(print(&canvas, false), "abcde\nabcd~\n\n");
	canvas_release(&canvas);
}

static void names_cut_in_the_middle_keep_both_ends(void **state)
{
	struct canvas canvas;

	(void)state;
	start(&canvas, 3, 12, true);
	pane_text_middle(pane_of(&canvas), 0, 0, 7, STYLE_TEXT, "order-worker-17");
	pane_text_middle(pane_of(&canvas), 1, 0, 15, STYLE_TEXT, "short");
	pane_text_middle(pane_of(&canvas), 2, 0, 1, STYLE_TEXT, "order-worker-17");
	assert_string_equal(print(&canvas, false), "ord~-17\nshort\n~\n");
	canvas_release(&canvas);
}

static const char *const hostile[] = {
	"\x1b]0;owned\x07title",
	"\x1b[2J\x1b[H",
	"a\nb\rc\td",
	"\x9b"
	"31m",
	"\xc2\x9b"
	"31m",
	"\xe2\x80\xae"
	"gnp.exe",
	"\xff\xfe\xc0\x80",
	"\x7f\x01\x02\x08\x08\x08",
	"\xf4\x90\x80\x80",
	"\xed\xa0\x80",
	"\xe2\x80\xa8line separator",
};

static void no_hostile_byte_survives(void **state)
{
	(void)state;
	for (int ascii = 0; ascii < 2; ascii++)
		for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
			struct canvas canvas;

			start(&canvas, 1, 40, ascii);
			pane_text(pane_of(&canvas), 0, 0, STYLE_TEXT, hostile[i]);
			check_widths(&canvas);
			for (int column = 0; column < canvas.columns; column++) {
				uint32_t c = canvas.cells[column].character;

				assert_true(c >= 0x20 && c != 0x7f);
				assert_false(c >= 0x80 && c < 0xa0);
				assert_false(c >= 0x202a && c <= 0x202e);
				assert_false(c == 0x2028);
				if (ascii)
					assert_true(c < 0x7f);
			}
			canvas_release(&canvas);
		}
}

static void a_wide_character_owns_two_columns(void **state)
{
	struct canvas canvas;

	(void)state;
	start(&canvas, 1, 6, false);
	assert_int_equal(text_columns(&canvas, "\xe6\x97\xa5\xe6\x9c\xac"), 4);
	pane_text(pane_of(&canvas), 0, 0, STYLE_TEXT,
			"a\xe6\x97\xa5\xe6\x9c\xac"
			"b");
	check_widths(&canvas);
	assert_string_equal(print(&canvas, false), "a\xe6\x97\xa5\xe6\x9c\xac"
						   "b\n");
	/* Drawn over its first half, then over the second half of the other. */
	pane_put(pane_of(&canvas), 0, 1, STYLE_TEXT, 'X');
	pane_put(pane_of(&canvas), 0, 4, STYLE_TEXT, 'Y');
	check_widths(&canvas);
	assert_string_equal(print(&canvas, false), "aX  Yb\n");
	canvas_release(&canvas);
}

static void a_wide_character_over_a_wide_character_keeps_the_columns(void **state)
{
	struct canvas canvas;

	(void)state;
	start(&canvas, 1, 6, false);
	pane_text(pane_of(&canvas), 0, 0, STYLE_TEXT, "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5");
	pane_text(pane_of(&canvas), 0, 1, STYLE_TEXT, "\xe6\x9c\xac\xe6\x9c\xac");
	check_widths(&canvas);
	assert_string_equal(print(&canvas, false), " \xe6\x9c\xac\xe6\x9c\xac\n");
	canvas_release(&canvas);
}

static void a_wide_character_does_not_stick_out_of_its_pane(void **state)
{
	struct canvas canvas;
	struct pane rest;
	struct pane left;

	(void)state;
	start(&canvas, 1, 6, false);
	rest = pane_of(&canvas);
	left = pane_take_left(&rest, 3);
	pane_text(rest, 0, 0, STYLE_TEXT, "abc");
	pane_text(left, 0, 0, STYLE_TEXT, "\xe6\x97\xa5\xe6\x97\xa5");
	check_widths(&canvas);
	assert_string_equal(print(&canvas, false), "\xe6\x97\xa5 abc\n");
	canvas_release(&canvas);
}

static void combining_marks_stay_with_their_letter(void **state)
{
	struct canvas canvas;

	(void)state;
	start(&canvas, 1, 6, false);
	/* e + acute + grave + tilde: the third mark is dropped; a mark first of all has no letter
	 */
	pane_text(pane_of(&canvas), 0, 0, STYLE_TEXT,
			"\xcc\x81"
			"e\xcc\x81\xcc\x80\xcc\x83"
			"f");
	check_widths(&canvas);
	assert_string_equal(print(&canvas, false), "e\xcc\x81\xcc\x80"
						   "f\n");
	canvas_release(&canvas);
}

static void an_ascii_canvas_shows_a_question_mark_for_what_it_lacks(void **state)
{
	struct canvas canvas;

	(void)state;
	start(&canvas, 1, 12, true);
	pane_text(pane_of(&canvas), 0, 0, STYLE_TEXT,
			"gr\xc3\xbc\xc3\x9f"
			"e");
	pane_put(pane_of(&canvas), 0, 7, STYLE_TEXT, canvas.glyphs->horizontal);
	assert_string_equal(print(&canvas, false), "gr??e  -\n");
	canvas_release(&canvas);
}

static void styles_are_printed_as_letters(void **state)
{
	struct canvas canvas;

	(void)state;
	start(&canvas, 2, 8, true);
	pane_text(pane_of(&canvas), 0, 1, STYLE_TITLE, "ab");
	pane_text(pane_of(&canvas), 1, 0, STYLE_TEXT, "cdef");
	pane_restyle(pane_of(&canvas), 1, 1, 2, STYLE_BAD);
	assert_string_equal(print(&canvas, true), " ab\ncdef\nstyles:\n.TT\n.!!\n");
	canvas_release(&canvas);
}

static void panes_are_cut_to_what_is_there(void **state)
{
	struct canvas canvas;
	struct pane rest;
	struct pane part;

	(void)state;
	start(&canvas, 3, 5, true);
	rest = pane_of(&canvas);
	part = pane_take_top(&rest, 10);
	assert_int_equal(part.rows, 3);
	assert_int_equal(rest.rows, 0);
	part = pane_take_bottom(&rest, 2);
	assert_int_equal(part.rows, 0);
	part = pane_take_left(&rest, -3);
	assert_int_equal(part.columns, 0);
	pane_text(rest, 0, 0, STYLE_TEXT, "nowhere");
	assert_string_equal(print(&canvas, false), "\n\n\n");
	canvas_release(&canvas);
}

static void a_rule_carries_its_title(void **state)
{
	struct canvas canvas;

	(void)state;
	start(&canvas, 2, 20, true);
	pane_rule(pane_of(&canvas), 0, "Tasks", false);
	pane_rule(pane_of(&canvas), 1, "a title that is too long", false);
	assert_string_equal(print(&canvas, false), "-- Tasks -----------\n-- a title that i~ -\n");
	canvas_release(&canvas);
}

static void only_a_picture_at_the_right_edge_can_have_moved(void **state)
{
	struct canvas canvas;
	struct pane rest;
	struct pane left;

	(void)state;
	start(&canvas, 4, 10, true);
	rest = pane_of(&canvas);
	left = pane_take_left(&rest, 4);
	pane_shifted(left, 1);
	assert_int_equal(canvas.shift.by, 0);
	pane_shifted(rest, 6);
	assert_int_equal(canvas.shift.by, 0);
	pane_shifted(rest, -5);
	assert_int_equal(canvas.shift.by, -5);
	assert_int_equal(canvas.shift.left, 4);
	assert_int_equal(canvas.shift.rows, 4);
	canvas_clear(&canvas);
	assert_int_equal(canvas.shift.by, 0);
	canvas_release(&canvas);
}

static void sizes_are_kept_within_limits(void **state)
{
	struct canvas canvas;

	(void)state;
	canvas_init(&canvas, true);
	assert_int_equal(canvas_resize(&canvas, 0, -5, NULL), LO_OK);
	assert_int_equal(canvas.rows, 1);
	assert_int_equal(canvas.columns, 1);
	assert_int_equal(canvas_resize(&canvas, 1000000, 1000000, NULL), LO_OK);
	assert_int_equal(canvas.rows, CANVAS_ROWS_MAX);
	assert_int_equal(canvas.columns, CANVAS_COLUMNS_MAX);
	canvas_release(&canvas);
	canvas_release(&canvas);
}

static void themes_are_complete_and_ordered(void **state)
{
	int last = -1;

	(void)state;
	for (const struct theme *theme = themes; theme->name; theme++) {
		assert_true(theme->colors > last);
		last = theme->colors;
		for (int role = 0; role < STYLE_COUNT; role++) {
			const struct theme_style *style = &theme->styles[role];

			assert_true(style->foreground >= THEME_DEFAULT_COLOR &&
					style->foreground < (theme->colors ? theme->colors : 1));
			assert_true(style->background >= THEME_DEFAULT_COLOR &&
					style->background < (theme->colors ? theme->colors : 1));
			/* A role that nobody filled in would be black on black. */
			assert_false(style->foreground == 0 && style->background == 0);
		}
	}
	assert_int_equal(themes[0].colors, 0);
	assert_string_equal(theme_choose(0, false)->name, "mono");
	assert_string_equal(theme_choose(8, false)->name, "8");
	assert_string_equal(theme_choose(16, false)->name, "8");
	assert_string_equal(theme_choose(256, false)->name, "256");
	assert_string_equal(theme_choose(256, true)->name, "mono");
}

static void style_letters_are_distinct(void **state)
{
	(void)state;
	for (unsigned a = 0; a < STYLE_COUNT; a++) {
		assert_true(style_letter(a) > ' ' && style_letter(a) < 0x7f);
		for (unsigned b = a + 1; b < STYLE_COUNT; b++)
			assert_true(style_letter(a) != style_letter(b));
	}
	assert_int_equal(style_letter(STYLE_COUNT), '?');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_clipped_at_the_pane_not_at_the_canvas),
		cmocka_unit_test(cut_text_ends_in_an_ellipsis_within_its_width),
		cmocka_unit_test(names_cut_in_the_middle_keep_both_ends),
		cmocka_unit_test(no_hostile_byte_survives),
		cmocka_unit_test(a_wide_character_owns_two_columns),
		cmocka_unit_test(a_wide_character_over_a_wide_character_keeps_the_columns),
		cmocka_unit_test(a_wide_character_does_not_stick_out_of_its_pane),
		cmocka_unit_test(combining_marks_stay_with_their_letter),
		cmocka_unit_test(an_ascii_canvas_shows_a_question_mark_for_what_it_lacks),
		cmocka_unit_test(styles_are_printed_as_letters),
		cmocka_unit_test(panes_are_cut_to_what_is_there),
		cmocka_unit_test(a_rule_carries_its_title),
		cmocka_unit_test(only_a_picture_at_the_right_edge_can_have_moved),
		cmocka_unit_test(sizes_are_kept_within_limits),
		cmocka_unit_test(themes_are_complete_and_ordered),
		cmocka_unit_test(style_letters_are_distinct),
	};
	int failed;

	/* The width of a character is a matter of the locale. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 77;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(printed);
	return failed;
}
