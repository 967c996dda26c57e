#include <locale.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/base/printable.h"
#include "tests/support/trace_builder.h"
#include "viewer/ui/app.h"
#include "viewer/ui/work.h"

/*
 * Whole screens as text. tests/golden/screens/TRACE.events is a trace as readable lines; a case
 * opens it, types keys, and compares the screen with tests/golden/screens/CASE.screen. With
 * LOITER_UPDATE_GOLDEN=1 in the environment the file is written instead: look at it before you
 * keep it.
 */
struct screen_case {
	const char *name;
	const char *trace;
	int columns;
	int rows;
	const char *keys; /* \r is Enter, \x1b Esc, \x08 Backspace, \t Tab */
	bool ascii;
	bool marks; /* print the styles too */
};

static const struct screen_case cases[] = {
	{ "findings-deadlock-80x24", "deadlock", 80, 24, "", true, false },
	{ "findings-deadlock-styles", "deadlock", 80, 24, "", true, true },
	{ "findings-deadlock-200x50", "deadlock", 200, 50, "", false, false },
	{ "findings-deadlock-120x30", "deadlock", 120, 30, "", true, false },
	{ "findings-deadlock-40x8", "deadlock", 40, 8, "", true, false },
	{ "findings-deadlock-39x7", "deadlock", 39, 7, "", true, false },
	{ "findings-parked-80x24", "deadlock", 80, 24, "j", true, false },
	{ "findings-healthy-80x24", "healthy", 80, 24, "", true, false },
	{ "findings-lost-80x24", "lost", 80, 24, "", true, false },
	{ "timeline-lost-80x24", "lost", 80, 24, "2", true, false },
	{ "timeline-deadlock-80x24", "deadlock", 80, 24, "2", true, false },
	{ "timeline-deadlock-styles", "deadlock", 80, 24, "2", true, true },
	{ "timeline-zoomed-80x24", "deadlock", 80, 24, "2wwwwhhj", true, false },
	{ "timeline-healthy-80x24", "healthy", 80, 24, "20G", false, false },
	{ "timeline-deadlock-40x8", "deadlock", 40, 8, "2", true, false },
	{ "flame-deadlock-80x24", "deadlock", 80, 24, "3jj", true, false },
	{ "flame-search-80x24", "deadlock", 80, 24, "3/ledger_\r", true, true },
	{ "flame-zoom-80x24", "deadlock", 80, 24, "3j\r", true, false },
	{ "tasks-deadlock-80x24", "deadlock", 80, 24, "4", true, false },
	{ "tasks-blocked-120x30", "deadlock", 120, 30, "4>>>>", true, false },
	{ "detail-finding-80x24", "deadlock", 80, 24, "\r", true, false },
	{ "detail-task-80x24", "deadlock", 80, 24, "4\r", true, false },
	{ "detail-task-200x50", "deadlock", 200, 50, "4\r", false, false },
	{ "timeline-noted-80x24", "noted", 80, 24, "2", true, false },
	{ "timeline-noted-zoomed-80x24", "noted", 80, 24, "2wwl", true, false },
	{ "detail-noted-80x24", "noted", 80, 24, "4j\r", true, false },
	{ "help-findings-80x24", "deadlock", 80, 24, "?", true, false },
	{ "help-timeline-80x50", "deadlock", 80, 50, "2?", true, false },
};

static uint32_t key_of(char c)
{
	switch (c) {
	case '\r':
		return KEYCODE_ENTER;
	case '\x1b':
		return KEYCODE_ESCAPE;
	case '\x08':
		return KEYCODE_BACKSPACE;
	case '\t':
		return KEYCODE_TAB;
	default:
		return (unsigned char)c;
	}
}

