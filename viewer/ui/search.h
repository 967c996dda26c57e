#ifndef LOITER_UI_SEARCH_H
#define LOITER_UI_SEARCH_H

#include <regex.h>
#include <stdbool.h>

#include "formats/base/error.h"

/*
 * What the user searches for: an extended regular expression, small letters matching capitals too
 * unless the pattern holds a capital. The same one works in every view until it is forgotten.
 */
#define SEARCH_TEXT_MAX 801

struct search {
	char text[SEARCH_TEXT_MAX]; /* "" = nothing */
	regex_t pattern;            /* valid when text is not empty */
};

void search_init(struct search *search);
void search_release(struct search *search);

/* An empty text forgets the search. LO_USAGE keeps what was searched for before. */
enum lo_result search_set(struct search *search, const char *text, struct lo_error *err);
bool search_is_set(const struct search *search);
bool search_matches(const struct search *search, const char *text);

/* The rows of a view, and whether they match. */
struct search_rows {
	int count;
	bool (*matches)(void *context, int row);
	void *context;
};

struct search_hit {
	int row;   /* -1 = none matches */
	int rank;  /* among the matching rows, from 1 */
	int count; /* of matching rows */
};

/*
 * The nearest matching row after `from` (before it, when `step` is negative), around the ends;
 * `from` itself only when no other matches. Looks at each row once: rows may be many.
 */
struct search_hit search_next(const struct search_rows *rows, int from, int step);

#endif
