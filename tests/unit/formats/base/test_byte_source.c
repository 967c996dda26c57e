#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/base/byte_codec.h"
#include "formats/base/byte_sink.h"
#include "formats/base/byte_source.h"

/* A file of its own for each test, removed with its folder. */
struct scratch {
	char folder[64];
	char path[80];
};

static int make_scratch(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	if (!scratch)
		return -1;
	strcpy(scratch->folder, "/tmp/loiter-test-XXXXXX");
	if (!mkdtemp(scratch->folder))
		return -1;
	snprintf(scratch->path, sizeof(scratch->path), "%s/file", scratch->folder);
	*state = scratch;
	return 0;
}

static int drop_scratch(void **state)
{
	struct scratch *scratch = *state;

	unlink(scratch->path);
	rmdir(scratch->folder);
	free(scratch);
	return 0;
}

static void what_was_written_is_read_at_any_offset(void **state)
{
	const struct scratch *scratch = *state;
	struct byte_sink *sink;
	struct byte_source *source;
	struct stat status;
	char bytes[8] = { 0 };
	size_t got;

	assert_int_equal(byte_sink_open_file(&sink, scratch->path, NULL), LO_OK);
	assert_int_equal(byte_sink_write(sink, "0123", 4, NULL), LO_OK);
	assert_int_equal(byte_sink_write(sink, "456789", 6, NULL), LO_OK);
	assert_int_equal(sink->written, 10);
	assert_int_equal(byte_sink_close(sink, NULL), LO_OK);
	assert_int_equal(stat(scratch->path, &status), 0);
	assert_int_equal(status.st_mode & 077, 0);

	assert_int_equal(byte_source_open_file(&source, scratch->path, NULL), LO_OK);
	assert_int_equal(byte_source_size(source), 10);
	assert_int_equal(byte_source_read_all(source, 3, bytes, 4, NULL), LO_OK);
	assert_memory_equal(bytes, "3456", 4);
	assert_int_equal(byte_source_read(source, 8, bytes, 8, &got, NULL), LO_OK);
	assert_int_equal(got, 2);
	assert_int_equal(byte_source_read(source, 10, bytes, 8, &got, NULL), LO_OK);
	assert_int_equal(got, 0);
	assert_int_equal(byte_source_read(source, UINT64_MAX, bytes, 8, &got, NULL), LO_OK);
	assert_int_equal(got, 0);
	byte_source_close(source);
}

static void a_read_that_must_be_whole_says_where_the_file_ends(void **state)
{
	struct byte_source *source;
	struct lo_error err;
	char bytes[8];

	(void)state;
	assert_int_equal(byte_source_open_memory(&source, "abc", 3, NULL), LO_OK);
	assert_int_equal(byte_source_read_all(source, 1, bytes, 8, &err), LO_TRUNCATED);
	assert_int_equal(err.offset, 3);
	assert_int_equal(byte_source_read_all(source, 9, bytes, 1, &err), LO_TRUNCATED);
	assert_int_equal(byte_source_read_all(source, 9, bytes, 0, &err), LO_OK);
	byte_source_close(source);
	byte_source_close(NULL);
}

static void what_cannot_be_sought_is_refused_at_once(void **state)
{
	const struct scratch *scratch = *state;
	struct byte_source *source;
	struct lo_error err;

	assert_int_equal(mkfifo(scratch->path, 0600), 0);
	assert_int_equal(byte_source_open_file(&source, scratch->path, &err), LO_UNSUPPORTED);
	assert_int_equal(byte_source_open_file(&source, scratch->folder, &err), LO_UNSUPPORTED);
	assert_non_null(strstr(err.message, "directory"));
	assert_int_equal(byte_source_open_file(&source, "/dev/null", &err), LO_UNSUPPORTED);
	assert_int_equal(byte_source_open_file(&source, "/nowhere/at all", &err), LO_IO);
	assert_non_null(strstr(err.message, "No such file"));
}

static void a_full_disk_is_an_error_of_the_write(void **state)
{
	struct byte_sink *sink;
	struct lo_error err;

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	assert_int_equal(byte_sink_open_file(&sink, "/dev/full", NULL), LO_OK);
	assert_int_equal(byte_sink_write(sink, "x", 1, &err), LO_IO);
	assert_non_null(strstr(err.message, "No space"));
	assert_int_equal(sink->written, 0);
	byte_sink_close(sink, NULL);
	assert_int_equal(byte_sink_open_file(&sink, "/nowhere/at all", &err), LO_IO);
}

