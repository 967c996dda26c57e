#include "tests/support/generator/simulation.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"
#include "formats/base/macros.h"
#include "tests/support/generator/stack_plan.h"

#define NOBODY        UINT32_MAX
#define WAKE_LEAST_NS 600 /* from the wake-up to the moment at which the task goes on */
#define WAKE_MEAN_NS  2500
#define SWITCH_NS     150 /* from one task to the next on a CPU, at least */
#define BURST_TASKS   1900u
#define LEAKS_AT_ONCE 3u /* for each percent of the events */
/* Of the events: when the director plants what. */
#define DEADLOCK_PERCENT 40u
#define BURST_PERCENT    60u
#define LEAK_PERCENT     30u /* the last without leaks; from then on at each further one */
#define OPS_AT_ONCE      32u
#define RECENT_EXITS     64u

enum phase {
	PHASE_CREATED,
	PHASE_ACTIVE,
	PHASE_BLOCKED,
	PHASE_WAKING, /* still blocked for the trace, with its waker known */
	PHASE_GONE,   /* the slot is free */
};

struct sim_task {
	uint64_t since_ns; /* of the wait */
	uint64_t object;
	uint32_t id;
	uint32_t number; /* among those of its role */
	uint32_t parent; /* slot */
	uint32_t parent_id;
	uint32_t children; /* alive */
	uint32_t last_child;
	uint32_t waker;
	uint32_t stamp; /* counts the times it was put into the heap: older entries are void */
	uint32_t next;  /* in a line, among the ready ones, or in the list of free slots */
	uint32_t previous;
	uint32_t resource; /* it stands in this one's line, or NOBODY */
	uint32_t held[2];
	uint32_t left;   /* tasks to spawn */
	uint32_t rounds; /* to repeat */
	uint16_t pc;
	uint16_t variant;
	uint8_t role;
	uint8_t process;
	uint8_t phase;
	uint8_t line; /* of the resource: 0 takes, 1 puts */
	uint8_t held_count;
	uint8_t reason;
	uint8_t object_kind;
	uint8_t making; /* role that it spawns for the director, or 0 */
	bool passed_on; /* WAIT: signalled, now in the line of the lock */
	bool on_cpu;
	bool timed_out;
	bool looping;
	bool joins;
	bool leaves; /* goes on with the op behind pc */
};

struct line {
	uint32_t first;
	uint32_t last;
};

struct resource {
	uint32_t holder; /* slot */
	uint32_t items;
	struct line lines[2];
};

struct heap_entry {
	uint64_t time_ns;
	uint32_t slot;
	uint32_t stamp;
};

struct simulation {
	struct simulation_options options;
	struct simulation_listener listener;
	struct truth *truth;
	struct dice dice;
	struct dice sampling; /* apart, so that what is sampled changes nothing */
	uint64_t now_ns;
	bool told; /* the present step has told an event */
	enum lo_result result;
	struct lo_error *err;

	struct sim_task *tasks;
	uint32_t task_count; /* slots in use so far */
	uint32_t task_capacity;
	uint32_t free_slot;
	uint32_t last_id;
	uint32_t *made_of_role;

	struct resource *resources;
	uint32_t *first_resource; /* by group */
	uint32_t *group_size;

	struct heap_entry *heap;
	size_t heap_count;
	size_t heap_capacity;

	uint32_t cpus_free;
	struct line ready; /* wait for a CPU */

	uint64_t next_instant; /* number of events */
	uint32_t recent_exits[RECENT_EXITS];
	uint32_t leak_percent; /* up to where leaks were planted */
	unsigned planted;
};

/* ---- heap by time ---- */

static void heap_sink(struct simulation *sim, size_t at)
{
	struct heap_entry *heap = sim->heap;
	struct heap_entry moved = heap[at];

	for (;;) {
		size_t child = 4 * at + 1;
		size_t end = child + 4 < sim->heap_count ? child + 4 : sim->heap_count;
		size_t least = child;

		if (child >= end)
			break;
		while (++child < end)
			if (heap[child].time_ns < heap[least].time_ns)
				least = child;
		if (heap[least].time_ns >= moved.time_ns)
			break;
		heap[at] = heap[least];
		at = least;
	}
	heap[at] = moved;
}

static void fail(struct simulation *sim, enum lo_result result)
{
	if (sim->result == LO_OK)
		sim->result = result;
}

