#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <locale.h>

#include <cmocka.h>

#include "tests/unit/viewer/report/reported.h"
#include "viewer/report/text_layout.h"

#define STUCK                                                                                         \
	"program /usr/bin/shop\n"                                                                     \
	"module libc /usr/lib/libc.so.6 system\n"                                                     \
	"meta backend preload\n"                                                                      \
	"meta host db7\n"                                                                             \
	"meta argument --a-rather-long-option=with-a-value-that-needs-more-than-one-line\n"           \
	"meta argument second\n"                                                                      \
	"name T2 a-rather-long-name-of-a-task-that-has-to-be-wrapped\n"                               \
	"@0 run T1 existing\n"                                                                        \
	"@1ms create T2 by T1 at main(shop.c:9)>start!libc\n"                                         \
	"@1ms create T3 by T1 at main(shop.c:9)>start!libc\n"                                         \
	"@10ms exit T3\n"                                                                             \
	"@500ms block T2 mutex 0x20 held T3 at left(a/long/path/to/the/source/shop.c:20)>lock!libc\n" \
	"@600ms block T1 descriptor 5 for poll at main>poll!libc\n"                                   \
	"@3s process killed 9\n"                                                                      \
	"@3s end\n"

static void assert_says(const char *report, const char *words)
{
	if (!strstr(report, words))
		print_message("'%s' is not in:\n%s", words, report);
	assert_non_null(strstr(report, words));
}

static void a_report_says_what_was_recorded_and_what_is_stuck(void **state)
{
	char *report = reported(STUCK, false);

	(void)state;
	assert_says(report, "--a-rather-long-option=with-a-value-that-needs-more-than-one-line\n");
	assert_says(report, "on db7");
	assert_says(report, "by preload");
	assert_says(report, "3.00 s");
	assert_says(report, "killed by signal 9 (KILL)");
	assert_says(report, "no events");
	assert_says(report, "FINDINGS: 1 stuck");
	assert_says(report, "mutex 0x20, held by T3, which");
	assert_says(report, "T3 exited at 0:00.010");
	assert_says(report, "shop.c:20");
	assert_says(report, "created at");
	assert_says(report, "PARKED ON PURPOSE: 1 task in 1 group");
	assert_says(report, "poll < main");
	assert_says(report, "loiter FILE");
	free(report);
}

static void no_line_is_longer_than_eighty_columns(void **state)
{
	char *report = reported(STUCK, false);

	(void)state;
	for (char *line = strtok(report, "\n"); line; line = strtok(NULL, "\n"))
		assert_in_range(strlen(line), 0, TEXT_COLUMNS);
	free(report);
}

static void nothing_stuck_is_said_plainly(void **state)
{
	char *report = reported("@0 run T1 existing\n@1ms block T1 for sleep\n@9s end\n", false);

	(void)state;
	assert_says(report, "FINDINGS: nothing stuck\n");
	free(report);
}

/* Nobody saw who holds the lock, so it may be held for good. */
static void what_cannot_be_judged_is_not_called_fine(void **state)
{
	char *report = reported("@0 run T1 existing\n"
				"@1ms block T1 mutex 0x7\n@9s end\n",
			false);

	(void)state;
	assert_says(report, "FINDINGS: nothing seen to be stuck, but 1 task cannot be judged\n");
	free(report);

	/* In a moment every wait is young. */
	report = reported("@0 run T1 existing\n@1ms block T1 cond 0x7\n@199ms end\n", false);
	assert_says(report, "but 1 task cannot be judged\n");
	free(report);
	report = reported("@0 run T1 existing\n@1ms block T1 cond 0x7\n@200ms end\n", false);
	assert_says(report, "FINDINGS: nothing stuck\n");
	free(report);
}

static void other_findings_do_not_hide_that_nothing_is_stuck(void **state)
{
	char *report = reported("@0 run T1 existing\n@1ms lost 3 ring full\n@9s end\n", false);

	(void)state;
	assert_says(report, "FINDINGS: nothing stuck; 1 loss\n");
	assert_says(report, "3 events: ring full");
	free(report);
}

