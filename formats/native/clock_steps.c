#include "formats/native/clock_steps.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"
#include "formats/base/macros.h"
#include "formats/model/event_schema.h"
#include "formats/native/clock_step_find.h"

/* Of a class that was never seen: right for most. */
#define WIDTH_USUAL 4u

/* A part of its own for a class must be worth its statistics. */
#define PART_ROWS 1024u

/* Rows from which a class tells what width suits it, and what one more symbol adds to the table of
 * statistics, in 16ths of a bit. */
#define LEARN_ROWS  64u
#define SYMBOL_COST 64u

static unsigned highest_bit(uint64_t value)
{
	return 63u - (unsigned)__builtin_clzll(value);
}

/* ---- symbols ---- */

struct step_symbol {
	uint8_t symbol;
	uint8_t low_bits; /* how many follow */
};

static inline struct step_symbol step_symbol(uint64_t steps, unsigned width)
{
	unsigned low;
	uint64_t symbol;

	if (steps >> width == 0)
		return (struct step_symbol){ (uint8_t)steps, 0 };
	low = highest_bit(steps) - width;
	symbol = ((uint64_t)low << width) + (steps >> low);
	if (low > STEP_LOW_BITS_MAX || symbol >= STEP_ESCAPE)
		return (struct step_symbol){ STEP_ESCAPE, 0 };
	return (struct step_symbol){ (uint8_t)symbol, (uint8_t)low };
}

/* Bits go into bytes from the lowest on. There is room. */
struct bit_writer {
	uint8_t *next;
	uint64_t held;
	unsigned count; /* below 8 between two calls */
};

static inline void put_bits(struct bit_writer *writer, uint64_t value, unsigned count)
{
	writer->held |= (value & ((1ull << count) - 1)) << writer->count;
	for (writer->count += count; writer->count >= 8; writer->count -= 8) {
		*writer->next++ = (uint8_t)writer->held;
		writer->held >>= 8;
	}
}

static size_t finish_bits(struct bit_writer *writer, const uint8_t *start)
{
	if (writer->count > 0)
		*writer->next++ = (uint8_t)writer->held;
	return (size_t)(writer->next - start);
}

/* ---- encoding ---- */

static enum lo_result make_room(
		struct clock_steps_encoder *encoder, uint32_t rows, struct lo_error *err)
{
	if (rows <= encoder->capacity)
		return LO_OK;
	free(encoder->steps);
	free(encoder->classes);
	encoder->steps = malloc(rows * sizeof(*encoder->steps));
	encoder->classes = malloc(rows * sizeof(*encoder->classes));
	encoder->capacity = encoder->steps && encoder->classes ? rows : 0;
	if (encoder->capacity == 0)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to encode %u times",
				rows);
	return LO_OK;
}

/*
 * The nearest number of steps. It need not be exact, and beyond 2^52 it is not: what is amiss
 * becomes a correction.
 */
static inline uint64_t nearest_steps(
		const struct step_clock *clock, double steps_per_ns, uint64_t difference)
{
	double ns = (double)difference + 0.5 - (double)clock->fraction / (double)STEP_ONE;
	double steps = ns * steps_per_ns + 0.5;

	if (clock->step == STEP_ONE)
		return difference;
	return steps < 0x1p52 ? (uint64_t)steps : 0;
}

static void put_correction(struct byte_buffer *corrections, uint32_t gap, uint64_t correction)
{
	byte_buffer_put_varint(corrections, gap);
	byte_buffer_put_varint(corrections, zigzag_fold(correction));
}

/* Times to steps and corrections. */
static void count_steps(struct clock_steps_encoder *encoder, const struct event *events,
		uint32_t rows, uint64_t begin_ns)
{
	struct step_clock clock = step_clock_start(encoder->step);
	double steps_per_ns = (double)STEP_ONE / (double)clock.step;
	uint64_t time_ns = begin_ns;
	uint32_t next = 0; /* the row behind the last correction */

	byte_buffer_clear(&encoder->corrections);
	for (uint32_t row = 0; row < rows; row++) {
		uint64_t difference = events[row].time_ns - time_ns;
		uint64_t steps = nearest_steps(&clock, steps_per_ns, difference);
		struct step_clock before = clock;
		uint64_t correction = difference - step_clock_go(&clock, steps, 0);

		if (LO_UNLIKELY(correction != 0)) {
			clock = before;
			step_clock_go(&clock, steps, correction);
			put_correction(&encoder->corrections, row - next, correction);
			next = row + 1;
		}
		encoder->steps[row] = steps;
		time_ns = events[row].time_ns;
	}
	encoder->step_after = clock.step;
}

static bool has_reason(const struct event *event)
{
	return (event_schemas[event->kind].fields & EVENT_FIELD_REASON) != 0;
}

