#ifndef LOITER_UI_LANES_H
#define LOITER_UI_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "viewer/analysis/analysis.h"

/* The tasks of a trace as rows, in an order of the user's choice. */
enum lane_order {
	LANE_ORDER_FINDING, /* members of findings first, most severe first; then as they began */
	LANE_ORDER_TASK,
	LANE_ORDER_NAME,
	LANE_ORDER_STATE,
	LANE_ORDER_BLOCKED,
	LANE_ORDER_LONGEST,
	LANE_ORDER_WAITS,
	LANE_ORDER_SINCE,
	LANE_ORDER_COUNT,
};

/* "finding", "blocked", ...: a word for titles. */
const char *lane_order_name(enum lane_order order);

struct lanes {
	uint32_t *tasks; /* ids */
	int count;
	bool with_runtime;
	int hidden; /* tasks of a language runtime or of the recorder that are left out */
	enum lane_order order;
	bool reversed;
	bool sorted; /* false = `order` or `reversed` has changed */
};

/*
 * All tasks that the trace says anything about; those of a runtime only if they are wanted, or if
 * there are no others. The order stays what it was.
 */
enum lo_result lanes_fill(struct lanes *lanes, const struct analysis *analysis, bool with_runtime,
		struct lo_error *err);
void lanes_release(struct lanes *lanes);
/*
 * Does nothing when the rows are already in order. `findings` is indexed by task id: 1 + index of
 * the most severe finding with this task, or 0.
 */
void lanes_sort(struct lanes *lanes, const struct analysis *analysis, const uint32_t *findings);

/* Another order: the one before or after, around the ends. Best first, unless reversed. */
void lanes_next_order(struct lanes *lanes, int step);
void lanes_reverse(struct lanes *lanes);

/* ", 12 hidden (R)" when rows of a runtime are left out, else "". Returns `out`. */
#define LANES_HIDDEN_MAX 48
const char *lanes_hidden(const struct lanes *lanes, char out[LANES_HIDDEN_MAX]);

/* The row of a task, -1 when it has none. O(rows). */
int lanes_row(const struct lanes *lanes, uint32_t task);

/* Since when a task is in its state at the end of the trace. */
uint64_t task_state_since(const struct task_summary *task);

#endif
