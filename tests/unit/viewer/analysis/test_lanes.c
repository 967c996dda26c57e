#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/model/event.h"
#include "tests/support/trace_builder.h"
#include "tests/unit/viewer/analysis/analysed.h"
#include "viewer/analysis/lane_index.h"
#include "viewer/analysis/lane_query.h"

#define TEXT_BYTES   (1u << 20)
#define TASKS        6u
#define COLUMNS_MOST 200u

static struct trace_reader *reader;
static struct analysis *analysis;
static struct lane_index *lanes;

static void close_lanes(void)
{
	lane_index_free(lanes);
	analysis_free(analysis);
	trace_reader_close(reader);
	lanes = NULL;
	analysis = NULL;
	reader = NULL;
}

static void open_lanes(const char *text, uint64_t waits_most)
{
	close_lanes();
	reader = trace_from_text(text);
	assert_int_equal(analysis_new(&analysis, reader, NULL, NULL), LO_OK);
	assert_int_equal(lane_index_new_small(&lanes, reader, analysis, waits_most, NULL, NULL),
			LO_OK);
}

static struct lane_cell cell_at(uint32_t task, uint64_t begin_ns, uint64_t end_ns)
{
	struct lane_cell cell;

	lane_query(lanes, &task, 1, (struct time_span){ begin_ns, end_ns }, 1, &cell);
	return cell;
}

#define ONE_WAIT                                            \
	"program shop\n"                                    \
	"@0 run T1 existing\n"                              \
	"@100us create T2 by T1 at main\n"                  \
	"@200us block T2 mutex 0x10 held T1 at main>lock\n" \
	"@600us unblock T2 by T1\n"                         \
	"@800us exit T2\n"                                  \
	"@1ms end\n"

static void a_cell_has_the_shares_of_its_states(void **state)
{
	struct lane_cell cell;

	(void)state;
	open_lanes(ONE_WAIT, 1000);
	cell = cell_at(2, 0, 1000000);
	assert_int_equal(cell.blocked, 102); /* 40 % of 255 */
	assert_int_equal(cell.active, 77);   /* 30 %, rounded */
	assert_int_equal(cell.absent, 77);
	assert_int_equal(cell.changes, 4);
	assert_int_equal(cell.reason, REASON_MUTEX_LOCK);
	assert_int_equal(cell.ended, 1);
	assert_int_equal(cell.pending, 0);
	cell = cell_at(2, 200000, 600000);
	assert_int_equal(cell.blocked, 255);
	assert_int_equal(cell.active, 0);
	assert_int_equal(cell.changes, 1);
	cell = cell_at(2, 0, 100000);
	assert_int_equal(cell.absent, 255);
	assert_int_equal(cell.changes, 0);
	cell = cell_at(2, 800000, 1000000);
	assert_int_equal(cell.absent, 255);
	assert_int_equal(cell.ended, 1);
}

static void what_is_short_never_vanishes(void **state)
{
	struct lane_cell cell;

	(void)state;
	open_lanes("@0 run T1 existing\n"
		   "@1ms block T1 for sleep\n"
		   "@1001us unblock T1\n"
		   "@10s block T1 for poll\n"
		   "@19999ms unblock T1\n"
		   "@20s end\n",
			1000);
	cell = cell_at(1, 0, 10000000000);
	assert_int_equal(cell.blocked, 1);
	assert_int_equal(cell.active, 254);
	assert_int_equal(cell.reason, REASON_SLEEP);
	cell = cell_at(1, 10000000000, 20000000000);
	assert_int_equal(cell.blocked, 254);
	assert_int_equal(cell.active, 1);
	assert_int_equal(cell.reason, REASON_POLL);
}

static void a_column_of_no_width_shows_the_state_there(void **state)
{
	struct lane_cell cells[100];
	uint32_t task = 2;

	(void)state;
	open_lanes(ONE_WAIT, 1000);
	lane_query(lanes, &task, 1, (struct time_span){ 300000, 300010 }, 100, cells);
	for (size_t i = 0; i < LO_COUNT_OF(cells); i++)
		assert_int_equal(cells[i].blocked, 255);
}

