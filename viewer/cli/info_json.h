#ifndef LOITER_CLI_INFO_JSON_H
#define LOITER_CLI_INFO_JSON_H

#include <stdio.h>

#include "formats/native/trace_reader.h"

/*
 * The JSON document of `loiter info --json`, as other programs rely on it. Returns an exit status
 * of exit_codes.h and prints its own errors, prefixed with `program`.
 */
int print_info_json(FILE *out, const char *program, struct trace_reader *reader);

#endif
