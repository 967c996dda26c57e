#ifndef LOITER_NATIVE_DAMAGE_LIST_H
#define LOITER_NATIVE_DAMAGE_LIST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/base/macros.h"
#include "formats/native/trace_reader.h"

/* What of a file could not be used, in order of discovery. Safe to use from several threads. */
struct damage_list {
	pthread_mutex_t lock;
	struct trace_damage *entries;
	uint32_t count;
	uint32_t capacity;
};

void damage_list_init(struct damage_list *list);
void damage_list_release(struct damage_list *list);

/*
 * Adds `damage` with a sentence. Past LIMIT_DAMAGE, and when memory is short, the last entry tells
 * that there is more.
 */
void damage_list_add(struct damage_list *list, const struct trace_damage *damage,
		const char *format, ...) LO_PRINTF(3, 4);

/* Tells the time span of the latest entry, once it is known. */
void damage_list_set_last_span(struct damage_list *list, struct time_span span);

uint32_t damage_list_count(struct damage_list *list);
bool damage_list_get(struct damage_list *list, uint32_t i, struct trace_damage *out);

#endif
