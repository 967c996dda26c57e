#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/ring/ring_consumer.h"
#include "recorder/ring/ring_producer.h"

static struct segment *mapped;

static struct ring *map_group(uint32_t group)
{
	return &mapped->rings[group * RING_GROUP];
}

static struct ring_space space_of(struct segment *segment)
{
	return (struct ring_space){ .header = &segment->header, .map_group = map_group };
}

/* Sparse, as the recorder makes it: only what is touched takes memory. */
static int make_segment(void **state)
{
	struct segment *segment = mmap(NULL, sizeof(struct segment), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*state = mapped = segment;
	return segment == MAP_FAILED ? -1 : 0;
}

static int drop_segment(void **state)
{
	return munmap(*state, sizeof(struct segment));
}

static const struct ring_owner owner = { .process = 3, .generation = 5, .task = 7, .tid = 11 };

static struct ring_producer take(struct segment *segment)
{
	struct ring_producer producer = { .ring = NULL };
	struct ring_space space = space_of(segment);
	uint32_t index = ring_producer_take(&producer, &space, &owner);

	assert_int_not_equal(index, RING_NONE);
	assert_ptr_equal(producer.ring, &segment->rings[index]);
	return producer;
}

static struct event event_at(uint64_t ticks, uint8_t kind)
{
	return (struct event){ .time_ns = ticks, .object = ticks * 3, .kind = kind };
}

static bool push(struct ring_producer *producer, uint64_t ticks, enum ring_spare spare)
{
	struct event event = event_at(ticks, EVENT_BLOCK);

	return ring_producer_push(producer, &event, spare);
}

static void a_taken_ring_says_whose_it_is(void **state)
{
	struct segment *segment = *state;
	struct ring_producer producer = take(segment);

	assert_ptr_equal(producer.ring, &segment->rings[0]);
	assert_int_equal(producer.ring->state, RING_OWNED);
	assert_int_equal(producer.ring->process, 3);
	assert_int_equal(producer.ring->generation, 5);
	assert_int_equal(producer.ring->task, 7);
	assert_int_equal(producer.ring->tid, 11);
	assert_int_equal(segment->header.rings_used, 1);
}

static void a_record_is_there_once_it_was_pushed(void **state)
{
	struct ring_producer producer = take(*state);
	struct event event = event_at(100, EVENT_RUN);

	assert_int_equal(producer.ring->head, 0);
	assert_true(ring_producer_push(&producer, &event, RING_SPARE_OTHER));
	assert_int_equal(producer.ring->head, 1);
	assert_memory_equal(&producer.ring->slots[0], &event, sizeof(event));
}

static void times_of_a_ring_never_decrease(void **state)
{
	struct ring_producer producer = take(*state);

	push(&producer, 100, RING_SPARE_OTHER);
	push(&producer, 90, RING_SPARE_OTHER);
	push(&producer, 101, RING_SPARE_OTHER);
	assert_int_equal(producer.ring->slots[1].time_ns, 100);
	assert_int_equal(producer.ring->slots[2].time_ns, 101);

	struct event late = event_at(50, EVENT_BLOCK);
	assert_true(ring_producer_arm(&producer, &late));
	assert_int_equal(ring_pending_read(producer.ring).time_ns, 101);
}

/* Whatever fills the ring, the end of a wait and the end of the thread still find room. */
static void a_full_ring_keeps_room_for_the_ends_of_stories(void **state)
{
	struct ring_producer producer = take(*state);
	struct event end = event_at(9, EVENT_EXIT);
	unsigned pushed = 0;

	while (push(&producer, pushed, RING_SPARE_OTHER))
		pushed++;
	assert_int_equal(pushed, RING_CAPACITY - RING_SPARE_OTHER);
	assert_int_equal(producer.ring->lost[RING_LOSS_FULL], 1);
	assert_false(ring_producer_arm(&producer, &end));
	assert_int_equal(producer.ring->lost[RING_LOSS_FULL], 1);

	assert_true(push(&producer, 1, RING_SPARE_UNBLOCK));
	assert_false(push(&producer, 1, RING_SPARE_UNBLOCK));
	assert_true(ring_producer_push(&producer, &end, RING_SPARE_EXIT));
	assert_false(ring_producer_push(&producer, &end, RING_SPARE_EXIT));
	assert_int_equal(producer.ring->head, RING_CAPACITY);
}

static void slots_that_were_read_are_used_again(void **state)
{
	struct ring_producer producer = take(*state);
	struct ring_consumer consumer;
	struct event out[RING_CAPACITY];
	uint64_t number = 0, expected = 0;

	ring_consumer_init(&consumer, producer.ring);
	for (int round = 0; round < 10; round++) {
		for (unsigned i = 0; i < RING_CAPACITY - 7; i++)
			assert_true(push(&producer, number++, RING_SPARE_OTHER));
		struct ring_view view = ring_consumer_look(&consumer);
		ring_consumer_copy(&consumer, view.records, out);
		for (uint32_t i = 0; i < view.records; i++)
			assert_int_equal(out[i].time_ns, expected++);
	}
	assert_int_equal(expected, number);
	assert_int_equal(producer.ring->lost[RING_LOSS_FULL], 0);
}

static void the_drain_is_woken_at_half_full_and_only_if_it_sleeps(void **state)
{
	struct segment *segment = *state;
	struct ring_producer producer = take(segment);
	unsigned pushed = 0;

	/* Awake: nothing happens however full it gets. */
	while (push(&producer, pushed, RING_SPARE_OTHER))
		pushed++;
	assert_int_equal(segment->header.wake, 0);

	struct ring_producer other = take(segment);
	segment->header.drain_sleeps = 1;
	for (pushed = 0; segment->header.wake == 0; pushed++)
		assert_true(push(&other, pushed, RING_SPARE_OTHER));
	assert_in_range(pushed, RING_CAPACITY / 2, RING_CAPACITY / 2 + 128);
	assert_int_equal(segment->header.drain_sleeps, 0);
	while (push(&other, 1, RING_SPARE_OTHER))
		pushed++;
	assert_int_equal(segment->header.wake, 1);
}

static void an_armed_event_vanishes_when_nobody_took_it(void **state)
{
	struct ring_producer producer = take(*state);
	struct event event = event_at(5, EVENT_BLOCK);

	for (int i = 0; i < 3; i++) {
		uint64_t before = producer.ring->pending_word;
		assert_true(ring_producer_arm(&producer, &event));
		assert_int_equal(producer.ring->pending_word & PENDING_STATE_MASK, PENDING_ARMED);
		assert_int_equal(producer.ring->pending_word / PENDING_SEQUENCE_ONE,
				before / PENDING_SEQUENCE_ONE + 1);
		assert_false(ring_producer_disarm(&producer));
		assert_int_equal(producer.ring->pending_word & PENDING_STATE_MASK, PENDING_IDLE);
	}
	assert_int_equal(producer.ring->head, 0);
}

static void a_taken_event_is_known_to_be_taken(void **state)
{
	struct ring_producer producer = take(*state);
	struct ring_consumer consumer;
	struct event event = event_at(5, EVENT_BLOCK), out;

	ring_consumer_init(&consumer, producer.ring);
	ring_producer_arm(&producer, &event);
	struct ring_view view = ring_consumer_look(&consumer);
	assert_true(ring_consumer_peek_pending(&consumer, &view, 5, &out));
	assert_true(ring_consumer_take_pending(&consumer, &view));
	assert_memory_equal(&out, &event, sizeof(event));
	assert_true(ring_producer_disarm(&producer));
	assert_int_equal(producer.ring->pending_word & PENDING_STATE_MASK, PENDING_IDLE);
	/* A view from before finds nothing to take any more. */
	assert_false(ring_consumer_take_pending(&consumer, &view));
}

static void disarming_what_was_not_armed_does_nothing(void **state)
{
	struct ring_producer producer = take(*state);

	assert_false(ring_producer_disarm(&producer));
	assert_int_equal(producer.ring->pending_word, 0);
}

static void a_ring_that_was_given_back_goes_on_counting(void **state)
{
	struct segment *segment = *state;
	struct ring_producer producer = take(segment);
	struct ring_consumer consumer;
	struct ring *ring = producer.ring;
	struct event out[4];

	ring_consumer_init(&consumer, ring);
	push(&producer, 1000, RING_SPARE_OTHER);
	ring_producer_close(&producer);
	assert_null(producer.ring);
	assert_int_equal(ring->state, RING_CLOSED);
	struct ring_view view = ring_consumer_look(&consumer);
	ring_consumer_copy(&consumer, view.records, out);
	ring_consumer_free(&consumer);

	/* The next owner has its own time. */
	producer = take(segment);
	assert_ptr_equal(producer.ring, ring);
	assert_true(push(&producer, 10, RING_SPARE_OTHER));
	assert_int_equal(ring->head, 2);
	assert_int_equal(ring->slots[1].time_ns, 10);
}

static void every_ring_can_be_taken_and_no_more(void **state)
{
	struct segment *segment = *state;
	struct ring_space space = space_of(segment);
	struct ring_producer producer;

	for (uint32_t i = 0; i < SEGMENT_RINGS; i++)
		take(segment);
	assert_int_equal(segment->header.rings_used, SEGMENT_RINGS);
	assert_int_equal(ring_producer_take(&producer, &space, &owner), RING_NONE);
	/* One that is free again is found, wherever it is and whatever the hint says. */
	segment->rings[1234].state = RING_FREE;
	segment->header.ring_hint = 4000000000u;
	assert_int_equal(ring_producer_take(&producer, &space, &owner), 1234);
	assert_ptr_equal(producer.ring, &segment->rings[1234]);
	segment->header.rings_used = 4000000000u;
	assert_int_equal(ring_producer_take(&producer, &space, &owner), RING_NONE);
}

/* As when the kernel refuses to map more: the rings that there are go on being used. */
static struct ring *map_first_group_only(uint32_t group)
{
	return group == 0 ? mapped->rings : NULL;
}

static void a_group_that_cannot_be_mapped_is_done_without(void **state)
{
	struct segment *segment = *state;
	struct ring_space space = space_of(segment);
	struct ring_producer producer;

	space.map_group = map_first_group_only;
	for (uint32_t i = 0; i < RING_GROUP; i++)
		assert_int_equal(ring_producer_take(&producer, &space, &owner), i);
	assert_int_equal(ring_producer_take(&producer, &space, &owner), RING_NONE);
	segment->rings[5].state = RING_FREE;
	assert_int_equal(ring_producer_take(&producer, &space, &owner), 5);
}

static void fill(struct ring_producer *producer)
{
	struct event event = { .time_ns = 500, .kind = EVENT_BLOCK };

	while (ring_producer_try_push(producer, &event, RING_SPARE_OTHER))
		;
}

static void a_full_ring_is_left_for_another_with_the_same_owner(void **state)
{
	struct segment *segment = *state;
	struct ring_producer producer = take(segment);
	struct ring_space space = space_of(segment);
	struct ring *full = producer.ring;
	struct event event = { .time_ns = 100, .kind = EVENT_BLOCK };
	uint64_t head;
	uint32_t index;

	fill(&producer);
	head = full->head;
	index = ring_producer_move(&producer, &space, &owner);
	assert_int_not_equal(index, RING_NONE);
	assert_ptr_equal(producer.ring, &segment->rings[index]);
	assert_ptr_not_equal(producer.ring, full);
	assert_int_equal(full->state, RING_CLOSED);
	assert_int_equal(full->head, head);
	assert_int_equal(full->lost[RING_LOSS_FULL], 0);
	assert_int_equal(producer.ring->state, RING_OWNED);
	assert_int_equal(producer.ring->process, owner.process);
	assert_int_equal(producer.ring->generation, owner.generation);
	assert_int_equal(producer.ring->task, owner.task);
	assert_int_equal(producer.ring->tid, owner.tid);
	assert_true(segment->header.rings_used > index);
	/* The order of time goes on, and tells the two rings apart. */
	assert_true(ring_producer_push(&producer, &event, RING_SPARE_OTHER));
	assert_int_equal(producer.ring->slots[0].time_ns, 501);
}

static void there_is_an_end_to_the_rings_for_more(void **state)
{
	struct segment *segment = *state;
	struct ring_producer producer = take(segment);
	struct ring_space space = space_of(segment);
	uint32_t moves = 0;
	struct ring *last;

	while (ring_producer_move(&producer, &space, &owner) != RING_NONE)
		moves++;
	assert_int_equal(moves, RINGS_FOR_MORE - 1);
	last = producer.ring;
	assert_non_null(last);
	assert_int_equal(last->state, RING_OWNED);
	/* What the drain has emptied is taken again. */
	segment->rings[7].state = RING_FREE;
	assert_int_equal(ring_producer_move(&producer, &space, &owner), 7);
	assert_int_equal(last->state, RING_CLOSED);
}

#define TAKERS     4
#define TAKEN_EACH 200

static void *take_many(void *state)
{
	struct ring **rings = calloc(TAKEN_EACH, sizeof(struct ring *));

	for (int i = 0; rings && i < TAKEN_EACH; i++) {
		struct ring_space space = space_of(state);
		struct ring_producer producer;
		if (ring_producer_take(&producer, &space, &owner) != RING_NONE)
			rings[i] = producer.ring;
	}
	return rings;
}

static int compare_pointers(const void *one, const void *other)
{
	struct ring *const *a = one, *const *b = other;

	return *a < *b ? -1 : *a > *b;
}

static void no_ring_is_taken_twice(void **state)
{
	pthread_t threads[TAKERS];
	struct ring *rings[TAKERS * TAKEN_EACH];

	for (int i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_many, *state), 0);
	for (int i = 0; i < TAKERS; i++) {
		void *taken = NULL;
		pthread_join(threads[i], &taken);
		assert_non_null(taken);
		memcpy(rings + (ptrdiff_t)i * TAKEN_EACH, taken, sizeof(rings) / TAKERS);
		free(taken);
	}
	qsort(rings, TAKERS * TAKEN_EACH, sizeof(rings[0]), compare_pointers);
	for (int i = 0; i < TAKERS * TAKEN_EACH; i++) {
		assert_non_null(rings[i]);
		if (i > 0)
			assert_ptr_not_equal(rings[i], rings[i - 1]);
	}
}

