#ifndef LOITER_NATIVE_TRACE_READER_H
#define LOITER_NATIVE_TRACE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_source.h"
#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/model/event.h"
#include "formats/model/loss.h"
#include "formats/model/module.h"
#include "formats/model/reason.h"
#include "formats/model/stack_table.h"
#include "formats/model/symbol_table.h"
#include "formats/model/task.h"
#include "formats/model/time_span.h"

/*
 * Random access to one native trace.
 *
 * Opening reads the index at the end of the file, or, when it is missing or damaged, scans the
 * section headers; then the tables (strings, stacks, symbols, tasks). Events are never read by
 * opening. What is damaged is left out and listed (trace_reader_damage); only a file without a
 * usable head is refused. An open reader is immutable apart from its block cache and its damage
 * list, both locked: cursors may be used from several threads, each cursor by one.
 */
struct trace_reader;

enum trace_index_state {
	TRACE_INDEX_COMPLETE,   /* the sections were found by it */
	TRACE_INDEX_CHECKPOINT, /* there is none: by the last checkpoint, the rest by a scan */
	TRACE_INDEX_PARTIAL, /* there is one, damaged or of another file: they come from a scan */
	TRACE_INDEX_NONE     /* there is none: they come from a scan */
};

struct trace_info {
	uint32_t version;
	uint64_t file_bytes;
	uint64_t events; /* rows in readable blocks, by their headers */
	uint64_t blocks;
	uint32_t tasks; /* highest task id named by a task row or 0 */
	uint32_t processes;
	uint32_t modules;
	uint64_t duration_ns; /* from 0 to the end of what was watched */
	uint64_t lost[LOSS_CAUSE_COUNT];
	uint64_t lost_unknown; /* under causes that this build does not know */
	enum trace_index_state index;
	bool truncated; /* no end mark: the recorder or the file was cut */
};

/* One stretch of the file that could not be used. */
struct trace_damage {
	uint64_t offset;
	uint64_t bytes;        /* 0 = up to the end of the file */
	struct time_span span; /* time covered by the lost block, empty when unknown */
	uint64_t rows;         /* events lost with it, 0 when unknown */
	char what[120];        /* a sentence for people */
};

struct trace_reader_options {
	/*
	 * What blocks, rows about tasks and parts of the index may take that nobody uses just now;
	 * 0 = 64 MiB. Beyond it there are the tables, and what is in use: one block for each
	 * cursor, one more for one that reads ahead, and about 3 MiB for each thread that reads.
	 */
	uint64_t cache_bytes;
	const struct progress *progress; /* of a scan; NULL = none */
};

/*
 * The reader takes ownership of `source` even on failure. `options` may be NULL.
 * LO_UNSUPPORTED: not a native trace, or of a later version. LO_CORRUPT, LO_TRUNCATED: not even
 * the head could be read. LO_CANCELLED by the progress callback.
 */
enum lo_result trace_reader_open(struct trace_reader **out, struct byte_source *source,
		const struct trace_reader_options *options, struct lo_error *err);

/* Accepts NULL. Cursors must be closed first. */
void trace_reader_close(struct trace_reader *reader);

const struct trace_info *trace_reader_info(const struct trace_reader *reader);

/* Damage known so far; grows as blocks are read. Copies entry `i`; false past the end. */
uint32_t trace_reader_damage_count(struct trace_reader *reader);
bool trace_reader_damage(struct trace_reader *reader, uint32_t i, struct trace_damage *out);

/*
 * What this file has and this build does not know (kinds of events, reasons, columns, ...), as
 * sentences fit for a terminal: it was left out, or is shown without being understood.
 */
uint32_t trace_reader_warning_count(const struct trace_reader *reader);
/* NULL past the end. */
const char *trace_reader_warning(const struct trace_reader *reader, uint32_t i);

/* Tables. Ids out of range give empty values, never failure: damaged files lose rows. */
const char *trace_reader_string(const struct trace_reader *reader, uint32_t id, uint32_t *length);
const struct stack_table *trace_reader_stacks(const struct trace_reader *reader);
const struct symbol_table *trace_reader_symbols(const struct trace_reader *reader);
/* NULL for MODULE_NONE and for ids out of range. */
const struct module_info *trace_reader_module(const struct trace_reader *reader, uint32_t id);
/* Copies the row about a task, which may have to be loaded; false, and a zeroed row, when the file
 * has none. */
bool trace_reader_task(const struct trace_reader *reader, uint32_t id, struct task_info *task);
const struct process_info *trace_reader_process(const struct trace_reader *reader, uint32_t index);

/* The `i`-th value stored under `key`, NULL past the last. */
const char *trace_reader_meta(const struct trace_reader *reader, const char *key, uint32_t i);
/* Walk all: false past the end. */
bool trace_reader_meta_at(const struct trace_reader *reader, uint32_t i, const char **key,
		const char **value);

/* Name and class of a reason of this trace, also of those that only the file knows. Never NULL. */
const char *trace_reader_reason_name(const struct trace_reader *reader, uint8_t reason);
enum wait_class trace_reader_reason_class(const struct trace_reader *reader, uint8_t reason);

/* One section of the file, for `info` and `verify`. */
struct trace_section {
	uint64_t offset; /* of its header frame */
	uint64_t bytes;  /* header and payload frames */
	uint64_t rows;
	const char *name;                /* "block", "strings", ... or "unknown" */
	struct time_span span;           /* blocks only */
	uint64_t lost[LOSS_CAUSE_COUNT]; /* blocks only */
};
uint32_t trace_reader_section_count(const struct trace_reader *reader);
bool trace_reader_section(const struct trace_reader *reader, uint32_t i, struct trace_section *out);

#endif
