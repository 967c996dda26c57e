#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <malloc.h>

#include "formats/native/trace_cursor.h"
#include "formats/native/trace_states.h"
#include "tests/support/trace_sample.h"

/* Every allocation of the library is counted here (linked with --wrap), as what it really takes. */
static _Atomic size_t bytes_now;
static _Atomic size_t bytes_most;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *block);

static void *count(void *block)
{
	size_t now = atomic_fetch_add(&bytes_now, malloc_usable_size(block)) +
		     malloc_usable_size(block);
	size_t most = atomic_load(&bytes_most);

	while (now > most && !atomic_compare_exchange_weak(&bytes_most, &most, now))
		;
	return block;
}

void *__wrap_malloc(size_t size)
{
	return count(__real_malloc(size));
}

void *__wrap_calloc(size_t number, size_t size)
{
	return count(__real_calloc(number, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	atomic_fetch_sub(&bytes_now, malloc_usable_size(old));
	return count(__real_realloc(old, size));
}

void __wrap_free(void *block)
{
	atomic_fetch_sub(&bytes_now, malloc_usable_size(block));
	__real_free(block);
}

#define BLOCKS 48u
#define ROWS   32768u
/* One decoded block; the events of the whole trace take 48 of these. */
#define BLOCK_BYTES (ROWS * sizeof(struct event))

static struct trace_sample sample;

static int write_sample(void **state)
{
	(void)state;
	trace_sample_init(&sample, BLOCKS, ROWS, 3);
	return 0;
}

static int release_sample(void **state)
{
	(void)state;
	trace_sample_release(&sample);
	return 0;
}

/* Reads all events forwards and backwards, and asks for states all over the trace. */
static void use(struct trace_reader *reader, bool ahead)
{
	uint64_t length = trace_reader_info(reader)->duration_ns;
	struct trace_cursor *cursor;
	const struct event *events;
	struct event event;
	uint64_t seen = 0;
	uint32_t rows;

	assert_int_equal(trace_cursor_open(&cursor, reader, (struct time_span){ 0, UINT64_MAX },
					 NULL),
			LO_OK);
	if (ahead)
		trace_cursor_read_ahead(cursor);
	while (trace_cursor_next_run(cursor, &events, &rows, NULL) == LO_OK)
		seen += rows;
	assert_int_equal(seen, (uint64_t)BLOCKS * ROWS);
	while (trace_cursor_previous(cursor, &event, NULL) == LO_OK)
		seen--;
	assert_int_equal(seen, 0);
	trace_cursor_close(cursor);
	for (uint64_t i = 0; i < 20; i++) {
		struct trace_states states;

		assert_int_equal(trace_states_at(&states, reader, length / 20 * i, NULL, NULL),
				LO_OK);
		trace_states_release(&states);
	}
}

/* What it takes at the most beyond what opening took. */
static size_t most_with(uint64_t cache_bytes, bool ahead)
{
	struct trace_reader_options options = { .cache_bytes = cache_bytes };
	struct trace_reader *reader;
	struct byte_source *source;
	size_t before;

	assert_int_equal(
			byte_source_open_memory(&source, sample.file.bytes, sample.file.size, NULL),
			LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, &options, NULL), LO_OK);
	before = atomic_load(&bytes_now);
	atomic_store(&bytes_most, before);
	use(reader, ahead);
	trace_reader_close(reader);
	return atomic_load(&bytes_most) - before;
}

/*
 * Beyond the cap there is what is in use: the block in hand and the next one, and the work space to
 * decode them (packed, unpacked), twice, as two threads may be at it.
 */
static void a_reader_keeps_to_its_cap(void **state)
{
	static const uint64_t caps[] = { 1, 4ull << 20, 16ull << 20, 40ull << 20 };
	const size_t in_use = 2 * BLOCK_BYTES + 2 * (3u << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		for (int ahead = 0; ahead < 2; ahead++) {
			size_t most = most_with(caps[i], ahead);

			assert_in_range(most, BLOCK_BYTES, caps[i] + in_use);
		}
	/* The cap is what limits it: without one everything stays. */
	assert_true(most_with(1ull << 30, false) > BLOCKS * BLOCK_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_keeps_to_its_cap),
	};

	return cmocka_run_group_tests(tests, write_sample, release_sample);
}
