#ifndef LOITER_UI_EVIDENCE_H
#define LOITER_UI_EVIDENCE_H

#include "viewer/ui/app.h"
#include "viewer/ui/document.h"

/*
 * What speaks for a verdict, as lines: the most telling first, because a small screen shows only
 * the first few. `row` is a row of the findings view.
 */
void evidence_of_finding(struct document *document, const struct app *app, int row);

/* The lines of a stack, innermost first, under `label`. */
void evidence_stack(struct document *document, const struct app *app, const char *label,
		uint32_t stack);

/* "created by T1 main, at serve (server.c:91)", with the creator as link. */
void evidence_creator(
		struct document *document, const struct app *app, uint32_t task, uint32_t stack);

/*
 * Whom a blocked task waits for, step by step along holders and joins, until somebody is not
 * blocked, is not known, or came before (a cycle).
 */
void evidence_chain(struct document *document, const struct app *app, uint32_t task);

#endif
