#include "formats/import/go_batch.h"

#include "formats/base/byte_cursor.h"
#include "formats/base/limits.h"
#include "formats/base/varint.h"

/* Kind, experiment, and four numbers of up to 10 bytes. */
#define HEAD_MAX (2u + 4u * VARINT_MAX)

/* Lengths are written after the payload, into room that was left for them: always ten bytes. */
#define PADDED_LENGTH_BYTES 10u

enum head_shape {
	HEAD_GOOD,
	HEAD_BAD,
	HEAD_CUT, /* good as far as it goes */
};

struct head {
	struct go_batch batch;
	size_t size; /* of the header itself */
	bool padded; /* its length has the form that the runtime writes */
};

static enum head_shape parse_head(const uint8_t *bytes, size_t size, struct head *head)
{
	struct byte_cursor cursor = byte_cursor_over(bytes, size);
	uint8_t kind = byte_cursor_byte(&cursor);
	uint64_t length;
	size_t before;

	*head = (struct head){ 0 };
	head->size = 1;
	head->batch.end_of_generation = kind == GO_WIRE_END_OF_GENERATION;
	if (head->batch.end_of_generation)
		return HEAD_GOOD;
	if (kind != GO_WIRE_EVENT_BATCH && kind != GO_WIRE_EXPERIMENTAL_BATCH)
		return HEAD_BAD;
	if (kind == GO_WIRE_EXPERIMENTAL_BATCH) {
		head->batch.experimental = true;
		byte_cursor_byte(&cursor);
	}
	head->batch.generation = byte_cursor_varint(&cursor);
	head->batch.thread = byte_cursor_varint(&cursor);
	head->batch.time = byte_cursor_varint(&cursor);
	before = byte_cursor_left(&cursor);
	length = byte_cursor_varint(&cursor);
	if (cursor.failed)
		return size < HEAD_MAX ? HEAD_CUT : HEAD_BAD;
	if (length > GO_WIRE_BATCH_MAX)
		return HEAD_BAD;
	head->padded = before - byte_cursor_left(&cursor) == PADDED_LENGTH_BYTES;
	head->size = size - byte_cursor_left(&cursor);
	head->batch.size = (uint32_t)length;
	return HEAD_GOOD;
}

/*
 * The generation that the batch at `bytes` names, and where it ends; false when no batch of events
 * or tables can be read there.
 */
static bool named_generation(const uint8_t *bytes, size_t size, uint64_t *generation, size_t *end)
{
	struct head head;

	if (size == 0 || parse_head(bytes, size, &head) != HEAD_GOOD ||
			head.batch.end_of_generation || head.batch.experimental)
		return false;
	*generation = head.batch.generation;
	*end = head.size + head.batch.size;
	return true;
}

/* Whether the number of `batch` is damaged, judged by what stands behind it: then *right is it. */
static bool is_misnumbered(const struct go_batch_reader *reader, const struct go_batch *batch,
		const uint8_t *behind, size_t size, uint64_t *right)
{
	uint64_t third;
	size_t end;

	if ((reader->begun && batch->generation == reader->generation) ||
			!named_generation(behind, size, right, &end) || *right == batch->generation)
		return false;
	if (reader->begun)
		return *right == reader->generation;
	/* Of the first two batches of a file one is wrong: the third tells which. */
	return end > size || !named_generation(behind + end, size - end, &third, &end) ||
	       third == *right;
}

/* A generation has many batches in a row, so a number that only one batch has is damage. */
static void settle_generation(struct go_batch_reader *reader, struct go_batch *batch,
		const uint8_t *behind, size_t size)
{
	uint64_t right;

	if (is_misnumbered(reader, batch, behind, size, &right)) {
		batch->generation = right;
		reader->renumbered++;
	}
	reader->begun = true;
	reader->generation = batch->generation;
}

/* Where damage ends: the next header that fits to what was read so far. */
static bool is_plausible(const struct go_batch_reader *reader, const uint8_t *bytes, size_t size)
{
	struct head head;

	return parse_head(bytes, size, &head) == HEAD_GOOD && head.padded && head.batch.size > 0 &&
	       (!reader->begun || head.batch.generation == reader->generation ||
			       head.batch.generation == reader->generation + 1);
}

static enum lo_result skip_damage(struct go_batch_reader *reader, struct lo_error *err)
{
	uint64_t end = reader->skipped_bytes + LIMIT_GO_DAMAGE;
	const uint8_t *bytes;
	size_t got;

	do {
		enum lo_result result;

		byte_stream_skip(reader->in, 1);
		reader->skipped_bytes++;
		result = byte_stream_peek(reader->in, HEAD_MAX, &bytes, &got, err);
		if (result != LO_OK)
			return result;
		if (reader->skipped_bytes == end) {
			reader->cut = true;
			return LO_END;
		}
	} while (got > 0 && !is_plausible(reader, bytes, got));
	return LO_OK;
}

/* `head` was found at the present place: hands out its batch and moves behind it. */
static enum lo_result take_batch(struct go_batch_reader *reader, const struct head *head,
		struct go_batch *batch, struct lo_error *err)
{
	size_t whole = head->size + head->batch.size;
	size_t behind = reader->begun ? HEAD_MAX : HEAD_MAX + GO_WIRE_BATCH_MAX + HEAD_MAX;
	const uint8_t *bytes;
	size_t got;
	enum lo_result result = byte_stream_peek(reader->in, whole + behind, &bytes, &got, err);

	if (result != LO_OK)
		return result;
	*batch = head->batch;
	batch->offset = byte_stream_offset(reader->in);
	if (batch->end_of_generation) {
		batch->generation = reader->generation;
		byte_stream_skip(reader->in, whole);
		return LO_OK;
	}
	if (got < whole) {
		reader->cut = true;
		whole = got;
		batch->size = (uint32_t)(got - head->size);
	}
	batch->payload = bytes + head->size;
	if (!batch->experimental)
		settle_generation(reader, batch, bytes + whole, got - whole);
	byte_stream_skip(reader->in, whole);
	return LO_OK;
}

enum lo_result go_batch_next(
		struct go_batch_reader *reader, struct go_batch *batch, struct lo_error *err)
{
	for (;;) {
		const uint8_t *bytes;
		struct head head;
		size_t got;
		enum lo_result result = byte_stream_peek(reader->in, HEAD_MAX, &bytes, &got, err);

		if (result != LO_OK)
			return result;
		if (got == 0)
			return LO_END;
		switch (parse_head(bytes, got, &head)) {
		case HEAD_GOOD:
			return take_batch(reader, &head, batch, err);
		case HEAD_CUT:
			reader->cut = true;
			byte_stream_skip(reader->in, got);
			return LO_END;
		case HEAD_BAD:
			result = skip_damage(reader, err);
			if (result != LO_OK)
				return result;
			break;
		}
	}
}
