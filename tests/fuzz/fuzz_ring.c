/*
 * A traced program that writes whatever it likes into the shared segment: the input is a list of
 * stores into headers, rings, process slots, modules and stack arenas, with the recorder's passes
 * in between. The recorder must not crash or hang, and the file that comes out must keep every
 * promise about its tasks.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/pipeline.h"

#define RINGS_HIT     6u
#define PROCESSES_HIT 3u
#define NO_SUCH_PID   0x7ffffff0u

struct input {
	const uint8_t *bytes;
	size_t left;
};

static uint8_t take_byte(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->bytes++;
}

static uint32_t take_word(struct input *input)
{
	uint32_t word = 0;

	for (int i = 0; i < 4; i++)
		word = word << 8 | take_byte(input);
	return word;
}

/* Small numbers, which are likely to be right, or any. */
static uint32_t take_number(struct input *input)
{
	uint8_t byte = take_byte(input);

	return byte < 240 ? byte % 16 : take_word(input);
}

static void store(void *memory, size_t words, struct input *input)
{
	uint32_t value;
	size_t at = (take_byte(input) | (size_t)take_byte(input) << 8) % words;

	value = take_number(input);
	memcpy((char *)memory + at * 4, &value, sizeof(value));
}

static void publish(struct pipeline *pipeline, struct input *input)
{
	struct ring *ring = &pipeline->owner.segment->rings[take_byte(input) % RINGS_HIT];
	uint64_t head = ring->head;
	struct event event = {
		.time_ns = pipeline->base + take_number(input),
		.object = take_number(input),
		.task = take_number(input),
		.peer = take_number(input),
		.stack = take_number(input),
		.kind = take_byte(input) % 8 == 7 ? RING_EVENT_NAME : take_byte(input) % 6,
		.reason = take_byte(input),
		.object_kind = take_byte(input),
		.flags = take_byte(input),
	};

	ring->slots[head % RING_CAPACITY] = event;
	ring->head = head + 1;
}

static void arm(struct pipeline *pipeline, struct input *input)
{
	struct ring *ring = &pipeline->owner.segment->rings[take_byte(input) % RINGS_HIT];

	const struct event event = { .time_ns = pipeline->base + take_number(input),
		.kind = take_byte(input) % 6 };

	ring_pending_write(ring, &event);
	ring->pending_word = (ring->pending_word & ~3ull) + PENDING_SEQUENCE_ONE + PENDING_ARMED;
}

/* Without a pid of its own: nothing outside of the segment is to be looked at. */
static void begin_process(struct pipeline *pipeline, struct input *input)
{
	struct process_slot *slot = &pipeline->owner.segment
						     ->processes[take_byte(input) % PROCESSES_HIT];

	slot->generation += take_byte(input) % 2;
	slot->next_task = 12;
	slot->main_task = take_number(input);
	slot->state = take_byte(input) % 4;
	slot->replaced = take_byte(input) % 2;
	slot->pid = NO_SUCH_PID + take_byte(input) % 4;
}

static void own_ring(struct pipeline *pipeline, struct input *input)
{
	uint32_t index = take_byte(input) % RINGS_HIT;
	struct ring *ring = &pipeline->owner.segment->rings[index];

	ring->process = take_byte(input) % (PROCESSES_HIT + 1);
	ring->generation = take_byte(input) % 4;
	ring->task = take_number(input);
	ring->tid = take_number(input);
	ring->state = take_byte(input) % 4;
	if (pipeline->owner.segment->header.rings_used <= index)
		pipeline->owner.segment->header.rings_used = index + 1;
}

static void act(struct pipeline *pipeline, struct input *input)
{
	struct segment *segment = pipeline->owner.segment;
	struct process_slot *slot = &segment->processes[take_byte(input) % PROCESSES_HIT];
	struct pollfd fds[SEGMENT_PROCESSES] = { 0 };
	uint32_t pid = slot->pid;

	switch (take_byte(input) % 10) {
	case 0:
		store(&segment->header, sizeof(segment->header) / 4, input);
		break;
	case 1:
		store(&segment->rings[take_byte(input) % RINGS_HIT], 272,
				input); /* and two slots */
		break;
	case 2:
		store(slot, 1024, input);
		slot->pid = pid; /* of the living, /proc would be read */
		break;
	case 3:
		store(&slot->stacks.words, 256, input);
		break;
	case 4:
		publish(pipeline, input);
		break;
	case 5:
		arm(pipeline, input);
		break;
	case 6:
		begin_process(pipeline, input);
		break;
	case 7:
		own_ring(pipeline, input);
		break;
	case 8:
		pipeline->stream.lateness_ticks = take_byte(input) % 2 ? 0 : DRAIN_LATENESS_NS;
		pipeline_pump(pipeline, false);
		break;
	case 9:
		for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++)
			fds[i].fd = -1;
		if (process_watch_look(&pipeline->watch, fds, NULL) != LO_OK)
			abort();
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size < 4096 ? size : 4096 };
	struct pipeline pipeline;

	pipeline_init(&pipeline);
	while (input.left > 0)
		act(&pipeline, &input);
	pipeline_finish(&pipeline);
	if (!pipeline_is_sound(&pipeline))
		abort();
	pipeline_release(&pipeline);
	return 0;
}