static void schedule(struct simulation *sim, uint32_t slot, uint64_t delay_ns)
{
	uint32_t step_ns = sim->options.profile->language->clock_step_ns;
	uint64_t steps = (delay_ns + step_ns - 1) / step_ns;
	struct heap_entry added = { sim->now_ns + steps * step_ns, slot, ++sim->tasks[slot].stamp };
	size_t at = sim->heap_count;

	if (sim->heap_count == sim->heap_capacity) {
		size_t capacity = sim->heap_capacity ? 2 * sim->heap_capacity : 1024;
		struct heap_entry *heap = realloc(sim->heap, capacity * sizeof(*heap));

		if (!heap) {
			fail(sim, lo_fail(sim->err, LO_NO_MEMORY, LO_NO_OFFSET,
						  "no memory for %zu tasks", capacity));
			return;
		}
		sim->heap = heap;
		sim->heap_capacity = capacity;
	}
	sim->heap_count++;
	while (at > 0 && sim->heap[(at - 1) / 4].time_ns > added.time_ns) {
		sim->heap[at] = sim->heap[(at - 1) / 4];
		at = (at - 1) / 4;
	}
	sim->heap[at] = added;
}

static struct heap_entry heap_take(struct simulation *sim)
{
	struct heap_entry first = sim->heap[0];

	sim->heap[0] = sim->heap[--sim->heap_count];
	if (sim->heap_count > 0)
		heap_sink(sim, 0);
	return first;
}

/* ---- lines ---- */

static void line_append(struct simulation *sim, uint32_t resource, uint8_t line, uint32_t slot)
{
	struct line *queue = &sim->resources[resource].lines[line];
	struct sim_task *task = &sim->tasks[slot];

	task->resource = resource;
	task->line = line;
	task->next = NOBODY;
	task->previous = queue->last;
	if (queue->last == NOBODY)
		queue->first = slot;
	else
		sim->tasks[queue->last].next = slot;
	queue->last = slot;
}

static void line_remove(struct simulation *sim, uint32_t slot)
{
	struct sim_task *task = &sim->tasks[slot];
	struct line *queue;

	if (task->resource == NOBODY)
		return;
	queue = &sim->resources[task->resource].lines[task->line];
	if (task->previous == NOBODY)
		queue->first = task->next;
	else
		sim->tasks[task->previous].next = task->next;
	if (task->next == NOBODY)
		queue->last = task->previous;
	else
		sim->tasks[task->next].previous = task->previous;
	task->resource = NOBODY;
}

/* The first in line, who leaves it; or NOBODY. */
static uint32_t line_take(struct simulation *sim, uint32_t resource, uint8_t line)
{
	uint32_t slot = sim->resources[resource].lines[line].first;

	if (slot != NOBODY)
		line_remove(sim, slot);
	return slot;
}

/* ---- telling ---- */

static void tell(struct simulation *sim, uint32_t slot, const struct event *event, bool has_stack)
{
	const struct sim_task *task = &sim->tasks[slot];
	uint64_t waited_ns = sim->now_ns - task->since_ns;
	enum lo_result result = truth_event(sim->truth, event, task->reason, waited_ns, sim->err);

	if (result == LO_OK)
		result = sim->listener.event(sim->listener.context, event, task->role, task->pc,
				task->variant, has_stack, sim->err);
	sim->told = true;
	fail(sim, result);
}

/* Addresses as an allocator spreads them; descriptors as a program opens them. */
static uint64_t object_value(const struct group *group, uint32_t resource)
{
	if (group->object_kind == OBJECT_NONE)
		return 0;
	if (group->object_kind == OBJECT_DESCRIPTOR)
		return 3 + resource;
	return 0x7f3c48001000u + 0x40ull * resource + 0x1000ull * (resource % 7);
}

static uint16_t some_variant(struct simulation *sim, const struct op *op)
{
	return (uint16_t)dice_rank(&sim->dice, op->paths);
}

static void block(struct simulation *sim, uint32_t slot, const struct op *op, uint8_t reason,
		uint8_t object_kind, uint64_t object, uint32_t holder, uint8_t flags)
{
	struct sim_task *task = &sim->tasks[slot];
	struct event event = { .time_ns = sim->now_ns,
		.task = task->id,
		.kind = EVENT_BLOCK,
		.reason = reason,
		.object_kind = object_kind,
		.object = object,
		.peer = holder,
		.flags = flags };

	task->phase = PHASE_BLOCKED;
	task->since_ns = sim->now_ns;
	task->reason = reason;
	task->object_kind = object_kind;
	task->object = object;
	task->variant = some_variant(sim, op);
	tell(sim, slot, &event, true);
}

static void tell_unblock(struct simulation *sim, uint32_t slot)
{
	struct sim_task *task = &sim->tasks[slot];
	struct event event = { .time_ns = sim->now_ns,
		.task = task->id,
		.kind = EVENT_UNBLOCK,
		.peer = task->waker,
		.flags = task->timed_out ? EVENT_FLAG_TIMED_OUT : 0 };

	task->phase = PHASE_ACTIVE;
	tell(sim, slot, &event, false);
	task->waker = TASK_NONE;
	task->timed_out = false;
}

/* ---- CPUs ---- */

static void run_soon(struct simulation *sim, uint32_t slot)
{
	sim->tasks[slot].on_cpu = true;
	schedule(sim, slot, SWITCH_NS + dice_below(&sim->dice, 2 * SWITCH_NS));
}

