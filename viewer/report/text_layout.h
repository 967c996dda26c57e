#ifndef LOITER_REPORT_TEXT_LAYOUT_H
#define LOITER_REPORT_TEXT_LAYOUT_H

#include <stdio.h>

#include "formats/base/macros.h"

/*
 * Lines of at most TEXT_COLUMNS columns. A character counts as wide as a terminal shows it; without
 * a UTF-8 locale as one column.
 */
#define TEXT_COLUMNS 80

/*
 * Writes `first` padded to `indent` columns, then the formatted text, broken at blanks; further
 * lines are indented alike. A word longer than a line is broken where the line ends.
 */
void text_paragraph(FILE *out, int indent, const char *first, const char *format, ...)
		LO_PRINTF(4, 5);

/* A heading in capitals, with an empty line before it. */
void text_heading(FILE *out, const char *format, ...) LO_PRINTF(2, 3);

#endif
