#include "formats/base/printable.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT 0xfffdu

/* Ranges of code points that are valid and still not fit to be shown: they control a terminal,
 * reorder or hide what stands around them, or break lines. From Unicode's categories Cc, Cf, Zl,
 * Zp and Co, and the noncharacters. */
static const struct {
	uint32_t first;
	uint32_t last;
} unfit[] = {
	{ 0x0000, 0x001f },   /* C0 controls: also tab and newline */
	{ 0x007f, 0x009f },   /* delete, C1 controls (8-bit escape sequences) */
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x034f, 0x034f },   /* grapheme joiner */
	{ 0x0600, 0x0605 },   /* Arabic number signs */
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x06dd, 0x06dd },   /* Arabic end of ayah */
	{ 0x070f, 0x070f },   /* Syriac abbreviation mark */
	{ 0x0890, 0x0891 },   /* Arabic pound marks */
	{ 0x08e2, 0x08e2 },   /* Arabic disputed end of ayah */
	{ 0x115f, 0x1160 },   /* Hangul fillers: invisible */
	{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels: invisible */
	{ 0x180b, 0x180f },   /* Mongolian selectors and vowel separator */
	{ 0x200b, 0x200f },   /* zero widths, direction marks */
	{ 0x2028, 0x202e },   /* line and paragraph separators, directional embeddings */
	{ 0x2060, 0x206f },   /* invisible operators, directional isolates */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xe000, 0xf8ff },   /* private use: anything, depending on the font */
	{ 0xfdd0, 0xfdef },   /* noncharacters */
	{ 0xfe00, 0xfe0f },   /* variation selectors */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xffa0, 0xffa0 },   /* halfwidth Hangul filler */
	{ 0xfff0, 0xfffb },   /* interlinear annotations */
	{ 0xfffe, 0xffff },   /* noncharacters */
	{ 0x110bd, 0x110bd }, /* Kaithi number sign */
	{ 0x110cd, 0x110cd }, { 0x13430, 0x1343f }, /* hieroglyph joiners */
	{ 0x1bca0, 0x1bca3 },                       /* shorthand format controls */
	{ 0x1d173, 0x1d17a },                       /* musical format controls */
	{ 0xe0000, 0x10ffff },                      /* tags, selectors, private planes */
};

static bool is_fit(uint32_t code_point)
{
	/* The last two code points of each plane are noncharacters. */
	if ((code_point & 0xfffe) == 0xfffe)
		return false;
	for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
		if (code_point >= unfit[i].first && code_point <= unfit[i].last)
			return false;
	return true;
}

/* What the first byte of a character says: its length in bytes, 0 when no character begins so. */
static size_t announced_length(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2) /* a continuation byte, or an overlong form of ASCII */
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

/* Overlong forms, surrogates and what is beyond Unicode all show in the second byte. */
static bool second_byte_is_valid(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

/* The code point and its length; or, for a broken character, the number of bytes that are part of
 * it, so that what follows is read from its beginning. */
static size_t decode(const uint8_t *bytes, size_t length, uint32_t *code_point)
{
	static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t size = announced_length(bytes[0]);
	uint32_t sum = bytes[0] & first_bits[size];

	*code_point = REPLACEMENT;
	for (size_t i = 1; i < size; i++) {
		if (i == length || (bytes[i] & 0xc0) != 0x80 ||
				(i == 1 && !second_byte_is_valid(bytes[0], bytes[1])))
			return i;
		sum = sum << 6 | (bytes[i] & 0x3f);
	}
	if (size == 0)
		return 1;
	*code_point = sum;
	return size;
}

size_t printable_next(const char *bytes, size_t length, uint32_t *code_point)
{
	size_t used;

	*code_point = REPLACEMENT;
	if (length == 0)
		return 0;
	used = decode((const uint8_t *)bytes, length, code_point);
	if (!is_fit(*code_point))
		*code_point = REPLACEMENT;
	return used;
}

static size_t encode(uint32_t code_point, char out[4])
{
	static const uint8_t first_marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t size = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

	for (size_t i = size - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code_point & 0x3f));
		code_point >>= 6;
	}
	out[0] = (char)(first_marks[size] | code_point);
	return size;
}

size_t printable_copy(char *out, size_t capacity, const char *bytes, size_t length, int ascii_only)
{
	size_t stored = 0;

	if (capacity == 0)
		return 0;
	while (length > 0) {
		uint32_t code_point;
		size_t used = printable_next(bytes, length, &code_point);
		char encoded[4];
		size_t size;

		if (ascii_only && code_point >= 0x80)
			code_point = '?';
		size = encode(code_point, encoded);
		if (size >= capacity - stored)
			break;
		memcpy(out + stored, encoded, size);
		stored += size;
		bytes += used;
		length -= used;
	}
	out[stored] = '\0';
	return stored;
}
