/*
 * What columns cost: bytes per event of each, and CPU time per event to encode and to decode.
 *
 *     bench_columns TRACE...
 *
 * The events of each trace are put into full blocks again, once with every column in its plain
 * encoding and once as chosen by size, in memory. Times are medians of several rounds and do not
 * mean much by themselves on a machine that others use; so each stands with its ratio to the plain
 * encodings, measured in turn with it. Output is a Markdown table, see docs/format.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/native/block.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_writer.h"
#include "tests/bench/stage.h"

#define ROUNDS 7

enum form {
	FORM_PLAIN,
	FORM_CHOSEN,
	FORM_COUNT,
};

/* One block, encoded. */
struct packed {
	struct section_header header;
	struct block_header block;
	struct byte_buffer payload;
};

struct bench {
	struct event *events;
	size_t count;
	struct packed *blocks;
	size_t block_count;
	struct trace_schema schema;
	struct byte_packer *packer;
	struct byte_unpacker *unpacker;
	struct byte_buffer scratch;
	struct event decoded[TRACE_BLOCK_ROWS];
};

static void must(enum lo_result result, const struct lo_error *err)
{
	if (result == LO_OK)
		return;
	fprintf(stderr, "bench_columns: %s\n", err->message);
	exit(1);
}

static void read_events(struct bench *bench, const char *path)
{
	struct byte_source *source;
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	struct lo_error err = { 0 };
	const struct event *run;
	uint32_t rows;

	must(byte_source_open_file(&source, path, &err), &err);
	must(trace_reader_open(&reader, source, NULL, &err), &err);
	bench->events = malloc(
			(size_t)trace_reader_info(reader)->events * sizeof(*bench->events) + 1);
	bench->count = 0;
	if (!bench->events)
		exit(1);
	must(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, &err), &err);
	while (trace_cursor_next_run(cursor, &run, &rows, &err) == LO_OK) {
		memcpy(bench->events + bench->count, run, rows * sizeof(*run));
		bench->count += rows;
	}
	if (bench->count == 0)
		must(lo_fail(&err, LO_CORRUPT, LO_NO_OFFSET, "no event of %s can be read", path),
				&err);
	trace_cursor_close(cursor);
	trace_reader_close(reader);
}

/* As block_encode(), without a choice. */
static void encode_plainly(struct bench *bench, struct packed *packed,
		struct event_encoder *encoder, const struct event *events, uint32_t rows)
{
	struct block_header *block = &packed->block;
	struct lo_error err = { 0 };

	must(event_encoder_start(encoder, events, rows, block->begin_ns, &err), &err);
	block->column_count = 0;
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++) {
		uint8_t encoding = event_columns[column].encodings[0];
		size_t before = packed->payload.size;

		must(event_encoder_column(encoder, (enum event_column)column, encoding, &err),
				&err);
		must(byte_packer_pack(bench->packer, encoder->raw.bytes, encoder->raw.size,
				     &packed->payload, &err),
				&err);
		block->columns[block->column_count++] = (struct block_column){ (uint8_t)column,
			encoding, (uint32_t)(packed->payload.size - before),
			(uint32_t)encoder->raw.size };
	}
}

static double encode(struct bench *bench, enum form form)
{
	struct block_encoder encoder = { 0 };
	struct lo_error err = { 0 };
	uint64_t begin_ns = 0;
	double begin_s = stage_cpu_s();

	for (size_t i = 0; i < bench->block_count; i++) {
		struct packed *packed = &bench->blocks[i];
		const struct event *events = bench->events + i * TRACE_BLOCK_ROWS;
		uint32_t rows = packed->header.rows;

		packed->block.begin_ns = begin_ns;
		packed->block.end_ns = events[rows - 1].time_ns;
		byte_buffer_clear(&packed->payload);
		if (form == FORM_PLAIN)
			encode_plainly(bench, packed, &encoder.columns, events, rows);
		else
			must(block_encode(&packed->block, &encoder, bench->packer, events, rows,
					     &packed->payload, &err),
					&err);
		begin_ns = packed->block.end_ns;
	}
	block_encoder_release(&encoder);
	return stage_cpu_s() - begin_s;
}

static double decode(struct bench *bench, uint32_t columns)
{
	double begin_s = stage_cpu_s();

	for (size_t i = 0; i < bench->block_count; i++) {
		struct packed *packed = &bench->blocks[i];
		struct lo_error err = { 0 };
		uint32_t stored;

		must(block_decode(&packed->header, &packed->block, packed->payload.bytes,
				     &bench->schema, columns, bench->unpacker, &bench->scratch,
				     bench->decoded, &stored, &err),
				&err);
		if (columns == EVENT_COLUMNS_ALL &&
				memcmp(bench->decoded, bench->events + i * TRACE_BLOCK_ROWS,
						stored * sizeof(*bench->decoded)) != 0) {
			fprintf(stderr, "bench_columns: block %zu came back changed\n", i);
			exit(1);
		}
	}
	return stage_cpu_s() - begin_s;
}

