#ifndef LOITER_ANALYSIS_LANE_QUERY_H
#define LOITER_ANALYSIS_LANE_QUERY_H

#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/model/time_span.h"
#include "formats/native/trace_reader.h"
#include "viewer/analysis/analysis.h"

/*
 * The question that draws a timeline: "these tasks x these columns over this span". Each answer is
 * a cell; the share of each state is exact up to 1/255, and a share that is not zero never rounds
 * to zero.
 *
 * The implementation keeps an index of state changes per task, made in one pass. Whoever asks does
 * not depend on that: the level-of-detail tiles of the file will answer the same question.
 */
struct lane_cell {
	uint8_t active;  /* share of the column, 0..255: running or runnable */
	uint8_t blocked; /* share of the column */
	uint8_t changes; /* state changes in the column, saturating */
	uint8_t reason;  /* of the longest wait in the column */
	uint8_t absent;  /* share before creation or after exit */
	uint8_t ended;   /* 1: the task exits in this column */
	uint8_t pending; /* 1: not known yet; never to be shown as idle */
};

struct lane_index;

enum lo_result lane_index_new(struct lane_index **out, struct trace_reader *reader,
		const struct analysis *analysis, const struct progress *progress,
		struct lo_error *err);
void lane_index_free(struct lane_index *index);

/* Fills cells[row * columns + column]. O(rows x (columns + log events)) . */
void lane_query(const struct lane_index *index, const uint32_t *tasks, uint32_t rows,
		struct time_span span, uint32_t columns, struct lane_cell *cells);

/*
 * The state of a task at an instant: what the cursor of the timeline shows. `wait` is filled when
 * it is TASK_STATE_BLOCKED; `begin_ns`, `end_ns` bound this state; `waker` is who ended it.
 */
struct lane_moment {
	uint8_t state; /* enum task_state */
	uint64_t begin_ns;
	uint64_t end_ns; /* UINT64_MAX = to the end of the trace */
	uint32_t waker;
	struct wait wait;
};
void lane_moment(const struct lane_index *index, uint32_t task, uint64_t time_ns,
		struct lane_moment *moment);

/* Number of tasks alive in each of `columns` columns of the span (the maximum within a column). */
void lane_alive(const struct lane_index *index, struct time_span span, uint32_t columns,
		uint32_t *alive);

#endif