static void golden_path(char *out, size_t capacity, const char *name, const char *suffix)
{
	snprintf(out, capacity, "%s/%s.%s", GOLDEN_SCREENS, name, suffix);
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

static struct trace_reader *open_case_trace(const char *name)
{
	char path[512];
	char *text;
	struct trace_reader *reader;

	golden_path(path, sizeof(path), name, "events");
	text = read_text(path);
	assert_non_null(text);
	reader = trace_from_text(text);
	free(text);
	return reader;
}

/* The whole program without a terminal. */
struct session {
	struct trace_reader *reader;
	struct app app;
	struct canvas canvas;
};

static void draw(struct session *session)
{
	assert_int_equal(work_finish(&session->app, session->canvas.columns, NULL), LO_OK);
	app_draw(&session->app, &session->canvas);
}

static void session_open(struct session *session, struct trace_reader *reader, int columns,
		int rows, bool ascii)
{
	session->reader = reader;
	assert_int_equal(app_init(&session->app, reader, "test.loiter", NULL), LO_OK);
	canvas_init(&session->canvas, ascii);
	assert_int_equal(canvas_resize(&session->canvas, rows, columns, NULL), LO_OK);
	draw(session);
}

static void session_type(struct session *session, const char *keys)
{
	for (; *keys; keys++) {
		app_key(&session->app, key_of(*keys));
		draw(session);
	}
}

static void session_close(struct session *session)
{
	canvas_release(&session->canvas);
	app_release(&session->app);
	trace_reader_close(session->reader);
}

static char *print(const struct session *session, bool marks)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	canvas_print(&session->canvas, out, marks);
	fclose(out);
	return text;
}

static void compare_with_golden(const struct screen_case *one, const char *screen)
{
	char path[512];
	char *expected;

	golden_path(path, sizeof(path), one->name, "screen");
	if (getenv("LOITER_UPDATE_GOLDEN")) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		fputs(screen, file);
		fclose(file);
		return;
	}
	expected = read_text(path);
	assert_non_null(expected);
	if (strcmp(screen, expected) != 0)
		print_message("%s differs (if that is right, see the top of this test); now:\n%s",
				path, screen);
	assert_true(strcmp(screen, expected) == 0);
	free(expected);
}

static void screens_are_as_they_were_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		const struct screen_case *one = &cases[i];
		struct session session;
		char *screen;

		session_open(&session, open_case_trace(one->trace), one->columns, one->rows,
				one->ascii);
		session_type(&session, one->keys);
		screen = print(&session, one->marks);
		compare_with_golden(one, screen);
		free(screen);
		session_close(&session);
	}
}

/* Everything that a table promises: each view acts on each action that a key gives it. */
static void every_view_acts_on_every_action_of_its_keys(void **state)
{
	(void)state;
	for (int view = 0; view < VIEW_COUNT; view++)
		for (const struct key_binding *row = default_keys; row->key; row++) {
			struct session session;

			if (!(row->scopes & view_table[view]->scope))
				continue;
			session_open(&session, open_case_trace("deadlock"), 80, 24, true);
			if (view == VIEW_HELP)
				app_key(&session.app, '?');
			else if (view == VIEW_DETAIL)
				app_key(&session.app, KEYCODE_ENTER);
			else
				app_show(&session.app, (enum view_id)view);
			draw(&session);
			app_key(&session.app, row->key);
			if (strstr(session.app.message, "does nothing"))
				fail_msg("%s ignores %s", view_table[view]->name,
						action_infos[row->action].name);
			if (!session.app.quit)
				draw(&session);
			session_close(&session);
		}
}

static void views_are_complete_and_told_apart(void **state)
{
	(void)state;
	for (int i = 0; i < VIEW_COUNT; i++) {
		const struct view_ops *view = view_table[i];

		assert_non_null(view->name);
		assert_true(view->state_size > 0);
		assert_non_null(view->title);
		assert_non_null(view->act);
		assert_non_null(view->draw);
		assert_non_null(view->row_count);
		assert_non_null(view->row_selected);
		assert_non_null(view->row_text);
		assert_non_null(view->row_select);
		for (const struct view_hint *hint = view->hints; hint->action; hint++)
			if (keymap_key(view->scope, hint->action, 0) == KEYCODE_NONE)
				fail_msg("%s hints at %s, which has no key there", view->name,
						action_infos[hint->action].name);
		for (int other = i + 1; other < VIEW_COUNT; other++) {
			assert_true(view->scope != view_table[other]->scope);
			assert_string_not_equal(view->name, view_table[other]->name);
		}
	}
}