/* The class of each row, and where each class ends when they follow one another. */
static void sort_classes(
		struct clock_steps_encoder *encoder, const struct event *events, uint32_t rows)
{
	uint32_t end = 0;

	memset(&encoder->context, 0, sizeof(encoder->context));
	memset(encoder->class_end, 0, sizeof(encoder->class_end));
	for (uint32_t row = 0; row < rows; row++) {
		encoder->classes[row] = (uint16_t)step_context_next(
				&encoder->context, &events[row], has_reason(&events[row]));
		encoder->class_end[encoder->classes[row]]++;
	}
	for (uint32_t class = 0; class < STEP_CLASSES; class ++) {
		end += encoder->class_end[class];
		encoder->class_end[class] = end;
	}
}

static uint32_t class_begin(const struct clock_steps_encoder *encoder, uint32_t class)
{
	return class == 0 ? 0 : encoder->class_end[class - 1];
}

static bool class_is_used(const struct clock_steps_encoder *encoder, uint32_t class)
{
	return encoder->class_end[class] > class_begin(encoder, class);
}

static void put_widths(struct clock_steps_encoder *encoder, struct byte_buffer *raw)
{
	for (uint32_t class = 0; class < STEP_CLASSES; class ++) {
		if (!class_is_used(encoder, class))
			continue;
		if (encoder->width[class] == 0)
			encoder->width[class] = WIDTH_USUAL;
		byte_buffer_put_byte(raw, encoder->width[class]);
	}
}

/* Symbols go behind `raw`, low bits and escapes into buffers of their own. */
static void put_symbols(struct clock_steps_encoder *encoder, uint32_t rows, struct byte_buffer *raw)
{
	uint8_t *symbols = byte_buffer_reserve(raw, rows);
	uint8_t *bits;
	struct bit_writer writer = { 0 };
	uint32_t *next = encoder->class_next;

	byte_buffer_clear(&encoder->escapes);
	byte_buffer_clear(&encoder->bits);
	bits = byte_buffer_reserve(&encoder->bits, (size_t)rows * (STEP_LOW_BITS_MAX / 8) + 1);
	if (!symbols || !bits)
		return;
	writer.next = bits;
	next[0] = 0;
	memcpy(next + 1, encoder->class_end, (STEP_CLASSES - 1) * sizeof(*next));
	for (uint32_t row = 0; row < rows; row++) {
		uint32_t class = encoder->classes[row];
		uint64_t steps = encoder->steps[row];
		struct step_symbol symbol = step_symbol(steps, encoder->width[class]);

		symbols[next[class]++] = symbol.symbol;
		put_bits(&writer, steps, symbol.low_bits);
		if (LO_UNLIKELY(symbol.symbol == STEP_ESCAPE))
			byte_buffer_put_varint(&encoder->escapes, steps);
	}
	byte_buffer_commit(&encoder->bits, finish_bits(&writer, bits));
	byte_buffer_commit(raw, rows);
}

static void end_part(struct byte_parts *parts, size_t end)
{
	if (parts->count < BYTE_PARTS_MAX)
		parts->end[parts->count++] = end;
}

/* Classes with many rows become parts; small ones go with their neighbours. */
static void find_parts(const struct clock_steps_encoder *encoder, uint32_t rows, size_t symbols,
		struct byte_parts *parts)
{
	uint32_t begin = 0;
	uint32_t least = rows / (BYTE_PARTS_MAX / 2) > PART_ROWS ? rows / (BYTE_PARTS_MAX / 2)
								 : PART_ROWS;

	parts->count = 0;
	end_part(parts, symbols);
	for (uint32_t class = 0; class < STEP_CLASSES; class ++)
		if (encoder->class_end[class] - begin >= least &&
				rows - encoder->class_end[class] >= least) {
			begin = encoder->class_end[class];
			end_part(parts, symbols + begin);
		}
	end_part(parts, symbols + rows);
}

static void put_sized(struct byte_buffer *raw, const struct byte_buffer *part)
{
	byte_buffer_put_varint(raw, part->size);
	byte_buffer_put(raw, part->bytes, part->size);
	raw->failed |= part->failed;
}

enum lo_result clock_steps_encode(struct clock_steps_encoder *encoder, const struct event *events,
		uint32_t rows, uint64_t begin_ns, struct byte_buffer *raw, struct byte_parts *parts,
		struct lo_error *err)
{
	enum lo_result result = make_room(encoder, rows, err);
	size_t symbols;

