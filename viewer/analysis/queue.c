#include "viewer/analysis/queue.h"

#include <stdlib.h>

#include "formats/model/task.h"
#include "viewer/analysis/thresholds.h"

#define NOT_JUDGED UINT8_MAX

/* A task that does one thing since `since_ns`: computes, sleeps, or waits for the outside. */
struct occupied {
	uint32_t start; /* string id of the name of its start function */
	uint32_t task;
	uint64_t since_ns;
};

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_start_then_time(const void *left, const void *right)
{
	const struct occupied *a = left;
	const struct occupied *b = right;
	int order = compare(a->start, b->start);

	if (order == 0)
		order = compare(a->since_ns, b->since_ns);
	return order ? order : compare(a->task, b->task);
}

/* A goroutine is called by its start function; a thread's name says nothing about it. */
static uint32_t start_of(const struct evidence *evidence, uint32_t task)
{
	struct task_info info;

	if (!trace_reader_task(evidence->reader, task, &info) || info.kind != TASK_GOROUTINE)
		return 0;
	return info.name;
}

static bool is_occupied(const struct evidence *evidence, uint32_t task, uint64_t *since_ns)
{
	const struct task_summary *summary = evidence_task(evidence, task);
	enum wait_class wait_class;

	if (evidence_is_runtime(evidence, task))
		return false;
	*since_ns = summary->last_wake_ns > summary->begin_ns ? summary->last_wake_ns
							      : summary->begin_ns;
	if (summary->state == TASK_STATE_ACTIVE)
		return true;
	if (summary->state != TASK_STATE_BLOCKED)
		return false;
	*since_ns = summary->wait.since_ns;
	wait_class = evidence_class(evidence, &summary->wait);
	return wait_class == WAIT_CLASS_TIME || wait_class == WAIT_CLASS_OUTSIDE;
}

enum lo_result queues_init(
		struct queues *queues, const struct evidence *evidence, struct lo_error *err)
{
	uint32_t limit = evidence->analysis->task_limit;
	uint32_t records = evidence->history.record_count;

	*queues = (struct queues){
		.of_record = calloc(records, sizeof(*queues->of_record)),
		.occupied = calloc(limit, sizeof(*queues->occupied)),
	};
	if (!queues->of_record || !queues->occupied)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", limit);
	for (uint32_t id = 0; id < records; id++)
		queues->of_record[id].state = NOT_JUDGED;
	for (uint32_t task = 1; task < limit; task++) {
		struct occupied *next = &queues->occupied[queues->occupied_count];

		next->task = task;
		next->start = start_of(evidence, task);
		queues->occupied_count += is_occupied(evidence, task, &next->since_ns);
	}
	qsort(queues->occupied, queues->occupied_count, sizeof(*queues->occupied),
			by_start_then_time);
	return LO_OK;
}

void queues_release(struct queues *queues)
{
	free(queues->of_record);
	free(queues->occupied);
	*queues = (struct queues){ 0 };
}

/* Who has been at one thing for longest of those that began like `task`; NULL = nobody. */
static const struct occupied *longest_occupied(
		const struct queues *queues, const struct evidence *evidence, uint32_t task)
{
	uint32_t start = start_of(evidence, task);
	uint32_t low = 0;
	uint32_t high = queues->occupied_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (queues->occupied[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == queues->occupied_count || queues->occupied[low].start != start)
		return NULL;
	return &queues->occupied[low];
}

/* Channels serve who came first, so those who came later prove nothing for who was before them. */
static uint64_t last_movement_ns(const struct evidence *evidence, const struct wait_record *record)
{
	const struct wait *wait = &evidence_task(evidence, record->oldest)->wait;

	if (evidence_class(evidence, wait) == WAIT_CLASS_SEND)
		return wait_record_last_ahead_ns(record);
	return record->last_finish_ns;
}

static bool moves(const struct evidence *evidence, const struct wait_record *record)
{
	uint64_t last_ns = last_movement_ns(evidence, record);
	uint64_t least_ns = evidence_hard_ns(evidence, record);
	uint64_t gap_ns = record->longest_gap_ns * QUEUE_GAPS;

	return last_ns > 0 && evidence_end_ns(evidence, record->oldest) - last_ns <
					      (gap_ns > least_ns ? gap_ns : least_ns);
}

static bool is_overtaken(const struct evidence *evidence, const struct wait_record *record)
{
	return wait_record_overtakers(record) >= OVERTAKERS &&
	       evidence_age_ns(evidence, record->oldest) / OVERTAKEN_TIMES_LONGEST >=
			       record->longest_ns;
}

/* Nobody can ever send to, or receive from, a channel that was not made. */
static bool is_hopeless(const struct wait *wait)
{
	return wait->reason == REASON_CHAN_SEND_NIL || wait->reason == REASON_CHAN_RECEIVE_NIL;
}

static struct queue judge(const struct queues *queues, const struct evidence *evidence,
		const struct wait_record *record)
{
	const struct occupied *busy = longest_occupied(queues, evidence, record->oldest);
	const struct wait *oldest = &evidence_task(evidence, record->oldest)->wait;
	struct queue queue = { .state = QUEUE_STANDS };

	if (!evidence_outlasts(evidence, record->oldest))
		queue.state = QUEUE_YOUNG;
	else if (is_hopeless(oldest))
		queue.state = QUEUE_STANDS;
	else if (is_overtaken(evidence, record))
		queue.state = QUEUE_OVERTAKEN;
	else if (moves(evidence, record))
		queue.state = QUEUE_MOVES;
	else if (busy && busy->since_ns <= oldest->since_ns)
		queue = (struct queue){ .state = QUEUE_AT_WORK, .by = busy->task };
	return queue;
}

struct queue queues_of(const struct queues *queues, const struct evidence *evidence, uint32_t task)
{
	const struct wait_record *record = evidence_record(evidence, task);
	struct queue *queue;

	if (!record)
		return (struct queue){ .state = QUEUE_YOUNG };
	queue = &queues->of_record[record - evidence->history.records];
	if (queue->state == NOT_JUDGED)
		*queue = judge(queues, evidence, record);
	return *queue;
}