static void a_cycle_says_who_holds_what_and_waits_where(void **state)
{
	char *report = reported("program shop\n"
				"name T2 left\n"
				"@0 run T1 existing\n"
				"@1ms create T2 by T1 at main\n"
				"@1ms create T3 by T1 at main\n"
				"@500ms block T2 mutex 0x20 held T3 at lock_both(shop.c:20)\n"
				"@600ms block T3 mutex 0x10 held T2 at lock_again(shop.c:30)\n"
				"@3s end\n",
			false);

	(void)state;
	assert_says(report, "T2 left holds mutex 0x10 and waits since 0:00.500 for mutex 0x20,");
	assert_says(report, "lock_both (shop.c:20)");
	assert_says(report, "lock_again (shop.c:30)");
	free(report);
}

static void nothing_that_a_terminal_obeys_gets_through(void **state)
{
	char *report = reported("program sh\x1b[2Jop\n"
				"name T1 \x1b]0;\x07\n"
				"meta host \x9b[31m\n"
				"meta warning \x1b[31m\n"
				"@0 block T1 for sleep at ma\x1b[in\n"
				"@1ms end\n",
			false);

	(void)state;
	for (const char *byte = report; *byte; byte++)
		assert_true((unsigned char)*byte >= 0x20 || *byte == '\n');
	assert_null(strchr(report, '\x9b'));
	free(report);
}

static void the_program_is_told_as_one_would_type_it(void **state)
{
	char *report = reported("meta program /opt/my shop\n"
				"meta argument --port=80\n"
				"meta argument it's\n"
				"@0 run T1 existing\n"
				"@1ms end\n",
			false);

	(void)state;
	assert_says(report, "'/opt/my shop' --port=80 $'it\\'s'\n");
	free(report);
}

static char *paragraph(int indent, const char *first, const char *text)
{
	char *written = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&written, &size);

	text_paragraph(out, indent, first, "%s", text);
	fclose(out);
	return written;
}

static void a_paragraph_breaks_between_words(void **state)
{
	char *text = paragraph(4, "-",
			"one two three four five six seven eight nine ten eleven twelve thirteen "
			"fourteen");

	(void)state;
	assert_string_equal(text,
			"-   one two three four five six seven eight nine ten eleven twelve thirteen\n"
			"    fourteen\n");
	free(text);
}

static void a_word_longer_than_a_line_is_broken(void **state)
{
	char word[200];
	char *text;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	text = paragraph(0, "", word);
	assert_int_equal(strlen(text), sizeof(word) - 1 + 3); /* 80 + 80 + 39 and three ends */
	assert_int_equal(text[TEXT_COLUMNS], '\n');
	free(text);
}

static void a_long_heading_leaves_less_room_on_its_line(void **state)
{
	char *text = paragraph(2, "a heading that is longer than the indent:",
			"words that do not fit on the line of it are below");

	(void)state;
	assert_string_equal(text,
			"a heading that is longer than the indent:words that do not fit on the line of\n"
			"  it are below\n");
	free(text);
}

static void an_empty_paragraph_is_one_line(void **state)
{
	char *text = paragraph(4, "-", "");

	(void)state;
	assert_string_equal(text, "-   \n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_says_what_was_recorded_and_what_is_stuck),
		cmocka_unit_test(no_line_is_longer_than_eighty_columns),
		cmocka_unit_test(nothing_stuck_is_said_plainly),
		cmocka_unit_test(what_cannot_be_judged_is_not_called_fine),
		cmocka_unit_test(other_findings_do_not_hide_that_nothing_is_stuck),
		cmocka_unit_test(a_cycle_says_who_holds_what_and_waits_where),
		cmocka_unit_test(the_program_is_told_as_one_would_type_it),
		cmocka_unit_test(nothing_that_a_terminal_obeys_gets_through),
		cmocka_unit_test(a_paragraph_breaks_between_words),
		cmocka_unit_test(a_word_longer_than_a_line_is_broken),
		cmocka_unit_test(a_long_heading_leaves_less_room_on_its_line),
		cmocka_unit_test(an_empty_paragraph_is_one_line),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