/*
 * Both ends at once: the owner arms an event for each number, and publishes what was not taken;
 * so the drain must see every number once and in order.
 */
#define NUMBERS 200000u

static void *produce(void *argument)
{
	struct ring_producer *producer = argument;

	for (uint64_t number = 1; number <= NUMBERS; number++) {
		struct event event = event_at(number, EVENT_BLOCK);
		while (!ring_producer_arm(producer, &event))
			;
		if (number % 64 == 0)
			for (int i = 0; i < 2000; i++)
				__asm__ volatile("" ::: "memory");
		if (!ring_producer_disarm(producer) &&
				!ring_producer_push(producer, &event, RING_SPARE_OTHER))
			abort();
		event.kind = EVENT_UNBLOCK;
		if (!ring_producer_push(producer, &event, RING_SPARE_UNBLOCK))
			abort();
	}
	return NULL;
}

static void both_ends_see_each_event_once(void **state)
{
	struct ring_producer producer = take(*state);
	struct ring_consumer consumer;
	static struct event out[RING_CAPACITY + 1];
	uint64_t records = 0;
	pthread_t thread;

	ring_consumer_init(&consumer, producer.ring);
	assert_int_equal(pthread_create(&thread, NULL, produce, &producer), 0);
	while (records < 2 * NUMBERS) {
		struct ring_view view = ring_consumer_look(&consumer);
		uint32_t count = view.records;

		assert_false(view.damaged);
		ring_consumer_copy(&consumer, count, out);
		if (ring_consumer_peek_pending(&consumer, &view, UINT64_MAX, &out[count]) &&
				ring_consumer_take_pending(&consumer, &view))
			count++;
		for (uint32_t i = 0; i < count; i++, records++) {
			uint64_t number = records / 2 + 1;
			assert_int_equal(out[i].time_ns, number);
			assert_int_equal(out[i].object, number * 3);
			assert_int_equal(out[i].kind, records % 2 ? EVENT_UNBLOCK : EVENT_BLOCK);
		}
	}
	pthread_join(thread, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_segment, drop_segment)
	const struct CMUnitTest tests[] = {
		TEST(a_taken_ring_says_whose_it_is),
		TEST(a_record_is_there_once_it_was_pushed),
		TEST(times_of_a_ring_never_decrease),
		TEST(a_full_ring_keeps_room_for_the_ends_of_stories),
		TEST(slots_that_were_read_are_used_again),
		TEST(the_drain_is_woken_at_half_full_and_only_if_it_sleeps),
		TEST(an_armed_event_vanishes_when_nobody_took_it),
		TEST(a_taken_event_is_known_to_be_taken),
		TEST(disarming_what_was_not_armed_does_nothing),
		TEST(a_ring_that_was_given_back_goes_on_counting),
		TEST(every_ring_can_be_taken_and_no_more),
		TEST(a_full_ring_is_left_for_another_with_the_same_owner),
		TEST(there_is_an_end_to_the_rings_for_more),
		TEST(a_group_that_cannot_be_mapped_is_done_without),
		TEST(no_ring_is_taken_twice),
		TEST(both_ends_see_each_event_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
