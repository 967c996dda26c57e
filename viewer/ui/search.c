#include "viewer/ui/search.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void search_init(struct search *search)
{
	search->text[0] = '\0';
}

void search_release(struct search *search)
{
	if (search_is_set(search))
		regfree(&search->pattern);
	search->text[0] = '\0';
}

bool search_is_set(const struct search *search)
{
	return search->text[0] != '\0';
}

static bool has_capital(const char *text)
{
	for (; *text; text++)
		if (isupper((unsigned char)*text))
			return true;
	return false;
}

enum lo_result search_set(struct search *search, const char *text, struct lo_error *err)
{
	int flags = REG_EXTENDED | REG_NOSUB | (has_capital(text) ? 0 : REG_ICASE);
	regex_t pattern;
	int result;

	if (!*text) {
		search_release(search);
		return LO_OK;
	}
	result = regcomp(&pattern, text, flags);
	if (result != 0) {
		char why[120];

		regerror(result, &pattern, why, sizeof(why));
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "not a regular expression: %s", why);
	}
	search_release(search);
	search->pattern = pattern;
	snprintf(search->text, sizeof(search->text), "%s", text);
	return LO_OK;
}

bool search_matches(const struct search *search, const char *text)
{
	return search_is_set(search) && regexec(&search->pattern, text, 0, NULL, 0) == 0;
}

int search_next(const struct search_rows *rows, int from, int step)
{
	int row = from;

	for (int i = 0; i < rows->count; i++) {
		row += step;
		if (row >= rows->count)
			row = 0;
		if (row < 0)
			row = rows->count - 1;
		if (rows->matches(rows->context, row))
			return row;
	}
	return -1;
}

int search_rank(const struct search_rows *rows, int row)
{
	int rank = 0;

	for (int i = 0; i < rows->count && i <= row; i++)
		rank += rows->matches(rows->context, i);
	return rank;
}

int search_count(const struct search_rows *rows)
{
	return search_rank(rows, rows->count);
}
