/*
 * What a picture of a long trace costs: 50 rows of 200 columns at all zooms, from tiles and a few
 * events, see formats/native/trace_overview.h.
 *
 *     bench_overview [-v VIEWS] FILE...
 *
 * Make a file with tests/support/generate_trace. Each file is opened and asked in a process of its
 * own: cold is the first question about a view with nothing decoded before, though the file may be
 * in the page cache of the kernel; warm is the same question again. Rows are the busiest tasks of
 * the view and as many chosen at random. Times are of the CPU, in milliseconds.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/byte_source.h"
#include "formats/base/macros.h"
#include "formats/native/trace_overview.h"
#include "tests/bench/stage.h"
#include "tests/support/event_generator.h"

#define ROWS    50u
#define COLUMNS 200u

struct bench {
	const char *path;
	unsigned views;
};

/* What a process tells: quantiles of four kinds of questions, and some facts. */
enum question {
	QUESTION_COLD,
	QUESTION_WARM,
	QUESTION_TOP,
	QUESTION_COUNTS,
	QUESTION_COUNT
};
enum number {
	NUMBER_P50 = 0, /* each for all questions */
	NUMBER_P99 = QUESTION_COUNT,
	NUMBER_MOST = 2 * QUESTION_COUNT,
	NUMBER_OPEN_MS = 3 * QUESTION_COUNT,
	NUMBER_EVENTS,
	NUMBER_TASKS,
	NUMBER_PENDING_TOP, /* percent of the cells */
	NUMBER_PENDING_RANDOM,
	NUMBER_COARSE,
	NUMBER_TILES, /* percent of the bytes of blocks */
	NUMBER_INDEX  /* the same for all optional sections */
};

static void must(enum lo_result result, const struct lo_error *err)
{
	if (result == LO_OK)
		return;
	fprintf(stderr, "bench_overview: %s\n", err->message);
	_exit(1);
}

static struct trace_reader *open_trace(const char *path)
{
	struct trace_reader *reader;
	struct byte_source *source;
	struct lo_error err;

	must(byte_source_open_file(&source, path, &err), &err);
	must(trace_reader_open(&reader, source, NULL, &err), &err);
	return reader;
}

static struct time_span random_span(uint64_t *random, uint64_t whole_ns)
{
	uint64_t length_ns = whole_ns >> generator_random(random, 16);
	uint64_t begin_ns;

	length_ns -= generator_random(random, length_ns / 3 + 1);
	length_ns = length_ns + COLUMNS < whole_ns ? length_ns + COLUMNS : whole_ns;
	begin_ns = generator_random(random, whole_ns - length_ns + 1);
	return (struct time_span){ begin_ns, begin_ns + length_ns };
}

static double ms_since(double begin_s)
{
	return (stage_cpu_s() - begin_s) * 1e3;
}

struct asking {
	const struct bench *bench;
	struct trace_reader *reader;
	struct trace_overview *overview;
	double *ms[QUESTION_COUNT]; /* of each view */
	uint64_t cells[2];          /* of the busiest, of others */
	uint64_t pending[2];
	uint64_t coarse;
};

static void open_overview(struct asking *asking)
{
	struct lo_error err;

	asking->reader = open_trace(asking->bench->path);
	must(trace_overview_open(&asking->overview, asking->reader, &err), &err);
}

static void close_overview(struct asking *asking)
{
	trace_overview_close(asking->overview);
	trace_reader_close(asking->reader);
}

static void tally(struct asking *asking, const struct overview_cell *cells, uint32_t busiest)
{
	for (uint32_t i = 0; i < ROWS * COLUMNS; i++) {
		unsigned kind = i / COLUMNS >= busiest;

		asking->cells[kind]++;
		asking->pending[kind] += cells[i].pending;
		asking->coarse += !cells[i].pending && cells[i].error > OVERVIEW_ERROR;
	}
}

/* Fills up with tasks that are not there yet. */
static void choose_tasks(
		struct asking *asking, uint64_t *random, uint32_t tasks[ROWS], uint32_t count)
{
	uint32_t highest = trace_reader_info(asking->reader)->tasks;

	while (count < ROWS) {
		uint32_t known = 0;

		tasks[count] = (uint32_t)generator_random(random, highest + ROWS) + 1;
		while (tasks[known] != tasks[count])
			known++;
		count += known == count;
	}
}

static void ask_about(struct asking *asking, uint64_t *random, struct time_span span, unsigned view)
{
	static struct overview_cell cells[ROWS * COLUMNS];
	static struct overview_column columns[COLUMNS];
	struct overview_task top[ROWS / 2];
	uint32_t tasks[ROWS];
	uint32_t count = 0;
	struct lo_error err;
	double begin_s = stage_cpu_s();

	must(trace_overview_top(asking->overview, span, top, ROWS / 2, &count, &err), &err);
	asking->ms[QUESTION_TOP][view] = ms_since(begin_s);
	for (uint32_t i = 0; i < count; i++)
		tasks[i] = top[i].task;
	choose_tasks(asking, random, tasks, count);
	close_overview(asking);
	open_overview(asking);
	for (unsigned question = QUESTION_COLD; question <= QUESTION_WARM; question++) {
		begin_s = stage_cpu_s();
		must(trace_overview_rows(asking->overview, tasks, ROWS, span, COLUMNS, cells, &err),
				&err);
		asking->ms[question][view] = ms_since(begin_s);
	}
	tally(asking, cells, count);
	begin_s = stage_cpu_s();
	must(trace_overview_columns(asking->overview, span, COLUMNS, columns, &err), &err);
	asking->ms[QUESTION_COUNTS][view] = ms_since(begin_s);
}

