#include "formats/native/counter_section.h"

#include "formats/base/bytes.h"
#include "formats/base/varint.h"

void counter_cell_add(struct counter_cell *sum, const struct counter_cell *cell)
{
	if (sum->samples == 0) {
		*sum = *cell;
		return;
	}
	if (__builtin_add_overflow(sum->samples, cell->samples, &sum->samples))
		sum->samples = UINT64_MAX;
	if (cell->first_ns < sum->first_ns) {
		sum->first_ns = cell->first_ns;
		sum->first = cell->first;
	}
	if (cell->last_ns >= sum->last_ns) {
		sum->last_ns = cell->last_ns;
		sum->last = cell->last;
	}
	if (cell->least < sum->least)
		sum->least = cell->least;
	if (cell->greatest > sum->greatest)
		sum->greatest = cell->greatest;
}

void counter_header_store(struct section_header *out, const struct counter_header *header)
{
	uint8_t *at = out->extra + COUNTERS_AT_CELLS;

	store_le32(out->extra + TABLE_AT_FIRST_ID, 0);
	section_range_store(out, &header->range);
	store_le32(out->extra + COUNTERS_AT_FROM, header->from);
	store_le16(out->extra + COUNTERS_AT_CELL_COUNT, (uint16_t)header->count);
	store_le16(out->extra + COUNTERS_AT_RESERVED, 0);
	for (unsigned i = 0; i < header->count; i++, at += COUNTER_CELL_BYTES) {
		const struct counter_section_cell *cell = &header->cells[i];

		store_le32(at + COUNTER_AT_NAME, cell->key.name);
		store_le32(at + COUNTER_AT_UNIT, cell->key.unit);
		store_le32(at + COUNTER_AT_PROCESS, cell->key.process);
		store_le32(at + COUNTER_AT_ROWS, cell->rows);
		store_le64(at + COUNTER_AT_SAMPLES, cell->sum.samples);
		store_le64(at + COUNTER_AT_FIRST_NS, cell->sum.first_ns);
		store_le64(at + COUNTER_AT_LAST_NS, cell->sum.last_ns);
		store_le64(at + COUNTER_AT_FIRST, cell->sum.first);
		store_le64(at + COUNTER_AT_LAST, cell->sum.last);
		store_le64(at + COUNTER_AT_LEAST, cell->sum.least);
		store_le64(at + COUNTER_AT_GREATEST, cell->sum.greatest);
	}
	out->extra_bytes = COUNTERS_AT_CELLS + header->count * COUNTER_CELL_BYTES;
}

static void parse_cell(struct counter_section_cell *cell, const uint8_t *at)
{
	cell->key = (struct counter_key){ load_le32(at + COUNTER_AT_NAME),
		load_le32(at + COUNTER_AT_UNIT), load_le32(at + COUNTER_AT_PROCESS) };
	cell->rows = load_le32(at + COUNTER_AT_ROWS);
	cell->sum = (struct counter_cell){
		.samples = load_le64(at + COUNTER_AT_SAMPLES),
		.first_ns = load_le64(at + COUNTER_AT_FIRST_NS),
		.last_ns = load_le64(at + COUNTER_AT_LAST_NS),
		.first = load_le64(at + COUNTER_AT_FIRST),
		.last = load_le64(at + COUNTER_AT_LAST),
		.least = load_le64(at + COUNTER_AT_LEAST),
		.greatest = load_le64(at + COUNTER_AT_GREATEST),
	};
}

static bool is_sane(const struct counter_header *header, const struct counter_section_cell *cell)
{
	const struct counter_cell *sum = &cell->sum;

	return cell->rows > 0 && sum->samples >= cell->rows &&
	       sum->first_ns >= header->range.begin_ns && sum->first_ns <= sum->last_ns &&
	       sum->last_ns <= header->range.end_ns && sum->least <= sum->first &&
	       sum->first <= sum->greatest && sum->least <= sum->last && sum->last <= sum->greatest;
}

enum lo_result counter_header_parse(struct counter_header *header, const struct section_header *in,
		struct lo_error *err)
{
	enum lo_result result;
	uint64_t rows = 0;

