#include "viewer/cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES_MAX 1000u

enum lo_result output_file_choose(char path[PATH_MAX], const char *stem, struct lo_error *err)
{
	int fd = -1;

	for (unsigned i = 0; i < TRIES_MAX && fd < 0; i++) {
		char again[16] = "";

		if (i > 0)
			snprintf(again, sizeof(again), "-%u", i);
		snprintf(path, PATH_MAX, "%.240s%s.loiter", stem, again);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0)
		return lo_fail_errno(err, errno,
				"cannot create '%.150s' here; name another file with -o", path);
	close(fd);
	return LO_OK;
}

bool is_same_file(const char *a, const char *b)
{
	struct stat first;
	struct stat second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}
