#ifndef LOITER_CLI_OUTPUT_FILE_H
#define LOITER_CLI_OUTPUT_FILE_H

#include <limits.h>
#include <stdbool.h>

#include "formats/base/error.h"

/*
 * Makes a new, empty file for its owner only in the current folder and stores its name:
 * STEM.loiter, or STEM-1.loiter and so on if there are such files already. Nothing is ever
 * replaced.
 */
enum lo_result output_file_choose(char path[PATH_MAX], const char *stem, struct lo_error *err);

/* Whether both names lead to one file that exists. */
bool is_same_file(const char *a, const char *b);

#endif
