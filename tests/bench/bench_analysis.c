/*
 * What it costs to understand a trace: CPU time per event of the analysis, the flame and the index
 * of the timeline, and CPU time of one frame of a timeline at several zooms.
 *
 *     bench_analysis [MILLIONS]
 *
 * Streams come from tests/support/event_generator.c, written to memory first. Each pass includes
 * the decoding of all blocks. The times are medians of several rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "formats/native/trace_writer.h"
#include "tests/support/event_generator.h"
#include "viewer/analysis/flame.h"
#include "viewer/analysis/lane_index.h"

#define ROUNDS  3
#define ROWS    50u
#define COLUMNS 200u
#define FRAMES  50u

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
	fprintf(stderr, "bench_analysis: %s\n", err->message);
	exit(1);
}

static void write_trace(enum generator_shape shape, size_t count, struct byte_buffer *file)
{
	static struct event_generator generator;
	struct trace_writer *writer;
	struct byte_sink *sink;
	struct lo_error err = { 0 };

	byte_buffer_clear(file);
	event_generator_init(&generator, shape, 1);
	must(byte_sink_open_buffer(&sink, file, &err), &err);
	must(trace_writer_open(&writer, sink, &err), &err);
	event_generator_write_stacks(&generator, writer);
	for (size_t i = 0; i < count; i++) {
		struct event event = event_generator_next(&generator);

		must(trace_writer_event(writer, &event, &err), &err);
	}
	must(trace_writer_finish(writer, generator.now_ns, &err), &err);
	trace_writer_close(writer);
}

static double seconds_of_analysis(struct trace_reader *reader, struct analysis **analysis)
{
	struct lo_error err = { 0 };
	double begin = cpu_seconds();

	must(analysis_new(analysis, reader, NULL, &err), &err);
	return cpu_seconds() - begin;
}

static double seconds_of_flame(struct trace_reader *reader)
{
	struct flame *flame = NULL;
	struct lo_error err = { 0 };
	double begin = cpu_seconds();

	must(flame_new(&flame, reader, TIME_SPAN_ALL, TASK_NONE, NULL, &err), &err);
	flame_free(flame);
	return cpu_seconds() - begin;
}

static double seconds_of_lanes(struct trace_reader *reader, const struct analysis *analysis,
		uint64_t waits_most, struct lane_index **lanes)
{
	struct lo_error err = { 0 };
	double begin = cpu_seconds();

	must(lane_index_new_small(lanes, reader, analysis, waits_most, NULL, &err), &err);
	return cpu_seconds() - begin;
}

/* Frames of which each shows `part` of the trace, one behind the other. */
static double seconds_of_frame(const struct lane_index *lanes, double part)
{
	static struct lane_cell cells[ROWS * COLUMNS];
	uint64_t length_ns = (uint64_t)((double)lanes->analysis->duration_ns * part) + 1;
	uint32_t tasks[ROWS];
	double begin = cpu_seconds();

	for (uint32_t row = 0; row < ROWS; row++)
		tasks[row] = row + 1;
	for (uint32_t frame = 0; frame < FRAMES; frame++) {
		uint64_t begin_ns = (lanes->analysis->duration_ns - length_ns + 1) / FRAMES * frame;

		lane_query(lanes, tasks, ROWS, (struct time_span){ begin_ns, begin_ns + length_ns },
				COLUMNS, cells);
	}
	return (cpu_seconds() - begin) / FRAMES;
}

static void bench_frames(const char *what, const struct lane_index *lanes)
{
	printf("    %-22s whole %6.2f ms   1/100 %6.2f ms   1/10000 %6.2f ms\n", what,
			1e3 * seconds_of_frame(lanes, 1), 1e3 * seconds_of_frame(lanes, 0.01),
			1e3 * seconds_of_frame(lanes, 0.0001));
}

static void bench_shape(enum generator_shape shape, size_t count, struct byte_buffer *file)
{
	struct byte_source *source = NULL;
	struct trace_reader *reader = NULL;
	struct analysis *analysis = NULL;
	struct lane_index *lanes = NULL;
	struct lane_index *small = NULL;
	struct lo_error err = { 0 };
	double seconds[3][ROUNDS];

	write_trace(shape, count, file);
	must(byte_source_open_memory(&source, file->bytes, file->size, &err), &err);
	must(trace_reader_open(&reader, source, NULL, &err), &err);
	for (int round = 0; round < ROUNDS; round++) {
		analysis_free(analysis);
		lane_index_free(lanes);
		seconds[0][round] = seconds_of_analysis(reader, &analysis);
		seconds[1][round] = seconds_of_flame(reader);
		seconds[2][round] = seconds_of_lanes(reader, analysis, LANE_INDEX_WAITS, &lanes);
	}
	printf("%-10s analysis %6.1f   flame %6.1f   lanes %6.1f   ns/event\n",
			generator_shape_name(shape), 1e9 * median(seconds[0]) / (double)count,
			1e9 * median(seconds[1]) / (double)count,
			1e9 * median(seconds[2]) / (double)count);
	bench_frames("a frame, every wait", lanes);
	seconds_of_lanes(reader, analysis, lanes->wait_count / 16 + 64, &small);
	bench_frames("a frame, 1/16 of it", small);
	lane_index_free(small);
	lane_index_free(lanes);
	analysis_free(analysis);
	trace_reader_close(reader);
}

int main(int argc, char **argv)
{
	size_t count = (size_t)(1e6 * (argc > 1 ? atof(argv[1]) : 1));
	struct byte_buffer file = { 0 };
	struct rusage usage;

	for (int shape = 0; shape < GENERATOR_SHAPE_COUNT; shape++)
		bench_shape((enum generator_shape)shape, count, &file);
	byte_buffer_release(&file);
	getrusage(RUSAGE_SELF, &usage);
	printf("peak memory of all, with the file in memory: %ld MiB\n", usage.ru_maxrss / 1024);
	return 0;
}
