#include "recorder/drain/merge.h"

#include <string.h>

void merge_init(struct merge *merge, uint64_t start)
{
	memset(merge, 0, sizeof(*merge));
	merge->time = start;
	for (uint32_t i = 0; i < SEGMENT_RINGS; i++)
		merge->queues[i].time = start;
}

/* The earlier first; of two at one time the lower ring, so that the result does not depend on
 * the shape of the heap. */
static bool goes_first(const struct merge_entry *a, const struct merge_entry *b)
{
	return a->time < b->time || (a->time == b->time && a->ring < b->ring);
}

static void sift_up(struct merge *merge, uint32_t i)
{
	struct merge_entry entry = merge->heap[i];

	while (i > 0 && goes_first(&entry, &merge->heap[(i - 1) / 2])) {
		merge->heap[i] = merge->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	merge->heap[i] = entry;
}

static void sift_down(struct merge *merge, struct merge_entry entry)
{
	uint32_t i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= merge->heap_count)
			break;
		if (child + 1 < merge->heap_count &&
				goes_first(&merge->heap[child + 1], &merge->heap[child]))
			child++;
		if (!goes_first(&merge->heap[child], &entry))
			break;
		merge->heap[i] = merge->heap[child];
		i = child;
	}
	merge->heap[i] = entry;
}

/*
 * Ticks of a queue's next record, forced between the record before it and the moment at which it
 * was copied: a ring whose times run backwards or ahead is damaged, but its order is still told.
 */
static uint64_t next_time(const struct merge_queue *queue)
{
	uint64_t time = queue->first->events[queue->next].time_ns;

	if (time > queue->first->copied_at)
		time = queue->first->copied_at;
	return time < queue->time ? queue->time : time;
}

void merge_push(struct merge *merge, struct run *run)
{
	struct merge_queue *queue = &merge->queues[run->ring];

	run->next = NULL;
	merge->runs_of_process[run->owner.process]++;
	if (queue->first) {
		queue->last->next = run;
		queue->last = run;
		return;
	}
	queue->first = queue->last = run;
	queue->next = 0;
	merge->heap[merge->heap_count] = (struct merge_entry){ .time = next_time(queue),
		.ring = run->ring };
	sift_up(merge, merge->heap_count++);
}

/* Goes on to the queue's next record and puts the queue back in its place in the heap. */
static bool advance(struct merge *merge, struct merge_queue *queue, uint32_t ring)
{
	struct run *run = queue->first;
	bool spent = ++queue->next == run->count;

	if (spent) {
		queue->first = run->next;
		queue->next = 0;
		merge->runs_of_process[run->owner.process]--;
	}
	if (queue->first)
		sift_down(merge, (struct merge_entry){ .time = next_time(queue), .ring = ring });
	else if (--merge->heap_count > 0)
		sift_down(merge, merge->heap[merge->heap_count]);
	return spent;
}

bool merge_pop(struct merge *merge, uint64_t watermark, struct event *event, struct run **run,
		bool *spent)
{
	struct merge_entry top = merge->heap[0];
	struct merge_queue *queue = &merge->queues[top.ring];

	if (!merge_is_due(merge, watermark))
		return false;
	*run = queue->first;
	*event = queue->first->events[queue->next];
	queue->time = top.time;
	if (top.time < merge->time) {
		uint64_t by = merge->time - top.time;

		merge->late++;
		merge->latest = by > merge->latest ? by : merge->latest;
	} else {
		merge->time = top.time;
	}
	event->time_ns = merge->time;
	*spent = advance(merge, queue, top.ring);
	return true;
}

void merge_advance(struct merge *merge, uint64_t ticks)
{
	if (ticks > merge->time)
		merge->time = ticks;
}
