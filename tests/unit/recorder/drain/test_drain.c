#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/drain/drain.h"

static struct segment_owner owner;
static struct tick_clock clock_of_test = { SEGMENT_CLOCK_MONOTONIC, 1000000000 };
static struct drain *drain;
static int wake_fd;

#define LATENESS 1000000000ull /* longer than any test runs, unless it says so */

static int set_up(void **state)
{
	const struct segment_options segment = { SEGMENT_CLOCK_MONOTONIC, 1000, 64, 1 };
	struct drain_options options = { &owner, clock_of_test, LATENESS, 1000, 0 };

	(void)state;
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	options.wake_fd = wake_fd;
	return segment_create(&owner, &segment) || drain_new(&drain, &options, NULL) != LO_OK;
}

static int tear_down(void **state)
{
	(void)state;
	drain_free(drain);
	close(wake_fd);
	segment_release(&owner);
	return 0;
}

static struct ring *own_ring(uint32_t i, uint32_t process, uint32_t generation)
{
	struct ring *ring = &owner.segment->rings[i];

	ring->state = RING_OWNED;
	ring->process = process;
	ring->generation = generation;
	ring->task = i + 1;
	ring->tid = i + 1000;
	if (owner.segment->header.rings_used <= i)
		owner.segment->header.rings_used = i + 1;
	return ring;
}

static void publish(struct ring *ring, uint32_t count)
{
	uint64_t head = ring->head;

	for (uint32_t i = 0; i < count; i++, head++)
		ring->slots[head % RING_CAPACITY] = (struct event){
			.time_ns = tick_clock_now(&clock_of_test)
		};
	atomic_store(&ring->head, head);
}

static void arm(struct ring *ring, uint64_t time)
{
	ring_pending_write(ring,
			&(struct event){ .time_ns = time, .kind = EVENT_BLOCK, .object = 4711 });
	ring->pending_word = PENDING_SEQUENCE_ONE | PENDING_ARMED;
}

static struct harvest take(void)
{
	struct harvest harvest = { 0 };

	drain_take(drain, &harvest);
	return harvest;
}

static void give_back(struct harvest *harvest)
{
	while (harvest->first) {
		struct run *run = harvest->first;

		harvest->first = run->next;
		drain_run_done(drain, run);
	}
}

static void a_run_says_whose_records_it_holds(void **state)
{
	struct harvest harvest;

	(void)state;
	publish(own_ring(3, 5, 9), 20);
	assert_int_equal(drain_pass(drain, false), 20);
	harvest = take();
	assert_int_equal(harvest.records, 20);
	assert_int_equal(harvest.first->count, 20);
	assert_int_equal(harvest.first->ring, 3);
	assert_int_equal(harvest.first->owner.process, 5);
	assert_int_equal(harvest.first->owner.generation, 9);
	assert_int_equal(harvest.first->owner.task, 4);
	assert_int_equal(harvest.first->owner.tid, 1003);
	assert_true(harvest.first->copied_at >= harvest.first->events[19].time_ns);
	assert_false(harvest.first->lossy);
	assert_true(harvest.horizon > 0);
	give_back(&harvest);
}

static void a_closed_ring_is_freed_for_the_next_owner(void **state)
{
	struct ring *ring = own_ring(0, 1, 1);
	struct harvest harvest;

	(void)state;
	publish(ring, 5);
	ring->state = RING_CLOSED;
	drain_pass(drain, false);
	assert_int_equal(ring->state, RING_FREE);
	own_ring(0, 2, 8);
	publish(ring, 3);
	drain_pass(drain, false);
	harvest = take();
	assert_int_equal(harvest.first->owner.process, 1);
	assert_int_equal(harvest.first->next->owner.process, 2);
	assert_int_equal(harvest.first->next->count, 3);
	give_back(&harvest);
}

static void rings_of_the_dead_are_freed_and_of_the_living_are_not(void **state)
{
	struct ring *dead = own_ring(0, 1, 7);
	struct ring *other_generation = own_ring(1, 1, 8);
	struct ring *living = own_ring(2, 2, 7);
	struct harvest harvest;

	(void)state;
	publish(dead, 1);
	publish(other_generation, 1);
	publish(living, 1);
	drain_process_died(drain, 1, 7);
	drain_pass(drain, false);
	assert_int_equal(dead->state, RING_FREE);
	assert_int_equal(other_generation->state, RING_OWNED);
	assert_int_equal(living->state, RING_OWNED);
	harvest = take();
	assert_int_equal(harvest.records, 3);
	give_back(&harvest);
}

