/*
 * What the trace file costs: bytes per event, and CPU time per event to write and to read it.
 *
 *     bench_format [MILLIONS]
 *
 * Streams come from tests/support/event_generator.c: seeded, so the bytes are the same everywhere.
 * Each stream is written to memory and read back with a cursor, several times in turn; the times
 * are medians. Writing includes tables, index and checksums; reading starts with an open trace and
 * an empty cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "formats/native/trace_cursor.h"
#include "formats/native/trace_writer.h"
#include "tests/support/event_generator.h"

#define ROUNDS 5

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(*values), compare_doubles);
	return values[ROUNDS / 2];
}

static void must(enum lo_result result, const struct lo_error *err)
{
	if (result == LO_OK)
		return;
	fprintf(stderr, "bench_format: %s\n", err->message);
	exit(1);
}

static double write_trace(const struct event_generator *generator, const struct event *events,
		size_t count, struct byte_buffer *file)
{
	struct trace_writer *writer;
	struct byte_sink *sink;
	struct lo_error err = { 0 };
	double begin;

	byte_buffer_clear(file);
	must(byte_sink_open_buffer(&sink, file, &err), &err);
	begin = cpu_seconds();
	must(trace_writer_open(&writer, sink, &err), &err);
	event_generator_write_stacks(generator, writer);
	for (size_t i = 0; i < count; i++)
		must(trace_writer_event(writer, &events[i], &err), &err);
	must(trace_writer_finish(writer, events[count - 1].time_ns, &err), &err);
	trace_writer_close(writer);
	return cpu_seconds() - begin;
}

static double read_trace(const struct byte_buffer *file, size_t count, uint64_t *block_bytes)
{
	struct byte_source *source;
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	struct trace_section section;
	struct lo_error err = { 0 };
	const struct event *events;
	uint32_t run;
	size_t seen = 0;
	double begin;

	must(byte_source_open_memory(&source, file->bytes, file->size, &err), &err);
	must(trace_reader_open(&reader, source, NULL, &err), &err);
	*block_bytes = 0;
	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++)
		if (section.name[0] == 'b')
			*block_bytes += section.bytes;
	begin = cpu_seconds();
	must(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, &err), &err);
	while (trace_cursor_next_run(cursor, &events, &run, &err) == LO_OK)
		seen += run;
	trace_cursor_close(cursor);
	begin = cpu_seconds() - begin;
	trace_reader_close(reader);
	if (seen != count) {
		fprintf(stderr, "bench_format: %zu of %zu events came back\n", seen, count);
		exit(1);
	}
	return begin;
}

static void run(enum generator_shape shape, size_t count)
{
	static struct event_generator generator;
	struct event *events = malloc(count * sizeof(*events));
	struct byte_buffer file = { 0 };
	double write_times[ROUNDS];
	double read_times[ROUNDS];
	uint64_t block_bytes = 0;

	if (!events)
		exit(1);
	event_generator_init(&generator, shape, 1);
	for (size_t i = 0; i < count; i++)
		events[i] = event_generator_next(&generator);
	for (unsigned round = 0; round < ROUNDS; round++) {
		write_times[round] = write_trace(&generator, events, count, &file);
		read_times[round] = read_trace(&file, count, &block_bytes);
	}
	printf("%-10s %9zu events %10zu bytes  %5.2f bytes/event (%5.3f besides blocks)  "
	       "write %5.1f ns  read %5.1f ns\n",
			generator_shape_name(shape), count, file.size,
			(double)file.size / (double)count,
			(double)(file.size - block_bytes) / (double)count,
			median(write_times) * 1e9 / (double)count,
			median(read_times) * 1e9 / (double)count);
	byte_buffer_release(&file);
	free(events);
}

int main(int argc, char **argv)
{
	double millions = argc > 1 ? atof(argv[1]) : 1;

	if (millions < 0.001 || millions > 100) {
		fprintf(stderr, "bench_format: between 0.001 and 100 million events, please\n");
		return 2;
	}
	for (unsigned shape = 0; shape < GENERATOR_SHAPE_COUNT; shape++)
		run((enum generator_shape)shape, (size_t)(millions * 1e6));
	return 0;
}