static void bytes_of_a_lent_buffer_outlive_the_sink(void **state)
{
	struct byte_buffer buffer = { 0 };
	struct byte_sink *sink;
	size_t size;

	(void)state;
	assert_int_equal(byte_sink_open_buffer(&sink, &buffer, NULL), LO_OK);
	assert_int_equal(byte_sink_write(sink, "abc", 3, NULL), LO_OK);
	assert_memory_equal(byte_sink_memory(sink, &size), "abc", 3);
	assert_int_equal(byte_sink_close(sink, NULL), LO_OK);
	assert_int_equal(buffer.size, 3);
	byte_buffer_release(&buffer);

	assert_int_equal(byte_sink_open_memory(&sink, NULL), LO_OK);
	assert_int_equal(byte_sink_write(sink, "abcd", 4, NULL), LO_OK);
	assert_memory_equal(byte_sink_memory(sink, &size), "abcd", 4);
	assert_int_equal(size, 4);
	assert_int_equal(byte_sink_close(sink, NULL), LO_OK);
	assert_int_equal(byte_sink_close(NULL, NULL), LO_OK);
}

static void a_buffer_that_cannot_grow_fails_once_and_stays_so(void **state)
{
	struct byte_buffer buffer = { 0 };

	(void)state;
	byte_buffer_put_varint(&buffer, 300);
	assert_int_equal(buffer.size, 2);
	assert_null(byte_buffer_reserve(&buffer, SIZE_MAX / 2));
	byte_buffer_put_byte(&buffer, 1);
	assert_int_equal(buffer.size, 2);
	assert_int_equal(byte_buffer_check(&buffer, NULL), LO_NO_MEMORY);
	byte_buffer_clear(&buffer);
	byte_buffer_put_byte(&buffer, 1);
	assert_int_equal(byte_buffer_check(&buffer, NULL), LO_OK);
	byte_buffer_release(&buffer);
}

static void a_frame_gives_exactly_the_announced_bytes(void **state)
{
	static const char text[] = "to be or not to be or to be or not to be";
	struct byte_packer *packer;
	struct byte_unpacker *unpacker;
	struct byte_buffer packed = { 0 };
	char out[sizeof(text) + 1];

	(void)state;
	assert_int_equal(byte_packer_new(&packer, NULL), LO_OK);
	assert_int_equal(byte_unpacker_new(&unpacker, NULL), LO_OK);
	assert_int_equal(byte_packer_pack(packer, text, sizeof(text), &packed, NULL), LO_OK);
	assert_int_equal(byte_unpacker_unpack(unpacker, packed.bytes, packed.size, out,
					 sizeof(text), NULL),
			LO_OK);
	assert_string_equal(out, text);

	/* One byte less or more announced, the frame cut, something behind it, no frame at all. */
	for (int change = -1; change <= 1; change += 2)
		assert_int_equal(byte_unpacker_unpack(unpacker, packed.bytes, packed.size, out,
						 sizeof(text) + (size_t)change, NULL),
				LO_CORRUPT);
	assert_int_equal(byte_unpacker_unpack(unpacker, packed.bytes, packed.size - 1, out,
					 sizeof(text), NULL),
			LO_CORRUPT);
	byte_buffer_put(&packed, packed.bytes, packed.size);
	assert_int_equal(byte_unpacker_unpack(unpacker, packed.bytes, packed.size, out,
					 sizeof(text), NULL),
			LO_CORRUPT);
	assert_int_equal(byte_unpacker_unpack(unpacker, "", 0, out, 0, NULL), LO_CORRUPT);
	byte_packer_free(packer);
	byte_unpacker_free(unpacker);
	byte_buffer_release(&packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
				what_was_written_is_read_at_any_offset, make_scratch, drop_scratch),
		cmocka_unit_test(a_read_that_must_be_whole_says_where_the_file_ends),
		cmocka_unit_test_setup_teardown(what_cannot_be_sought_is_refused_at_once,
				make_scratch, drop_scratch),
		cmocka_unit_test(a_full_disk_is_an_error_of_the_write),
		cmocka_unit_test(bytes_of_a_lent_buffer_outlive_the_sink),
		cmocka_unit_test(a_buffer_that_cannot_grow_fails_once_and_stays_so),
		cmocka_unit_test(a_frame_gives_exactly_the_announced_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