static double per_event(const struct bench *bench, double values[ROUNDS])
{
	return stage_quantile(values, ROUNDS, 0.5) * 1e9 / (double)bench->count;
}

struct figures {
	double bytes[EVENT_COLUMN_COUNT];
	double headers;
	double encode_ns;
	double decode_ns;
	double states_ns;
};

static void count_bytes(const struct bench *bench, struct figures *figures)
{
	for (size_t i = 0; i < bench->block_count; i++) {
		const struct block_header *block = &bench->blocks[i].block;

		figures->headers += SECTION_HEADER_LEAST + BLOCK_AT_COLUMNS +
				    block->column_count * (double)COLUMN_ENTRY_BYTES;
		for (uint32_t column = 0; column < block->column_count; column++)
			figures->bytes[block->columns[column].number] +=
					block->columns[column].packed_bytes;
	}
}

static void measure(struct bench *bench, struct figures figures[FORM_COUNT])
{
	static double times[FORM_COUNT][3][ROUNDS];
	uint32_t states = EVENT_COLUMNS_ALWAYS | EVENT_COLUMN_BIT(COLUMN_REASON);

	memset(figures, 0, FORM_COUNT * sizeof(*figures));
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned form = 0; form < FORM_COUNT; form++) {
			times[form][0][round] = encode(bench, (enum form)form);
			times[form][1][round] = decode(bench, EVENT_COLUMNS_ALL);
			times[form][2][round] = decode(bench, states);
			if (round == 0)
				count_bytes(bench, &figures[form]);
		}
	for (unsigned form = 0; form < FORM_COUNT; form++) {
		figures[form].encode_ns = per_event(bench, times[form][0]);
		figures[form].decode_ns = per_event(bench, times[form][1]);
		figures[form].states_ns = per_event(bench, times[form][2]);
	}
}

static double all_bytes(const struct figures *figures)
{
	double sum = figures->headers;

	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		sum += figures->bytes[column];
	return sum;
}

static void print_row(const struct bench *bench, const char *path,
		const struct figures figures[FORM_COUNT])
{
	const struct figures *plain = &figures[FORM_PLAIN];
	const struct figures *chosen = &figures[FORM_CHOSEN];
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	double events = (double)bench->count;

	printf("| %.*s | %zu | %.2f | %.2f |", (int)strcspn(name, "."), name, bench->count,
			all_bytes(plain) / events, all_bytes(chosen) / events);
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		printf(" %.3f |", chosen->bytes[column] / events);
	printf(" %.0f (%.1f) | %.0f (%.1f) | %.0f (%.1f) |\n", chosen->encode_ns,
			chosen->encode_ns / plain->encode_ns, chosen->decode_ns,
			chosen->decode_ns / plain->decode_ns, chosen->states_ns,
			chosen->states_ns / plain->states_ns);
	fflush(stdout);
}

static void run(struct bench *bench, const char *path)
{
	struct figures figures[FORM_COUNT];

	read_events(bench, path);
	bench->block_count = (bench->count + TRACE_BLOCK_ROWS - 1) / TRACE_BLOCK_ROWS;
	bench->blocks = calloc(bench->block_count + 1, sizeof(*bench->blocks));
	if (!bench->blocks)
		exit(1);
	for (size_t i = 0; i < bench->block_count; i++) {
		size_t left = bench->count - i * TRACE_BLOCK_ROWS;

		bench->blocks[i].header.rows = left < TRACE_BLOCK_ROWS ? (uint32_t)left
								       : TRACE_BLOCK_ROWS;
	}
	measure(bench, figures);
	print_row(bench, path, figures);
	for (size_t i = 0; i < bench->block_count; i++)
		byte_buffer_release(&bench->blocks[i].payload);
	free(bench->blocks);
	free(bench->events);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	struct row_writer schema = { .schema = &row_schemas[SECTION_SCHEMA] };
	struct lo_error err = { 0 };

	if (argc < 2) {
		fputs("usage: bench_columns TRACE...\n", stderr);
		return 2;
	}
	must(byte_packer_new(&bench.packer, &err), &err);
	must(byte_unpacker_new(&bench.unpacker, &err), &err);
	trace_schema_put(&schema);
	must(trace_schema_read(&bench.schema, schema.bytes.bytes, schema.bytes.size, &err), &err);
	printf("| stream | events | plain | bytes/event |");
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		printf(" %s |", event_columns[column].name);
	printf(" encode ns | decode ns | states ns |\n|");
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT + 7; column++)
		printf("---|");
	printf("\n");
	for (int i = 1; i < argc; i++)
		run(&bench, argv[i]);
	row_writer_release(&schema);
	byte_packer_free(bench.packer);
	byte_unpacker_free(bench.unpacker);
	byte_buffer_release(&bench.scratch);
	return 0;
}