static void a_task_that_is_not_there_is_absent(void **state)
{
	(void)state;
	open_lanes(ONE_WAIT, 1000);
	assert_int_equal(cell_at(99, 0, 1000000).absent, 255);
	assert_int_equal(cell_at(TASK_NONE, 0, 1000000).absent, 255);
	assert_int_equal(cell_at(1, 2000000, 3000000).absent, 255); /* behind the end */
}

static void a_moment_tells_the_wait_and_who_ended_it(void **state)
{
	struct lane_moment moment;

	(void)state;
	open_lanes(ONE_WAIT, 1000);
	lane_moment(lanes, 2, 300000, &moment);
	assert_int_equal(moment.state, TASK_STATE_BLOCKED);
	assert_int_equal(moment.begin_ns, 200000);
	assert_int_equal(moment.end_ns, 600000);
	assert_int_equal(moment.waker, 1);
	assert_int_equal(moment.wait.object, 0x10);
	assert_int_equal(moment.wait.holder, 1);
	assert_int_not_equal(moment.wait.stack, STACK_NONE);
	lane_moment(lanes, 2, 700000, &moment);
	assert_int_equal(moment.state, TASK_STATE_ACTIVE);
	assert_int_equal(moment.begin_ns, 600000);
	assert_int_equal(moment.end_ns, 800000);
	lane_moment(lanes, 2, 150000, &moment);
	assert_int_equal(moment.state, TASK_STATE_ACTIVE);
	assert_int_equal(moment.begin_ns, 100000);
	assert_int_equal(moment.end_ns, 200000);
	lane_moment(lanes, 2, 50000, &moment);
	assert_int_equal(moment.state, TASK_STATE_ABSENT);
	assert_int_equal(moment.end_ns, 100000);
	lane_moment(lanes, 2, 900000, &moment);
	assert_int_equal(moment.state, TASK_STATE_EXITED);
	lane_moment(lanes, 99, 0, &moment);
	assert_int_equal(moment.state, TASK_STATE_ABSENT);
}

static void an_open_wait_has_no_end(void **state)
{
	struct lane_moment moment;

	(void)state;
	open_lanes("@0 run T1 existing\n@1ms block T1 cond 0x20\n@5ms end\n", 1000);
	for (uint64_t time_ns = 1000000; time_ns <= 5000000; time_ns += 1000000) {
		lane_moment(lanes, 1, time_ns, &moment);
		assert_int_equal(moment.state, TASK_STATE_BLOCKED);
		assert_int_equal(moment.begin_ns, 1000000);
		assert_true(moment.end_ns == UINT64_MAX);
		assert_int_equal(moment.wait.object, 0x20);
	}
}

static void after_its_process_a_task_is_absent(void **state)
{
	(void)state;
	open_lanes("program shop\n@0 run T1 existing\n@1ms block T1 cond 0x20 at main\n"
		   "@2ms process killed 9\n@4ms end\n",
			1000);
	assert_int_equal(cell_at(1, 1000000, 2000000).blocked, 255);
	assert_int_equal(cell_at(1, 2000000, 4000000).absent, 255);
}

static void the_number_alive_is_the_highest_of_each_column(void **state)
{
	uint32_t alive[4];

	(void)state;
	open_lanes("@0 run T1 existing\n"
		   "@1ms create T2 by T1\n"
		   "@1200us exit T2\n"
		   "@1500us create T3 by T1\n"
		   "@1600us create T4 by T1\n"
		   "@3ms exit T3\n"
		   "@4ms end\n",
			1000);
	lane_alive(lanes, (struct time_span){ 0, 4000000 }, 4, alive);
	assert_int_equal(alive[0], 1);
	assert_int_equal(alive[1], 3);
	assert_int_equal(alive[2], 3);
	assert_int_equal(alive[3], 2);
}

/* --- against brute force ------------------------------------------------------------------------
 */

/* The state of each task, microsecond by microsecond, as the random trace was made. */
#define TRACE_US 20000u