	if (result != LO_OK)
		return result;
	if (encoder->step == 0)
		encoder->step = STEP_ONE;
	count_steps(encoder, events, rows, begin_ns);
	sort_classes(encoder, events, rows);
	byte_buffer_put_varint(raw, encoder->step);
	put_widths(encoder, raw);
	symbols = raw->size;
	put_symbols(encoder, rows, raw);
	find_parts(encoder, rows, symbols, parts);
	put_sized(raw, &encoder->corrections);
	put_sized(raw, &encoder->escapes);
	end_part(parts, raw->size);
	byte_buffer_put(raw, encoder->bits.bytes, encoder->bits.size);
	raw->failed |= encoder->bits.failed;
	encoder->step = encoder->step_after;
	return byte_buffer_check(raw, err);
}

/* ---- learning ---- */

/* 16 log2(value), to 2%. */
static uint32_t log2_16(uint32_t value)
{
	unsigned bit = highest_bit(value);

	return 16 * bit + (uint32_t)((((uint64_t)value << 4) >> bit) & 15);
}

/* What the rows of a class take in this width: in 16ths of a bit, as zstd would code the symbols.
 */
static uint64_t width_cost(const uint64_t *steps, uint32_t count, unsigned width)
{
	uint32_t often[256] = { 0 };
	uint64_t cost = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct step_symbol symbol = step_symbol(steps[i], width);

		often[symbol.symbol]++;
		cost += 16u * symbol.low_bits;
		if (symbol.symbol == STEP_ESCAPE)
			cost += 16u * 8 * (highest_bit(steps[i]) / 7 + 1);
	}
	for (unsigned symbol = 0; symbol < LO_COUNT_OF(often); symbol++)
		if (often[symbol] > 0)
			cost += (uint64_t)often[symbol] *
						(log2_16(count) - log2_16(often[symbol])) +
				SYMBOL_COST;
	return cost;
}

static uint8_t best_width(const uint64_t *steps, uint32_t count)
{
	uint64_t least = UINT64_MAX;
	unsigned best = WIDTH_USUAL;

	for (unsigned width = 2; width <= STEP_WIDTH_MAX; width++) {
		uint64_t cost = width_cost(steps, count, width);

		if (cost < least) {
			least = cost;
			best = width;
		}
	}
	return (uint8_t)best;
}

static enum lo_result learn_widths(
		struct clock_steps_encoder *encoder, uint32_t rows, struct lo_error *err)
{
	uint64_t *sorted = malloc((size_t)rows * sizeof(*sorted) + 1);
	uint32_t *next = encoder->class_next;

	if (!sorted)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to sort %u times", rows);
	next[0] = 0;
	memcpy(next + 1, encoder->class_end, (STEP_CLASSES - 1) * sizeof(*next));
	for (uint32_t row = 0; row < rows; row++)
		sorted[next[encoder->classes[row]]++] = encoder->steps[row];
	for (uint32_t class = 0; class < STEP_CLASSES; class ++) {
		uint32_t begin = class_begin(encoder, class);

		if (encoder->class_end[class] - begin >= LEARN_ROWS)
			encoder->width[class] = best_width(
					sorted + begin, encoder->class_end[class] - begin);
	}
	free(sorted);
	return LO_OK;
}

enum lo_result clock_steps_learn(struct clock_steps_encoder *encoder, const struct event *events,
		uint32_t rows, uint64_t begin_ns, struct lo_error *err)
{
	enum lo_result result = make_room(encoder, rows, err);

	if (result != LO_OK)
		return result;
	encoder->step = clock_step_find(events, rows, encoder->step);
	count_steps(encoder, events, rows, begin_ns);
	sort_classes(encoder, events, rows);
	return learn_widths(encoder, rows, err);
}

void clock_steps_encoder_release(struct clock_steps_encoder *encoder)
{
	byte_buffer_release(&encoder->corrections);
	byte_buffer_release(&encoder->escapes);
	byte_buffer_release(&encoder->bits);
	free(encoder->steps);
	free(encoder->classes);
	*encoder = (struct clock_steps_encoder){ 0 };
}

/* ---- decoding ---- */

/* Counts the classes, and gives each the place of its first symbol and its width. */
static bool prepare_classes(struct clock_steps_decoder *decoder, struct byte_cursor *bytes,
		const bool has_reason[256], const struct event *events, uint32_t rows)
{
	uint32_t begin = 0;

	memset(&decoder->context, 0, sizeof(decoder->context));
	memset(decoder->classes, 0, sizeof(decoder->classes));
	for (uint32_t row = 0; row < rows; row++) {
		uint32_t class = step_context_next(
				&decoder->context, &events[row], has_reason[events[row].kind]);

		decoder->class_of[row] = (uint16_t) class;
		decoder->classes[class].next++;
	}
	for (uint32_t class = 0; class < STEP_CLASSES; class ++) {
		uint32_t count = decoder->classes[class].next;

		decoder->classes[class].next = begin;
		begin += count;
		if (count > 0)
			decoder->classes[class].width = byte_cursor_byte(bytes);
		if (decoder->classes[class].width > STEP_WIDTH_MAX)
			return false;
	}
	return true;
}

