#include "viewer/ui/phrase.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/base/duration.h"
#include "formats/model/object.h"
#include "viewer/analysis/site.h"

#define STACK_PLACES_MAX 64

void phrase(char *out, size_t capacity, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(out, capacity, format, arguments);
	va_end(arguments);
	if (length < 0)
		*out = '\0';
	if (length < (int)capacity)
		return;
	/* Continuation bytes at the cut belong to a character that lost its end. */
	length = (int)capacity - 1;
	while (length > 0 && ((unsigned char)out[length - 1] & 0xc0) == 0x80)
		length--;
	if (length > 0 && ((unsigned char)out[length - 1] & 0x80))
		length--;
	out[length] = '\0';
}

const char *state_name(uint8_t state)
{
	static const char *const names[] = {
		[TASK_STATE_ABSENT] = "not there",
		[TASK_STATE_ACTIVE] = "active",
		[TASK_STATE_BLOCKED] = "blocked",
		[TASK_STATE_EXITED] = "exited",
	};

	return state < LO_COUNT_OF(names) ? names[state] : "unknown";
}

const char *wait_phrase(const struct app *app, const struct wait *wait, char *out, size_t capacity)
{
	const char *reason = trace_reader_reason_name(app->reader, wait->reason);
	char text[PHRASE_MAX / 2];
	const char *object = text;
	size_t kind_length = 0;

	if (wait->object_kind == OBJECT_TASK)
		task_format(app->reader, (uint32_t)wait->object, text, sizeof(text));
	else
		object_format(wait->object_kind, wait->object, text, sizeof(text));
	if (wait->object_kind < OBJECT_KIND_COUNT)
		kind_length = strlen(object_infos[wait->object_kind].name);
	/* "mutex lock on 0x10", not "mutex lock on mutex 0x10". */
	if (kind_length && strncmp(reason, text, kind_length) == 0 && text[kind_length] == ' ')
		object += kind_length + 1;
	phrase(out, capacity, "%s%s%s", reason, *object ? " on " : "", object);
	return out;
}

uint64_t until_end(const struct app *app, uint64_t since_ns)
{
	uint64_t end_ns = app->analysis->duration_ns;

	return end_ns > since_ns ? end_ns - since_ns : 0;
}

const char *fate_phrase(const struct app *app, uint32_t task, char *out, size_t capacity)
{
	const struct task_summary *summary = app_task(app, task);
	char text[DURATION_TEXT_MAX];

	if (!summary)
		phrase(out, capacity, "not in this trace");
	else if (summary->state == TASK_STATE_BLOCKED)
		phrase(out, capacity, "blocked %s in %s",
				duration_format(text, until_end(app, summary->wait.since_ns)),
				trace_reader_reason_name(app->reader, summary->wait.reason));
	else if (summary->state == TASK_STATE_EXITED)
		phrase(out, capacity, "exited at %s", time_point_format(text, summary->end_ns));
	else
		phrase(out, capacity, "%s", state_name(summary->state));
	return out;
}

