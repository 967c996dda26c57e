#include "formats/base/content_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

#define BIG_BYTES (1u << 20)

static void text_of_source(const void *bytes, size_t size, char text[CONTENT_HASH_TEXT_MAX])
{
	struct content_hash *hash = content_hash_new();
	struct byte_source *source;

	assert_non_null(hash);
	assert_int_equal(byte_source_open_memory(&source, bytes, size, NULL), LO_OK);
	assert_int_equal(content_hash_add_source(hash, source, NULL), LO_OK);
	content_hash_text(hash, text);
	byte_source_close(source);
	content_hash_free(hash);
}

static void nothing_has_the_hash_that_the_library_names(void **state)
{
	char text[CONTENT_HASH_TEXT_MAX];

	(void)state;
	/* Of the published test vectors: XXH3 with 128 bits of no bytes, seed 0. */
	text_of_source("", 0, text);
	assert_string_equal(text, "99aa06d3014798d86001c324468d497f");
}

static void sources_of_every_size_hash_as_in_one_piece(void **state)
{
	static const size_t sizes[] = { 1, 16, 240, 241, (256u << 10) - 1, 256u << 10,
		(256u << 10) + 1, 512u << 10, BIG_BYTES };
	uint8_t *bytes = malloc(BIG_BYTES);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < BIG_BYTES; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		XXH128_hash_t whole = XXH3_128bits(bytes, sizes[i]);
		char expected[CONTENT_HASH_TEXT_MAX];
		char text[CONTENT_HASH_TEXT_MAX];

		snprintf(expected, sizeof(expected), "%016llx%016llx",
				(unsigned long long)whole.high64, (unsigned long long)whole.low64);
		text_of_source(bytes, sizes[i], text);
		assert_string_equal(text, expected);
	}
	free(bytes);
}

static void pieces_count_in_their_order(void **state)
{
	struct content_hash *hash = content_hash_new();
	char in_pieces[CONTENT_HASH_TEXT_MAX];
	char whole[CONTENT_HASH_TEXT_MAX];

	(void)state;
	assert_non_null(hash);
	content_hash_add(hash, "loi", 3);
	content_hash_add(hash, "", 0);
	content_hash_add(hash, "ter", 3);
	content_hash_text(hash, in_pieces);
	content_hash_free(hash);
	text_of_source("loiter", 6, whole);
	assert_string_equal(in_pieces, whole);
	text_of_source("terloi", 6, whole);
	assert_string_not_equal(in_pieces, whole);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_the_hash_that_the_library_names),
		cmocka_unit_test(sources_of_every_size_hash_as_in_one_piece),
		cmocka_unit_test(pieces_count_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
