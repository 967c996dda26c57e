#include "tests/support/generator/truth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/model/event_schema.h"
#include "formats/model/object.h"

#define BIN_NS    10000000ull
#define WINDOW_NS 10000000ull

void truth_init(struct truth *truth, const char *profile, uint64_t seed)
{
	*truth = (struct truth){ .profile = profile, .seed = seed, .bin_ns = BIN_NS };
}

void truth_release(struct truth *truth)
{
	free(truth->window);
	truth->window = NULL;
}

static void widen_bins(struct truth *truth)
{
	for (uint32_t i = 0; i < TRUTH_BINS_MOST / 2; i++)
		truth->bins[i] = truth->bins[2 * i] + truth->bins[2 * i + 1];
	memset(truth->bins + TRUTH_BINS_MOST / 2, 0, sizeof(truth->bins) / 2);
	truth->bin_ns *= 2;
}

static bool grow_window(struct truth *truth)
{
	uint32_t capacity = truth->window_capacity ? 2 * truth->window_capacity : 1024;
	uint64_t *window = malloc(capacity * sizeof(*window));

	if (!window)
		return false;
	for (uint32_t i = 0; i < truth->window_count; i++)
		window[i] = truth->window[(truth->window_first + i) & (truth->window_capacity - 1)];
	free(truth->window);
	truth->window = window;
	truth->window_capacity = capacity;
	truth->window_first = 0;
	return true;
}

static enum lo_result note_creation(struct truth *truth, uint64_t time_ns, struct lo_error *err)
{
	while (time_ns / truth->bin_ns >= TRUTH_BINS_MOST)
		widen_bins(truth);
	truth->bins[time_ns / truth->bin_ns]++;

	while (truth->window_count > 0 &&
			time_ns - truth->window[truth->window_first] >= WINDOW_NS) {
		truth->window_first = (truth->window_first + 1) & (truth->window_capacity - 1);
		truth->window_count--;
	}
	if (truth->window_count == truth->window_capacity && !grow_window(truth))
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the truth");
	truth->window[(truth->window_first + truth->window_count++) &
			(truth->window_capacity - 1)] = time_ns;
	if (truth->window_most < truth->window_count)
		truth->window_most = truth->window_count;
	return LO_OK;
}

static void note_alive(struct truth *truth, uint64_t time_ns)
{
	if (++truth->alive <= truth->peak_alive)
		return;
	truth->peak_alive = truth->alive;
	truth->peak_alive_at_ns = time_ns;
}

static void note_wait(struct truth_wait *wait, uint64_t waited_ns)
{
	wait->total_ns += waited_ns;
	if (wait->max_ns < waited_ns)
		wait->max_ns = waited_ns;
}

enum lo_result truth_event(struct truth *truth, const struct event *event, uint8_t waited_for,
		uint64_t waited_ns, struct lo_error *err)
{
	truth->events[event->kind]++;
	truth->total++;
	switch ((enum event_kind)event->kind) {
	case EVENT_CREATE:
		note_alive(truth, event->time_ns);
		return note_creation(truth, event->time_ns, err);
	case EVENT_RUN:
		if (event->flags & EVENT_FLAG_EXISTING) {
			truth->existing++;
			note_alive(truth, event->time_ns);
		}
		break;
	case EVENT_BLOCK:
		truth->waits[event->reason].blocks++;
		truth->blocked++;
		break;
	case EVENT_UNBLOCK:
		note_wait(&truth->waits[waited_for], waited_ns);
		truth->blocked--;
		break;
	case EVENT_EXIT:
		truth->alive--;
		break;
	case EVENT_KIND_COUNT:
		break;
	}
	return LO_OK;
}

void truth_plant_add(struct truth_plant *plant, uint32_t task, uint64_t time_ns)
{
	if (plant->tasks++ == 0)
		plant->first_ns = time_ns;
	plant->last_ns = time_ns;
	if (plant->listed < TRUTH_LISTED_TASKS)
		plant->task_ids[plant->listed++] = task;
}

bool truth_still_blocked(struct truth *truth, uint8_t reason, uint64_t since_ns, const char *leaf,
		const char *where)
{
	struct truth_group *group = truth->groups;
	struct truth_group *end = group + truth->group_count;

	truth->waits[reason].still_blocked++;
	note_wait(&truth->waits[reason], truth->end_ns - since_ns);
	while (group < end && (group->reason != reason || strcmp(group->leaf, leaf) != 0 ||
					      strcmp(group->where, where) != 0))
		group++;
	if (group == end) {
		if (truth->group_count == TRUTH_GROUPS_MOST)
			return false;
		truth->group_count++;
		*group = (struct truth_group){ .reason = reason, .since_ns = since_ns };
		snprintf(group->leaf, sizeof(group->leaf), "%s", leaf);
		snprintf(group->where, sizeof(group->where), "%s", where);
	}
	group->tasks++;
	if (group->since_ns > since_ns)
		group->since_ns = since_ns;
	return true;
}

/* ---- JSON; all names are made of letters and signs that need no escape ---- */

static void print_waits(const struct truth *truth, FILE *out)
{
	const char *comma = "";

	fputs(" \"blocked\": [", out);
	for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
		const struct truth_wait *wait = &truth->waits[reason];

		if (wait->blocks == 0)
			continue;
		fprintf(out,
				"%s\n  { \"reason\": \"%s\", \"blocks\": %" PRIu64
				", \"total_ns\": %" PRIu64 ", \"max_ns\": %" PRIu64
				", \"still_blocked\": %" PRIu64 " }",
				comma, reason_infos[reason].name, wait->blocks, wait->total_ns,
				wait->max_ns, wait->still_blocked);
		comma = ",";
	}
	fputs("],\n", out);
}