static void what_was_pending_at_death_is_taken_whatever_its_age(void **state)
{
	struct ring *ring = own_ring(0, 1, 7);
	struct harvest harvest;

	(void)state;
	publish(ring, 2);
	arm(ring, tick_clock_now(&clock_of_test));
	drain_pass(drain, false);
	assert_int_equal(take().records, 2);
	drain_process_died(drain, 1, 7);
	drain_pass(drain, false);
	harvest = take();
	assert_int_equal(harvest.records, 1);
	assert_int_equal(harvest.first->events[0].object, 4711);
	assert_int_equal(ring->state, RING_FREE);
	assert_int_equal(ring->pending_word & PENDING_STATE_MASK, PENDING_IDLE);
	give_back(&harvest);
}

static void a_wait_older_than_the_bound_is_taken_behind_the_records_before_it(void **state)
{
	struct ring *ring = own_ring(0, 1, 7);
	struct harvest harvest;

	(void)state;
	publish(ring, 2);
	arm(ring, tick_clock_now(&clock_of_test) - LATENESS - 1);
	assert_int_equal(drain_pass(drain, false), 3);
	harvest = take();
	assert_int_equal(harvest.first->count, 2);
	assert_int_equal(harvest.first->next->events[0].object, 4711);
	assert_int_equal(ring->pending_word & PENDING_STATE_MASK, PENDING_TAKEN);
	give_back(&harvest);
}

static void at_the_end_a_wait_that_counts_is_taken_and_a_shorter_one_is_not(void **state)
{
	struct ring *waits = own_ring(0, 1, 7);
	struct ring *passes = own_ring(1, 1, 7);
	struct harvest harvest;

	(void)state;
	arm(waits, tick_clock_now(&clock_of_test) - 1000000);
	arm(passes, tick_clock_now(&clock_of_test) + 1000000000);
	drain_pass(drain, true);
	harvest = take();
	assert_int_equal(harvest.records, 1);
	assert_int_equal(harvest.first->ring, 0);
	assert_true(harvest.finished);
	give_back(&harvest);
}

static void losses_are_told_by_cause_and_mark_the_runs_after_them(void **state)
{
	struct ring *ring = own_ring(0, 1, 7);
	struct harvest harvest;

	(void)state;
	publish(ring, 1);
	drain_pass(drain, false);
	publish(ring, 1);
	ring->lost[RING_LOSS_FULL] = 3;
	ring->lost[RING_LOSS_NESTED] = 4;
	owner.segment->header.lost_no_ring = 5;
	drain_pass(drain, false);
	harvest = take();
	assert_int_equal(harvest.lost[LOSS_RING_FULL], 3);
	assert_int_equal(harvest.lost[LOSS_NESTED], 4);
	assert_int_equal(harvest.lost[LOSS_NO_RING], 5);
	assert_false(harvest.first->lossy);
	assert_true(harvest.first->next->lossy);
	drain_pass(drain, false);
	give_back(&harvest);
	harvest = take();
	assert_int_equal(harvest.lost[LOSS_RING_FULL], 0);
	assert_int_equal(harvest.lost[LOSS_NO_RING], 0);
}

static void counters_that_cannot_be_are_one_refused_record(void **state)
{
	struct ring *ring = own_ring(0, 1, 7);
	struct harvest harvest;

	(void)state;
	ring->lost[RING_LOSS_FULL] = UINT64_MAX / 3;
	owner.segment->header.lost_no_ring = UINT64_MAX / 5;
	drain_pass(drain, false);
	harvest = take();
	assert_int_equal(harvest.lost[LOSS_RING_FULL], 0);
	assert_int_equal(harvest.lost[LOSS_NO_RING], 0);
	assert_int_equal(harvest.lost[LOSS_REFUSED], 2);
}

static void without_memory_records_stay_in_their_rings_and_nothing_is_lost(void **state)
{
	enum {
		RINGS = 600
	}; /* 38 MiB of records, the pool has 24 */
	struct harvest harvest;
	uint64_t copied;
	uint64_t total = 0;

	(void)state;
	for (uint32_t i = 0; i < RINGS; i++)
		publish(own_ring(i, 1, 7), RING_CAPACITY);
	copied = drain_pass(drain, false);
	harvest = take();
	assert_true(harvest.starved);
	assert_int_equal(harvest.horizon, 0);
	assert_in_range(copied, RINGS * RING_CAPACITY / 3, RINGS * RING_CAPACITY - 1);
	do {
		total += harvest.records;
		give_back(&harvest);
		drain_pass(drain, false);
		harvest = take();
	} while (harvest.records > 0);
	assert_int_equal(total, RINGS * RING_CAPACITY);
	assert_false(harvest.starved);
	assert_int_equal(harvest.lost[LOSS_REFUSED], 0);
}