static void check_every_size(const char *trace)
{
	static const int widths[] = { 1, 2, 10, 39, 40, 41, 60, 79, 80, 99, 100, 101, 120, 159, 160,
		161, 200, 300 };
	static const int heights[] = { 1, 2, 7, 8, 9, 10, 12, 16, 24, 29, 30, 31, 50, 100 };
	struct session session;

	session_open(&session, open_case_trace(trace), 80, 24, false);
	for (int view = 0; view < VIEW_COUNT; view++) {
		if (view == VIEW_HELP)
			app_key(&session.app, '?');
		else if (view == VIEW_DETAIL)
			app_open_task(&session.app, 2);
		else
			app_show(&session.app, (enum view_id)view);
		for (size_t w = 0; w < LO_COUNT_OF(widths); w++)
			for (size_t h = 0; h < LO_COUNT_OF(heights); h++) {
				assert_int_equal(canvas_resize(&session.canvas, heights[h],
								 widths[w], NULL),
						LO_OK);
				draw(&session);
				session_type(&session, "jkG");
			}
	}
	session_close(&session);
}

static void any_size_can_be_drawn(void **state)
{
	(void)state;
	check_every_size("deadlock");
	check_every_size("healthy");
	check_every_size("lost");
}

/* Any key anywhere, in an order that only chance knows: nothing but q and Ctrl-C may end it. */
static void random_keys_never_break_it(void **state)
{
	static const uint32_t keys[] = { 'j', 'k', 'h', 'l', 'w', 's', 'a', 'd', 'f', '0', 'g', 'G',
		'1', '2', '3', '4', 'c', 'u', '[', '{', '}', '<', '>', 'r', 'V', 'n', 'N', '/', 'e',
		'.', ',', 't', 'W', 'S', 'A', 'D', '?', KEYCODE_ENTER, KEYCODE_ESCAPE,
		KEYCODE_BACKSPACE, KEYCODE_TAB, KEYCODE_SHIFT_TAB, KEYCODE_PAGE_DOWN,
		KEYCODE_PAGE_UP, KEYCODE_HOME, KEYCODE_END, KEYCODE_UP, KEYCODE_DOWN, KEYCODE_LEFT,
		KEYCODE_RIGHT, KEYCODE_SHIFT_LEFT, KEYCODE_SHIFT_RIGHT, KEY_CTRL('D'),
		KEY_CTRL('U'), 0xe9, 0x1f600 };
	struct session session;
	uint32_t seed = 1;

	(void)state;
	session_open(&session, open_case_trace("deadlock"), 200, 50, false);
	for (int i = 0; i < 4000; i++) {
		seed = seed * 1664525u + 1013904223u;
		app_key(&session.app, keys[(seed >> 8) % LO_COUNT_OF(keys)]);
		assert_false(session.app.quit);
		if (i % 50 == 0)
			assert_int_equal(canvas_resize(&session.canvas, 8 + (int)(seed >> 26),
							 40 + (int)(seed >> 24), NULL),
					LO_OK);
		draw(&session);
	}
	session_close(&session);
}

static void escape_keeps_it_open_and_q_at_home_ends_it(void **state)
{
	struct session session;

	(void)state;
	session_open(&session, open_case_trace("deadlock"), 80, 24, true);
	session_type(&session, "\x1b\x1b\x1b\x08\x08");
	assert_false(session.app.quit);
	session_type(&session, "2\r?q");
	assert_false(session.app.quit);
	assert_int_equal(session.app.place.focus, VIEW_DETAIL);
	session_type(&session, "q");
	assert_int_equal(session.app.place.focus, VIEW_TIMELINE);
	session_type(&session, "q");
	assert_int_equal(session.app.place.focus, VIEW_FINDINGS);
	app_key(&session.app, 'q');
	assert_true(session.app.quit);
	session_close(&session);
}

