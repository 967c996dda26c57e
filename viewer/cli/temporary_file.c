#include "viewer/cli/temporary_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum lo_result temporary_file_open(struct temporary_file *file, struct lo_error *err)
{
	const char *folder = getenv("TMPDIR");
	char name[PATH_MAX];

	if (!folder || !folder[0])
		folder = "/tmp";
	if (snprintf(name, sizeof(name), "%s/loiter-XXXXXX", folder) >= (int)sizeof(name))
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "the path in TMPDIR is too long");
	file->descriptor = mkostemp(name, O_CLOEXEC);
	if (file->descriptor < 0)
		return lo_fail_errno(err, errno,
				"cannot make a temporary file in %.100s (set TMPDIR to another "
				"folder)",
				folder);
	unlink(name);
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->descriptor);
	return LO_OK;
}

void temporary_file_close(struct temporary_file *file)
{
	if (file->descriptor >= 0)
		close(file->descriptor);
	file->descriptor = -1;
}