static void what_overflows_while_the_recorder_has_no_memory_is_its_own_fault(void **state)
{
	enum {
		RINGS = 600
	};
	struct harvest harvest;

	(void)state;
	for (uint32_t i = 0; i < RINGS; i++)
		publish(own_ring(i, 1, 7), RING_CAPACITY);
	drain_pass(drain, false);
	owner.segment->rings[RINGS - 1].lost[RING_LOSS_FULL] = 10;
	drain_pass(drain, false);
	harvest = take();
	assert_int_equal(harvest.lost[LOSS_RECORDER_BEHIND], 10);
	assert_int_equal(harvest.lost[LOSS_RING_FULL], 0);
	give_back(&harvest);
}

static void the_memory_of_rings_that_are_not_needed_is_given_back(void **state)
{
	struct ring *ring = own_ring(100, 1, 7);
	struct harvest harvest;

	(void)state;
	publish(ring, RING_CAPACITY);
	ring->state = RING_CLOSED;
	drain_pass(drain, false);
	assert_int_equal(ring->state, RING_FREE);
	assert_int_equal(ring->slots[RING_CAPACITY - 1].time_ns, 0);
	assert_int_equal(ring->head, RING_CAPACITY);
	harvest = take();
	assert_int_equal(harvest.records, RING_CAPACITY);
	assert_true(harvest.first->events[RING_CAPACITY - 1].time_ns > 0);
	give_back(&harvest);
}

/* Every word of headers and of some slots is garbage, and changes all the time. */
static void garbage_in_the_segment_neither_crashes_nor_hangs(void **state)
{
	struct segment *segment = owner.segment;
	uint64_t total = 0;

	(void)state;
	srand(3);
	segment->header.rings_used = UINT32_MAX;
	for (int round = 0; round < 300; round++) {
		struct harvest harvest;

		for (int i = 0; i < 2000; i++) {
			uint32_t index = (uint32_t)rand() % SEGMENT_RINGS;
			uint32_t *words = (uint32_t *)(void *)&segment->rings[index];
			uint32_t value = rand() % 2 ? (uint32_t)rand() % 8
						    : (uint32_t)rand() * 2654435761u;

			words[(uint32_t)rand() % 160] = value;
		}
		total += drain_pass(drain, false);
		drain_process_died(
				drain, (uint32_t)rand() % SEGMENT_PROCESSES, (uint32_t)rand() % 8);
		harvest = take();
		for (struct run *run = harvest.first; run; run = run->next) {
			assert_true(run->owner.process < SEGMENT_PROCESSES);
			assert_true(run->ring < SEGMENT_RINGS);
			assert_in_range(run->count, 1, RING_CAPACITY);
		}
		give_back(&harvest);
	}
	assert_true(total > 0);
}

static void the_thread_empties_rings_and_ends_when_asked(void **state)
{
	struct ring *ring = own_ring(0, 1, 7);
	struct harvest harvest = { 0 };
	uint64_t written = 0;

	(void)state;
	assert_int_equal(drain_start(drain, NULL), LO_OK);
	while (written < 200000) {
		if (atomic_load(&ring->head) - atomic_load(&ring->tail) > RING_CAPACITY - 100)
			continue;
		publish(ring, 100);
		written += 100;
		drain_take(drain, &harvest);
		give_back(&harvest);
	}
	drain_stop(drain);
	while (!harvest.finished) {
		drain_take(drain, &harvest);
		give_back(&harvest);
	}
	drain_join(drain);
	assert_int_equal(harvest.records, written);
}

int main(void)
{
#define TEST(behaviour) cmocka_unit_test_setup_teardown(behaviour, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_run_says_whose_records_it_holds),
		TEST(a_closed_ring_is_freed_for_the_next_owner),
		TEST(rings_of_the_dead_are_freed_and_of_the_living_are_not),
		TEST(what_was_pending_at_death_is_taken_whatever_its_age),
		TEST(a_wait_older_than_the_bound_is_taken_behind_the_records_before_it),
		TEST(at_the_end_a_wait_that_counts_is_taken_and_a_shorter_one_is_not),
		TEST(losses_are_told_by_cause_and_mark_the_runs_after_them),
		TEST(counters_that_cannot_be_are_one_refused_record),
		TEST(without_memory_records_stay_in_their_rings_and_nothing_is_lost),
		TEST(what_overflows_while_the_recorder_has_no_memory_is_its_own_fault),
		TEST(the_memory_of_rings_that_are_not_needed_is_given_back),
		TEST(garbage_in_the_segment_neither_crashes_nor_hangs),
		TEST(the_thread_empties_rings_and_ends_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