static void backspace_returns_to_where_the_jump_began(void **state)
{
	struct session session;
	char *before;
	char *after;

	(void)state;
	session_open(&session, open_case_trace("deadlock"), 80, 24, true);
	session_type(&session, "4j");
	before = print(&session, true);
	session_type(&session, "\rc2\x08\x08\x08");
	after = print(&session, true);
	assert_string_equal(after, before);
	free(before);
	free(after);
	session_close(&session);
}

static void keys_count_before_the_view_was_ever_drawn(void **state)
{
	struct session session;
	char *together;
	char *apart;

	(void)state;
	session_open(&session, open_case_trace("deadlock"), 90, 24, true);
	for (const char *key = "2gwwl"; *key; key++)
		app_key(&session.app, key_of(*key));
	draw(&session);
	together = print(&session, false);
	session_close(&session);
	session_open(&session, open_case_trace("deadlock"), 90, 24, true);
	session_type(&session, "2gwwl");
	apart = print(&session, false);
	session_close(&session);
	/* The zoom is the same but for the width that was guessed. */
	assert_null(strstr(together, "0:00.000..0:12.000"));
	assert_null(strstr(apart, "0:00.000..0:12.000"));
	free(together);
	free(apart);
}

static void a_time_can_be_gone_to(void **state)
{
	struct session session;

	(void)state;
	session_open(&session, open_case_trace("deadlock"), 80, 24, true);
	session_type(&session, "2t50%\r");
	assert_int_equal(session.app.place.cursor_ns, 6000000000u);
	session_type(&session, "t+1.5s\r");
	assert_int_equal(session.app.place.cursor_ns, 7500000000u);
	session_type(&session, "tnever\r");
	assert_int_equal(session.app.place.cursor_ns, 7500000000u);
	assert_non_null(strstr(session.app.message, "'never' is no time"));
	session_type(&session, "t0:02\x1b");
	assert_int_equal(session.app.place.cursor_ns, 7500000000u);
	session_close(&session);
}

static void the_selected_task_is_the_same_in_every_view(void **state)
{
	struct session session;

	(void)state;
	session_open(&session, open_case_trace("deadlock"), 80, 24, true);
	session_type(&session, "4/pool-1\r");
	assert_int_equal(session.app.place.task, 5);
	session_type(&session, "2");
	assert_int_equal(session.app.place.task, 5);
	session_type(&session, "\r");
	assert_int_equal(session.app.place.detail_id, 5);
	session_close(&session);
}

static const char hostile_names[] = "program /usr/bin/evil\n"
				    "name T1 \x1b]0;owned\x07\x1b[2J\n"
				    "name T2 \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe5\x90\x8d\n"
				    "name T3 \xe2\x80\xaegnp.exe\n"
				    "name T4 \xff\xfe\xc0\xaf\x9b"
				    "31m\n"
				    "name T5 e\xcc\x81\xcc\x80\xcc\x83\xcc\x84"
				    "a\xcc\x81\n"
				    "@0 run T1 existing\n"
				    "@1ms create T2 by T1 at main>\x1b[31mevil\n"
				    " create T3 by T1 at main>evil(\x1b[5m.c:1)\n"
				    " create T4 by T1 at main>\xe6\x97\xa5\xe6\x9c\xac\n"
				    " create T5 by T1 at main\n"
				    "@2ms block T2 mutex 0x10 held T3 at main>\x9b\x07lock\n"
				    "@3ms block T3 mutex 0x20 held T2 at main>\xe2\x80\xael\n"
				    "@10s end\n";

