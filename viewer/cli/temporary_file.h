#ifndef LOITER_CLI_TEMPORARY_FILE_H
#define LOITER_CLI_TEMPORARY_FILE_H

#include "formats/base/error.h"

#define TEMPORARY_PATH_MAX 32

/*
 * A new file in $TMPDIR that has no name, so that it is gone with its last descriptor. `path` can
 * be opened as often as needed while `descriptor`, the caller's, is open.
 */
struct temporary_file {
	int descriptor;
	char path[TEMPORARY_PATH_MAX];
};

enum lo_result temporary_file_open(struct temporary_file *file, struct lo_error *err);
void temporary_file_close(struct temporary_file *file);

#endif
