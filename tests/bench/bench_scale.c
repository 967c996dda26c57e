/*
 * What a trace costs at scale: to write, to keep, to open, to read.
 *
 *     bench_scale [-e EVENTS] [-t TASKS] [-s SEED] [-d FOLDER] [PROFILE...]
 *
 * Traces are made up by tests/support/generator, a file of each profile (default: four of them, a
 * million events) in FOLDER (default /tmp), which is removed afterwards. Every step runs in a
 * process of its own. Output are Markdown tables, which docs/format.md explains.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/native/block.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_writer.h"
#include "tests/bench/stage.h"
#include "tests/support/generator/dice.h"
#include "tests/support/generator/trace_generator.h"

#define OPENS 7u
#define SEEKS 300u

struct bench {
	struct generator_options options;
	char path[512];
	bool cold; /* drop the file from the page cache first */
};

static void must(enum lo_result result, const struct lo_error *err)
{
	if (result == LO_OK)
		return;
	fprintf(stderr, "bench_scale: %s\n", err->message);
	_exit(1);
}

/* ---- writing ---- */

enum written {
	WRITTEN_EVENTS,
	WRITTEN_TASKS,
	WRITTEN_SECONDS, /* of virtual time */
	WRITTEN_NS,      /* CPU time of the writer for each event */
};

static void write_file(void *context, double *numbers)
{
	struct bench *bench = context;
	struct byte_sink *sink = NULL;
	struct trace_writer *writer = NULL;
	struct generated done;
	struct lo_error err = { 0 };

	must(byte_sink_open_file(&sink, bench->path, &err), &err);
	must(trace_writer_open(&writer, sink, &err), &err);
	must(generate_trace(&bench->options, writer, NULL, &done, &err), &err);
	trace_writer_close(writer);
	numbers[WRITTEN_EVENTS] = (double)done.events;
	numbers[WRITTEN_TASKS] = done.tasks;
	numbers[WRITTEN_SECONDS] = (double)done.end_ns / 1e9;
	numbers[WRITTEN_NS] = (double)done.write_cpu_ns / (double)done.events;
}

/* ---- opening ---- */

static void forget_file(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0 || fsync(file) != 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) {
		perror(path);
		_exit(1);
	}
	close(file);
}

static struct trace_reader *open_reader(const struct bench *bench)
{
	struct byte_source *source = NULL;
	struct trace_reader *reader = NULL;
	struct lo_error err = { 0 };

	must(byte_source_open_file(&source, bench->path, &err), &err);
	must(trace_reader_open(&reader, source, NULL, &err), &err);
	return reader;
}

enum opened {
	OPENED_CPU_MS,
	OPENED_WALL_MS,
};

static void open_file(void *context, double *numbers)
{
	struct bench *bench = context;
	double cpu_s;
	double wall_s;

	if (bench->cold)
		forget_file(bench->path);
	cpu_s = stage_cpu_s();
	wall_s = stage_wall_s();
	open_reader(bench);
	numbers[OPENED_CPU_MS] = 1e3 * (stage_cpu_s() - cpu_s);
	numbers[OPENED_WALL_MS] = 1e3 * (stage_wall_s() - wall_s);
}

static struct stage_result open_often(struct bench *bench, bool cold)
{
	struct stage_result result = { 0 };
	double cpu_ms[OPENS];
	double wall_ms[OPENS];

	bench->cold = cold;
	for (unsigned i = 0; i < OPENS; i++) {
		result = stage_run(open_file, bench);
		cpu_ms[i] = result.numbers[OPENED_CPU_MS];
		wall_ms[i] = result.numbers[OPENED_WALL_MS];
	}
	result.numbers[OPENED_CPU_MS] = stage_quantile(cpu_ms, OPENS, 0.5);
	result.numbers[OPENED_WALL_MS] = stage_quantile(wall_ms, OPENS, 0.5);
	return result;
}

/* ---- reading ---- */