static void get_cpu(struct simulation *sim, uint32_t slot)
{
	if (sim->cpus_free > 0) {
		sim->cpus_free--;
		run_soon(sim, slot);
		return;
	}
	sim->tasks[slot].next = NOBODY;
	if (sim->ready.last == NOBODY)
		sim->ready.first = slot;
	else
		sim->tasks[sim->ready.last].next = slot;
	sim->ready.last = slot;
}

static void leave_cpu(struct simulation *sim, uint32_t slot)
{
	uint32_t next = sim->ready.first;

	sim->tasks[slot].on_cpu = false;
	if (next == NOBODY) {
		sim->cpus_free++;
		return;
	}
	sim->ready.first = sim->tasks[next].next;
	if (sim->ready.first == NOBODY)
		sim->ready.last = NOBODY;
	run_soon(sim, next);
}

/* The task may go on; the time limit that it may have had is void. */
static void wake(struct simulation *sim, uint32_t slot, uint32_t waker)
{
	struct sim_task *task = &sim->tasks[slot];

	task->phase = PHASE_WAKING;
	task->waker = waker;
	if (sim->options.profile->language->ready_is_told) {
		task->stamp++;
		tell_unblock(sim, slot);
		get_cpu(sim, slot);
	} else {
		schedule(sim, slot, WAKE_LEAST_NS + dice_time(&sim->dice, WAKE_MEAN_NS));
	}
}

/* A task that had no CPU is due: it was woken, or its time has come. */
static void arrive(struct simulation *sim, uint32_t slot)
{
	struct sim_task *task = &sim->tasks[slot];

	if (task->phase == PHASE_BLOCKED) {
		line_remove(sim, slot);
		task->phase = PHASE_WAKING;
		task->timed_out = true;
	}
	if (task->phase == PHASE_WAKING && sim->options.profile->language->ready_is_told)
		tell_unblock(sim, slot);
	get_cpu(sim, slot);
}

/* ---- life of a task ---- */

static uint32_t free_slot(struct simulation *sim)
{
	uint32_t slot = sim->free_slot;

	if (slot != NOBODY) {
		sim->free_slot = sim->tasks[slot].next;
		return slot;
	}
	if (sim->task_count == sim->task_capacity) {
		uint32_t capacity = sim->task_capacity ? 2 * sim->task_capacity : 256;
		struct sim_task *tasks = realloc(sim->tasks, capacity * sizeof(*tasks));

		if (!tasks) {
			fail(sim, lo_fail(sim->err, LO_NO_MEMORY, LO_NO_OFFSET,
						  "no memory for %u tasks", capacity));
			return NOBODY;
		}
		memset(tasks + sim->task_count, 0, (capacity - sim->task_count) * sizeof(*tasks));
		sim->tasks = tasks;
		sim->task_capacity = capacity;
	}
	return sim->task_count++;
}

/* A task that has not run so far, or NOBODY when there cannot be more. */
static uint32_t make_task(struct simulation *sim, uint32_t role, uint32_t parent)
{
	const struct role *kind = &sim->options.profile->roles[role];
	uint32_t slot = sim->last_id < LIMIT_TASKS ? free_slot(sim) : NOBODY;
	struct sim_task *task;

	if (slot == NOBODY)
		return NOBODY;
	task = &sim->tasks[slot];
	*task = (struct sim_task){ .id = ++sim->last_id,
		.number = sim->made_of_role[role]++,
		.parent = parent,
		.role = (uint8_t)role,
		.stamp = task->stamp,
		.resource = NOBODY,
		.process = 1 };
	if (parent != NOBODY) {
		task->parent_id = sim->tasks[parent].id;
		task->process = sim->tasks[parent].process;
		sim->tasks[parent].children++;
		sim->tasks[parent].last_child = task->id;
	}
	if (kind->process)
		task->process = kind->process;
	fail(sim, sim->listener.task(sim->listener.context, task->id, role, task->number,
				  task->process, sim->err));
	return slot;
}

static void spawn(struct simulation *sim, uint32_t parent, uint32_t role)
{
	uint32_t slot = make_task(sim, role, parent);
	struct event event;

	if (slot == NOBODY)
		return;
	event = (struct event){ .time_ns = sim->now_ns,
		.task = sim->tasks[slot].id,
		.peer = sim->tasks[parent].id,
		.kind = EVENT_CREATE };
	tell(sim, parent, &event, true);
	if (role == ROLE_LOADER)
		truth_plant_add(&sim->truth->burst, event.task, sim->now_ns);
	schedule(sim, slot, 1000 + dice_time(&sim->dice, 4000));
}

