#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "formats/base/byte_buffer.h"
#include "formats/import/import_run.h"
#include "formats/native/trace_reader.h"
#include "tests/integration/go/trace_facts.h"

/*
 * Cuts and mutates real files and imports what is left of them.
 *
 *	go_damage FOLDER ROUNDS [all]
 *
 * Takes every *.trace.zst and *.txt.zst of the folders in FOLDER. Each import must end with a
 * sound trace or a sentence, within a second and 2 GiB. 64 KiB and more of input get a tenth of
 * the rounds each, unless `all` is said. Exit status 77 when there is nothing to damage.
 */
#define EXIT_SKIPPED  77
#define LARGE_BYTES   65536u
#define MEMORY_BYTES  (2ul << 30)
#define SECONDS_EACH  30u
#define MUTATIONS_MAX 8u

static bool all_rounds;
static unsigned files;
static unsigned imports;
static unsigned refusals;
static const char *present; /* file and round, for the one who looks after a crash */

static uint64_t random_state = 0x9e3779b97f4a7c15u;

/* xorshift64*: the same on every run. */
static uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1du % limit;
}

static void check_native(const struct byte_buffer *native)
{
	struct trace_reader *reader = NULL;
	struct byte_source *source;
	struct trace_facts facts;
	struct lo_error err;
	enum lo_result result = byte_source_open_memory(&source, native->bytes, native->size, &err);

	if (result == LO_OK)
		result = trace_reader_open(&reader, source, NULL, &err);
	if (result != LO_OK) {
		printf("%s: the import cannot be read: %s\n", present, err.message);
		exit(1);
	}
	trace_facts_collect(&facts, reader);
	trace_facts_release(&facts);
	trace_reader_close(reader);
}

static void import_bytes(const uint8_t *bytes, size_t size)
{
	static struct byte_buffer native;
	struct lo_error err = { .message = "" };
	struct byte_source *source;
	struct byte_stream *in = NULL;
	struct byte_sink *sink;
	enum lo_result result = byte_source_open_memory(&source, bytes, size, &err);

	alarm(SECONDS_EACH);
	byte_buffer_clear(&native);
	if (result == LO_OK)
		result = byte_stream_open(&in, source, &err);
	if (result == LO_OK)
		result = byte_sink_open_buffer(&sink, &native, &err);
	if (result == LO_OK)
		result = import_run(in, sink, NULL, &err);
	byte_stream_close(in);
	imports++;
	if (result == LO_OK) {
		check_native(&native);
		return;
	}
	refusals++;
	if (err.message[0] == '\0' || result == LO_NO_MEMORY) {
		printf("%s: failed with %d '%s'\n", present, result, err.message);
		exit(1);
	}
}

/* A copy at the very end of its own allocation, so that a sanitizer sees every byte too far. */
static void import_cut(const uint8_t *bytes, size_t size)
{
	uint8_t *cut = malloc(size ? size : 1);

	memcpy(cut, bytes, size);
	import_bytes(cut, size);
	free(cut);
}

static void mutate(uint8_t *bytes, size_t size)
{
	uint64_t count = 1 + random_below(MUTATIONS_MAX);

	for (uint64_t i = 0; i < count; i++) {
		uint8_t *at = &bytes[random_below(size)];

		if (random_below(2))
			*at ^= (uint8_t)(1u << random_below(8));
		else
			*at = (uint8_t)random_below(256);
	}
}

static void damage(const char *path, const uint8_t *bytes, size_t size, unsigned rounds)
{
	uint8_t *mutated = malloc(size);
	char where[600];

	present = where;
	if (size > LARGE_BYTES && !all_rounds)
		rounds = rounds / 10 + 1;
	for (unsigned i = 0; i < rounds; i++) {
		size_t cut = (size_t)((uint64_t)size * i / rounds);

		snprintf(where, sizeof(where), "%s cut at %zu", path, cut);
		import_cut(bytes, cut);
		snprintf(where, sizeof(where), "%s mutation %u", path, i);
		memcpy(mutated, bytes, size);
		mutate(mutated, size);
		import_bytes(mutated, size);
	}
	free(mutated);
}

static void damage_file(const char *path, unsigned rounds)
{
	struct byte_source *source;
	struct byte_stream *in;
	struct lo_error err;
	const uint8_t *bytes;
	size_t size;
	uint8_t *copy;

	if (byte_source_open_file(&source, path, &err) != LO_OK ||
			byte_stream_open(&in, source, &err) != LO_OK ||
			byte_stream_peek(in, 64u << 20, &bytes, &size, &err) != LO_OK) {
		printf("%s: %s\n", path, err.message);
		exit(1);
	}
	copy = malloc(size);
	memcpy(copy, bytes, size);
	byte_stream_close(in);
	damage(path, copy, size, rounds);
	free(copy);
	files++;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static void damage_folder(const char *folder, unsigned rounds)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char *path = NULL;

		if (!ends_with(entry->d_name, ".trace.zst") &&
				!ends_with(entry->d_name, ".txt.zst"))
			continue;
		if (asprintf(&path, "%s/%s", folder, entry->d_name) > 0)
			damage_file(path, rounds);
		free(path);
	}
	if (directory)
		closedir(directory);
}

static void limit_memory(void)
{
	struct rlimit limit = { MEMORY_BYTES, MEMORY_BYTES };

#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes of addresses */
	setrlimit(RLIMIT_AS, &limit);
#else
	(void)limit;
#endif
}

int main(int argc, char **argv)
{
	DIR *directory = argc > 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;

	all_rounds = argc > 3 && strcmp(argv[3], "all") == 0;
	limit_memory();
	while (directory && (entry = readdir(directory))) {
		char *folder = NULL;

		if (entry->d_name[0] != '.' &&
				asprintf(&folder, "%s/%s", argv[1], entry->d_name) > 0)
			damage_folder(folder, (unsigned)atoi(argv[2]));
		free(folder);
	}
	if (directory)
		closedir(directory);
	if (files == 0) {
		printf("skipped: no Go traces in %s (see LOITER_SHARED_DATA)\n",
				argc > 1 ? argv[1] : "any folder");
		return EXIT_SKIPPED;
	}
	printf("%u files, %u imports, %u of them refused with a sentence\n", files, imports,
			refusals);
	return 0;
}
