#ifndef LOITER_NATIVE_TRACE_WRITER_H
#define LOITER_NATIVE_TRACE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_sink.h"
#include "formats/base/error.h"
#include "formats/model/counter.h"
#include "formats/model/event.h"
#include "formats/model/loss.h"
#include "formats/model/module.h"
#include "formats/model/note.h"
#include "formats/model/stack_table.h"
#include "formats/model/symbol_table.h"
#include "formats/model/task.h"

/*
 * Writes one native trace into a sink, front to back, nothing ever changed in place.
 *
 * Rows of tables (strings, modules, stacks, tasks, ...) are collected and written before the first
 * block whose events may name them. A block is sealed at TRACE_BLOCK_ROWS rows, when
 * trace_writer_advance() has moved TRACE_BLOCK_SPAN_NS past its begin, and on flush. What was
 * sealed is complete in the sink. Notes and samples of counters that came up stand in front of the
 * next block. Memory: one block, the stack and string tables, the block index
 * (a few dozen bytes per block); task rows are not kept.
 *
 * After any failure of the sink the writer stays failed: every later call returns that error, and
 * the sink holds a file cut at a block boundary or inside one, which readers handle.
 * Not thread safe.
 */
#define TRACE_BLOCK_ROWS    32768u
#define TRACE_BLOCK_SPAN_NS 1000000000ull

struct trace_writer;

/* The writer takes ownership of `sink`, even on failure. Writes the head of the file at once. */
enum lo_result trace_writer_open(
		struct trace_writer **out, struct byte_sink *sink, struct lo_error *err);

/*
 * From now on times of events are rounded down to multiples of `resolution_ns`, itself rounded down
 * to a power of two, and a fact of the trace says so. Times take most of a file; where waits of a
 * microsecond do not matter, the last digits need not be kept. Order remains: events that were
 * apart may come to have the same time. LO_USAGE when it is not from 1 to TRACE_RESOLUTION_MAX_NS,
 * and after the first event.
 */
#define TRACE_RESOLUTION_MAX_NS 1000000u
enum lo_result trace_writer_resolution(
		struct trace_writer *writer, uint64_t resolution_ns, struct lo_error *err);

/* Tables. Each gives an id to use in events and other rows; equal rows share one id. */
enum lo_result trace_writer_string(struct trace_writer *writer, const char *bytes, uint32_t length,
		uint32_t *id, struct lo_error *err);
enum lo_result trace_writer_module(struct trace_writer *writer, const struct module_info *module,
		uint32_t *id, struct lo_error *err);
enum lo_result trace_writer_frame(struct trace_writer *writer, struct frame frame,
		uint32_t *frame_id, struct lo_error *err);
enum lo_result trace_writer_stack(struct trace_writer *writer, uint32_t parent, uint32_t frame_id,
		uint32_t *stack_id, struct lo_error *err);

/* Rows by id: a later row for the same id replaces the earlier one for the reader. */
enum lo_result trace_writer_task(
		struct trace_writer *writer, const struct task_info *task, struct lo_error *err);
enum lo_result trace_writer_process(struct trace_writer *writer, const struct process_info *process,
		struct lo_error *err);
enum lo_result trace_writer_symbols(struct trace_writer *writer, uint32_t frame_id,
		const struct symbol *chain, uint32_t count, struct lo_error *err);
enum lo_result trace_writer_meta(struct trace_writer *writer, const char *key, const char *value,
		struct lo_error *err);

/*
 * The number of a wait reason by its name: this build's own, or a new one that only this file
 * knows, from REASON_COUNT on. LO_UNSUPPORTED when there is no number left.
 */
enum lo_result trace_writer_reason(struct trace_writer *writer, const char *name, uint32_t length,
		uint8_t *reason, struct lo_error *err);

/*
 * Counters: the number of one, the same for equal keys; then its samples. Their times do not
 * decrease, over all counters; they may lie before or after the events written so far.
 * LO_UNSUPPORTED beyond LIMIT_COUNTERS.
 */
enum lo_result trace_writer_counter(struct trace_writer *writer, struct counter_key key,
		uint32_t *counter, struct lo_error *err);
enum lo_result trace_writer_sample(struct trace_writer *writer, uint32_t counter, uint64_t time_ns,
		uint64_t value, struct lo_error *err);

/* Appends one note, in any order; best when its end is reached. */
enum lo_result trace_writer_note(
		struct trace_writer *writer, const struct note *note, struct lo_error *err);

/*
 * Append one event. LO_USAGE when time decreases, for a stack that the writer did not give out,
 * and for a kind, reason, object kind or task id out of range.
 */
enum lo_result trace_writer_event(
		struct trace_writer *writer, const struct event *event, struct lo_error *err);

/* Count events lost about now; they go into the header of the current block. */
enum lo_result trace_writer_lost(struct trace_writer *writer, enum loss_cause cause, uint64_t count,
		struct lo_error *err);

/*
 * Nothing before `now_ns` will come any more. Seals a block that has become old, and writes an
 * empty one when nothing at all happened for TRACE_HEARTBEAT_NS, so that the time a stuck program
 * was watched is in the file even if the recorder is killed.
 */
#define TRACE_HEARTBEAT_NS 5000000000ull
enum lo_result trace_writer_advance(
		struct trace_writer *writer, uint64_t now_ns, struct lo_error *err);

/* Seal the current block, if it has rows or losses, and all pending table rows. */
enum lo_result trace_writer_flush(struct trace_writer *writer, struct lo_error *err);

/*
 * Seal the current block, be it empty, as covering the time up to `end_ns`, where the next one
 * begins; for whoever copies blocks that must keep their place. Nothing is written when no time has
 * passed and nothing is in it. LO_USAGE when that time is over.
 */
enum lo_result trace_writer_seal(
		struct trace_writer *writer, uint64_t end_ns, struct lo_error *err);

/* From now on: 1 to BYTE_PACKER_LEVEL_MAX, see byte_packer_set_level(). */
void trace_writer_set_level(struct trace_writer *writer, int level);

/*
 * Flush, then write the end mark (with the time watched until `end_ns`), the index and the
 * locator, and close the sink. The writer must still be closed.
 */
enum lo_result trace_writer_finish(
		struct trace_writer *writer, uint64_t end_ns, struct lo_error *err);

/* Accepts NULL. Without finish the file is left as a crash would leave it: readable, no index. */
void trace_writer_close(struct trace_writer *writer);

/* What was written so far, for stop rules and the last line of a recording. */
struct trace_writer_stats {
	uint64_t bytes; /* in the sink */
	uint64_t events;
	uint64_t lost[LOSS_CAUSE_COUNT];
	uint64_t blocks;
};
void trace_writer_stats(const struct trace_writer *writer, struct trace_writer_stats *stats);

/* The tables as collected so far, for the symbolizer. Valid until the next call that adds. */
const struct stack_table *trace_writer_stacks(const struct trace_writer *writer);
uint32_t trace_writer_module_count(const struct trace_writer *writer);
const struct module_info *trace_writer_get_module(const struct trace_writer *writer, uint32_t id);
const char *trace_writer_get_string(const struct trace_writer *writer, uint32_t id);

#endif