static void tell_parent(struct simulation *sim, const struct sim_task *task)
{
	struct sim_task *parent;
	bool of_one = sim->options.profile->language->join_object == OBJECT_TASK;

	if (task->parent == NOBODY || sim->tasks[task->parent].id != task->parent_id)
		return;
	parent = &sim->tasks[task->parent];
	parent->children--;
	if (parent->last_child == task->id)
		parent->last_child = TASK_NONE;
	if (!parent->joins || (of_one ? parent->last_child != TASK_NONE : parent->children > 0))
		return;
	parent->joins = false;
	wake(sim, task->parent, task->id);
}

static void end_task(struct simulation *sim, uint32_t slot)
{
	struct sim_task *task = &sim->tasks[slot];
	struct event event = { .time_ns = sim->now_ns, .task = task->id, .kind = EVENT_EXIT };

	tell_parent(sim, task);
	tell(sim, slot, &event, false);
	sim->recent_exits[event.task % RECENT_EXITS] = event.task;
	task->phase = PHASE_GONE;
	task->id = TASK_NONE;
	task->next = sim->free_slot;
	sim->free_slot = slot;
}

/* ---- the ops ---- */

enum outcome {
	GO_ON, /* with the next op, now */
	STAY,  /* this op again, when the task is next there */
	LEAVE, /* the next op when the task is next there */
};

static uint32_t pick(struct simulation *sim, const struct sim_task *task, const struct op *op)
{
	uint32_t size = sim->group_size[op->with];
	uint32_t member = 0;

	switch ((enum pick)op->pick) {
	case PICK_RANK:
		member = dice_rank(&sim->dice, size);
		break;
	case PICK_ANY:
		member = dice_below(&sim->dice, size);
		break;
	case PICK_OWN:
		member = task->number % size;
		break;
	case PICK_NEXT:
		member = (task->number + 1) % size;
		break;
	}
	return sim->first_resource[op->with] + member;
}

/* As a recorder sees it: a lock that was handed over has no owner until that one has woken up. */
static uint32_t holder_of(const struct simulation *sim, uint32_t resource)
{
	uint32_t slot = sim->resources[resource].holder;

	if (slot == NOBODY || sim->tasks[slot].phase == PHASE_WAKING)
		return TASK_NONE;
	return sim->tasks[slot].id;
}

static enum outcome do_sleep(struct simulation *sim, uint32_t slot, const struct op *op)
{
	uint64_t wait_ns = dice_time(&sim->dice, op->mean_ns);

	if (op->jitter) {
		uint64_t width_ns = op->mean_ns / 100 * op->jitter;

		wait_ns = op->mean_ns - width_ns +
			  (dice_next(&sim->dice) >> 16) % (2 * width_ns + 1);
	}
	block(sim, slot, op, sim->options.profile->language->sleep_reason, OBJECT_NONE, 0,
			TASK_NONE, EVENT_FLAG_TIMED);
	schedule(sim, slot, 1000 + wait_ns);
	return LEAVE;
}

/* Waits of a task in the line of a resource; who wakes it has done the rest. */
static enum outcome stand_in_line(struct simulation *sim, uint32_t slot, const struct op *op,
		uint32_t resource, uint8_t line)
{
	const struct group *group = &sim->options.profile->groups[op->with];
	bool timed = op->code == OP_TAKE && op->mean_ns > 0;
	uint32_t holder = TASK_NONE;

	if (op->code == OP_LOCK && group->object_kind != OBJECT_NONE)
		holder = holder_of(sim, resource);
	block(sim, slot, op, line ? group->put_reason : group->reason, group->object_kind,
			object_value(group, resource), holder, timed ? EVENT_FLAG_TIMED : 0);
	line_append(sim, resource, line, slot);
	if (timed)
		schedule(sim, slot, op->mean_ns);
	return LEAVE;
}

/*
 * The second lock is always one behind the first, or random programs would soon stand still.
 * NOBODY when the first was the last one.
 */
static uint32_t pick_above(struct simulation *sim, uint32_t first, const struct op *op)
{
	uint32_t end = sim->first_resource[op->with] + sim->group_size[op->with];

	return first + 1 < end ? first + 1 + dice_rank(&sim->dice, end - first - 1) : NOBODY;
}

static enum outcome do_lock(struct simulation *sim, uint32_t slot, const struct op *op)
{
	struct sim_task *task = &sim->tasks[slot];
	uint32_t resource = pick(sim, task, op);

	if (task->held_count > 0 && op->pick == PICK_RANK)
		resource = pick_above(sim, task->held[0], op);
	task->held[task->held_count++] = resource;
	if (resource == NOBODY)
		return GO_ON;
	if (sim->resources[resource].holder != NOBODY)
		return stand_in_line(sim, slot, op, resource, 0);
	sim->resources[resource].holder = slot;
	return GO_ON;
}

static void unlock(struct simulation *sim, uint32_t slot, uint32_t resource)
{
	uint32_t next;

	if (resource == NOBODY)
		return;
	next = line_take(sim, resource, 0);
	sim->resources[resource].holder = next;
	if (next == NOBODY)
		return;
	wake(sim, next, sim->tasks[next].passed_on ? sim->tasks[next].waker : sim->tasks[slot].id);
	sim->tasks[next].passed_on = false;
}

