/*
 * A fuzz target without a fuzzer: runs it once with every file of the folders and files given, so
 * that what a fuzzer has found stays found. Fails when there is not a single one.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static unsigned replayed;

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	uint8_t *bytes;

	if (!file || fstat(fileno(file), &status) != 0) {
		perror(path);
		exit(1);
	}
	/* Exactly as large as the file, so that a sanitizer sees every step beyond its end. */
	bytes = malloc((size_t)status.st_size + (status.st_size == 0));
	if (!bytes || fread(bytes, 1, (size_t)status.st_size, file) != (size_t)status.st_size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, (size_t)status.st_size);
	free(bytes);
	replayed++;
}

static void replay(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	char inner[4096];

	if (!folder) {
		replay_file(path);
		return;
	}
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		replay_file(inner);
	}
	closedir(folder);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%u inputs\n", replayed);
	return replayed > 0 ? 0 : 1;
}
