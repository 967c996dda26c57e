#ifndef LOITER_IMPORT_GO_GENERATION_H
#define LOITER_IMPORT_GO_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/error.h"
#include "formats/import/go_batch.h"
#include "formats/import/go_trace_common.h"
#include "formats/import/number_map.h"
#include "formats/model/reason.h"

/*
 * One generation of a Go trace v2: about a second of it, and the unit in which it can be
 * understood, because the tables of strings and stacks are written behind the events that use
 * them. So all batches of a generation are collected first; its events are decoded afterwards.
 *
 * Tables: an id is what the file says; the texts and frames stay in `bytes` and are handed to the
 * native trace when an event first uses them.
 */
struct go_generation {
	uint64_t number;
	uint8_t *bytes; /* the payloads, one behind the other */
	size_t size;
	size_t capacity;

	struct go_event_batch *batches;
	uint32_t batch_count;
	uint32_t batch_capacity;
	struct go_thread_batches *threads; /* in order of appearance */
	uint32_t thread_count;
	uint32_t thread_capacity;
	struct number_map thread_index; /* thread to index in `threads` + 1 */

	struct go_text *texts;
	uint32_t text_count;
	uint32_t text_capacity;
	struct number_map text_index;

	struct go_frames *stacks;
	uint32_t stack_count;
	uint32_t stack_capacity;
	struct number_map stack_index;

	struct go_sample *samples;
	uint32_t sample_count;
	uint32_t sample_capacity;

	uint64_t frequency; /* units in a second; 0 = the generation does not say */
	bool has_wall_clock;
	uint64_t wall_units;   /* at this time of the trace */
	uint64_t wall_unix_ns; /* the wall clock said this */
	bool ended;            /* has its end mark */
	uint64_t damaged_tables;

	/* Counted while its events are decoded. */
	uint64_t missing_texts;
	uint64_t missing_stacks;
	uint64_t nameless_reasons; /* for which there was no number left */
};

struct go_event_batch {
	uint64_t time; /* of its begin, units */
	size_t begin;  /* in bytes */
	uint32_t size;
	uint32_t next; /* index + 1 of the next batch of the same thread, 0 = last */
};

struct go_thread_batches {
	uint64_t thread;
	uint32_t first; /* index + 1 */
	uint32_t last;
};

struct go_text {
	size_t begin;
	uint32_t length;
	uint32_t string; /* id in the native trace, 0 = not handed over yet */
	uint8_t reason;  /* when has_reason */
	bool has_reason;
};

/* One CPU sample; thread and P are of no interest. */
struct go_sample {
	uint64_t time;      /* units */
	uint64_t goroutine; /* 0 = none */
	uint64_t stack;
};

struct go_frames {
	size_t begin;
	uint32_t count;
	bool handed_over;
	struct go_place place;
};

void go_generation_init(struct go_generation *generation, uint64_t number);
/* Makes it empty again and keeps its memory for the next one. */
void go_generation_clear(struct go_generation *generation, uint64_t number);
void go_generation_release(struct go_generation *generation);

/* Copies the payload. LO_UNSUPPORTED beyond LIMIT_GO_GENERATION bytes. */
enum lo_result go_generation_add(struct go_generation *generation, const struct go_batch *batch,
		struct lo_error *err);

/* Whether tables and clock are there, without which events have no places and reasons. */
bool go_generation_is_complete(const struct go_generation *generation);

/* The bytes of a text; false when the table does not have it. */
bool go_generation_text(const struct go_generation *generation, uint64_t id, const char **bytes,
		uint32_t *length);
/* String id in the native trace; 0 for id 0 and for what the table does not have. */
enum lo_result go_generation_string(struct go_generation *generation, uint64_t id,
		struct go_program *program, uint32_t *string, struct lo_error *err);
/* A reason that has no number in this version gets one in the native trace. */
enum lo_result go_generation_reason(struct go_generation *generation, uint64_t id,
		struct go_program *program, uint8_t *reason, struct lo_error *err);
enum lo_result go_generation_stack(struct go_generation *generation, uint64_t id,
		struct go_program *program, struct go_place *place, struct lo_error *err);

#endif
