#include "tests/support/event_generator.h"

#include <stdlib.h>

#include "formats/model/object.h"
#include "formats/model/reason.h"

static const struct {
	const char *name;
	uint32_t tasks;
	uint32_t stacks;
	uint32_t objects;
	unsigned exit_percent; /* of the steps in which a task goes on */
} shapes[GENERATOR_SHAPE_COUNT] = {
	[GENERATOR_PING_PONG] = { "ping-pong", 2, 4, 2, 0 },
	[GENERATOR_SERVER] = { "server", 64, 60, 40, 0 },
	[GENERATOR_CHURN] = { "churn", 4000, 600, 3000, 12 },
};

const char *generator_shape_name(enum generator_shape shape)
{
	return shapes[shape].name;
}

uint64_t generator_random(uint64_t *state, uint64_t limit)
{
	/* splitmix64 */
	uint64_t mixed = *state += 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
	return (mixed ^ mixed >> 31) % limit;
}

void event_generator_init(
		struct event_generator *generator, enum generator_shape shape, uint64_t seed)
{
	*generator = (struct event_generator){
		.shape = shape, .random = seed, .task_count = shapes[shape].tasks, .next_task = 1
	};
}

void event_generator_write_stacks(
		const struct event_generator *generator, struct trace_writer *writer)
{
	struct module_info module = { .flags = MODULE_FLAG_MAIN };
	uint64_t random = 1;
	uint32_t module_id;
	uint32_t frame;
	uint32_t stack;

	if (trace_writer_module(writer, &module, &module_id, NULL) != LO_OK)
		abort();
	for (uint32_t id = 1; id <= shapes[generator->shape].stacks; id++) {
		struct frame place = { 0x1000 + 64 * (uint64_t)id, module_id };
		uint32_t parent = (uint32_t)generator_random(&random, id);

		if (trace_writer_frame(writer, place, &frame, NULL) != LO_OK ||
				trace_writer_stack(writer, parent, frame, &stack, NULL) != LO_OK)
			abort();
	}
}

/* Times between events: mostly below a microsecond, now and then up to a millisecond. */
static uint64_t time_step(uint64_t *random)
{
	uint64_t scale = generator_random(random, 14);

	return 20 + generator_random(random, 1ull << (5 + scale));
}

/* Low numbers are much more likely than high ones, as with real stacks and locks. */
static uint32_t skewed(uint64_t *random, uint32_t limit)
{
	uint64_t a = generator_random(random, limit);
	uint64_t b = generator_random(random, limit);
	uint64_t c = generator_random(random, limit);

	return (uint32_t)(a * b / limit * c / limit);
}

static uint32_t some_active_task(struct event_generator *generator)
{
	for (unsigned attempt = 0; attempt < 8; attempt++) {
		uint64_t slot = generator_random(&generator->random, generator->task_count);

		if (generator->slots[slot].task && !generator->slots[slot].blocked)
			return generator->slots[slot].task;
	}
	return TASK_NONE;
}

static void fill_block(struct event_generator *generator, struct event *event)
{
	static const uint8_t reasons[] = { REASON_MUTEX_LOCK, REASON_COND_WAIT,
		REASON_SEMAPHORE_WAIT, REASON_POLL };
	static const uint8_t kinds[] = { OBJECT_MUTEX, OBJECT_COND, OBJECT_SEMAPHORE,
		OBJECT_DESCRIPTOR };
	uint32_t site = skewed(&generator->random, shapes[generator->shape].stacks);
	uint32_t object = skewed(&generator->random, shapes[generator->shape].objects);

	event->kind = EVENT_BLOCK;
	event->stack = site + 1;
	event->reason = reasons[site % 4];
	event->object_kind = kinds[site % 4];
	event->object = event->object_kind == OBJECT_DESCRIPTOR ? object
								: 0x55d0c8a00000u + 48 * object;
	if (event->reason == REASON_MUTEX_LOCK)
		event->peer = some_active_task(generator);
	if (site % 8 == 3)
		event->flags = EVENT_FLAG_TIMED;
}

static struct event ping_pong(struct event_generator *generator)
{
	uint32_t step = generator->step++;
	uint32_t task = 1 + step / 2 % 2;
	struct event event = { .time_ns = generator->now_ns, .task = task, .kind = EVENT_RUN };

	if (step < 2) {
		event.task = step + 1;
	} else if (step % 2 == 0) {
		event.task = 3 - task;
		event.peer = task;
		event.kind = EVENT_UNBLOCK;
	} else {
		event.kind = EVENT_BLOCK;
		event.object = 0x7ffc00001000u + 48 * task;
		event.object_kind = OBJECT_COND;
		event.reason = REASON_COND_WAIT;
		event.stack = task;
	}
	generator->now_ns += 900 + generator_random(&generator->random, 400);
	return event;
}

struct event event_generator_next(struct event_generator *generator)
{
	uint64_t slot = generator_random(&generator->random, generator->task_count);
	struct event event = { 0 };

	if (generator->shape == GENERATOR_PING_PONG)
		return ping_pong(generator);
	event.time_ns = generator->now_ns += time_step(&generator->random);
	event.task = generator->slots[slot].task;
	if (event.task == TASK_NONE) {
		event.peer = some_active_task(generator);
		event.stack = event.peer ? 1 + skewed(&generator->random,
							       shapes[generator->shape].stacks)
					 : STACK_NONE;
		event.kind = event.peer ? EVENT_CREATE : EVENT_RUN;
		event.task = generator->slots[slot].task = generator->next_task++;
		generator->slots[slot].blocked = 0;
	} else if (generator->slots[slot].blocked) {
		event.kind = EVENT_UNBLOCK;
		event.peer = some_active_task(generator);
		generator->slots[slot].blocked = 0;
	} else if (generator_random(&generator->random, 100) <
			shapes[generator->shape].exit_percent) {
		event.kind = EVENT_EXIT;
		generator->slots[slot].task = TASK_NONE;
	} else {
		fill_block(generator, &event);
		generator->slots[slot].blocked = 1;
	}
	return event;
}
