#include "formats/import/import_probe.h"

#include <string.h>

#include "formats/base/macros.h"

static const struct {
	const char *magic;
	size_t size;
	const char *guess;
} guesses[] = {
	{ "\x1f\x8b", 2, "it is compressed with gzip, which this build cannot unpack" },
	{ "BZh", 3, "it is compressed with bzip2; unpack it first" },
	{ "\xfd"
	  "7zXZ",
			5, "it is compressed with xz; unpack it first" },
	{ "\x7f"
	  "ELF",
			4, "it is a program or library, not a trace" },
	{ "PERFILE2", 8, "it is a perf.data file, which cannot be imported" },
	{ "HTTP/", 5, "it is an HTTP answer with its headers; fetch the body only" },
	{ "<", 1, "it is HTML or XML; fetching the trace probably failed" },
	{ "{", 1, "it is JSON, which cannot be imported" },
	{ "go object ", 10, "it is a Go object file, not a trace" },
};

const struct importer *import_probe(const uint8_t *head, size_t size)
{
	for (const struct importer *const *importer = importers; *importer; importer++)
		if ((*importer)->probe(head, size))
			return *importer;
	return NULL;
}

const char *import_probe_guess(const uint8_t *head, size_t size)
{
	if (size == 0)
		return "it is empty";
	for (size_t i = 0; i < LO_COUNT_OF(guesses); i++)
		if (size >= guesses[i].size && memcmp(head, guesses[i].magic, guesses[i].size) == 0)
			return guesses[i].guess;
	return "its first bytes are those of no known format";
}