struct model {
	uint8_t states[TASKS + 1][TRACE_US];
	uint8_t reasons[TASKS + 1][TRACE_US];
	char text[TEXT_BYTES];
};

static uint32_t random_below(uint32_t *seed, uint32_t limit)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % limit;
}

static const uint8_t random_reasons[] = { REASON_MUTEX_LOCK, REASON_SLEEP, REASON_POLL };
static const char *const random_names[] = { "mutex lock", "sleep", "poll" };

/* Steps one task to the microsecond `us`. Tasks differ in how busy they are. */
static void step_task(struct model *model, size_t *used, uint32_t task, uint32_t us, uint32_t *seed)
{
	uint8_t state = us ? model->states[task][us - 1] : TASK_STATE_ABSENT;
	uint8_t reason = us ? model->reasons[task][us - 1] : 0;
	bool change = random_below(seed, 2 + task * task * 20) == 0;
	char *out = model->text + *used;
	size_t room = TEXT_BYTES - *used;
	int size = 0;

	if (state == TASK_STATE_ABSENT && (change || us == 0) && (us > 0 || task == 1)) {
		size = snprintf(out, room,
				us ? "@%uus create T%u by T1\n" : "@%u run T%u existing\n", us,
				task);
		state = TASK_STATE_ACTIVE;
	} else if (state == TASK_STATE_ACTIVE && change && task > 3 &&
			random_below(seed, 12) == 0) {
		size = snprintf(out, room, "@%uus exit T%u\n", us, task);
		state = TASK_STATE_EXITED;
	} else if (state == TASK_STATE_ACTIVE && change) {
		uint32_t i = random_below(seed, 3);

		size = snprintf(out, room, "@%uus block T%u for %s\n", us, task, random_names[i]);
		state = TASK_STATE_BLOCKED;
		reason = random_reasons[i];
	} else if (state == TASK_STATE_BLOCKED && change) {
		size = snprintf(out, room, "@%uus unblock T%u by T1\n", us, task);
		state = TASK_STATE_ACTIVE;
	}
	*used += (size_t)size;
	assert_true(*used < TEXT_BYTES - 100);
	model->states[task][us] = state;
	model->reasons[task][us] = reason;
}

static void make_random(struct model *model, uint32_t seed)
{
	size_t used = 0;

	memset(model, 0, sizeof(*model));
	for (uint32_t us = 0; us < TRACE_US; us++) {
		for (uint32_t task = 1; task <= TASKS; task++)
			step_task(model, &used, task, us, &seed);
		if (us % 997 == 0 && us > 0)
			used += (size_t)snprintf(
					model->text + used, TEXT_BYTES - used, "@%uus flush\n", us);
	}
	snprintf(model->text + used, TEXT_BYTES - used, "@%uus end\n", TRACE_US);
}

/* Within 1/255, and what is something is not nothing. */
static void assert_share(uint8_t share, uint32_t part, uint32_t whole)
{
	double exact = 255.0 * part / whole;

	assert_true(share >= exact - 1.01 && share <= exact + 1.01);
	assert_int_equal(share == 0, part == 0);
}

static void check_cell(const struct model *model, uint32_t task, uint32_t begin, uint32_t end,
		const struct lane_cell *cell)
{
	uint32_t counts[4] = { 0 };

	for (uint32_t us = begin; us < end; us++)
		counts[model->states[task][us]]++;
	assert_share(cell->blocked, counts[TASK_STATE_BLOCKED], end - begin);
	assert_share(cell->active, counts[TASK_STATE_ACTIVE], end - begin);
	assert_share(cell->absent, counts[TASK_STATE_ABSENT] + counts[TASK_STATE_EXITED],
			end - begin);
}

