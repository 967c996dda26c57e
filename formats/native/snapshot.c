#include "formats/native/snapshot.h"

#include <stdlib.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/limits.h"

/*
 * The raw bytes are four columns, each with its length before it: ids, states, ages, and the ids
 * that nobody has had yet. Ids are given out in order, so almost all up to the highest are alive or
 * have exited, and the exceptions take less than the exited ones would.
 */
enum column {
	COLUMN_IDS,
	COLUMN_STATES,
	COLUMN_AGES,
	COLUMN_UNSEEN,
	COLUMN_COUNT,
};

#define STATE_ACTIVE 0u /* others: 1 + the reason of the wait */

/* ---- writing ---- */

struct snapshot_builder {
	struct byte_buffer raw;
	/* What snapshots may still take, in fiftieths of a byte. */
	int64_t credit;
	uint64_t last_bytes; /* of the last snapshot, and the tasks in it */
	uint32_t last_count;
};

/* A column grows in a buffer of its own, so that its length can stand before it. */
static void put_column(struct byte_buffer *raw, const struct byte_buffer *column)
{
	byte_buffer_put_varint(raw, column->size);
	byte_buffer_put(raw, column->bytes, column->size);
	raw->failed = raw->failed || column->failed;
}

static void put_unseen(struct byte_buffer *column, const struct live_tasks *tasks)
{
	uint32_t end = 1;
	uint32_t last = 1;

	byte_buffer_put_varint(column, live_tasks_highest(tasks));
	for (uint32_t begin; (begin = live_tasks_unseen(tasks, end, &end)) != 0; last = end) {
		byte_buffer_put_varint(column, begin - last);
		byte_buffer_put_varint(column, end - begin);
	}
}

void snapshot_encode(struct byte_buffer *raw, const struct live_tasks *tasks, uint32_t sequence,
		struct section_range *range)
{
	struct byte_buffer columns[COLUMN_COUNT] = { 0 };
	const struct live_task *task;
	uint32_t last = 0;

	range->low = 0;
	for (task = live_tasks_next(tasks, 0); task; task = live_tasks_next(tasks, last)) {
		byte_buffer_put_varint(&columns[COLUMN_IDS], task->task - last - 1);
		byte_buffer_put_varint(&columns[COLUMN_STATES],
				task->state == LIVE_BLOCKED ? 1u + task->reason : STATE_ACTIVE);
		byte_buffer_put_varint(&columns[COLUMN_AGES], sequence - task->changed);
		last = task->task;
		if (range->low == 0)
			range->low = last;
	}
	range->high = last;
	put_unseen(&columns[COLUMN_UNSEEN], tasks);
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		put_column(raw, &columns[i]);
		byte_buffer_release(&columns[i]);
	}
}

static enum lo_result make_builder(void **builder, struct lo_error *err)
{
	*builder = calloc(1, sizeof(struct snapshot_builder));
	return *builder ? LO_OK
			: lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for snapshots");
}

static void drop_builder(void *builder)
{
	struct snapshot_builder *snapshots = builder;

	if (snapshots)
		byte_buffer_release(&snapshots->raw);
	free(snapshots);
}

/* What a snapshot would take in the file: as many bytes for each task as the last one. */
static uint64_t expected_bytes(const struct snapshot_builder *snapshots, uint32_t count)
{
	if (snapshots->last_bytes == 0)
		return SECTION_HEADER_LEAST + RANGE_EXTRA_BYTES + count;
	if (count <= snapshots->last_count)
		return snapshots->last_bytes;
	return snapshots->last_bytes * count / (snapshots->last_count + 1u);
}

static enum lo_result put_snapshot(struct snapshot_builder *snapshots,
		const struct sealed_block *block, struct section_output *output,
		struct lo_error *err)
{
	struct section_draft draft = { .type = SECTION_SNAPSHOT,
		.rows = live_tasks_count(block->tasks),
		.range = { .begin_ns = block->end_ns, .end_ns = block->end_ns } };
	uint64_t bytes = 0;
	enum lo_result result;

	byte_buffer_clear(&snapshots->raw);
	snapshot_encode(&snapshots->raw, block->tasks, section_output_sequence(output),
			&draft.range);
	result = byte_buffer_check(&snapshots->raw, err);
	if (result != LO_OK)
		return result;
	draft.raw = snapshots->raw.bytes;
	draft.raw_bytes = snapshots->raw.size;
	/* Five million tasks at once: the trace is right without snapshots, only slower. */
	if (draft.raw_bytes > LIMIT_TABLE_RAW)
		bytes = draft.raw_bytes;
	else
		result = section_output_put(output, &draft, &bytes, err);
	snapshots->credit -= (int64_t)(bytes * SNAPSHOT_SHARE);
	snapshots->last_bytes = bytes;
	snapshots->last_count = draft.rows;
	return result;
}

static enum lo_result block_sealed(void *builder, const struct sealed_block *block,
		struct section_output *output, struct lo_error *err)
{
	struct snapshot_builder *snapshots = builder;
	uint64_t expected = expected_bytes(snapshots, live_tasks_count(block->tasks));

	snapshots->credit += (int64_t)block->bytes;
	if (snapshots->credit < (int64_t)(expected * SNAPSHOT_SHARE))
		return LO_OK;
	return put_snapshot(snapshots, block, output, err);
}

const struct section_builder_kind snapshot_builder_kind = {
	.name = "snapshots",
	.make = make_builder,
	.sealed = block_sealed,
	.drop = drop_builder,
};

/* ---- reading ---- */

static enum lo_result bad_snapshot(const struct section_payload *section, struct lo_error *err)
{
	return lo_fail(err, LO_CORRUPT, section->header.offset, "the states make no sense");
}

