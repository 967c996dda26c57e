#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/limits.h"
#include "formats/native/lives.h"
#include "tests/fuzz/fuzz.h"

/*
 * The bytes are a section of lives: its rows, the range of its header, then the raw columns. When
 * they decode, births must ascend and everything must be in range; and what is encoded again from
 * these lives must decode to the same.
 */
#define SEQUENCE 100000u

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static void set_section(
		struct section_payload *section, uint32_t rows, const struct section_range *range)
{
	section->header.type = SECTION_LIVES;
	section->header.rows = rows;
	section->header.sequence = SEQUENCE;
	section_range_store(&section->header, range);
	section->header.extra_bytes = LIVES_EXTRA_BYTES;
}

static void check(const struct lives_page *page, const struct section_range *range)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < page->count; i++) {
		const struct life *life = &page->lives[i];

		promise(life->birth >= last && life->birth < SEQUENCE);
		promise(life->death == LIFE_GOES_ON ||
				(life->death >= life->birth && life->death < SEQUENCE));
		promise(life->task >= range->low && life->task <= range->high);
		promise(life->task != TASK_NONE && life->task <= LIMIT_TASKS);
		promise(life->creation_stack <= LIMIT_STACKS && life->existing <= 1);
		last = life->birth;
	}
}

static bool equal_lives(const struct life *a, const struct life *b)
{
	return a->birth == b->birth && a->death == b->death && a->task == b->task &&
	       a->creation_stack == b->creation_stack && a->existing == b->existing;
}

static void check_round_trip(struct lives_page *page)
{
	static struct section_payload section;
	struct section_range range = { 0 };
	const struct lives_page *again;
	void *object = NULL;
	uint64_t bytes;

	byte_buffer_clear(&section.raw);
	lives_encode(&section.raw, page->lives, page->count, &range);
	set_section(&section, page->count, &range);
	promise(lives_decoder.decode(&object, &bytes, NULL, &section, NULL) == LO_OK);
	again = object;
	promise(again->count == page->count);
	for (uint32_t i = 0; i < page->count; i++)
		promise(equal_lives(&again->lives[i], &page->lives[i]));
	lives_decoder.free_object(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct section_payload section;
	struct byte_cursor cursor = byte_cursor_over(bytes, size);
	uint32_t rows = (uint32_t)byte_cursor_varint(&cursor);
	struct section_range range = { 0 };
	uint64_t memory = 0;
	void *object = NULL;

	range.begin_ns = byte_cursor_varint(&cursor);
	range.end_ns = range.begin_ns + byte_cursor_varint(&cursor);
	range.low = (uint32_t)byte_cursor_varint(&cursor);
	range.high = (uint32_t)byte_cursor_varint(&cursor);
	set_section(&section, rows, &range);
	byte_buffer_clear(&section.raw);
	byte_buffer_put(&section.raw, cursor.next, byte_cursor_left(&cursor));
	if (lives_decoder.decode(&object, &memory, NULL, &section, NULL) != LO_OK)
		return 0;
	promise(memory <= 64 * size + 256);
	check(object, &range);
	check_round_trip(object);
	lives_decoder.free_object(object);
	return 0;
}
