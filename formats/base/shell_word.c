#include "formats/base/shell_word.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "formats/base/printable.h"

#define REPLACEMENT 0xfffdu

enum quoting {
	QUOTE_NOTHING,
	QUOTE_PLAINLY,    /* '...': everything stands for itself */
	QUOTE_WITH_ESCAPE /* $'...' */
};

struct output {
	char *text;
	size_t capacity;
	size_t used;
	bool full;
};

/* All of it, or nothing from here on. One byte is left for the NUL. */
static void put(struct output *out, const char *bytes, size_t length)
{
	out->full |= length >= out->capacity - out->used;
	if (out->full)
		return;
	memcpy(out->text + out->used, bytes, length);
	out->used += length;
}

/* Means nothing to a shell, whatever the word and wherever it stands. */
static bool is_plain(uint32_t character)
{
	return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
	       (character >= 'a' && character <= 'z') ||
	       (character > 0 && character < 0x80 && strchr("+,-./:@_%", (int)character));
}

static enum quoting quoting_of(const char *bytes, size_t length)
{
	enum quoting quoting = length == 0 ? QUOTE_PLAINLY : QUOTE_NOTHING;
	bool is_option = length > 0 && *bytes == '-'; /* else '=' could assign */

	while (length > 0) {
		uint32_t character;
		size_t used = printable_next(bytes, length, &character);

		if (character == REPLACEMENT || character == '\'')
			return QUOTE_WITH_ESCAPE;
		if (!is_plain(character) && !(is_option && character == '='))
			quoting = QUOTE_PLAINLY;
		bytes += used;
		length -= used;
	}
	return quoting;
}

static void put_byte_escaped(struct output *out, unsigned char byte)
{
	static const char letters[] = "\aa\bb\tt\nn\vv\ff\rr\\\\''";
	char escape[8] = { '\\' };

	for (const char *pair = letters; *pair; pair += 2) {
		if (*pair == (char)byte) {
			escape[1] = pair[1];
			put(out, escape, 2);
			return;
		}
	}
	/* Three digits, so that none of what follows is taken for a fourth. */
	put(out, escape, (size_t)snprintf(escape, sizeof(escape), "\\%03o", byte));
}

/* One character of $'...'. */
static void put_escaped(struct output *out, const char *bytes, size_t length, uint32_t character)
{
	if (character != REPLACEMENT && character != '\'' && character != '\\') {
		put(out, bytes, length);
		return;
	}
	for (size_t i = 0; i < length; i++)
		put_byte_escaped(out, (unsigned char)bytes[i]);
}

size_t shell_word(char *out, size_t capacity, const char *bytes, size_t length)
{
	struct output output = { out, capacity, 0, false };
	enum quoting quoting = quoting_of(bytes, length);

	if (capacity == 0)
		return 0;
	if (quoting != QUOTE_NOTHING)
		put(&output, quoting == QUOTE_PLAINLY ? "'" : "$'",
				quoting == QUOTE_PLAINLY ? 1 : 2);
	while (length > 0) {
		uint32_t character;
		size_t used = printable_next(bytes, length, &character);

		if (quoting == QUOTE_WITH_ESCAPE)
			put_escaped(&output, bytes, used, character);
		else
			put(&output, bytes, used);
		bytes += used;
		length -= used;
	}
	if (quoting != QUOTE_NOTHING)
		put(&output, "'", 1);
	out[output.used] = '\0';
	return output.used;
}