static double percent(uint64_t some, uint64_t all)
{
	return all ? 100.0 * (double)some / (double)all : 0;
}

static void weigh_sections(struct asking *asking, double *numbers)
{
	static const char *const index[] = { "snapshot", "lives", "tiles", "index", "checkpoint" };
	struct trace_section section;
	uint64_t blocks = 0;
	uint64_t tiles = 0;
	uint64_t all = 0;

	for (uint32_t i = 0; trace_reader_section(asking->reader, i, &section); i++) {
		for (size_t k = 0; k < LO_COUNT_OF(index); k++)
			all += strcmp(section.name, index[k]) == 0 ? section.bytes : 0;
		if (strcmp(section.name, "block") == 0)
			blocks += section.bytes;
		if (strcmp(section.name, "tiles") == 0)
			tiles += section.bytes;
	}
	numbers[NUMBER_TILES] = percent(tiles, blocks);
	numbers[NUMBER_INDEX] = percent(all, blocks);
}

static void ask(void *context, double *numbers)
{
	const struct bench *bench = context;
	struct asking asking = { .bench = bench };
	struct trace_info info;
	uint64_t random = 1;
	double begin_s = stage_cpu_s();

	open_overview(&asking);
	numbers[NUMBER_OPEN_MS] = ms_since(begin_s);
	info = *trace_reader_info(asking.reader);
	weigh_sections(&asking, numbers);
	for (unsigned question = 0; question < QUESTION_COUNT; question++)
		asking.ms[question] = calloc(bench->views, sizeof(double));
	for (unsigned view = 0; view < bench->views; view++)
		ask_about(&asking, &random, random_span(&random, info.duration_ns), view);
	for (unsigned question = 0; question < QUESTION_COUNT; question++) {
		double *ms = asking.ms[question];

		numbers[NUMBER_P50 + question] = stage_quantile(ms, bench->views, 0.5);
		numbers[NUMBER_P99 + question] = stage_quantile(ms, bench->views, 0.99);
		numbers[NUMBER_MOST + question] = stage_quantile(ms, bench->views, 1);
		free(ms);
	}
	numbers[NUMBER_EVENTS] = (double)info.events;
	numbers[NUMBER_TASKS] = info.tasks;
	numbers[NUMBER_PENDING_TOP] = percent(asking.pending[0], asking.cells[0]);
	numbers[NUMBER_PENDING_RANDOM] = percent(asking.pending[1], asking.cells[1]);
	numbers[NUMBER_COARSE] = percent(asking.coarse, asking.cells[0] + asking.cells[1]);
	close_overview(&asking);
}

static void print(const struct bench *bench, const struct stage_result *result)
{
	static const char *const questions[QUESTION_COUNT] = { "rows, cold", "rows, warm",
		"busiest tasks", "counts, warm" };
	const double *numbers = result->numbers;

	printf("%s: %.0f events, %.0f tasks, open %.2f ms, peak %.0f MiB\n", bench->path,
			numbers[NUMBER_EVENTS], numbers[NUMBER_TASKS], numbers[NUMBER_OPEN_MS],
			result->peak_mib);
	printf("    tiles %.2f%% of the blocks, all of the index %.2f%%\n", numbers[NUMBER_TILES],
			numbers[NUMBER_INDEX]);
	printf("    pending %.1f%% of the cells of the busiest tasks, %.1f%% of others; coarse "
	       "%.1f%%\n",
			numbers[NUMBER_PENDING_TOP], numbers[NUMBER_PENDING_RANDOM],
			numbers[NUMBER_COARSE]);
	for (unsigned question = 0; question < QUESTION_COUNT; question++)
		printf("    %-14s p50 %6.2f  p99 %6.2f  max %6.2f ms\n", questions[question],
				numbers[NUMBER_P50 + question], numbers[NUMBER_P99 + question],
				numbers[NUMBER_MOST + question]);
}

int main(int argc, char **argv)
{
	struct bench bench = { .views = 300 };
	int option;

	while ((option = getopt(argc, argv, "v:")) != -1) {
		if (option == 'v')
			bench.views = (unsigned)strtoul(optarg, NULL, 10);
		if (option != 'v' || bench.views == 0) {
			fprintf(stderr, "usage: bench_overview [-v VIEWS] FILE...\n");
			return 2;
		}
	}
	for (int i = optind; i < argc; i++) {
		struct stage_result result;

		bench.path = argv[i];
		result = stage_run(ask, &bench);
		print(&bench, &result);
	}
	return 0;
}
