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

/* Where the walk in direction `step` from `from` comes to `row`: smaller is sooner. */
static int distance(const struct search_rows *rows, int from, int step, int row)
{
	int ahead = step > 0 ? row - from : from - row;

	return ahead > 0 ? ahead : ahead + rows->count;
}

struct search_hit search_next(const struct search_rows *rows, int from, int step)
{
	struct search_hit hit = { .row = -1 };

	for (int row = 0; row < rows->count; row++) {
		if (!rows->matches(rows->context, row))
			continue;
		hit.count++;
		if (hit.row >= 0 && distance(rows, from, step, row) >
						    distance(rows, from, step, hit.row))
			continue;
		hit.row = row;
		hit.rank = hit.count;
	}
	return hit;
}