static void print_creations(const struct truth *truth, FILE *out)
{
	uint32_t count = (uint32_t)(truth->end_ns / truth->bin_ns) + 1;

	fprintf(out, " \"creations\": { \"bin_ns\": %" PRIu64 ", \"counts\": [", truth->bin_ns);
	for (uint32_t i = 0; i < count && i < TRUTH_BINS_MOST; i++)
		fprintf(out, "%s%" PRIu32, i ? "," : "", truth->bins[i]);
	fputs("] },\n", out);
}

static void print_sample(const struct truth_sample *sample, FILE *out)
{
	static const char *const names[] = { "created", "active", "blocked", "exited" };

	fprintf(out, "\n    { \"task\": %" PRIu32 ", \"state\": \"%s\"", sample->task,
			names[sample->state]);
	if (sample->state == TRUTH_BLOCKED)
		fprintf(out, ", \"reason\": \"%s\", \"since_ns\": %" PRIu64 ", \"where\": \"%s\"",
				reason_infos[sample->reason].name, sample->since_ns, sample->where);
	fputs(" }", out);
}

static void print_instants(const struct truth *truth, FILE *out)
{
	fputs(" \"instants\": [", out);
	for (uint32_t i = 0; i < truth->instant_count; i++) {
		const struct truth_instant *instant = &truth->instants[i];

		fprintf(out,
				"%s\n  { \"time_ns\": %" PRIu64 ", \"events\": %" PRIu64
				", \"created\": %" PRIu64 ", \"alive\": %" PRIu32
				", \"blocked\": %" PRIu32 ", \"tasks\": [",
				i ? "," : "", instant->time_ns, instant->events, instant->created,
				instant->alive, instant->blocked);
		for (uint32_t k = 0; k < instant->sample_count; k++) {
			fputs(k ? "," : "", out);
			print_sample(&instant->samples[k], out);
		}
		fputs("] }", out);
	}
	fputs("],\n", out);
}

static void print_groups(const struct truth *truth, FILE *out)
{
	fputs(" \"still_blocked\": [", out);
	for (uint32_t i = 0; i < truth->group_count; i++) {
		const struct truth_group *group = &truth->groups[i];

		fprintf(out,
				"%s\n  { \"reason\": \"%s\", \"leaf\": \"%s\", \"where\": \"%s\", "
				"\"tasks\": %" PRIu32 ", \"since_ns\": %" PRIu64 " }",
				i ? "," : "", reason_infos[group->reason].name, group->leaf,
				group->where, group->tasks, group->since_ns);
	}
	fputs("],\n", out);
}

static void print_plant(const char *name, const struct truth_plant *plant, FILE *out)
{
	fprintf(out,
			"  \"%s\": { \"tasks\": %" PRIu32 ", \"first_ns\": %" PRIu64
			", \"last_ns\": %" PRIu64 ", \"made_at\": \"%s\", \"task_ids\": [",
			name, plant->tasks, plant->first_ns, plant->last_ns, plant->made_at);
	for (uint32_t i = 0; i < plant->listed; i++)
		fprintf(out, "%s%" PRIu32, i ? "," : "", plant->task_ids[i]);
	fputs("] },\n", out);
}

static void print_cycle(const struct truth *truth, FILE *out)
{
	fputs("  \"deadlock\": [", out);
	for (uint32_t i = 0; i < truth->cycle_length; i++) {
		const struct truth_cycle_member *member = &truth->cycle[i];

		fprintf(out,
				"%s\n   { \"task\": %" PRIu32 ", \"held_by\": %" PRIu32
				", \"since_ns\": %" PRIu64 ", \"object\": \"%s 0x%" PRIx64
				"\", \"where\": \"%s\" }",
				i ? "," : "", member->task, member->holder, member->since_ns,
				object_infos[member->object_kind].name, member->object,
				member->where);
	}
	fputs("] }\n", out);
}

void truth_print(const struct truth *truth, FILE *out)
{
	fprintf(out, "{\n \"profile\": \"%s\",\n \"seed\": %" PRIu64 ",\n", truth->profile,
			truth->seed);
	fprintf(out, " \"duration_ns\": %" PRIu64 ",\n \"events\": { \"total\": %" PRIu64,
			truth->end_ns, truth->total);
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
		fprintf(out, ", \"%s\": %" PRIu64, event_schemas[kind].name, truth->events[kind]);
	fprintf(out,
			" },\n \"tasks\": { \"existing_at_start\": %" PRIu32
			", \"created\": %" PRIu64 ", \"exited\": %" PRIu64
			", \"alive_at_end\": %" PRIu32 ", \"peak_alive\": %" PRIu32
			", \"peak_alive_at_ns\": %" PRIu64 ", \"max_created_in_10ms\": %" PRIu32
			" },\n",
			truth->existing, truth->events[EVENT_CREATE], truth->events[EVENT_EXIT],
			truth->alive, truth->peak_alive, truth->peak_alive_at_ns,
			truth->window_most);
	print_waits(truth, out);
	print_creations(truth, out);
	print_groups(truth, out);
	print_instants(truth, out);
	fputs(" \"planted\": {\n", out);
	print_plant("burst", &truth->burst, out);
	print_plant("leak", &truth->leaks, out);
	print_cycle(truth, out);
	fputs("}\n", out);
}
