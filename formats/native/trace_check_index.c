#include "formats/base/bytes.h"
#include "formats/native/live_tasks.h"
#include "formats/native/reader_parts.h"
#include "formats/native/row_codec.h"
#include "formats/native/snapshot.h"
#include "formats/native/trace_check_parts.h"

static enum lo_result read_rows(struct trace_checking *checking, const struct section_entry *entry,
		struct lo_error *why)
{
	enum lo_result result = section_payload_read(
			&checking->section, checking->source, entry->offset, entry->bytes, why);

	return result == LO_OK ? section_payload_unpack(&checking->section, checking->unpacker,
						 LIMIT_TABLE_RAW, why)
			       : result;
}

/* ---- snapshots ---- */

static bool equal_unseen(const struct snapshot *snapshot, const struct live_tasks *tasks)
{
	uint32_t from = 1;
	uint32_t end;

	for (uint32_t i = 0; i < snapshot->unseen_count; i++) {
		if (live_tasks_unseen(tasks, from, &end) != snapshot->unseen[i].begin ||
				end != snapshot->unseen[i].end)
			return false;
		from = end;
	}
	return live_tasks_unseen(tasks, from, &end) == 0 &&
	       snapshot->highest == live_tasks_highest(tasks);
}

static enum lo_result compare_snapshot(const struct snapshot *snapshot,
		const struct live_tasks *tasks, uint64_t offset, struct lo_error *why)
{
	for (uint32_t i = 0; i < snapshot->count; i++) {
		const struct snapshot_task *told = &snapshot->tasks[i];
		const struct live_task *live = live_tasks_find(tasks, told->task);

		if (!live || (live->state == LIVE_BLOCKED) != told->blocked ||
				(told->blocked && live->reason != told->reason) ||
				live->changed != told->changed)
			return lo_fail(why, LO_CORRUPT, offset,
					"by the events, task %u is in another state than this "
					"snapshot tells",
					told->task);
	}
	if (snapshot->count != live_tasks_count(tasks))
		return lo_fail(why, LO_CORRUPT, offset,
				"this snapshot has %u tasks, %u are alive by the events",
				snapshot->count, live_tasks_count(tasks));
	return equal_unseen(snapshot, tasks)
			       ? LO_OK
			       : lo_fail(why, LO_CORRUPT, offset,
						 "this snapshot tells of other tasks that they are "
						 "over than the events");
}

static enum lo_result check_snapshot(struct trace_checking *checking,
		const struct section_entry *entry, const struct live_tasks *tasks,
		struct lo_error *why)
{
	void *snapshot = NULL;
	uint64_t bytes;
	enum lo_result result = read_rows(checking, entry, why);

	if (result == LO_OK)
		result = snapshot_decoder.decode(&snapshot, &bytes,
				trace_reader_schema(checking->reader), &checking->section, why);
	if (result != LO_OK)
		return result;
	checking->result->checked++;
	result = compare_snapshot(snapshot, tasks, entry->offset, why);
	snapshot_decoder.free_object(snapshot);
	return result;
}

/* What follows a block that cannot be read, or not all of it, cannot be known. */
static enum lo_result follow_block(struct trace_checking *checking,
		const struct section_entry *entry, struct live_tasks *tasks, bool *lost,
		struct lo_error *err)
{
	struct checked_block block = { 0 };
	struct lo_error why;
	enum lo_result result = trace_check_block(checking, entry, &block, &why);

	*lost = *lost || result != LO_OK || block.count != entry->rows;
	if (result != LO_OK)
		return trace_check_judge(checking, entry->offset, result, &why, err);
	return live_tasks_advance(tasks, block.events, block.count, entry->sequence, err);
}

static enum lo_result follow_tasks(
		struct trace_checking *checking, struct live_tasks *tasks, struct lo_error *err)
{
	const struct section_list *list = &checking->scanned;
	bool lost = damage_list_count(&checking->scan_damage) > 0;
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < list->count && result == LO_OK && !lost; i++) {
		const struct section_entry *entry = &list->entries[i];
		struct lo_error why;

		if (entry->type == SECTION_BLOCK)
			result = follow_block(checking, entry, tasks, &lost, err);
		else if (entry->type == SECTION_SNAPSHOT)
			result = trace_check_judge(checking, entry->offset,
					check_snapshot(checking, entry, tasks, &why), &why, err);
		if (result == LO_OK)
			result = trace_check_step(checking, i, list->count, err);
	}
	if (lost && checking->result->checked == 0)
		checking->result->possible = false;
	return result;
}

enum lo_result trace_check_snapshots(struct trace_checking *checking, struct lo_error *err)
{
	struct live_tasks *tasks = NULL;
	enum lo_result result;

	checking->result->what = "snapshots";
	checking->result->possible = checking->reader != NULL;
	if (!checking->reader)
		return LO_OK;
	result = live_tasks_new(&tasks, err);
	if (result == LO_OK)
		result = follow_tasks(checking, tasks, err);
	live_tasks_free(tasks);
	return result;
}

/* ---- checkpoints ---- */

static enum lo_result compare_rows(struct trace_checking *checking,
		const struct section_entry *entry, struct lo_error *why)
{
	const struct section_list *list = &checking->scanned;
	uint32_t at = load_le32(checking->section.header.extra + TABLE_AT_FIRST_ID);
	struct row_map map;
	struct row_reader reader = { .map = &map,
		.cursor = byte_cursor_over(
				checking->section.raw.bytes, checking->section.raw.size) };
	struct row row;

	row_map_identity(&map, &row_schemas[SECTION_INDEX]);
	while (row_reader_next(&reader, &row)) {
		const struct section_entry *listed = at < entry->sequence && at < list->count
								     ? &list->entries[at]
								     : NULL;

		/* Times are differences to a row of another checkpoint. */
		if (!listed || listed->type != row.number[INDEX_TYPE] ||
				listed->bytes != row.number[INDEX_BYTES] ||
				listed->rows != row.number[INDEX_ROWS] ||
				(listed->type == SECTION_BLOCK &&
						listed->end_ns - listed->begin_ns !=
								row.number[INDEX_LENGTH]))
			return lo_fail(why, LO_CORRUPT, entry->offset,
					"this checkpoint lists section %u as another than a scan "
					"finds",
					at);
		at++;
	}
	if (reader.cursor.failed || at != entry->sequence)
		return lo_fail(why, LO_CORRUPT, entry->offset,
				"this checkpoint does not list all sections before it");
	return LO_OK;
}

enum lo_result trace_check_checkpoints(struct trace_checking *checking, struct lo_error *err)
{
	const struct section_list *list = &checking->scanned;
	enum lo_result result = LO_OK;

	checking->result->what = "checkpoints";
	/* Where sections are missing, positions are no sequence numbers. */
	checking->result->possible = damage_list_count(&checking->scan_damage) == 0 || list->cut;
	for (uint32_t i = 0; i < list->count && result == LO_OK && checking->result->possible;
			i++) {
		const struct section_entry *entry = &list->entries[i];
		struct lo_error why;

		if (entry->type != SECTION_CHECKPOINT)
			continue;
		checking->result->checked++;
		result = read_rows(checking, entry, &why);
		if (result == LO_OK &&
				checking->section.header.extra_bytes < CHECKPOINT_EXTRA_BYTES)
			result = lo_fail(&why, LO_CORRUPT, entry->offset,
					"a checkpoint is too short");
		if (result == LO_OK)
			result = compare_rows(checking, entry, &why);
		result = trace_check_judge(checking, entry->offset, result, &why, err);
	}
	return result;
}