const char *task_phrase(const struct app *app, uint32_t task, char *out, size_t capacity)
{
	char name[PHRASE_MAX / 2];
	char fate[PHRASE_MAX / 2];

	phrase(out, capacity, "%s, %s", task_format(app->reader, task, name, sizeof(name)),
			fate_phrase(app, task, fate, sizeof(fate)));
	return out;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *format_place(const struct place *place, char *out, size_t capacity)
{
	if (!*place->function)
		*out = '\0';
	else if (*place->file && place->line)
		phrase(out, capacity, "%s (%s:%u)", place->function, last_part(place->file),
				place->line);
	else
		phrase(out, capacity, "%s", place->function);
	return out;
}

const char *place_phrase(const struct app *app, uint32_t stack, char *out, size_t capacity)
{
	struct place place;

	*out = '\0';
	if (stack == STACK_NONE)
		return out;
	stack_user_place(app->reader, stack, &place);
	return format_place(&place, out, capacity);
}

const char *where_phrase(const struct app *app, const struct wait *wait, int columns, char *out,
		size_t capacity)
{
	const char *reason = trace_reader_reason_name(app->reader, wait->reason);
	struct place place;

	phrase(out, capacity, "%s", reason);
	if (wait->stack == STACK_NONE)
		return out;
	stack_user_place(app->reader, wait->stack, &place);
	phrase(out, capacity, "%s in %s", reason, place.function);
	if ((int)strlen(out) > columns)
		phrase(out, capacity, "%s", place.function);
	return out;
}

const char *stack_phrase(const struct app *app, uint32_t stack, char *out, size_t capacity)
{
	struct place places[STACK_PLACES_MAX];
	uint32_t count = stack_places(app->reader, stack, places, STACK_PLACES_MAX);
	size_t at = 0;

	*out = '\0';
	for (uint32_t i = 0; i < count && at < capacity; i++)
		at += (size_t)snprintf(out + at, capacity - at, "%s%s", i ? " < " : "",
				places[i].function);
	return out;
}

const char *count_phrase(uint64_t count, const char *noun, char *out, size_t capacity)
{
	phrase(out, capacity, "%llu %s%s", (unsigned long long)count, noun, count == 1 ? "" : "s");
	return out;
}

uint32_t wait_needs(const struct wait *wait)
{
	if (wait->object_kind == OBJECT_TASK)
		return (uint32_t)wait->object;
	/* There `holder` is who signalled too early. */
	if (wait->flags & EVENT_FLAG_SIGNALLED_BEFORE)
		return TASK_NONE;
	return wait->holder;
}

const char *moment_phrase(
		const struct app *app, const struct lane_moment *moment, char *out, size_t capacity)
{
	bool to_end = moment->end_ns == UINT64_MAX;
	uint64_t end_ns = to_end ? app->analysis->duration_ns : moment->end_ns;
	char length[DURATION_TEXT_MAX];
	char begin[DURATION_TEXT_MAX];
	char end[DURATION_TEXT_MAX];
	char wait[PHRASE_MAX] = "";

	if (moment->state == TASK_STATE_ABSENT || moment->state == TASK_STATE_EXITED) {
		phrase(out, capacity, "%s",
				moment->state == TASK_STATE_EXITED ? "has exited"
								   : "does not exist yet");
		return out;
	}
	if (moment->state == TASK_STATE_BLOCKED)
		wait_phrase(app, &moment->wait, wait, sizeof(wait));
	phrase(out, capacity, "%s %s%s%s%s%s%s%s", state_name(moment->state),
			duration_format(length,
					end_ns > moment->begin_ns ? end_ns - moment->begin_ns : 0),
			to_end ? " since " : ", ", time_point_format(begin, moment->begin_ns),
			to_end ? "" : " to ", to_end ? "" : time_point_format(end, end_ns),
			*wait ? ", " : "", wait);
	return out;
}

static const char *end_of_wait(const struct app *app, const struct lane_moment *moment)
{
	if (moment->end_ns == UINT64_MAX)
		return "nobody has woken it";
	if (moment->waker != TASK_NONE)
		return "woken by ";
	if (trace_reader_reason_class(app->reader, moment->wait.reason) == WAIT_CLASS_TIME)
		return "its time was up";
	return "not known who woke it";
}

const char *others_phrase(
		const struct app *app, const struct lane_moment *moment, char *out, size_t capacity)
{
	uint32_t needs = wait_needs(&moment->wait);
	char holder[PHRASE_MAX] = "";
	char waker[PHRASE_MAX] = "";

	if (needs != TASK_NONE)
		task_format(app->reader, needs, holder, sizeof(holder));
	if (moment->waker != TASK_NONE && moment->end_ns != UINT64_MAX)
		task_format(app->reader, moment->waker, waker, sizeof(waker));
	phrase(out, capacity, "%s%s%s%s%s",
			!*holder                                  ? ""
			: moment->wait.object_kind == OBJECT_TASK ? "waits for the end of "
								  : "held by ",
			holder, *holder ? "; " : "", end_of_wait(app, moment), waker);
	return out;
}
