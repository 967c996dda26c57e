#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/ring/ring_consumer.h"

static struct ring *ring;
static struct ring_consumer consumer;

static int set_up(void **state)
{
	(void)state;
	ring = aligned_alloc(1024, sizeof(*ring));
	memset(ring, 0, sizeof(*ring));
	ring_consumer_init(&consumer, ring);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(ring);
	return 0;
}

static void publish(uint32_t count)
{
	uint64_t head = ring->head;

	for (uint32_t i = 0; i < count; i++, head++)
		ring->slots[head % RING_CAPACITY] = (struct event){ .time_ns = head };
	ring->head = head;
}

static void arm(uint64_t time)
{
	uint64_t word = ring->pending_word & ~(uint64_t)PENDING_STATE_MASK;

	ring_pending_write(ring, &(struct event){ .time_ns = time, .kind = EVENT_BLOCK });
	ring->pending_word = (word + PENDING_SEQUENCE_ONE) | PENDING_ARMED;
}

static void records_come_out_once_and_in_order_across_the_end_of_the_slots(void **state)
{
	static struct event out[RING_CAPACITY];
	uint64_t expected = 0;

	(void)state;
	for (int round = 0; round < 5; round++) {
		struct ring_view view;

		publish(RING_CAPACITY - 7);
		view = ring_consumer_look(&consumer);
		assert_int_equal(view.records, RING_CAPACITY - 7);
		ring_consumer_copy(&consumer, 1000, out);
		ring_consumer_copy(&consumer, view.records - 1000, out + 1000);
		for (uint32_t i = 0; i < view.records; i++)
			assert_int_equal(out[i].time_ns, expected++);
		assert_int_equal(ring->tail, expected);
		assert_int_equal(ring_consumer_look(&consumer).records, 0);
	}
}

static void a_full_ring_is_sound(void **state)
{
	static struct event out[RING_CAPACITY];
	struct ring_view view;

	(void)state;
	publish(RING_CAPACITY);
	view = ring_consumer_look(&consumer);
	assert_false(view.damaged);
	assert_int_equal(view.records, RING_CAPACITY);
	ring_consumer_copy(&consumer, view.records, out);
	assert_int_equal(out[RING_CAPACITY - 1].time_ns, RING_CAPACITY - 1);
}

static void impossible_heads_cost_the_records_and_nothing_more(void **state)
{
	static const uint64_t heads[] = { RING_CAPACITY + 1, 1u << 31, UINT64_MAX, 5,
		(uint64_t)1 << 63 };
	static struct event out[RING_CAPACITY];

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct ring_view view;

		consumer.tail = 10;
		ring->head = heads[i];
		view = ring_consumer_look(&consumer);
		if (heads[i] - 10 <= RING_CAPACITY)
			continue;
		assert_true(view.damaged);
		assert_int_equal(view.records, 0);
		assert_int_equal(ring->tail, heads[i]);
		/* What is published from there on is read again. */
		publish(3);
		view = ring_consumer_look(&consumer);
		assert_false(view.damaged);
		assert_int_equal(view.records, 3);
		ring_consumer_copy(&consumer, 3, out);
		assert_int_equal(out[0].time_ns, heads[i]);
	}
}

static void the_shared_tail_is_never_believed(void **state)
{
	struct event out[4];

	(void)state;
	publish(4);
	ring->tail = 1234567;
	assert_int_equal(ring_consumer_look(&consumer).records, 4);
	ring_consumer_copy(&consumer, 4, out);
	assert_int_equal(ring->tail, 4);
}

static void a_pending_event_is_taken_when_it_is_old_enough(void **state)
{
	struct ring_view view;
	struct event event;

	(void)state;
	arm(100);
	view = ring_consumer_look(&consumer);
	assert_false(ring_consumer_peek_pending(&consumer, &view, 99, &event));
	assert_int_equal(ring->pending_word & PENDING_STATE_MASK, PENDING_ARMED);
	assert_true(ring_consumer_peek_pending(&consumer, &view, 100, &event));
	assert_true(ring_consumer_take_pending(&consumer, &view));
	assert_int_equal(event.time_ns, 100);
	assert_int_equal(ring->pending_word & PENDING_STATE_MASK, PENDING_TAKEN);
	/* And only once. */
	view = ring_consumer_look(&consumer);
	assert_false(ring_consumer_peek_pending(&consumer, &view, 100, &event));
}

static void a_pending_event_that_ended_meanwhile_is_left_alone(void **state)
{
	struct ring_view view;
	struct event event;

	(void)state;
	arm(100);
	view = ring_consumer_look(&consumer);
	assert_true(ring_consumer_peek_pending(&consumer, &view, 100, &event));
	/* The owner disarms and arms another: the same state, a new sequence number. */
	ring->pending_word &= ~(uint64_t)PENDING_STATE_MASK;
	arm(200);
	assert_false(ring_consumer_take_pending(&consumer, &view));
	assert_int_equal(ring->pending_word & PENDING_STATE_MASK, PENDING_ARMED);
}

static void losses_are_told_once_and_a_counter_that_shrinks_tells_none(void **state)
{
	uint64_t lost[RING_LOSS_COUNT];

	(void)state;
	ring->lost[RING_LOSS_FULL] = 7;
	ring->lost[RING_LOSS_NESTED] = 2;
	ring_consumer_lost(&consumer, lost);
	assert_int_equal(lost[RING_LOSS_FULL], 7);
	assert_int_equal(lost[RING_LOSS_NESTED], 2);
	ring_consumer_lost(&consumer, lost);
	assert_int_equal(lost[RING_LOSS_FULL], 0);
	ring->lost[RING_LOSS_FULL] = 3;
	ring_consumer_lost(&consumer, lost);
	assert_int_equal(lost[RING_LOSS_FULL], 0);
	ring->lost[RING_LOSS_FULL] = 4;
	ring_consumer_lost(&consumer, lost);
	assert_int_equal(lost[RING_LOSS_FULL], 1);
}

static void a_freed_ring_keeps_counting_and_keeps_its_sequence(void **state)
{
	struct event out[5];
	uint64_t sequence;

	(void)state;
	publish(5);
	arm(1);
	sequence = ring->pending_word & ~(uint64_t)PENDING_STATE_MASK;
	ring->state = RING_CLOSED;
	assert_int_equal(ring_consumer_look(&consumer).state, RING_CLOSED);
	ring_consumer_copy(&consumer, 5, out);
	ring_consumer_free(&consumer);
	assert_int_equal(ring->state, RING_FREE);
	assert_int_equal(ring->pending_word, sequence | PENDING_IDLE);
	assert_int_equal(ring->head, 5);
	publish(1);
	assert_int_equal(ring_consumer_look(&consumer).records, 1);
}

int main(void)
{
#define TEST(behaviour) cmocka_unit_test_setup_teardown(behaviour, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(records_come_out_once_and_in_order_across_the_end_of_the_slots),
		TEST(a_full_ring_is_sound),
		TEST(impossible_heads_cost_the_records_and_nothing_more),
		TEST(the_shared_tail_is_never_believed),
		TEST(a_pending_event_is_taken_when_it_is_old_enough),
		TEST(a_pending_event_that_ended_meanwhile_is_left_alone),
		TEST(losses_are_told_once_and_a_counter_that_shrinks_tells_none),
		TEST(a_freed_ring_keeps_counting_and_keeps_its_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
