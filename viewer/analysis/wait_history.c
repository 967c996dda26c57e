#include "viewer/analysis/wait_history.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "formats/model/object.h"
#include "viewer/analysis/array.h"

/* Records of the open wait of one task. */
struct open_records {
	uint32_t object;
	uint32_t place;
	uint64_t object_turn;
	uint64_t place_turn;
};

/* What makes a record unique. */
struct record_key {
	uint64_t value;
	uint32_t process;
	uint16_t kind;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) *
						  (b | 1);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * A caller's stack id is smaller than its callee's, so one pass upwards has every caller before it
 * is needed.
 */
static void fold_stacks(struct wait_history *history)
{
	const struct stack_table *stacks = trace_reader_stacks(history->reader);

	for (uint32_t stack = 1; stack <= history->stack_count; stack++) {
		struct stack_node node = stack_table_get(stacks, stack);
		struct stack_node caller = stack_table_get(stacks, node.parent);
		uint64_t below = node.parent < stack ? history->folded[node.parent] : 0;

		if (node.frame == caller.frame)
			history->folded[stack] = below;
		else
			history->folded[stack] = mix(below + node.frame, history->key[0]);
	}
}

enum lo_result wait_history_init(
		struct wait_history *history, struct trace_reader *reader, struct lo_error *err)
{
	*history = (struct wait_history){
		.reader = reader,
		.duration_ns = trace_reader_info(reader)->duration_ns,
		/* Stays when there is no randomness: good enough for traces that mean no harm. */
		.key = { 0x2545f4914f6cdd1du, 0x9fb21c651e98df25u },
		.record_count = 1,
		.waker_count = 1,
		.stack_count = stack_table_stack_count(trace_reader_stacks(reader)),
	};
	(void)!getrandom(history->key, sizeof(history->key), GRND_NONBLOCK);
	history->folded = calloc((size_t)history->stack_count + 1, sizeof(*history->folded));
	if (!history->folded)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u stacks",
				history->stack_count);
	fold_stacks(history);
	return wait_classes_init(&history->classes, reader, err);
}

void wait_history_release(struct wait_history *history)
{
	free(history->records);
	free(history->wakers);
	free(history->folded);
	free(history->open);
	wait_classes_release(&history->classes);
	id_index_release(&history->record_index);
	id_index_release(&history->waker_index);
	*history = (struct wait_history){ 0 };
}

uint64_t wait_history_fold(const struct wait_history *history, uint32_t stack)
{
	return stack <= history->stack_count ? history->folded[stack] : 0;
}

/* HISTORY_NONE in `id` when there is no room for a new one. */
static enum lo_result add_record(struct wait_history *history, const struct record_key *key,
		const struct wait *wait, uint32_t hash, uint32_t *id, struct lo_error *err)
{
	bool is_object = key->kind < HISTORY_PLACE_KIND;
	uint32_t places = history->record_count - 1 - history->object_count;
	struct wait_record *records;

	if (is_object ? history->object_count >= HISTORY_OBJECTS : places >= HISTORY_PLACES)
		return LO_OK;
	records = array_grow(history->records, &history->record_capacity,
			(size_t)history->record_count + 1, sizeof(*records));
	if (!records)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the wait history");
	history->records = records;
	*id = history->record_count++;
	history->object_count += is_object;
	records[*id] = (struct wait_record){
		.value = key->value,
		.process = key->process,
		.kind = key->kind,
		.reason = wait->reason,
		.stack = wait->stack,
	};
	return id_index_add(&history->record_index, hash, *id, err);
}

static bool record_has_key(const struct wait_record *record, const struct record_key *key)
{
	return record->value == key->value && record->process == key->process &&
	       record->kind == key->kind;
}

static enum lo_result find_or_add_record(struct wait_history *history, const struct record_key *key,
		const struct wait *wait, uint32_t *id, struct lo_error *err)
{
	uint32_t hash = id_hash(key->value ^ history->key[0],
			((uint64_t)key->process << 16 | key->kind) ^ history->key[1]);
	uint32_t probe;

	for (*id = id_index_first(&history->record_index, hash, &probe); *id;
			*id = id_index_next(&history->record_index, hash, &probe))
		if (record_has_key(&history->records[*id], key))
			return LO_OK;
	return add_record(history, key, wait, hash, id, err);
}

static bool class_has_objects(enum wait_class wait_class)
{
	return wait_class == WAIT_CLASS_LOCK || wait_class == WAIT_CLASS_RECEIVE;
}

/* Objects of one process only need no process to tell them apart. */
static uint32_t process_of(const struct trace_reader *reader, uint32_t task)
{
	struct task_info info = { 0 };

	if (trace_reader_info(reader)->processes > 1)
		trace_reader_task(reader, task, &info);
	return info.process;
}