/* Returns how many cells were pending. */
static uint32_t check_query(
		const struct model *model, uint32_t begin, uint32_t width, uint32_t columns)
{
	static struct lane_cell cells[TASKS * COLUMNS_MOST];
	uint32_t tasks[TASKS] = { 1, 2, 3, 4, 5, 6 };
	struct time_span span = { begin * 1000ull, (begin + width * columns) * 1000ull };
	uint32_t pending = 0;

	lane_query(lanes, tasks, TASKS, span, columns, cells);
	for (uint32_t row = 0; row < TASKS; row++)
		for (uint32_t i = 0; i < columns; i++) {
			const struct lane_cell *cell = &cells[row * columns + i];

			pending += cell->pending;
			if (!cell->pending)
				check_cell(model, row + 1, begin + i * width,
						begin + (i + 1) * width, cell);
		}
	return pending;
}

static void check_moment(const struct model *model, uint32_t task, uint32_t us)
{
	struct lane_moment moment;
	uint8_t state = model->states[task][us];

	lane_moment(lanes, task, us * 1000ull, &moment);
	assert_int_equal(moment.state, state);
	if (state == TASK_STATE_BLOCKED) {
		uint32_t begin = us;

		while (begin > 0 && model->states[task][begin - 1] == state)
			begin--;
		assert_int_equal(moment.begin_ns, begin * 1000ull);
		assert_int_equal(moment.wait.reason, model->reasons[task][us]);
	}
}

static void check_random_questions(const struct model *model, uint32_t seed)
{
	for (unsigned i = 0; i < 60; i++) {
		uint32_t columns = 1 + random_below(&seed, COLUMNS_MOST);
		uint32_t width = 1 + random_below(&seed, TRACE_US / columns);
		uint32_t begin = random_below(&seed, TRACE_US - width * columns + 1);

		assert_int_equal(check_query(model, begin, width, columns), 0);
		check_moment(model, 1 + random_below(&seed, TASKS), random_below(&seed, TRACE_US));
	}
}

static void the_index_agrees_with_brute_force(void **state)
{
	static struct model model;

	(void)state;
	for (uint32_t seed = 1; seed <= 4; seed++) {
		make_random(&model, seed);
		open_lanes(model.text, LANE_INDEX_WAITS);
		assert_int_equal(lanes->bin, 0);
		check_random_questions(&model, seed + 100);
	}
}

/* With little memory most waits are bundled, and what is cut is read again. */
static void bundles_answer_as_exactly_or_not_at_all(void **state)
{
	static struct model model;

	(void)state;
	for (uint32_t seed = 1; seed <= 4; seed++)
		for (uint64_t most = 16; most <= 256; most *= 4) {
			make_random(&model, seed);
			open_lanes(model.text, most);
			assert_true(lanes->bin > 0);
			assert_true(lanes->wait_count <= most);
			check_random_questions(&model, seed + 200);
		}
}

/* What cannot be known without reading too much is said to be pending; the rest is still right. */
static void what_is_not_known_is_pending(void **state)
{
	static struct model model;
	uint32_t pending = 0;

	(void)state;
	make_random(&model, 7);
	open_lanes(model.text, 64);
	lanes->window_events = 0;
	for (uint32_t begin = 0; begin + 200 <= TRACE_US; begin += 200)
		pending += check_query(&model, begin, 1, 200);
	assert_true(pending > 0);
	/* The whole trace in one column needs no exact time of anything. */
	assert_int_equal(check_query(&model, 0, TRACE_US, 1), 0);
}

static int tear_down(void **state)
{
	(void)state;
	close_lanes();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cell_has_the_shares_of_its_states),
		cmocka_unit_test(what_is_short_never_vanishes),
		cmocka_unit_test(a_column_of_no_width_shows_the_state_there),
		cmocka_unit_test(a_task_that_is_not_there_is_absent),
		cmocka_unit_test(a_moment_tells_the_wait_and_who_ended_it),
		cmocka_unit_test(an_open_wait_has_no_end),
		cmocka_unit_test(after_its_process_a_task_is_absent),
		cmocka_unit_test(the_number_alive_is_the_highest_of_each_column),
		cmocka_unit_test(the_index_agrees_with_brute_force),
		cmocka_unit_test(bundles_answer_as_exactly_or_not_at_all),
		cmocka_unit_test(what_is_not_known_is_pending),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
