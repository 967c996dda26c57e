#ifndef LOITER_IMPORT_TIME_HEAP_H
#define LOITER_IMPORT_TIME_HEAP_H

#include <stdint.h>

/*
 * Several streams of events, each in order, as a heap by the time of their present events: slot 0
 * is the earliest. The storage is the caller's.
 */
struct time_slot {
	uint64_t time;
	uint32_t lane; /* the caller's name of the stream */
};

struct time_heap {
	struct time_slot *slots;
	uint32_t size;
};

/* Slot `at` has become later. */
static inline void time_heap_sink(struct time_heap *heap, uint32_t at)
{
	struct time_slot *slots = heap->slots;
	struct time_slot moved = slots[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= heap->size)
			break;
		if (child + 1 < heap->size && slots[child + 1].time < slots[child].time)
			child++;
		if (slots[child].time >= moved.time)
			break;
		slots[at] = slots[child];
		at = child;
	}
	slots[at] = moved;
}

/* Slot `at` has become earlier. */
static inline void time_heap_raise(struct time_heap *heap, uint32_t at)
{
	struct time_slot *slots = heap->slots;
	struct time_slot moved = slots[at];

	while (at > 0 && slots[(at - 1) / 2].time > moved.time) {
		slots[at] = slots[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	slots[at] = moved;
}

static inline void time_heap_add(struct time_heap *heap, uint64_t time, uint32_t lane)
{
	heap->slots[heap->size] = (struct time_slot){ time, lane };
	time_heap_raise(heap, heap->size++);
}

static inline void time_heap_remove(struct time_heap *heap, uint32_t at)
{
	heap->slots[at] = heap->slots[--heap->size];
	if (at < heap->size) {
		time_heap_sink(heap, at);
		time_heap_raise(heap, at);
	}
}

#endif
