#include "formats/native/damage_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/base/limits.h"

void damage_list_init(struct damage_list *list)
{
	*list = (struct damage_list){ 0 };
	pthread_mutex_init(&list->lock, NULL);
}

void damage_list_release(struct damage_list *list)
{
	free(list->entries);
	pthread_mutex_destroy(&list->lock);
}

static bool reserve_one(struct damage_list *list)
{
	uint32_t capacity = list->capacity ? list->capacity * 2 : 16;
	struct trace_damage *entries;

	if (list->count < list->capacity)
		return true;
	if (list->count >= LIMIT_DAMAGE)
		return false;
	entries = realloc(list->entries, capacity * sizeof(*entries));
	if (!entries)
		return false;
	list->entries = entries;
	list->capacity = capacity;
	return true;
}

void damage_list_add(struct damage_list *list, const struct trace_damage *damage,
		const char *format, ...)
{
	va_list arguments;

	pthread_mutex_lock(&list->lock);
	if (reserve_one(list)) {
		struct trace_damage *entry = &list->entries[list->count++];

		*entry = *damage;
		va_start(arguments, format);
		vsnprintf(entry->what, sizeof(entry->what), format, arguments);
		va_end(arguments);
	} else if (list->count > 0) {
		snprintf(list->entries[list->count - 1].what, sizeof(damage->what),
				"more is damaged from here on than is listed");
	}
	pthread_mutex_unlock(&list->lock);
}

void damage_list_set_last_span(struct damage_list *list, struct time_span span)
{
	pthread_mutex_lock(&list->lock);
	if (list->count > 0)
		list->entries[list->count - 1].span = span;
	pthread_mutex_unlock(&list->lock);
}

uint32_t damage_list_count(struct damage_list *list)
{
	uint32_t count;

	pthread_mutex_lock(&list->lock);
	count = list->count;
	pthread_mutex_unlock(&list->lock);
	return count;
}

bool damage_list_get(struct damage_list *list, uint32_t i, struct trace_damage *out)
{
	bool found;

	pthread_mutex_lock(&list->lock);
	found = i < list->count;
	if (found)
		*out = list->entries[i];
	pthread_mutex_unlock(&list->lock);
	return found;
}
