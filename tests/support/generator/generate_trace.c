/*
 * generate_trace: a made-up trace of any size, and on request what is true of it.
 *
 *     generate_trace [OPTION...] OUT
 *
 * See the usage below, and trace_generator.h.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/generator/trace_generator.h"

static const char usage[] =
		"usage: generate_trace [OPTION...] OUT\n"
		"  -p, --profile NAME    what kind of program, see below\n"
		"  -s, --seed N          other numbers, other trace; default 1\n"
		"  -e, --events N        how many events, 1e6 is fine, too\n"
		"  -t, --tasks N         how many tasks are alive at the same time, roughly\n"
		"  -x, --plant WHAT      deadlock, burst, leak (with commas between), all or none;\n"
		"                        default all\n"
		"  -T, --truth FILE      write what is true of the trace as JSON\n"
		"  -q, --quiet           do not tell how far it is\n";

static const struct {
	const char *name;
	unsigned set;
} plants[] = { { "deadlock", PLANT_DEADLOCK }, { "burst", PLANT_BURST }, { "leak", PLANT_LEAK },
	{ "all", PLANT_ALL }, { "none", 0 } };

static _Noreturn void complain(const char *what, const char *value)
{
	fprintf(stderr, "generate_trace: %s '%s'\n%s\nprofiles:\n", what, value, usage);
	for (unsigned i = 0; i < PROFILE_COUNT; i++)
		fprintf(stderr, "  %-12s %s\n", profiles[i].name, profiles[i].help);
	exit(2);
}

static uint64_t number(const char *text, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (*end != '\0' || end == text || value < 0 || value > most)
		complain("no usable number:", text);
	return (uint64_t)value;
}

static unsigned plant_set(char *list)
{
	unsigned set = 0;

	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < LO_COUNT_OF(plants) && strcmp(plants[i].name, word) != 0)
			i++;
		if (i == LO_COUNT_OF(plants))
			complain("cannot plant", word);
		set |= plants[i].set;
	}
	return set;
}

static bool show_progress(void *context, uint64_t done, uint64_t total)
{
	uint64_t *shown = context;

	if (done * 100 / total == *shown)
		return true;
	*shown = done * 100 / total;
	fprintf(stderr, "\r%3" PRIu64 "%% of %" PRIu64 " events", *shown, total);
	return true;
}

static void write_truth(const struct truth *truth, const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out) {
		perror(path);
		exit(1);
	}
	truth_print(truth, out);
	if (fclose(out) != 0) {
		perror(path);
		exit(1);
	}
}

static void generate(const struct generator_options *options, const char *path, struct truth *truth,
		bool tell)
{
	struct byte_sink *sink = NULL;
	struct trace_writer *writer = NULL;
	struct generated done;
	struct lo_error err = { 0 };
	enum lo_result result = byte_sink_open_file(&sink, path, &err);

	if (result == LO_OK)
		result = trace_writer_open(&writer, sink, &err);
	if (result == LO_OK)
		result = generate_trace(options, writer, truth, &done, &err);
	trace_writer_close(writer);
	if (tell)
		fputs("\r\033[K", stderr);
	if (result != LO_OK) {
		fprintf(stderr, "generate_trace: %s\n", err.message);
		exit(1);
	}
	if (tell)
		fprintf(stderr, "%" PRIu64 " events of %" PRIu32 " tasks in %.3f s\n", done.events,
				done.tasks, (double)done.end_ns / 1e9);
}

int main(int argc, char **argv)
{
	static const struct option names[] = { { "profile", required_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 's' },
		{ "events", required_argument, NULL, 'e' },
		{ "tasks", required_argument, NULL, 't' },
		{ "plant", required_argument, NULL, 'x' },
		{ "truth", required_argument, NULL, 'T' }, { "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 } };
	static struct truth truth;
	uint64_t shown = UINT64_MAX;
	struct progress progress = { show_progress, &shown };
	struct generator_options options = { .seed = 1, .plants = PLANT_ALL };
	const char *truth_path = NULL;
	bool tell = isatty(STDERR_FILENO);
	int letter;

	while ((letter = getopt_long(argc, argv, "p:s:e:t:x:T:q", names, NULL)) != -1) {
		switch (letter) {
		case 'p':
			options.profile = generator_profile_by_name(optarg);
			if (options.profile == PROFILE_COUNT)
				complain("there is no profile", optarg);
			break;
		case 's':
			options.seed = number(optarg, 1e15);
			break;
		case 'e':
			options.events = number(optarg, 1e12);
			break;
		case 't':
			options.tasks = (uint32_t)number(optarg, 1e7);
			break;
		case 'x':
			options.plants = plant_set(optarg);
			break;
		case 'T':
			truth_path = optarg;
			break;
		case 'q':
			tell = false;
			break;
		default:
			complain("see there:", "usage");
		}
	}
	if (optind + 1 != argc)
		complain("wanted is the name of one file, not",
				argc > optind ? argv[argc - 1] : "");
	if (tell)
		options.progress = &progress;
	generate(&options, argv[optind], &truth, tell);
	if (truth_path)
		write_truth(&truth, truth_path);
	truth_release(&truth);
	return 0;
}
