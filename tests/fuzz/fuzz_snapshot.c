#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/limits.h"
#include "formats/native/snapshot.h"
#include "tests/fuzz/fuzz.h"

/*
 * The bytes are the section of a snapshot: its rows, sequence number, least and greatest id, then
 * the raw columns. When they decode, ids must ascend and be in range; and what is encoded again
 * from these states must decode to the same.
 */
#define HIGHEST_ENCODED 5000u

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static void identity_schema(struct trace_schema *schema)
{
	memset(schema, 0, sizeof(*schema));
	for (unsigned i = 0; i < 256; i++)
		schema->events.reason[i] = (uint8_t)i;
}

static void set_section(struct section_payload *section, uint32_t rows, uint32_t sequence,
		struct section_range range)
{
	section->header.type = SECTION_SNAPSHOT;
	section->header.rows = rows;
	section->header.sequence = sequence;
	section_range_store(&section->header, &range);
}

static void check(const struct snapshot *snapshot, uint32_t sequence)
{
	uint32_t last = 0;

	promise(snapshot->highest <= LIMIT_TASKS);
	for (uint32_t i = 0; i < snapshot->count; i++) {
		const struct snapshot_task *task = &snapshot->tasks[i];

		promise(task->task > last && task->task <= snapshot->highest);
		promise(task->changed < sequence && task->blocked <= 1);
		promise(snapshot_find(snapshot, task->task) == task);
		promise(!snapshot_has_exited(snapshot, task->task));
		last = task->task;
	}
	last = 0;
	for (uint32_t i = 0; i < snapshot->unseen_count; i++) {
		const struct id_run *run = &snapshot->unseen[i];

		promise(run->begin > last && run->end > run->begin);
		promise(run->end <= snapshot->highest);
		promise(!snapshot_has_exited(snapshot, run->begin));
		last = run->end - 1;
	}
	promise(!snapshot_has_exited(snapshot, snapshot->highest + 1));
}

static struct live_tasks *to_live(const struct snapshot *snapshot)
{
	struct live_tasks *tasks;

	promise(live_tasks_new(&tasks, NULL) == LO_OK);
	for (uint32_t i = 0; i < snapshot->count; i++)
		promise(live_tasks_seed(tasks, snapshot->tasks[i].task,
					snapshot->tasks[i].blocked ? LIVE_BLOCKED : LIVE_ACTIVE,
					snapshot->tasks[i].reason, snapshot->tasks[i].changed,
					NULL) == LO_OK);
	for (uint32_t id = 1; id <= snapshot->highest; id++)
		if (snapshot_has_exited(snapshot, id))
			promise(live_tasks_seed_exited(tasks, id, NULL) == LO_OK);
	return tasks;
}

static void check_round_trip(const struct snapshot *snapshot, uint32_t sequence,
		const struct trace_schema *schema)
{
	static struct section_payload section;
	struct live_tasks *tasks = to_live(snapshot);
	struct section_range range = { 0 };
	const struct snapshot *again;
	void *object = NULL;
	uint64_t bytes;

	byte_buffer_clear(&section.raw);
	snapshot_encode(&section.raw, tasks, sequence, &range);
	set_section(&section, snapshot->count, sequence, range);
	promise(snapshot_decoder.decode(&object, &bytes, schema, &section, NULL) == LO_OK);
	again = object;
	promise(again->count == snapshot->count);
	promise(memcmp(again->tasks, snapshot->tasks, snapshot->count * sizeof(*snapshot->tasks)) ==
			0);
	for (uint32_t id = 0; id <= snapshot->highest; id++)
		promise(snapshot_has_exited(again, id) == snapshot_has_exited(snapshot, id));
	snapshot_decoder.free_object(object);
	live_tasks_free(tasks);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct trace_schema schema;
	static struct section_payload section;
	struct byte_cursor cursor = byte_cursor_over(bytes, size);
	uint32_t rows = (uint32_t)byte_cursor_varint(&cursor);
	uint32_t sequence = (uint32_t)byte_cursor_varint(&cursor);
	uint32_t low = (uint32_t)byte_cursor_varint(&cursor);
	uint32_t high = (uint32_t)byte_cursor_varint(&cursor);
	uint64_t memory = 0;
	void *object = NULL;

	identity_schema(&schema);
	set_section(&section, rows, sequence, (struct section_range){ 0, 0, low, high });
	byte_buffer_clear(&section.raw);
	byte_buffer_put(&section.raw, cursor.next, byte_cursor_left(&cursor));
	if (snapshot_decoder.decode(&object, &memory, &schema, &section, NULL) != LO_OK)
		return 0;
	promise(memory <= 64 * size + 256);
	check(object, sequence);
	if (((struct snapshot *)object)->highest <= HIGHEST_ENCODED)
		check_round_trip(object, sequence, &schema);
	snapshot_decoder.free_object(object);
	return 0;
}
