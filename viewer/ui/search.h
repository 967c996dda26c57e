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

/*
 * The rows of a view that match, asked through `matches`; wraps around the ends. `from` is not
 * looked at first but last. -1 = none.
 */
struct search_rows {
	int count;
	bool (*matches)(void *context, int row);
	void *context;
};
int search_next(const struct search_rows *rows, int from, int step);
int search_count(const struct search_rows *rows);
/* How many matching rows there are up to and including `row`. */
int search_rank(const struct search_rows *rows, int row);

#endif
