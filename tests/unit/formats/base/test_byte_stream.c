#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "formats/base/byte_stream.h"
#include "formats/base/macros.h"

#define SIZE 1000000u

static uint8_t plain[SIZE];
static uint8_t packed[SIZE + 4096];
static size_t packed_size;

static int fill(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		plain[i] = (uint8_t)(i * i >> 7);
	packed_size = ZSTD_compress(packed, sizeof(packed), plain, SIZE / 2, 1);
	assert_false(ZSTD_isError(packed_size));
	/* two frames in a row are one file */
	packed_size += ZSTD_compress(packed + packed_size, sizeof(packed) - packed_size,
			plain + SIZE / 2, SIZE / 2, 1);
	return 0;
}

static struct byte_stream *open_memory(const void *bytes, size_t size)
{
	struct byte_source *source;
	struct byte_stream *stream;

	assert_int_equal(byte_source_open_memory(&source, bytes, size, NULL), LO_OK);
	assert_int_equal(byte_stream_open(&stream, source, NULL), LO_OK);
	return stream;
}

/* Reads to the end in uneven steps; returns how much there was. */
static size_t assert_reads_plain(struct byte_stream *stream)
{
	static const size_t steps[] = { 1, 7, 65536, 100, 300000, 13 };
	size_t at = 0;

	for (unsigned i = 0;; i++) {
		const uint8_t *bytes;
		size_t got;

		assert_int_equal(byte_stream_peek(stream, steps[i % LO_COUNT_OF(steps)], &bytes,
						 &got, NULL),
				LO_OK);
		if (got == 0)
			break;
		assert_memory_equal(bytes, plain + at, got);
		assert_int_equal(byte_stream_offset(stream), at);
		got -= got / 3; /* what is not taken comes again */
		byte_stream_skip(stream, got);
		at += got;
	}
	assert_true(byte_stream_is_at_end(stream));
	return at;
}

static void plain_bytes_come_as_they_are(void **state)
{
	struct byte_stream *stream = open_memory(plain, SIZE);

	(void)state;
	assert_false(byte_stream_is_packed(stream));
	assert_int_equal(assert_reads_plain(stream), SIZE);
	assert_null(byte_stream_fault(stream));
	byte_stream_close(stream);
}

static void short_inputs_end_at_once(void **state)
{
	(void)state;
	for (size_t size = 0; size < 5; size++) {
		struct byte_stream *stream = open_memory(plain, size);

		assert_int_equal(assert_reads_plain(stream), size);
		byte_stream_close(stream);
	}
}

static void zstd_is_unpacked_by_its_magic(void **state)
{
	struct byte_stream *stream = open_memory(packed, packed_size);

	(void)state;
	assert_true(byte_stream_is_packed(stream));
	assert_int_equal(assert_reads_plain(stream), SIZE);
	assert_null(byte_stream_fault(stream));
	assert_int_equal(byte_stream_done(stream), packed_size);
	byte_stream_close(stream);
}

static void a_cut_file_yields_what_is_there(void **state)
{
	struct byte_stream *stream = open_memory(packed, packed_size * 3 / 4);

	(void)state;
	assert_in_range(assert_reads_plain(stream), SIZE / 2, SIZE - 1);
	assert_non_null(strstr(byte_stream_fault(stream), "stops early"));
	byte_stream_close(stream);
}

static void a_damaged_file_yields_what_comes_before(void **state)
{
	uint8_t *copy = malloc(packed_size);
	struct byte_stream *stream;

	(void)state;
	memcpy(copy, packed, packed_size);
	memset(copy + packed_size * 3 / 4, 0xff, packed_size - packed_size * 3 / 4);
	stream = open_memory(copy, packed_size);
	for (const uint8_t *bytes;;) {
		size_t got;

		assert_int_equal(byte_stream_peek(stream, 4096, &bytes, &got, NULL), LO_OK);
		if (got == 0)
			break;
		byte_stream_skip(stream, got);
	}
	assert_true(byte_stream_offset(stream) >= SIZE / 2);
	assert_non_null(byte_stream_fault(stream));
	byte_stream_close(stream);
	free(copy);
}

static void a_pipe_is_read_too(void **state)
{
	struct byte_stream *stream;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], plain, 5000), 5000);
	close(ends[1]);
	assert_int_equal(byte_stream_open_descriptor(&stream, ends[0], NULL), LO_OK);
	assert_int_equal(assert_reads_plain(stream), 5000);
	assert_int_equal(byte_stream_total(stream), 0);
	byte_stream_close(stream);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_bytes_come_as_they_are),
		cmocka_unit_test(short_inputs_end_at_once),
		cmocka_unit_test(zstd_is_unpacked_by_its_magic),
		cmocka_unit_test(a_cut_file_yields_what_is_there),
		cmocka_unit_test(a_damaged_file_yields_what_comes_before),
		cmocka_unit_test(a_pipe_is_read_too),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
