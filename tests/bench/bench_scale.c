/*
 * What a trace costs at scale: to write, to keep, to open, to read.
 *
 *     bench_scale [-e EVENTS] [-t TASKS] [-s SEED] [-q QUESTIONS] [-d FOLDER] [PROFILE...]
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
#include "formats/native/trace_alive.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_overview.h"
#include "formats/native/trace_states.h"
#include "formats/native/trace_writer.h"
#include "tests/bench/stage.h"
#include "tests/support/generator/dice.h"
#include "tests/support/generator/trace_generator.h"

#define OPENS          7u
#define QUESTIONS_MOST 3000u
#define SCREEN_ROWS    50u
#define SCREEN_COLUMNS 200u

struct bench {
	struct generator_options options;
	char path[512];
	unsigned questions; /* of each kind */
	bool cold;          /* drop the file from the page cache first */
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

/* ---- random access ---- */

/* What is asked: about an instant, or about a span that begins or ends near it. */
struct view {
	struct trace_reader *reader;
	struct trace_overview *overview;
	uint64_t time_ns;
	struct time_span span;
	uint32_t tasks[SCREEN_ROWS];
	uint32_t rows;
};

struct question {
	const char *what;
	void (*ask)(struct view *view);
	bool needs_tasks; /* of the span, on the rows of the screen */
};

static void ask_event(struct view *view)
{
	struct trace_cursor *cursor = NULL;
	struct lo_error err = { 0 };
	struct event event;

	must(trace_cursor_open(&cursor, view->reader, TIME_SPAN_ALL, &err), &err);
	must(trace_cursor_seek(cursor, view->time_ns, &err), &err);
	trace_cursor_next(cursor, &event, &err);
	trace_cursor_close(cursor);
}

static void ask_states(struct view *view)
{
	struct trace_states states = { 0 };
	struct lo_error err = { 0 };

	must(trace_states_at(&states, view->reader, view->time_ns, NULL, &err), &err);
	trace_states_release(&states);
}

static void ask_some_states(struct view *view)
{
	struct task_state_at states[SCREEN_ROWS];
	struct lo_error err = { 0 };

	must(trace_states_of(view->reader, view->time_ns, view->tasks, view->rows, states, NULL,
			     NULL, &err),
			&err);
}

static void ask_alive(struct view *view)
{
	struct alive_query query = { .span = view->span, .limit = 1000 };
	struct alive_tasks alive = { 0 };
	struct lo_error err = { 0 };

	must(trace_alive_in(&alive, view->reader, &query, NULL, &err), &err);
	alive_tasks_release(&alive);
}

static void ask_timeline(struct view *view)
{
	static struct overview_cell cells[SCREEN_ROWS * SCREEN_COLUMNS];
	struct lo_error err = { 0 };

	must(trace_overview_rows(view->overview, view->tasks, view->rows, view->span,
			     SCREEN_COLUMNS, cells, &err),
			&err);
}

static void ask_columns(struct view *view)
{
	static struct overview_column columns[SCREEN_COLUMNS];
	struct lo_error err = { 0 };

	must(trace_overview_columns(view->overview, view->span, SCREEN_COLUMNS, columns, &err),
			&err);
}

static const struct question questions[] = {
	{ "the event at an instant", ask_event, false },
	{ "states of all tasks at an instant", ask_states, false },
	{ "states of 50 tasks at an instant", ask_some_states, true },
	{ "tasks alive in a span, the first 1,000", ask_alive, false },
	{ "a timeline of 50 tasks in 200 columns", ask_timeline, true },
	{ "numbers of all tasks in 200 columns", ask_columns, false },
};

struct asking {
	struct bench *bench;
	const struct question *question;
};

enum asked {
	ASKED_CPU_MEDIAN,
	ASKED_CPU_P99,
	ASKED_CPU_MOST,
	ASKED_WALL_MEDIAN,
	ASKED_WALL_P99,
	ASKED_WALL_MOST,
};

/* The whole trace, a tenth, a hundredth, ... down to a hundred thousandth of it. */
static void choose_span(struct view *view, struct dice *dice)
{
	uint64_t end_ns = trace_reader_info(view->reader)->duration_ns;
	uint64_t length_ns = end_ns;

	view->time_ns = dice_next(dice) % end_ns;
	for (uint32_t zoom = dice_below(dice, 6); zoom > 0; zoom--)
		length_ns /= 10;
	view->span.begin_ns = view->time_ns + length_ns < end_ns ? view->time_ns
								 : end_ns - length_ns;
	view->span.end_ns = view->span.begin_ns + length_ns + 1;
}

/* Neighbours by number among those alive in the span, as rows on a screen often are. */
static void choose_tasks(struct view *view, struct dice *dice)
{
	struct alive_query query = { .span = view->span,
		.from = dice_below(dice, trace_reader_info(view->reader)->tasks),
		.limit = SCREEN_ROWS };
	struct alive_tasks alive = { 0 };
	struct lo_error err = { 0 };

	must(trace_alive_in(&alive, view->reader, &query, NULL, &err), &err);
	view->rows = alive.count;
	for (uint32_t i = 0; i < alive.count; i++)
		view->tasks[i] = alive.tasks[i];
	alive_tasks_release(&alive);
}