static void read_all(void *context, double *numbers)
{
	struct trace_reader *reader = open_reader(context);
	struct trace_cursor *cursor = NULL;
	struct lo_error err = { 0 };
	const struct event *events;
	uint64_t seen = 0;
	uint32_t count;
	double cpu_s = stage_cpu_s();

	must(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, &err), &err);
	while (trace_cursor_next_run(cursor, &events, &count, &err) == LO_OK)
		seen += count;
	numbers[0] = 1e9 * (stage_cpu_s() - cpu_s) / (double)seen;
	if (seen != trace_reader_info(reader)->events) {
		fprintf(stderr, "bench_scale: %" PRIu64 " events came back\n", seen);
		_exit(1);
	}
}

/* CPU time to go to a random instant and read one event there; the file is not in memory. */
static void seek_about(void *context, double *numbers)
{
	struct bench *bench = context;
	struct trace_reader *reader;
	struct dice dice = dice_for(1, 1);
	double cpu_ms[SEEKS];
	double wall_ms[SEEKS];

	forget_file(bench->path);
	reader = open_reader(bench);
	for (unsigned i = 0; i < SEEKS; i++) {
		uint64_t time_ns = dice_next(&dice) % trace_reader_info(reader)->duration_ns;
		struct trace_cursor *cursor = NULL;
		struct lo_error err = { 0 };
		struct event event;

		cpu_ms[i] = -1e3 * stage_cpu_s();
		wall_ms[i] = -1e3 * stage_wall_s();
		must(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, &err), &err);
		must(trace_cursor_seek(cursor, time_ns, &err), &err);
		trace_cursor_next(cursor, &event, &err);
		trace_cursor_close(cursor);
		cpu_ms[i] += 1e3 * stage_cpu_s();
		wall_ms[i] += 1e3 * stage_wall_s();
	}
	numbers[0] = stage_quantile(cpu_ms, SEEKS, 0.5);
	numbers[1] = stage_quantile(cpu_ms, SEEKS, 0.99);
	numbers[2] = stage_quantile(wall_ms, SEEKS, 0.5);
	numbers[3] = stage_quantile(wall_ms, SEEKS, 0.99);
}

/* ---- where the bytes go ---- */

/* Bytes of blocks by column, and of their headers; of everything else by type of section. */
struct sizes {
	double columns[EVENT_COLUMN_COUNT];
	double headers;
	double sections[256];
	const char *names[256];
	unsigned name_count;
};

static void add_block(struct sizes *sizes, int file, const struct trace_section *section)
{
	static uint8_t bytes[LIMIT_SECTION_HEADER];
	struct section_header header;
	struct block_header block;
	struct lo_error err = { 0 };
	ssize_t got = pread(file, bytes, sizeof(bytes), (off_t)section->offset);

	must(section_header_parse(&header, bytes, got > 0 ? (size_t)got : 0, 0, &err), &err);
	must(block_header_parse(&block, &header, &err), &err);
	sizes->headers += header.header_bytes;
	/* The numbers of the columns are those of this build, which wrote the file. */
	for (uint32_t i = 0; i < block.column_count; i++)
		if (block.columns[i].number < EVENT_COLUMN_COUNT)
			sizes->columns[block.columns[i].number] += block.columns[i].packed_bytes;
}

static void add_section(struct sizes *sizes, const struct trace_section *section)
{
	unsigned i = 0;

	while (i < sizes->name_count && strcmp(sizes->names[i], section->name) != 0)
		i++;
	if (i == sizes->name_count)
		sizes->names[sizes->name_count++] = section->name;
	sizes->sections[i] += (double)section->bytes;
}

static void print_sizes(void *context, double *numbers)
{
	struct bench *bench = context;
	struct trace_reader *reader = open_reader(bench);
	double events = (double)trace_reader_info(reader)->events;
	static struct sizes sizes;
	struct trace_section section;
	int file = open(bench->path, O_RDONLY | O_CLOEXEC);

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		if (strcmp(section.name, "block") == 0)
			add_block(&sizes, file, &section);
		else
			add_section(&sizes, &section);
	}
	printf("| %s | %.3g | %.2f |", profiles[bench->options.profile].name, events,
			(double)trace_reader_info(reader)->file_bytes / events);
	for (unsigned i = 0; i < EVENT_COLUMN_COUNT; i++)
		printf(" %.3f |", sizes.columns[i] / events);
	printf(" %.3f |", sizes.headers / events);
	for (unsigned i = 0; i < sizes.name_count; i++)
		if (sizes.sections[i] / events >= 0.0005)
			printf(" %s %.3f", sizes.names[i], sizes.sections[i] / events);
	puts(" |");
	fflush(stdout);
	numbers[0] = (double)trace_reader_info(reader)->file_bytes;
}

