#ifndef LOITER_DRAIN_STREAM_H
#define LOITER_DRAIN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/native/trace_writer.h"
#include "recorder/drain/drain.h"
#include "recorder/drain/merge.h"
#include "recorder/drain/tick_clock.h"
#include "recorder/drain/translate.h"

/*
 * The way of a record from the drain's harvest into the file: ordered by the merge, translated,
 * written, sealed into blocks in time.
 */
struct stream {
	struct drain *drain;
	struct tick_clock clock;
	struct tick_map map;
	struct trace_writer *writer;
	struct merge merge;
	struct translator translator;
	uint64_t lateness_ticks;

	uint64_t horizon; /* ticks: everything published before has been collected */
	bool starved;     /* the drain has no memory until runs are given back */
	bool finished;    /* the drain has ended, nothing more will be collected */

	uint64_t sealed_blocks; /* as of the last look */
	uint64_t sealed_events;
	uint64_t sealed_at_ns;
	uint64_t retired_at_ns;
};

enum lo_result stream_init(struct stream *stream, struct drain *drain,
		const struct tick_clock *clock, struct target *targets, struct lo_error *err);
/* Before anything is let out. The writer stays the caller's. */
void stream_set_writer(struct stream *stream, struct trace_writer *writer);
void stream_release(struct stream *stream);

/* Takes what the drain has copied. Returns the number of records. */
uint64_t stream_collect(struct stream *stream);

/*
 * Lets out up to `most` records that are in order by now, none of them later than `until` (ticks)
 * unless memory is short; `*more` says whether there are others. The processes of all collected
 * runs must have been taken up before.
 */
enum lo_result stream_let_out(struct stream *stream, uint64_t most, uint64_t until, bool *more,
		struct lo_error *err);

/* Has everything that happened before `ticks` been let out? */
bool stream_is_past(const struct stream *stream, uint64_t ticks);

/* Throws away what was collected, counted under `cause`. */
void stream_lose(struct stream *stream, enum loss_cause cause);

/* Tells the writer how time goes on, and seals the block if that is due. Call every so often. */
enum lo_result stream_advance(struct stream *stream, struct lo_error *err);

/* Seals the block whether it is due or not. */
enum lo_result stream_seal(struct stream *stream, struct lo_error *err);

/* Ticks as a time of the file. Any order. */
uint64_t stream_time(const struct stream *stream, uint64_t ticks);

#endif