/* In a file that is not in memory at first. */
static void ask_often(void *context, double *numbers)
{
	struct asking *asking = context;
	struct dice dice = dice_for(1, 1);
	struct view view = { 0 };
	struct lo_error err = { 0 };
	static double cpu_ms[QUESTIONS_MOST];
	static double wall_ms[QUESTIONS_MOST];
	unsigned count = asking->bench->questions;

	forget_file(asking->bench->path);
	view.reader = open_reader(asking->bench);
	must(trace_overview_open(&view.overview, view.reader, &err), &err);
	for (unsigned i = 0; i < count; i++) {
		choose_span(&view, &dice);
		if (asking->question->needs_tasks)
			choose_tasks(&view, &dice);
		cpu_ms[i] = -1e3 * stage_cpu_s();
		wall_ms[i] = -1e3 * stage_wall_s();
		asking->question->ask(&view);
		cpu_ms[i] += 1e3 * stage_cpu_s();
		wall_ms[i] += 1e3 * stage_wall_s();
	}
	numbers[ASKED_CPU_MEDIAN] = stage_quantile(cpu_ms, count, 0.5);
	numbers[ASKED_CPU_P99] = stage_quantile(cpu_ms, count, 0.99);
	numbers[ASKED_CPU_MOST] = cpu_ms[count - 1];
	numbers[ASKED_WALL_MEDIAN] = stage_quantile(wall_ms, count, 0.5);
	numbers[ASKED_WALL_P99] = stage_quantile(wall_ms, count, 0.99);
	numbers[ASKED_WALL_MOST] = wall_ms[count - 1];
}

static void print_questions(struct bench *bench)
{
	for (size_t i = 0; i < LO_COUNT_OF(questions); i++) {
		struct asking asking = { bench, &questions[i] };
		struct stage_result asked = stage_run(ask_often, &asking);

		printf("| %s | %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.0f |\n",
				profiles[bench->options.profile].name, questions[i].what,
				asked.numbers[ASKED_CPU_MEDIAN], asked.numbers[ASKED_CPU_P99],
				asked.numbers[ASKED_CPU_MOST], asked.numbers[ASKED_WALL_MEDIAN],
				asked.numbers[ASKED_WALL_P99], asked.peak_mib);
	}
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

static void print_bytes_head(void)
{
	printf("\nbytes per event\n\n| profile | events | all |");
	for (unsigned i = 0; i < EVENT_COLUMN_COUNT; i++)
		printf(" %s |", event_columns[i].name);
	printf(" headers | other sections |\n|---|---|---|");
	for (unsigned i = 0; i < EVENT_COLUMN_COUNT; i++)
		printf("---|");
	puts("---|---|");
}

static void print_costs(struct bench *bench, const struct stage_result *written)
{
	struct stage_result cold = open_often(bench, true);
	struct stage_result warm = open_often(bench, false);
	struct stage_result all = stage_run(read_all, bench);
	const double *made = written->numbers;

	puts("\n| profile | events | tasks | seconds | write ns | MiB | open cold ms | CPU | warm ms "
	     "| CPU | MiB | decode ns | MiB |\n"
	     "|---|---|---|---|---|---|---|---|---|---|---|---|---|");
	printf("| %s | %.3g | %.3g | %.3g | %.0f | %.0f | %.1f | %.1f | %.1f | %.1f | %.0f | %.0f | "
	       "%.0f |\n",
			profiles[bench->options.profile].name, made[WRITTEN_EVENTS],
			made[WRITTEN_TASKS], made[WRITTEN_SECONDS], made[WRITTEN_NS],
			written->peak_mib, cold.numbers[OPENED_WALL_MS],
			cold.numbers[OPENED_CPU_MS], warm.numbers[OPENED_WALL_MS],
			warm.numbers[OPENED_CPU_MS], cold.peak_mib, all.numbers[0], all.peak_mib);
}

static void bench_profile(struct bench *bench)
{
	struct stage_result written = stage_run(write_file, bench);

	print_costs(bench, &written);
	print_bytes_head();
	stage_run(print_sizes, bench);
	puts("\nat random instants, ms\n\n"
	     "| profile | what | CPU median | p99 | most | time median | p99 | MiB |\n"
	     "|---|---|---|---|---|---|---|---|");
	print_questions(bench);
	unlink(bench->path);
}

static _Noreturn void complain(void)
{
	fputs("usage: bench_scale [-e EVENTS] [-t TASKS] [-s SEED] [-q QUESTIONS] [-d FOLDER] [PROFILE...]\n",
			stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static const enum generator_profile usual[] = { PROFILE_THREAD_LIKE, PROFILE_GO_LIKE,
		PROFILE_MANY_ALIVE, PROFILE_MANY_SHORT };
	struct bench bench = { .questions = 300,
		.options = {
				.seed = 1,
				.events = 1000000,
				.plants = PLANT_ALL,
				.measure = true,
		} };
	const char *folder = "/tmp";
	int letter;

	while ((letter = getopt(argc, argv, "e:t:s:d:q:")) != -1) {
		if (letter == 'e')
			bench.options.events = (uint64_t)atof(optarg);
		else if (letter == 't')
			bench.options.tasks = (uint32_t)atof(optarg);
		else if (letter == 's')
			bench.options.seed = (uint64_t)atof(optarg);
		else if (letter == 'q')
			bench.questions = (unsigned)atoi(optarg);
		else if (letter == 'd')
			folder = optarg;
		else
			complain();
	}
	if (bench.options.events < 1000 || bench.questions < 1 || bench.questions > QUESTIONS_MOST)
		complain();
	snprintf(bench.path, sizeof(bench.path), "%s/bench_scale.%d.loiter", folder, getpid());
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