	if (in->extra_bytes < COUNTERS_AT_CELLS)
		return lo_fail(err, LO_CORRUPT, in->offset, "a header of counters is too short");
	result = section_range_parse(&header->range, in, err);
	if (result != LO_OK)
		return result;
	header->from = load_le32(in->extra + COUNTERS_AT_FROM);
	header->count = load_le16(in->extra + COUNTERS_AT_CELL_COUNT);
	if (header->count > LIMIT_COUNTERS || header->range.high != header->range.low ||
			in->extra_bytes - COUNTERS_AT_CELLS < header->count * COUNTER_CELL_BYTES)
		return lo_fail(err, LO_CORRUPT, in->offset, "a header of counters makes no sense");
	for (unsigned i = 0; i < header->count; i++) {
		parse_cell(&header->cells[i],
				in->extra + COUNTERS_AT_CELLS + i * COUNTER_CELL_BYTES);
		if (!is_sane(header, &header->cells[i]))
			return lo_fail(err, LO_CORRUPT, in->offset,
					"the header of a counter contradicts itself");
		rows += header->cells[i].rows;
	}
	if (rows != in->rows || rows > LIMIT_COUNTER_ROWS)
		return lo_fail(err, LO_CORRUPT, in->offset,
				"a section of %u counter rows announces %llu", in->rows,
				(unsigned long long)rows);
	return LO_OK;
}

void counter_row_put(struct row_writer *rows, const struct counter_cell *cell)
{
	struct row row = { .number = {
					   [COUNTER_ROW_TIME] = cell->first_ns,
					   [COUNTER_ROW_LENGTH] = cell->last_ns - cell->first_ns,
					   [COUNTER_ROW_SAMPLES] = cell->samples - 1,
					   [COUNTER_ROW_VALUE] = cell->first,
					   [COUNTER_ROW_RISE] = zigzag_fold(
							   cell->last - cell->first),
					   [COUNTER_ROW_BELOW] = cell->first - cell->least,
					   [COUNTER_ROW_ABOVE] = cell->greatest - cell->first,
			   } };

	row_writer_put(rows, &row);
}

static bool cell_of_row(const struct counter_header *header, const struct row *row,
		struct counter_cell *cell)
{
	const uint64_t *number = row->number;

	*cell = (struct counter_cell){
		.samples = number[COUNTER_ROW_SAMPLES] + 1,
		.first_ns = number[COUNTER_ROW_TIME],
		.last_ns = number[COUNTER_ROW_TIME] + number[COUNTER_ROW_LENGTH],
		.first = number[COUNTER_ROW_VALUE],
		.last = number[COUNTER_ROW_VALUE] + zigzag_unfold(number[COUNTER_ROW_RISE]),
		.least = number[COUNTER_ROW_VALUE] - number[COUNTER_ROW_BELOW],
		.greatest = number[COUNTER_ROW_VALUE] + number[COUNTER_ROW_ABOVE],
	};
	return cell->samples > 0 && cell->first_ns >= header->range.begin_ns &&
	       cell->first_ns <= cell->last_ns && cell->last_ns <= header->range.end_ns &&
	       cell->least <= cell->first && cell->first <= cell->greatest &&
	       cell->least <= cell->last && cell->last <= cell->greatest;
}

enum lo_result counter_rows_read(const struct counter_header *header, const struct row_map *map,
		const uint8_t *bytes, size_t size, counter_row_visit *visit, void *context,
		struct lo_error *err)
{
	struct row_reader reader = { .map = map, .cursor = byte_cursor_over(bytes, size) };
	struct row row;

	for (unsigned counter = 0; counter < header->count; counter++)
		for (uint32_t i = 0; i < header->cells[counter].rows; i++) {
			struct counter_cell cell;

			if (!row_reader_next(&reader, &row) || !cell_of_row(header, &row, &cell))
				return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET,
						"a row of a counter makes no sense");
			visit(context, counter, &cell);
		}
	if (byte_cursor_left(&reader.cursor) > 0)
		return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET,
				"a section of counters has more rows than announced");
	return LO_OK;
}