static enum outcome do_unlock(struct simulation *sim, uint32_t slot)
{
	struct sim_task *task = &sim->tasks[slot];

	if (task->held_count > 0)
		unlock(sim, slot, task->held[--task->held_count]);
	return GO_ON;
}

static enum outcome do_take(struct simulation *sim, uint32_t slot, const struct op *op)
{
	uint32_t number = pick(sim, &sim->tasks[slot], op);
	struct resource *resource = &sim->resources[number];
	uint32_t putter;

	if (resource->items == 0)
		return stand_in_line(sim, slot, op, number, 0);
	resource->items--;
	putter = line_take(sim, number, 1);
	if (putter != NOBODY) {
		resource->items++;
		wake(sim, putter, sim->tasks[slot].id);
	}
	return GO_ON;
}

static enum outcome do_put(struct simulation *sim, uint32_t slot, const struct op *op)
{
	uint32_t number = pick(sim, &sim->tasks[slot], op);
	struct resource *resource = &sim->resources[number];
	uint32_t taker = line_take(sim, number, 0);

	if (taker != NOBODY)
		wake(sim, taker, sim->tasks[slot].id);
	else if (resource->items < sim->options.profile->groups[op->with].capacity)
		resource->items++;
	else
		return stand_in_line(sim, slot, op, number, 1);
	return GO_ON;
}

/* An item of a condition goes to who waits, so nobody wakes in vain. */
static enum outcome do_wait(struct simulation *sim, uint32_t slot, const struct op *op)
{
	struct sim_task *task = &sim->tasks[slot];
	uint32_t number = pick(sim, task, op);

	if (sim->resources[number].items > 0) {
		sim->resources[number].items--;
		return GO_ON;
	}
	stand_in_line(sim, slot, op, number, 0);
	unlock(sim, slot, task->held[task->held_count - 1]);
	return LEAVE;
}

static enum outcome do_signal(struct simulation *sim, uint32_t slot, const struct op *op)
{
	uint32_t number = pick(sim, &sim->tasks[slot], op);
	uint32_t waiter = line_take(sim, number, 0);
	struct sim_task *task = &sim->tasks[waiter == NOBODY ? slot : waiter];
	uint32_t lock;

	if (waiter == NOBODY) {
		sim->resources[number].items++;
		return GO_ON;
	}
	lock = task->held[task->held_count - 1];
	task->waker = sim->tasks[slot].id;
	if (sim->resources[lock].holder == NOBODY) {
		sim->resources[lock].holder = waiter;
		wake(sim, waiter, task->waker);
	} else {
		task->passed_on = true;
		line_append(sim, lock, 0, waiter);
	}
	return GO_ON;
}

static enum outcome do_outside(struct simulation *sim, uint32_t slot, const struct op *op)
{
	const struct group *group = &sim->options.profile->groups[op->with];
	uint32_t resource = pick(sim, &sim->tasks[slot], op);

	block(sim, slot, op, group->reason, group->object_kind, object_value(group, resource),
			TASK_NONE, 0);
	sim->tasks[slot].phase = PHASE_WAKING;
	schedule(sim, slot, 2000 + dice_time(&sim->dice, op->mean_ns));
	return LEAVE;
}

static enum outcome do_stuck(struct simulation *sim, uint32_t slot, const struct op *op)
{
	const struct group *group = &sim->options.profile->groups[op->with];
	uint32_t resource = pick(sim, &sim->tasks[slot], op);

	block(sim, slot, op, group->reason, group->object_kind, object_value(group, resource),
			TASK_NONE, 0);
	truth_plant_add(&sim->truth->leaks, sim->tasks[slot].id, sim->now_ns);
	return STAY;
}

/* One task, and after a while the op again for the next. */
static enum outcome spawn_next(
		struct simulation *sim, uint32_t slot, const struct op *op, uint32_t role)
{
	sim->tasks[slot].variant = op->paths > 1 && sim->tasks[slot].variant < op->paths
						   ? sim->tasks[slot].variant
						   : 0;
	spawn(sim, slot, role);
	sim->tasks[slot].left--;
	schedule(sim, slot, 300 + dice_time(&sim->dice, op->mean_ns));
	return STAY;
}

static enum outcome do_spawn(struct simulation *sim, uint32_t slot, const struct op *op)
{
	struct sim_task *task = &sim->tasks[slot];

	if (!task->making) {
		task->making = op->with;
		task->left = op->count +
			     (uint32_t)((uint64_t)sim->options.tasks * op->per_myriad / 10000);
		task->variant = some_variant(sim, op);
	}
	if (task->left > 0)
		return spawn_next(sim, slot, op, op->with);
	task->making = 0;
	return GO_ON;
}

