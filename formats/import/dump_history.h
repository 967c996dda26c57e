#ifndef LOITER_IMPORT_DUMP_HISTORY_H
#define LOITER_IMPORT_DUMP_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/import/go_trace_common.h"
#include "formats/import/import_sink.h"
#include "formats/import/number_map.h"
#include "formats/model/note.h"
#include "formats/model/reason.h"

/*
 * Goroutine dumps as a trace. One dump is a moment: each goroutine is there, and blocked since so
 * many minutes ago. Several dumps of one process in a row are a trace in time: whoever is in two of
 * them with the same status at the same place was stuck all the while; whoever is new was created
 * in between, whoever is missing has ended.
 *
 * Time: the waits that are the longest began at 0. How much time lies between two dumps is what the
 * clock said when they were taken; else, of dumps in files of their own, how far apart the files
 * were written, unless the minutes of those who wait in both contradict it (a copied file); else it
 * shows in those minutes. Where nothing is known, DUMP_DISTANCE_NS is assumed.
 */
#define DUMP_DISTANCE_NS 1000000000ull

struct dump_goroutine {
	uint64_t number;
	uint64_t creator; /* its number, 0 = not known */
	uint64_t since_ns;
	uint32_t task;
	uint32_t stack;
	uint32_t creation_stack;
	uint32_t entry;   /* string id */
	uint32_t minutes; /* of waiting */
	uint8_t reason;   /* enum wait_reason */
	bool blocked;
	bool counted; /* stands for one of a group: `number` is ours, not Go's */
};

/* What a dump says of a goroutine beside its status: told when the dump is complete. */
struct dump_remark {
	struct note note;
	uint32_t item; /* in the present dump */
};

struct dump_list {
	struct dump_goroutine *items;
	uint32_t count;
	uint32_t capacity;
	struct number_map index; /* number to index + 1 */
};

struct dump_history {
	struct go_program program;
	struct dump_list present;
	struct dump_list past;
	struct number_map members; /* stack to how many members its groups have + 1 */
	struct dump_remark *remarks;
	uint32_t remark_count;
	uint32_t remark_capacity;
	uint64_t remark_total; /* of all dumps */
	uint64_t total;        /* goroutines of all dumps */
	uint32_t dumps;
	uint64_t time_ns;       /* of the last dump */
	uint64_t watch_ns;      /* how much later the present one is, by the files; 0 = not known */
	uint64_t taken_unix_ns; /* of the present dump, 0 = not known */
	uint64_t past_unix_ns;  /* of the last dump */
	bool guessed_distance;
	uint64_t dropped; /* goroutines and remarks beyond LIMIT_DUMP_GOROUTINES or LIMIT_DUMP_TOTAL
			   */
};

enum lo_result dump_history_init(
		struct dump_history *history, struct import_sink *sink, struct lo_error *err);
void dump_history_release(struct dump_history *history);

/* Whether the present dump has this goroutine already: then another dump begins. */
bool dump_history_has(const struct dump_history *history, uint64_t number);
enum lo_result dump_history_add(struct dump_history *history,
		const struct dump_goroutine *goroutine, struct lo_error *err);

/*
 * `count` goroutines like this one. They have no numbers: the n-th with a stack in one dump is
 * taken for the n-th with it in the next.
 */
enum lo_result dump_history_add_group(struct dump_history *history,
		const struct dump_goroutine *goroutine, uint64_t count, struct lo_error *err);

/* When the dump was taken that begins now, the last one being ended. */
void dump_history_taken(struct dump_history *history, uint64_t unix_ns);

/* Says `note` of all goroutines of the present dump from number `first` on. */
enum lo_result dump_history_remark(struct dump_history *history, const struct note *note,
		uint32_t first, struct lo_error *err);

/* The present dump is complete. Does nothing when it is empty. */
enum lo_result dump_history_end_dump(struct dump_history *history, struct lo_error *err);

#endif