static enum lo_result find_records(struct wait_history *history, uint32_t task,
		const struct wait *wait, struct open_records *open, struct lo_error *err)
{
	struct record_key place = { .value = wait_history_fold(history, wait->stack),
		.kind = (uint16_t)(HISTORY_PLACE_KIND + wait->reason) };
	struct record_key object = { .value = wait->object,
		.process = process_of(history->reader, task),
		.kind = wait->object_kind };
	enum lo_result result;

	*open = (struct open_records){ 0 };
	result = find_or_add_record(history, &place, wait, &open->place, err);
	if (result == LO_OK && wait->object_kind != OBJECT_NONE &&
			class_has_objects(wait_class_of(
					&history->classes, wait->reason, wait->stack)))
		result = find_or_add_record(history, &object, wait, &open->object, err);
	return result;
}

static bool is_lock(const struct wait_history *history, const struct wait *wait)
{
	return wait_class_of(&history->classes, wait->reason, wait->stack) == WAIT_CLASS_LOCK;
}

static uint64_t note_block(const struct wait_history *history, struct wait_record *record,
		uint32_t task, const struct wait *wait)
{
	record->last_block_task = task;
	record->open++;
	record->begun++;
	if (!is_lock(history, wait))
		return record->begun;
	crowd_enter(&record->crowd, wait->since_ns);
	if (wait->holder != TASK_NONE) {
		record->holder = wait->holder;
		record->holder_seen_ns = wait->since_ns;
	}
	return record->begun;
}

static enum lo_result open_wait(struct wait_history *history, const struct task_step *step,
		const struct wait *wait, struct lo_error *err)
{
	struct open_records *open = array_grow(history->open, &history->open_capacity,
			(size_t)step->task + 1, sizeof(*open));
	enum lo_result result;

	if (!open)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks",
				step->task);
	history->open = open;
	open += step->task;
	result = find_records(history, step->task, wait, open, err);
	if (result != LO_OK)
		return result;
	if (open->object)
		open->object_turn = note_block(
				history, &history->records[open->object], step->task, wait);
	if (open->place)
		open->place_turn = note_block(
				history, &history->records[open->place], step->task, wait);
	return LO_OK;
}

static enum lo_result add_waker(struct wait_history *history, uint32_t record_id, uint32_t task,
		uint32_t hash, uint32_t *id, struct lo_error *err)
{
	struct wait_record *record = &history->records[record_id];
	struct waker *wakers;

	if (history->waker_count > HISTORY_WAKERS) {
		record->wakers_missing = true;
		return LO_OK;
	}
	wakers = array_grow(history->wakers, &history->waker_capacity,
			(size_t)history->waker_count + 1, sizeof(*wakers));
	if (!wakers)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the wait history");
	history->wakers = wakers;
	*id = history->waker_count++;
	wakers[*id] = (struct waker){
		.task = task,
		.record = record_id,
		.next = record->first_waker,
	};
	record->first_waker = *id;
	return id_index_add(&history->waker_index, hash, *id, err);
}

static enum lo_result note_waker(struct wait_history *history, uint32_t record_id,
		const struct task_step *step, struct lo_error *err)
{
	uint32_t hash = id_hash(record_id ^ history->key[0], step->waker ^ history->key[1]);
	enum lo_result result = LO_OK;
	uint32_t probe;
	uint32_t id;

	if (step->waker == TASK_NONE) {
		history->records[record_id].wakers_missing = true;
		return LO_OK;
	}
	for (id = id_index_first(&history->waker_index, hash, &probe); id;
			id = id_index_next(&history->waker_index, hash, &probe))
		if (history->wakers[id].record == record_id &&
				history->wakers[id].task == step->waker)
			break;
	if (!id)
		result = add_waker(history, record_id, step->waker, hash, &id, err);
	if (id) {
		history->wakers[id].wakes++;
		history->wakers[id].last_ns = step->time_ns;
	}
	return result;
}

static unsigned tenth_of(const struct wait_history *history, uint64_t time_ns)
{
	double share = history->duration_ns ? (double)time_ns / (double)history->duration_ns *
							      CROWD_TENTHS
					    : 0;

	return share < CROWD_TENTHS - 1 ? (unsigned)share : CROWD_TENTHS - 1;
}

static void note_passage(struct wait_record *record, struct passage passage)
{
	struct passage *kept = record->passages;
	unsigned lower = 0;

	while (lower < PASSAGES_KEPT && kept[lower].turn >= passage.turn)
		lower++;
	/* Those in [0, lower) ended before and began later: they tell nothing any more. */
	if (lower == 0)
		memmove(&kept[1], kept, (PASSAGES_KEPT - 1) * sizeof(*kept));
	else if (lower > 1)
		memmove(&kept[1], &kept[lower], (PASSAGES_KEPT - lower) * sizeof(*kept));
	for (unsigned i = PASSAGES_KEPT + 1 - lower; lower > 1 && i < PASSAGES_KEPT; i++)
		kept[i] = (struct passage){ 0, 0 };
	kept[0] = passage;
}