/* What is due, by the part of the trace that is over. */
static void direct(struct simulation *sim, struct sim_task *task)
{
	unsigned due = sim->options.plants & ~sim->planted;
	uint64_t percent = sim->truth->total * 100 / sim->options.events;

	task->making = 0;
	if (due & PLANT_DEADLOCK && percent >= DEADLOCK_PERCENT) {
		sim->planted |= PLANT_DEADLOCK;
		task->making = ROLE_PHILOSOPHER;
		task->left = sim->group_size[GROUP_FORKS];
	} else if (due & PLANT_BURST && percent >= BURST_PERCENT) {
		sim->planted |= PLANT_BURST;
		task->making = ROLE_LOADER;
		task->left = BURST_TASKS;
		if (task->left > sim->options.events / 100)
			task->left = (uint32_t)(sim->options.events / 100);
	} else if (due & PLANT_LEAK && percent > sim->leak_percent) {
		task->making = ROLE_LEAKED;
		task->left = LEAKS_AT_ONCE * (uint32_t)(percent - sim->leak_percent);
		sim->leak_percent = (uint32_t)percent;
	}
}

static enum outcome do_direct(struct simulation *sim, uint32_t slot, const struct op *op)
{
	struct sim_task *task = &sim->tasks[slot];

	if (!task->making || task->left == 0)
		direct(sim, task);
	return task->making ? spawn_next(sim, slot, op, task->making) : GO_ON;
}

static enum outcome do_join(struct simulation *sim, uint32_t slot, const struct op *op)
{
	const struct language *language = sim->options.profile->language;
	struct sim_task *task = &sim->tasks[slot];
	bool of_one = language->join_object == OBJECT_TASK;

	if (of_one ? task->last_child == TASK_NONE : task->children == 0)
		return GO_ON;
	task->joins = true;
	block(sim, slot, op, language->join_reason, language->join_object,
			of_one ? task->last_child : 0, TASK_NONE, 0);
	return LEAVE;
}

static enum outcome do_work(struct simulation *sim, uint32_t slot, const struct op *op)
{
	schedule(sim, slot, 100 + dice_time(&sim->dice, op->mean_ns));
	return LEAVE;
}

static enum outcome do_chance(struct simulation *sim, uint32_t slot, const struct op *op)
{
	if (dice_below(&sim->dice, 10000) >= op->per_myriad)
		sim->tasks[slot].pc = (uint16_t)(sim->tasks[slot].pc + op->count);
	return GO_ON;
}

/* Jumps land one op ahead, since every op but the last goes on with the next one. */
static enum outcome do_again(struct simulation *sim, uint32_t slot, const struct op *op)
{
	sim->tasks[slot].pc = (uint16_t)(op->count - 1);
	return GO_ON;
}

static enum outcome do_repeat(struct simulation *sim, uint32_t slot, const struct op *op)
{
	struct sim_task *task = &sim->tasks[slot];

	if (!task->looping)
		task->rounds = (uint32_t)op->mean_ns;
	task->looping = task->rounds > 0;
	if (!task->looping)
		return GO_ON;
	task->rounds--;
	return do_again(sim, slot, op);
}

static enum outcome do_op(struct simulation *sim, uint32_t slot, const struct op *op)
{
	switch ((enum op_code)op->code) {
	case OP_WORK:
		return do_work(sim, slot, op);
	case OP_SLEEP:
		return do_sleep(sim, slot, op);
	case OP_LOCK:
		return do_lock(sim, slot, op);
	case OP_UNLOCK:
		return do_unlock(sim, slot);
	case OP_TAKE:
		return do_take(sim, slot, op);
	case OP_PUT:
		return do_put(sim, slot, op);
	case OP_WAIT:
		return do_wait(sim, slot, op);
	case OP_SIGNAL:
		return do_signal(sim, slot, op);
	case OP_OUTSIDE:
		return do_outside(sim, slot, op);
	case OP_SPAWN:
		return do_spawn(sim, slot, op);
	case OP_JOIN:
		return do_join(sim, slot, op);
	case OP_STUCK:
		return do_stuck(sim, slot, op);
	case OP_CHANCE:
		return do_chance(sim, slot, op);
	case OP_AGAIN:
		return do_again(sim, slot, op);
	case OP_REPEAT:
		return do_repeat(sim, slot, op);
	case OP_DIRECT:
		return do_direct(sim, slot, op);
	case OP_END:
	case OP_CODE_COUNT:
		break;
	}
	return GO_ON;
}

/* ---- what is true at an instant ---- */

static void sample(struct simulation *sim, struct truth_instant *instant, uint32_t slot)
{
	const struct sim_task *task = &sim->tasks[slot];
	struct truth_sample *sample = &instant->samples[instant->sample_count++];

	*sample = (struct truth_sample){ .task = task->id, .state = TRUTH_ACTIVE };
	if (task->phase == PHASE_CREATED)
		sample->state = TRUTH_CREATED;
	if (task->phase != PHASE_BLOCKED && task->phase != PHASE_WAKING)
		return;
	sample->state = TRUTH_BLOCKED;
	sample->reason = task->reason;
	sample->since_ns = task->since_ns;
	stack_plan_where(sim->options.profile, task->role, task->pc, sample->where,
			sizeof(sample->where));
}