/* The part that its size stands before. */
static struct byte_cursor take_sized(struct byte_cursor *bytes)
{
	uint64_t size = byte_cursor_varint(bytes);
	const uint8_t *part = byte_cursor_bytes(bytes, size);

	return byte_cursor_over(part, part ? (size_t)size : 0);
}

struct bit_reader {
	const uint8_t *next;
	const uint8_t *end;
	uint64_t held;
	unsigned count;
	bool failed;
};

/* Holds at least 56 bits afterwards, or all that are left. */
static inline void refill(struct bit_reader *reader)
{
	if (LO_LIKELY(reader->end - reader->next >= 8)) {
		reader->held |= load_le64(reader->next) << reader->count;
		reader->next += (63 - reader->count) / 8;
		reader->count |= 56;
		return;
	}
	while (reader->count <= 56 && reader->next < reader->end) {
		reader->held |= (uint64_t)*reader->next++ << reader->count;
		reader->count += 8;
	}
}

/* Bits beyond the end are zeros and a failure. */
static inline uint64_t take_bits(struct bit_reader *reader, unsigned count)
{
	uint64_t bits = reader->held & ((1ull << count) - 1);

	if (LO_UNLIKELY(count > reader->count)) {
		reader->failed = true;
		return 0;
	}
	reader->held >>= count;
	reader->count -= count;
	return bits;
}

/* Everything was used, and nothing but zeros is in the rest of the last byte. */
static bool bits_are_done(const struct bit_reader *reader)
{
	return !reader->failed && reader->next == reader->end && reader->count < 8 &&
	       reader->held == 0;
}

/* Where the next correction is, and how much. */
struct correction {
	struct byte_cursor rest;
	uint64_t row;
	uint64_t value;
};

#define NO_ROW UINT64_MAX

static void next_correction(struct correction *correction, uint64_t first_row)
{
	correction->row = NO_ROW;
	if (byte_cursor_left(&correction->rest) == 0)
		return;
	correction->row = byte_cursor_varint(&correction->rest);
	correction->value = zigzag_unfold(byte_cursor_varint(&correction->rest));
	if (__builtin_add_overflow(correction->row, first_row, &correction->row))
		correction->row = NO_ROW;
}

static inline uint64_t take_steps(uint8_t symbol, uint32_t width, struct bit_reader *bits,
		struct byte_cursor *escapes)
{
	uint32_t high = (uint32_t)symbol >> width;
	uint32_t low = high - (high > 0);
	uint64_t steps = symbol - (low << width);

	if (LO_UNLIKELY(symbol == STEP_ESCAPE))
		return byte_cursor_varint(escapes);
	if (LO_UNLIKELY(low > STEP_LOW_BITS_MAX)) {
		bits->failed = true;
		return 0;
	}
	refill(bits);
	return steps << low | take_bits(bits, low);
}

bool clock_steps_decode(struct clock_steps_decoder *decoder, struct byte_cursor bytes,
		const bool has_reason[256], struct event *events, uint32_t rows, uint64_t begin_ns,
		uint64_t end_ns)
{
	struct step_clock clock = step_clock_start(byte_cursor_varint(&bytes));
	struct correction correction = { 0 };
	struct byte_cursor escapes;
	struct bit_reader bits = { 0 };
	const uint8_t *symbols;
	uint64_t time_ns = begin_ns;

	if (!prepare_classes(decoder, &bytes, has_reason, events, rows))
		return false;
	symbols = byte_cursor_bytes(&bytes, rows);
	correction.rest = take_sized(&bytes);
	escapes = take_sized(&bytes);
	if (bytes.failed)
		return false;
	bits.next = bytes.next;
	bits.end = bytes.end;
	next_correction(&correction, 0);
	for (uint32_t row = 0; row < rows; row++) {
		uint32_t class = decoder->class_of[row];
		uint64_t steps = take_steps(symbols[decoder->classes[class].next++],
				decoder->classes[class].width, &bits, &escapes);
		bool corrected = row == correction.row;
		uint64_t ns = step_clock_go(&clock, steps, corrected ? correction.value : 0);

		if (LO_UNLIKELY(ns > end_ns - time_ns))
			return false;
		time_ns += ns;
		events[row].time_ns = time_ns;
		if (LO_UNLIKELY(corrected))
			next_correction(&correction, (uint64_t)row + 1);
	}
	return !correction.rest.failed && correction.row == NO_ROW && !escapes.failed &&
	       byte_cursor_left(&escapes) == 0 && bits_are_done(&bits);
}
