#ifndef LOITER_TESTS_GENERATOR_TRACE_GENERATOR_H
#define LOITER_TESTS_GENERATOR_TRACE_GENERATOR_H

#include "formats/base/progress.h"
#include "formats/native/trace_writer.h"
#include "tests/support/generator/program.h"
#include "tests/support/generator/truth.h"

/*
 * Made-up traces of any size: a simulated program (program.h) whose events go to a writer as they
 * happen, and what is true of them (truth.h). Equal options give equal events on every machine,
 * and equal files where zstd is the same.
 */
struct generator_options {
	enum generator_profile profile;
	uint64_t seed;
	uint64_t events; /* 0 = what the profile says; a few more may come */
	uint32_t tasks;  /* alive at the same time, roughly; 0 = what the profile says */
	unsigned plants; /* set of enum plant_kind */
	bool measure;    /* fill generated.write_cpu_ns */
	const struct progress *progress;
	/* Told of each event as the writer gets it, with its stack id; NULL = nobody. */
	void (*watch)(void *context, const struct event *event);
	void *watch_context;
};

struct generated {
	uint64_t events;
	uint64_t end_ns;
	uint64_t write_cpu_ns; /* of the thread, in the writer */
	uint32_t tasks;
};

/*
 * Writes the trace and finishes it; the writer stays the caller's to close. `truth` may be NULL;
 * otherwise it is to be released.
 */
enum lo_result generate_trace(const struct generator_options *options, struct trace_writer *writer,
		struct truth *truth, struct generated *generated, struct lo_error *err);

/* The profile of this name, or PROFILE_COUNT. */
enum generator_profile generator_profile_by_name(const char *name);

#endif