static void take_instant(struct simulation *sim)
{
	struct truth *truth = sim->truth;
	struct truth_instant *instant = &truth->instants[truth->instant_count++];

	*instant = (struct truth_instant){ .time_ns = sim->now_ns,
		.events = truth->total,
		.created = truth->events[EVENT_CREATE],
		.alive = truth->alive,
		.blocked = truth->blocked };
	for (uint32_t try = 0; try < 4 * TRUTH_SAMPLES; try++) {
		uint32_t slot = dice_below(&sim->sampling, sim->task_count);

		if (sim->tasks[slot].phase != PHASE_GONE &&
				instant->sample_count < TRUTH_SAMPLES * 3 / 4)
			sample(sim, instant, slot);
	}
	for (uint32_t i = 0; i < RECENT_EXITS && instant->sample_count < TRUTH_SAMPLES; i += 7)
		if (sim->recent_exits[i] != TASK_NONE)
			instant->samples[instant->sample_count++] = (struct truth_sample){
				.task = sim->recent_exits[i], .state = TRUTH_EXITED
			};
	sim->next_instant += sim->options.events / TRUTH_INSTANTS;
}

/* ---- running ---- */

/* Control takes no time; whatever else a task does comes a little after what it has told. */
static bool takes_time(const struct op *op)
{
	return op->code != OP_CHANCE && op->code != OP_AGAIN && op->code != OP_REPEAT &&
	       op->code != OP_WORK;
}

static void run_task(struct simulation *sim, uint32_t slot)
{
	const struct role *role = &sim->options.profile->roles[sim->tasks[slot].role];

	for (uint32_t done = 0; sim->result == LO_OK; done++) {
		uint32_t pc = sim->tasks[slot].pc;
		const struct op *op = &role->ops[pc];
		bool over = pc >= role->op_count;

		if (done == OPS_AT_ONCE || (sim->told && (over || takes_time(op)))) {
			schedule(sim, slot, 40 + dice_below(&sim->dice, 500));
			return;
		}
		if (over) {
			end_task(sim, slot);
			return;
		}
		switch (do_op(sim, slot, op)) {
		case STAY:
			return;
		case LEAVE:
			sim->tasks[slot].leaves = true;
			return;
		case GO_ON:
			sim->tasks[slot].pc++;
			break;
		}
	}
}

static void tell_run(struct simulation *sim, uint32_t slot, uint8_t flags)
{
	struct event event = { .time_ns = sim->now_ns,
		.task = sim->tasks[slot].id,
		.kind = EVENT_RUN,
		.flags = flags };

	sim->tasks[slot].phase = PHASE_ACTIVE;
	tell(sim, slot, &event, false);
}

/* What a task that is due on its CPU begins with. */
static void resume(struct simulation *sim, uint32_t slot)
{
	struct sim_task *task = &sim->tasks[slot];

	switch ((enum phase)task->phase) {
	case PHASE_CREATED:
		tell_run(sim, slot, task->parent == NOBODY ? EVENT_FLAG_EXISTING : 0);
		break;
	case PHASE_WAKING:
		tell_unblock(sim, slot);
		break;
	case PHASE_BLOCKED:
	case PHASE_ACTIVE:
	case PHASE_GONE:
		break;
	}
	if (sim->tasks[slot].leaves)
		sim->tasks[slot].pc++;
	sim->tasks[slot].leaves = false;
	run_task(sim, slot);
}

enum lo_result simulation_step(struct simulation *sim, struct lo_error *err)
{
	struct heap_entry entry;

	if (sim->truth->total >= sim->options.events || sim->heap_count == 0)
		return LO_END;
	sim->err = err;
	entry = heap_take(sim);
	if (entry.stamp != sim->tasks[entry.slot].stamp)
		return LO_OK;
	if (entry.time_ns > sim->now_ns && sim->truth->total >= sim->next_instant &&
			sim->truth->instant_count < TRUTH_INSTANTS)
		take_instant(sim);
	sim->now_ns = entry.time_ns;
	sim->told = false;
	if (!sim->tasks[entry.slot].on_cpu) {
		arrive(sim, entry.slot);
		return sim->result;
	}
	resume(sim, entry.slot);
	if (sim->tasks[entry.slot].phase != PHASE_ACTIVE)
		leave_cpu(sim, entry.slot);
	return sim->result;
}

/* ---- life ---- */

static enum lo_result make_resources(struct simulation *sim, struct lo_error *err)
{
	const struct profile *profile = sim->options.profile;
	uint32_t total = 0;

