#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "viewer/ui/keymap.h"

/*
 * loiter-keys(7) lists what the key table says: the part of the page between its marks must be
 * what is made here from the tables. LOITER_UPDATE_GOLDEN=1 prints that part, to be pasted.
 */
#define BEGIN_MARK ".\\\" keys: begin, checked against the key table\n"
#define END_MARK   ".\\\" keys: end\n"

static char *read_page(void)
{
	FILE *file = fopen(MANUAL_PAGE, "r");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

/* Single characters could be macros or delimiters of mdoc: \& takes that meaning away. */
static void print_key(FILE *out, uint32_t key)
{
	char name[KEY_LABEL_MAX];

	key_label(key, name);
	if (key == '-')
		fputs(" Ic \\-", out);
	else
		fprintf(out, " Ic %s%s", name[1] ? "" : "\\&", name);
}

static void print_action(FILE *out, enum action action)
{
	uint32_t key;

	fputs(".It", out);
	for (unsigned i = 0; (key = keymap_key(SCOPE_ANY, action, i)) != KEYCODE_NONE; i++) {
		if (i)
			fputs(" ,", out);
		print_key(out, key);
	}
	fprintf(out, "\n%s\n", action_infos[action].help);
}

static char *make_list(void)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(BEGIN_MARK, out);
	for (int group = 0; group < ACTION_GROUP_COUNT; group++) {
		fprintf(out, ".Ss %s\n.Bl -tag -width Backspace -compact\n",
				action_group_names[group]);
		for (int action = ACTION_NONE + 1; action < ACTION_COUNT; action++)
			if (action_infos[action].group == (enum action_group)group)
				print_action(out, (enum action)action);
		fputs(".El\n", out);
	}
	fputs(END_MARK, out);
	fclose(out);
	return text;
}

static void the_page_lists_the_keys_there_are(void **state)
{
	char *page = read_page();
	char *list = make_list();

	(void)state;
	if (getenv("LOITER_UPDATE_GOLDEN"))
		printf("%s", list);
	else if (!strstr(page, list))
		fail_msg("loiter-keys.7 does not say what the key table says; run this test with "
			 "LOITER_UPDATE_GOLDEN=1 for the text between the marks");
	free(page);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_lists_the_keys_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
