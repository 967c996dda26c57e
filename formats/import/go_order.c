#include "formats/import/go_order.h"

#include <stdlib.h>

#include "formats/import/time_heap.h"

/*
 * One cursor per thread, in a heap by the time of its present event: the smallest in front. The
 * usual step takes the front, reads the next event of that thread and lets it sink.
 */
struct lane {
	struct go_event_cursor cursor;
	uint32_t thread; /* index in the machine */
};

struct order {
	struct go_machine *machine;
	struct go_generation *generation;
	struct lane *lanes;
	struct time_heap heap;
	uint32_t next_sample;
	uint64_t frequency;
	/* Looking for a ready event may cost this many more tests. Broken files could ask for all
	 * threads at every event; sound ones need a handful. */
	uint64_t tests_left;
	struct go_order_faults *faults;
};

#define TESTS_PER_BYTE 16u

static bool slot_is_ready(const struct order *order, uint32_t at)
{
	const struct lane *lane = &order->lanes[order->heap.slots[at].lane];

	return go_machine_ready(order->machine, lane->thread, &lane->cursor.event);
}

/* The earliest ready event, or the earliest of all when none is. */
static uint32_t choose_slot(struct order *order)
{
	uint32_t best = UINT32_MAX;

	if (LO_LIKELY(slot_is_ready(order, 0)))
		return 0;
	if (order->tests_left >= order->heap.size) {
		order->tests_left -= order->heap.size;
		for (uint32_t i = 1; i < order->heap.size; i++)
			if ((best == UINT32_MAX || order->heap.slots[i].time <
								   order->heap.slots[best].time) &&
					slot_is_ready(order, i))
				best = i;
	}
	if (best != UINT32_MAX)
		return best;
	order->faults->forced++;
	return 0;
}

/* CPU samples belong to no order; Go's reader puts them in by time. */
static enum lo_result pass_samples(struct order *order, uint64_t until_ns, struct lo_error *err)
{
	const struct go_generation *generation = order->generation;
	enum lo_result result = LO_OK;

	while (result == LO_OK && order->next_sample < generation->sample_count) {
		const struct go_sample *sample = &generation->samples[order->next_sample];
		uint64_t ns = go_nanoseconds(sample->time, order->frequency);

		if (ns >= until_ns)
			return LO_OK;
		result = go_machine_cpu_sample(order->machine, sample, ns, err);
		order->next_sample++;
	}
	return result;
}

static void note_faults(struct order *order, const struct lane *lane)
{
	order->faults->broken_batches += lane->cursor.broken_batches;
	if (lane->cursor.unknown_type)
		order->faults->unknown_type = lane->cursor.unknown_type;
}

static enum lo_result step(struct order *order, struct lo_error *err)
{
	uint32_t at = choose_slot(order);
	struct lane *lane = &order->lanes[order->heap.slots[at].lane];
	struct go_event event = lane->cursor.event;
	bool more = go_event_cursor_next(&lane->cursor);
	enum lo_result result = go_machine_apply(order->machine, lane->thread, &event,
			more ? &lane->cursor.event : NULL, err);

	if (more) {
		order->heap.slots[at].time = lane->cursor.event.ns;
		time_heap_sink(&order->heap, at);
	} else {
		note_faults(order, lane);
		time_heap_remove(&order->heap, at);
	}
	return result;
}

static enum lo_result open_lanes(struct order *order, struct lo_error *err)
{
	const struct go_generation *generation = order->generation;
	enum lo_result result = LO_OK;

	order->lanes = calloc(generation->thread_count, sizeof(*order->lanes));
	order->heap.slots = calloc(generation->thread_count, sizeof(*order->heap.slots));
	if (generation->thread_count > 0 && (!order->lanes || !order->heap.slots))
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u threads",
				generation->thread_count);
	for (uint32_t i = 0; i < generation->thread_count && result == LO_OK; i++) {
		struct lane *lane = &order->lanes[i];

		go_event_cursor_init(&lane->cursor, generation, generation->threads[i].first,
				order->frequency);
		result = go_machine_thread(
				order->machine, generation->threads[i].thread, &lane->thread, err);
		if (go_event_cursor_next(&lane->cursor))
			time_heap_add(&order->heap, lane->cursor.event.ns, i);
		else
			note_faults(order, lane);
	}
	return result;
}

static int compare_times(const void *left, const void *right)
{
	const struct go_sample *a = left;
	const struct go_sample *b = right;

	return (a->time > b->time) - (a->time < b->time);
}

enum lo_result go_order_run(struct go_machine *machine, struct go_generation *generation,
		uint64_t frequency, struct go_order_faults *faults, struct lo_error *err)
{
	struct order order = { .machine = machine,
		.generation = generation,
		.frequency = frequency,
		.tests_left = (uint64_t)generation->size * TESTS_PER_BYTE,
		.faults = faults };
	enum lo_result result = open_lanes(&order, err);

	if (generation->sample_count > 0)
		qsort(generation->samples, generation->sample_count, sizeof(*generation->samples),
				compare_times);
	while (result == LO_OK && order.heap.size > 0) {
		if (order.next_sample < generation->sample_count)
			result = pass_samples(&order, order.heap.slots[0].time, err);
		if (result == LO_OK)
			result = step(&order, err);
	}
	if (result == LO_OK)
		result = pass_samples(&order, UINT64_MAX, err);
	free(order.lanes);
	free(order.heap.slots);
	return result;
}

/* GoStatus and GoStatusStack: goroutine, thread, status and, for the second, a stack. */
static enum lo_result survey_event(struct go_machine *machine, struct number_map *seen,
		const struct go_event *event, struct lo_error *err)
{
	struct go_sighting sighting = { .goroutine = event->arguments[0],
		.status = (uint8_t)event->arguments[2] };
	enum lo_result result;

	if (event->type == GO_WIRE_GO_STATUS_STACK)
		sighting.stack = event->arguments[3];
	else if (event->type != GO_WIRE_GO_STATUS)
		return LO_OK;
	if (event->arguments[2] < GO_RUNNABLE || event->arguments[2] > GO_WAITING ||
			number_map_get(seen, sighting.goroutine) != 0)
		return LO_OK;
	result = number_map_put(seen, sighting.goroutine, 1, err);
	if (result != LO_OK)
		return result;
	return go_machine_announce(machine, &sighting, err);
}

enum lo_result go_order_survey(struct go_machine *machine, struct go_generation *generation,
		uint64_t frequency, struct lo_error *err)
{
	struct number_map seen = { 0 };
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < generation->thread_count && result == LO_OK; i++) {
		struct go_event_cursor cursor;

		go_event_cursor_init(&cursor, generation, generation->threads[i].first, frequency);
		while (result == LO_OK && go_event_cursor_next(&cursor))
			result = survey_event(machine, &seen, &cursor.event, err);
	}
	number_map_release(&seen);
	return result;
}