static bool read_tasks(struct snapshot *snapshot, struct byte_cursor columns[COLUMN_COUNT],
		const struct trace_schema *schema, uint32_t sequence)
{
	uint64_t id = 0;

	for (uint32_t i = 0; i < snapshot->count; i++) {
		uint64_t gap = byte_cursor_varint(&columns[COLUMN_IDS]);
		uint64_t state = byte_cursor_varint(&columns[COLUMN_STATES]);
		uint64_t age = byte_cursor_varint(&columns[COLUMN_AGES]);

		if (gap >= LIMIT_TASKS - id || state > 256 || age == 0 || age > sequence)
			return false;
		id += gap + 1;
		snapshot->tasks[i] = (struct snapshot_task){ .task = (uint32_t)id,
			.changed = sequence - (uint32_t)age,
			.blocked = state != STATE_ACTIVE,
			.reason = state != STATE_ACTIVE ? schema->events.reason[state - 1] : 0 };
	}
	return true;
}

static bool read_unseen(struct snapshot *snapshot, struct byte_cursor *column)
{
	uint64_t highest = byte_cursor_varint(column);
	uint64_t end = 1;

	if (highest > LIMIT_TASKS ||
			(snapshot->count > 0 &&
					snapshot->tasks[snapshot->count - 1].task > highest))
		return false;
	snapshot->highest = (uint32_t)highest;
	while (byte_cursor_left(column) > 0) {
		uint64_t gap = byte_cursor_varint(column);
		uint64_t length = byte_cursor_varint(column);

		if (length == 0 || gap > highest || length > highest ||
				end + gap + length > highest)
			return false;
		snapshot->unseen[snapshot->unseen_count++] = (struct id_run){ (uint32_t)(end + gap),
			(uint32_t)(end + gap + length) };
		end += gap + length;
	}
	return true;
}

/* The columns fill the raw bytes. */
static bool split_columns(
		struct byte_cursor columns[COLUMN_COUNT], const struct section_payload *section)
{
	struct byte_cursor cursor = byte_cursor_over(section->raw.bytes, section->raw.size);

	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		uint64_t size = byte_cursor_varint(&cursor);
		const uint8_t *bytes = byte_cursor_bytes(&cursor, size);

		columns[i] = byte_cursor_over(bytes, bytes ? (size_t)size : 0);
	}
	return !cursor.failed && byte_cursor_left(&cursor) == 0;
}

static bool fits_range(const struct snapshot *snapshot, const struct section_payload *section)
{
	struct section_range range;
	uint32_t low = snapshot->count ? snapshot->tasks[0].task : 0;
	uint32_t high = snapshot->count ? snapshot->tasks[snapshot->count - 1].task : 0;

	return section->header.extra_bytes >= RANGE_EXTRA_BYTES &&
	       section_range_parse(&range, &section->header, NULL) == LO_OK && range.low == low &&
	       range.high == high;
}

static void free_snapshot(void *object)
{
	struct snapshot *snapshot = object;

	if (snapshot)
		free(snapshot->unseen);
	free(snapshot);
}

static enum lo_result decode_snapshot(void **object, uint64_t *bytes,
		const struct trace_schema *schema, const struct section_payload *section,
		struct lo_error *err)
{
	struct byte_cursor columns[COLUMN_COUNT];
	uint32_t count = section->header.rows;
	struct snapshot *snapshot;
	size_t runs;

	/* Each task takes a byte in its column and each run two: no count is believed beyond. */
	if (!split_columns(columns, section))
		return bad_snapshot(section, err);
	for (unsigned i = 0; i < COLUMN_UNSEEN; i++)
		if (count > byte_cursor_left(&columns[i]))
			return bad_snapshot(section, err);
	runs = byte_cursor_left(&columns[COLUMN_UNSEEN]) / 2 + 1;
	snapshot = calloc(1, sizeof(*snapshot) + count * sizeof(*snapshot->tasks));
	if (snapshot)
		snapshot->unseen = malloc(runs * sizeof(*snapshot->unseen));
	if (!snapshot || !snapshot->unseen) {
		free_snapshot(snapshot);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u states", count);
	}
	snapshot->count = count;
	if (!read_tasks(snapshot, columns, schema, section->header.sequence) ||
			!read_unseen(snapshot, &columns[COLUMN_UNSEEN]) ||
			!fits_range(snapshot, section)) {
		free_snapshot(snapshot);
		return bad_snapshot(section, err);
	}
	for (unsigned i = 0; i < COLUMN_COUNT; i++)
		if (columns[i].failed || byte_cursor_left(&columns[i]) > 0) {
			free_snapshot(snapshot);
			return bad_snapshot(section, err);
		}
	*object = snapshot;
	*bytes = sizeof(*snapshot) + count * sizeof(*snapshot->tasks) +
		 runs * sizeof(*snapshot->unseen);
	return LO_OK;
}

const struct section_decoder snapshot_decoder = { decode_snapshot, free_snapshot };

const struct snapshot_task *snapshot_find(const struct snapshot *snapshot, uint32_t task)
{
	uint32_t low = 0;
	uint32_t high = snapshot->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (snapshot->tasks[middle].task < task)
			low = middle + 1;
		else
			high = middle;
	}
	return low < snapshot->count && snapshot->tasks[low].task == task ? &snapshot->tasks[low]
									  : NULL;
}

bool snapshot_has_exited(const struct snapshot *snapshot, uint32_t task)
{
	uint32_t low = 0;
	uint32_t high = snapshot->unseen_count;

	if (task > snapshot->highest || snapshot_find(snapshot, task))
		return false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (snapshot->unseen[middle].end <= task)
			low = middle + 1;
		else
			high = middle;
	}
	return low == snapshot->unseen_count || task < snapshot->unseen[low].begin;
}