	sim->first_resource = calloc(profile->group_count, sizeof(uint32_t));
	sim->group_size = calloc(profile->group_count, sizeof(uint32_t));
	sim->made_of_role = calloc(profile->role_count, sizeof(uint32_t));
	if (!sim->first_resource || !sim->group_size || !sim->made_of_role)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a simulation");
	for (uint32_t group = 0; group < profile->group_count; group++) {
		uint64_t added = (uint64_t)sim->options.tasks * profile->groups[group].per_myriad;

		sim->first_resource[group] = total;
		sim->group_size[group] = profile->groups[group].count + (uint32_t)(added / 10000);
		total += sim->group_size[group];
	}
	sim->resources = calloc(total, sizeof(*sim->resources));
	if (!sim->resources)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a simulation");
	for (uint32_t i = 0; i < total; i++)
		sim->resources[i] = (struct resource){ NOBODY, 0,
			{ { NOBODY, NOBODY }, { NOBODY, NOBODY } } };
	return LO_OK;
}

/* On a CPU from the start: its first event is at 0. */
static void start_main(struct simulation *sim)
{
	uint32_t slot = make_task(sim, ROLE_MAIN, NOBODY);

	sim->cpus_free = sim->options.profile->cpus - 1;
	sim->ready = (struct line){ NOBODY, NOBODY };
	if (slot == NOBODY)
		return;
	sim->tasks[slot].on_cpu = true;
	schedule(sim, slot, 0);
}

enum lo_result simulation_new(struct simulation **out, const struct simulation_options *options,
		const struct simulation_listener *listener, struct truth *truth,
		struct lo_error *err)
{
	struct simulation *sim = calloc(1, sizeof(*sim));
	enum lo_result result;

	if (!sim)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a simulation");
	sim->options = *options;
	sim->listener = *listener;
	sim->truth = truth;
	sim->err = err;
	sim->dice = dice_for(options->seed, 1);
	sim->sampling = dice_for(options->seed, 2);
	sim->free_slot = NOBODY;
	sim->leak_percent = LEAK_PERCENT;
	sim->next_instant = options->events / TRUTH_INSTANTS / 2;
	result = make_resources(sim, err);
	if (result == LO_OK)
		start_main(sim);
	if (result == LO_OK)
		result = sim->result;
	if (result != LO_OK) {
		simulation_free(sim);
		return result;
	}
	stack_plan_where(options->profile, ROLE_DIRECTOR, 1, truth->burst.made_at,
			sizeof(truth->burst.made_at));
	memcpy(truth->leaks.made_at, truth->burst.made_at, sizeof(truth->leaks.made_at));
	*out = sim;
	return LO_OK;
}

void simulation_free(struct simulation *sim)
{
	if (!sim)
		return;
	free(sim->tasks);
	free(sim->made_of_role);
	free(sim->resources);
	free(sim->first_resource);
	free(sim->group_size);
	free(sim->heap);
	free(sim);
}

/* ---- the end ---- */

/* The slot of the one that holds the lock for which a philosopher waits, or NOBODY. */
static uint32_t held_up_by(const struct simulation *sim, uint32_t slot)
{
	const struct sim_task *task = &sim->tasks[slot];

	if (task->role != ROLE_PHILOSOPHER || task->phase != PHASE_BLOCKED ||
			task->resource == NOBODY)
		return NOBODY;
	return sim->resources[task->resource].holder;
}

static void note_cycle(struct simulation *sim, uint32_t slot)
{
	uint32_t at = slot;

	for (uint32_t length = 0; length < TRUTH_CYCLE_MOST; length++) {
		const struct sim_task *task = &sim->tasks[at];
		struct truth_cycle_member *member = &sim->truth->cycle[length];

		at = held_up_by(sim, at);
		if (at == NOBODY)
			return;
		*member = (struct truth_cycle_member){ .task = task->id,
			.holder = sim->tasks[at].id,
			.since_ns = task->since_ns,
			.object = task->object,
			.object_kind = task->object_kind };
		stack_plan_where(sim->options.profile, task->role, task->pc, member->where,
				sizeof(member->where));
		if (at == slot) {
			sim->truth->cycle_length = length + 1;
			return;
		}
	}
}

enum lo_result simulation_finish(struct simulation *sim, struct lo_error *err)
{
	const struct profile *profile = sim->options.profile;

	sim->truth->end_ns = sim->now_ns;
	for (uint32_t slot = 0; slot < sim->task_count; slot++) {
		const struct sim_task *task = &sim->tasks[slot];
		char where[56];

		if (task->phase != PHASE_BLOCKED && task->phase != PHASE_WAKING)
			continue;
		stack_plan_where(profile, task->role, task->pc, where, sizeof(where));
		if (!truth_still_blocked(sim->truth, task->reason, task->since_ns,
				    stack_plan_leaf(profile, task->role, task->pc), where))
			return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "too many waits to tell apart");
		if (sim->truth->cycle_length == 0)
			note_cycle(sim, slot);
	}
	return LO_OK;
}