static void note_finish(struct wait_record *record, uint64_t turn, const struct task_step *step)
{
	uint64_t waited_ns = step->time_ns - step->wait.since_ns;

	if (record->finished > 0 && record->longest_gap_ns < step->time_ns - record->last_finish_ns)
		record->longest_gap_ns = step->time_ns - record->last_finish_ns;
	record->finished++;
	record->last_finish_ns = step->time_ns;
	if (record->longest_ns < waited_ns) {
		record->longest_ns = waited_ns;
		record->stack = step->wait.stack;
	}
	note_passage(record, (struct passage){ step->time_ns, turn });
}

/* Who got a lock holds it; of a lock for readers nobody knows how many hold it. */
static void note_lock_left(const struct wait_history *history, struct wait_record *record,
		const struct task_step *step, bool got_it)
{
	crowd_leave(&record->crowd, step->time_ns, tenth_of(history, step->time_ns));
	if (!got_it)
		return;
	record->holder = step->wait.reason == REASON_RWLOCK_READ ? TASK_NONE : step->task;
	record->holder_seen_ns = step->time_ns;
}

static enum lo_result close_record(struct wait_history *history, uint32_t id, uint64_t turn,
		const struct task_step *step, struct lo_error *err)
{
	struct wait_record *record = &history->records[id];
	bool woken = step->end == WAIT_END_WOKEN;
	bool got_it = woken && !(step->end_flags & (EVENT_FLAG_TIMED_OUT | EVENT_FLAG_INTERRUPTED));

	record->open--;
	if (is_lock(history, &step->wait))
		note_lock_left(history, record, step, got_it);
	if (woken && step->end_flags & EVENT_FLAG_TIMED_OUT)
		record->timed_out++;
	if (!got_it)
		return LO_OK;
	note_finish(record, turn, step);
	return note_waker(history, id, step, err);
}

static enum lo_result close_wait(
		struct wait_history *history, const struct task_step *step, struct lo_error *err)
{
	struct open_records open;
	enum lo_result result = LO_OK;

	if (step->task >= history->open_capacity)
		return LO_OK;
	open = history->open[step->task];
	history->open[step->task] = (struct open_records){ 0 };
	if (open.object)
		result = close_record(history, open.object, open.object_turn, step, err);
	if (result == LO_OK && open.place)
		result = close_record(history, open.place, open.place_turn, step, err);
	return result;
}

enum lo_result wait_history_step(struct wait_history *history, const struct task_step *step,
		const struct tracked_task *task, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	if (step->end != WAIT_END_NONE)
		result = close_wait(history, step, err);
	if (result == LO_OK && step->opened)
		result = open_wait(history, step, &task->wait, err);
	return result;
}

static void settle(struct wait_history *history, uint32_t id, uint64_t turn, uint32_t task)
{
	struct wait_record *record = &history->records[id];

	if (id == HISTORY_NONE || (record->oldest_turn && record->oldest_turn < turn))
		return;
	record->oldest_turn = turn;
	record->oldest = task;
}

void wait_history_settle(struct wait_history *history)
{
	for (uint32_t task = 0; task < history->open_capacity; task++) {
		const struct open_records *open = &history->open[task];

		settle(history, open->object, open->object_turn, task);
		settle(history, open->place, open->place_turn, task);
	}
}

uint64_t wait_record_overtakers(const struct wait_record *record)
{
	/* All other open waits began later, too. */
	return record->open ? record->begun - record->oldest_turn - (record->open - 1) : 0;
}

uint64_t wait_record_last_ahead_ns(const struct wait_record *record)
{
	for (unsigned i = 0; i < PASSAGES_KEPT; i++)
		if (record->passages[i].turn && record->passages[i].turn < record->oldest_turn)
			return record->passages[i].time_ns;
	return 0;
}

const struct wait_record *wait_history_object(const struct wait_history *history, uint32_t task)
{
	uint32_t id = task < history->open_capacity ? history->open[task].object : HISTORY_NONE;

	return id ? &history->records[id] : NULL;
}

const struct wait_record *wait_history_place(const struct wait_history *history, uint32_t task)
{
	uint32_t id = task < history->open_capacity ? history->open[task].place : HISTORY_NONE;

	return id ? &history->records[id] : NULL;
}

const struct waker *wait_history_waker(const struct wait_history *history, uint32_t id)
{
	return id != HISTORY_NONE && id < history->waker_count ? &history->wakers[id] : NULL;
}