/* ---- tables ---- */

static void print_heads(void)
{
	printf("| profile | events | bytes/event |");
	for (unsigned i = 0; i < EVENT_COLUMN_COUNT; i++)
		printf(" %s |", event_columns[i].name);
	printf(" block headers | other sections |\n|---|---|---|");
	for (unsigned i = 0; i < EVENT_COLUMN_COUNT; i++)
		printf("---|");
	puts("---|---|");
}

static void bench_profile(struct bench *bench)
{
	const struct profile *profile = &profiles[bench->options.profile];
	struct stage_result written = stage_run(write_file, bench);
	struct stage_result cold = open_often(bench, true);
	struct stage_result warm = open_often(bench, false);
	struct stage_result all = stage_run(read_all, bench);
	struct stage_result seeks = stage_run(seek_about, bench);
	struct stage_result sizes = stage_run(print_sizes, bench);
	double events = written.numbers[WRITTEN_EVENTS];

	printf("\n%s: %.0f events of %.0f tasks in %.3g s; file %.1f MB, %.2f bytes/event\n",
			profile->name, events, written.numbers[WRITTEN_TASKS],
			written.numbers[WRITTEN_SECONDS], sizes.numbers[0] / 1e6,
			sizes.numbers[0] / events);
	printf("  write   %6.1f ns/event CPU (made up in %.1f s altogether), %.0f MiB\n",
			written.numbers[WRITTEN_NS], written.wall_s, written.peak_mib);
	printf("  open    cold %.2f ms CPU, %.2f ms; warm %.2f ms CPU, %.2f ms; %.0f MiB\n",
			cold.numbers[OPENED_CPU_MS], cold.numbers[OPENED_WALL_MS],
			warm.numbers[OPENED_CPU_MS], warm.numbers[OPENED_WALL_MS], cold.peak_mib);
	printf("  decode  %6.1f ns/event CPU, %.2f s, %.0f MiB\n", all.numbers[0], all.wall_s,
			all.peak_mib);
	printf("  seek    cold median %.2f ms CPU, %.2f ms; p99 %.2f ms CPU, %.2f ms; %.0f MiB\n\n",
			seeks.numbers[0], seeks.numbers[2], seeks.numbers[1], seeks.numbers[3],
			seeks.peak_mib);
	unlink(bench->path);
}

static _Noreturn void complain(void)
{
	fputs("usage: bench_scale [-e EVENTS] [-t TASKS] [-s SEED] [-d FOLDER] [PROFILE...]\n",
			stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static const enum generator_profile usual[] = { PROFILE_THREAD_LIKE, PROFILE_GO_LIKE,
		PROFILE_MANY_ALIVE, PROFILE_MANY_SHORT };
	struct bench bench = { .options = {
					       .seed = 1,
					       .events = 1000000,
					       .plants = PLANT_ALL,
					       .measure = true,
			       } };
	const char *folder = "/tmp";
	int letter;

	while ((letter = getopt(argc, argv, "e:t:s:d:")) != -1) {
		if (letter == 'e')
			bench.options.events = (uint64_t)atof(optarg);
		else if (letter == 't')
			bench.options.tasks = (uint32_t)atof(optarg);
		else if (letter == 's')
			bench.options.seed = (uint64_t)atof(optarg);
		else if (letter == 'd')
			folder = optarg;
		else
			complain();
	}
	if (bench.options.events < 1000)
		complain();
	snprintf(bench.path, sizeof(bench.path), "%s/bench_scale.%d.loiter", folder, getpid());
	print_heads();
	for (unsigned i = 0; optind == argc && i < LO_COUNT_OF(usual); i++) {
		bench.options.profile = usual[i];
		bench_profile(&bench);
	}
	for (int i = optind; i < argc; i++) {
		bench.options.profile = generator_profile_by_name(argv[i]);
		if (bench.options.profile == PROFILE_COUNT)
			complain();
		bench_profile(&bench);
	}
	return 0;
}