static void nothing_hostile_in_a_trace_reaches_the_screen(void **state)
{
	(void)state;
	for (int ascii = 0; ascii < 2; ascii++) {
		struct session session;

		session_open(&session, trace_from_text(hostile_names), 120, 40, ascii);
		for (const char *key = "1234\r?"; *key; key++) {
			char step[2] = { *key, '\0' };
			char *screen;

			session_type(&session, step);
			screen = print(&session, false);
			for (const char *c = screen; *c;) {
				uint32_t point;
				size_t used = printable_next(c, strlen(c), &point);

				/* A line end is ours; everything else must be what it is. */
				if (*c != '\n') {
					assert_true((unsigned char)*c >= 0x20);
					assert_true(point == 0xfffd ? memcmp(c, "\xef\xbf\xbd",
										      3) == 0
								    : point != 0);
					if (ascii)
						assert_true((unsigned char)*c < 0x7f);
				}
				c += used;
			}
			free(screen);
		}
		session_close(&session);
	}
}

static void a_trace_without_events_opens(void **state)
{
	struct session session;

	(void)state;
	session_open(&session, trace_from_text("program /bin/true\n@0 end\n"), 120, 40, true);
	session_type(&session, "1jk\r\x08"
			       "2wsadf0.,\r"
			       "3jjhl\r"
			       "4jk\r<>r/x\rnN?q{}");
	session_close(&session);
}

static void assert_shows(struct session *session, const char *words, bool wanted)
{
	char *screen = print(session, false);

	if ((strstr(screen, words) != NULL) != wanted)
		fail_msg("'%s' is %s:\n%s", words, wanted ? "missing" : "shown", screen);
	free(screen);
}

static void tasks_of_a_runtime_are_shown_on_request(void **state)
{
	static const char *const views[] = { "4", "2" };

	(void)state;
	for (unsigned i = 0; i < LO_COUNT_OF(views); i++) {
		struct session session;

		session_open(&session,
				trace_from_text("program /bin/true\nname T1 owner\n"
						"name T2 sweeper\nruntime T2\n"
						"@0 run T1 existing\nrun T2 existing\n@9s end\n"),
				80, 24, true);
		session_type(&session, views[i]);
		assert_shows(&session, "owner", true);
		assert_shows(&session, "T2 sweeper", false);
		assert_shows(&session, "1 hidden (R)", true);
		session_type(&session, "R");
		assert_shows(&session, "T2 sweeper", true);
		assert_shows(&session, "hidden (R)", false);
		session_type(&session, "R");
		assert_shows(&session, "T2 sweeper", false);
		session_close(&session);
	}
}

static void a_trace_of_the_runtime_alone_shows_it(void **state)
{
	struct session session;

	(void)state;
	session_open(&session,
			trace_from_text("program /bin/true\nname T1 sweeper\nruntime T1\n"
					"@0 run T1 existing\n@9s end\n"),
			80, 24, true);
	session_type(&session, "4");
	assert_shows(&session, "T1 sweeper", true);
	session_close(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens_are_as_they_were_checked),
		cmocka_unit_test(every_view_acts_on_every_action_of_its_keys),
		cmocka_unit_test(views_are_complete_and_told_apart),
		cmocka_unit_test(any_size_can_be_drawn),
		cmocka_unit_test(random_keys_never_break_it),
		cmocka_unit_test(escape_keeps_it_open_and_q_at_home_ends_it),
		cmocka_unit_test(backspace_returns_to_where_the_jump_began),
		cmocka_unit_test(keys_count_before_the_view_was_ever_drawn),
		cmocka_unit_test(a_time_can_be_gone_to),
		cmocka_unit_test(the_selected_task_is_the_same_in_every_view),
		cmocka_unit_test(nothing_hostile_in_a_trace_reaches_the_screen),
		cmocka_unit_test(a_trace_without_events_opens),
		cmocka_unit_test(tasks_of_a_runtime_are_shown_on_request),
		cmocka_unit_test(a_trace_of_the_runtime_alone_shows_it),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
