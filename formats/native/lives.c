#include "formats/native/lives.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/bytes.h"
#include "formats/base/limits.h"

/* The raw bytes are columns, each with its length before it. */
enum column {
	COLUMN_BIRTHS,
	COLUMN_LENGTHS,
	COLUMN_IDS,
	COLUMN_ORIGINS,
	COLUMN_COUNT,
};

/* A section that is not full is written after so many blocks, if it takes no more than this part of
 * their bytes: a trace that is cut then has few blocks about whose tasks nothing is listed. */
#define PAGE_EACH_BLOCKS 64u
#define PAGE_SHARE       400u
#define PAGE_BYTES       160u /* of one with few lives */
#define LIFE_BYTES       2u

/* ---- encoding ---- */

static int compare_births(const void *a, const void *b)
{
	const struct life *left = a;
	const struct life *right = b;

	if (left->birth != right->birth)
		return left->birth < right->birth ? -1 : 1;
	return (left->task > right->task) - (left->task < right->task);
}

static void find_ids(struct section_range *range, const struct life *lives, uint32_t count)
{
	range->low = count > 0 ? UINT32_MAX : 0;
	range->high = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (lives[i].task < range->low)
			range->low = lives[i].task;
		if (lives[i].task > range->high)
			range->high = lives[i].task;
	}
}

static uint64_t origin_of(const struct life *life)
{
	return (uint64_t)life->creation_stack << 1 | life->existing;
}

void lives_encode(struct byte_buffer *raw, struct life *lives, uint32_t count,
		struct section_range *range)
{
	struct byte_buffer columns[COLUMN_COUNT] = { 0 };
	struct life last = { 0 };

	if (count > 0)
		qsort(lives, count, sizeof(*lives), compare_births);
	find_ids(range, lives, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct life *life = &lives[i];
		uint64_t length = life->death == LIFE_GOES_ON ? 0
							      : life->death - life->birth + 1ull;

		byte_buffer_put_varint(&columns[COLUMN_BIRTHS], life->birth - last.birth);
		byte_buffer_put_varint(&columns[COLUMN_LENGTHS], length);
		byte_buffer_put_varint(&columns[COLUMN_IDS],
				zigzag_fold((uint64_t)life->task - last.task));
		byte_buffer_put_varint(&columns[COLUMN_ORIGINS],
				zigzag_fold(origin_of(life) - origin_of(&last)));
		last = *life;
	}
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		byte_buffer_put_varint(raw, columns[i].size);
		byte_buffer_put(raw, columns[i].bytes, columns[i].size);
		raw->failed = raw->failed || columns[i].failed;
		byte_buffer_release(&columns[i]);
	}
}

/* ---- building ---- */

/* Births and deaths in nanoseconds: for the range of a section. */
struct life_times {
	uint64_t birth_ns;
	uint64_t death_ns;
};

struct lives_builder {
	struct life *lives; /* that ended and are not written */
	struct life_times *times;
	uint32_t count;
	uint32_t capacity;
	uint32_t short_lives; /* that ended since the last section */
	uint32_t from;        /* sequence of the first block that the next section is about */
	uint32_t blocks;      /* since the last section, and their bytes */
	uint64_t bytes;
	uint32_t before; /* sequence of the last block */
	struct byte_buffer raw;
};

static enum lo_result make_builder(void **builder, struct lo_error *err)
{
	*builder = calloc(1, sizeof(struct lives_builder));
	return *builder ? LO_OK : lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for lives");
}

static void drop_builder(void *builder)
{
	struct lives_builder *lives = builder;

	if (!lives)
		return;
	free(lives->lives);
	free(lives->times);
	byte_buffer_release(&lives->raw);
	free(lives);
}

static enum lo_result add_life(struct lives_builder *builder, const struct life *life,
		struct life_times times, struct lo_error *err)
{
	if (builder->count == builder->capacity) {
		uint32_t capacity = builder->capacity ? builder->capacity * 2 : 64;
		struct life *lives = realloc(builder->lives, capacity * sizeof(*lives));
		struct life_times *all_times;

		if (lives)
			builder->lives = lives;
		all_times = realloc(builder->times, capacity * sizeof(*all_times));
		if (all_times)
			builder->times = all_times;
		if (!lives || !all_times)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u lives",
					capacity);
		builder->capacity = capacity;
	}
	builder->times[builder->count] = times;
	builder->lives[builder->count++] = *life;
	return LO_OK;
}

/*
 * Is a life, which ended in this block, too short to be listed? On a screen that is wide enough for
 * lives to be needed at all, it would be some columns wide at most.
 */
static bool is_short(const struct lives_builder *builder, const struct ended_life *life,
		const struct sealed_block *block)
{
	return life->born >= builder->before &&
	       life->death_ns - life->birth_ns < (block->end_ns - block->begin_ns) / 2;
}

static enum lo_result collect(struct lives_builder *builder, const struct sealed_block *block,
		struct lo_error *err)
{
	uint32_t count;
	const struct ended_life *ended = live_tasks_ended(block->tasks, &count);
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < count && result == LO_OK; i++) {
		struct life life = { ended[i].task, ended[i].born, block->sequence,
			ended[i].creation_stack, ended[i].existing };

		if (is_short(builder, &ended[i], block))
			builder->short_lives++;
		else
			result = add_life(builder, &life,
					(struct life_times){ ended[i].birth_ns, ended[i].death_ns },
					err);
	}
	builder->before = block->sequence;
	builder->blocks++;
	builder->bytes += block->bytes;
	return result;
}

static void find_times(struct section_range *range, const struct life_times *times, uint32_t count)
{
	range->begin_ns = count > 0 ? UINT64_MAX : 0;
	range->end_ns = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (times[i].birth_ns < range->begin_ns)
			range->begin_ns = times[i].birth_ns;
		if (times[i].death_ns > range->end_ns)
			range->end_ns = times[i].death_ns;
	}
}

/* Writes some lives; `rest` more of the same blocks will follow. */
static enum lo_result put_page(struct lives_builder *builder, uint32_t first, uint32_t count,
		uint32_t rest, uint32_t flags, struct section_output *output, struct lo_error *err)
{
	uint8_t extra[LIVES_EXTRA_BYTES - RANGE_EXTRA_BYTES];
	struct section_draft draft = {
		.type = SECTION_LIVES, .rows = count, .extra = extra, .extra_bytes = sizeof(extra)
	};
	enum lo_result result;

	store_le32(extra + (LIVES_AT_FROM - RANGE_EXTRA_BYTES), builder->from);
	store_le32(extra + (LIVES_AT_REST - RANGE_EXTRA_BYTES), rest);
	store_le32(extra + (LIVES_AT_SHORT - RANGE_EXTRA_BYTES), rest ? 0 : builder->short_lives);
	store_le32(extra + (LIVES_AT_FLAGS - RANGE_EXTRA_BYTES), flags);
	byte_buffer_clear(&builder->raw);
	/* Without any life there is no array to point into. */
	find_times(&draft.range, first ? builder->times + first : builder->times, count);
	lives_encode(&builder->raw, first ? builder->lives + first : builder->lives, count,
			&draft.range);
	result = byte_buffer_check(&builder->raw, err);
	draft.raw = builder->raw.bytes;
	draft.raw_bytes = builder->raw.size;
	return result == LO_OK ? section_output_put(output, &draft, NULL, err) : result;
}

static enum lo_result put_pages(
		struct lives_builder *builder, struct section_output *output, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	uint32_t done = 0;

	do {
		uint32_t count = builder->count - done < LIVES_PAGE ? builder->count - done
								    : LIVES_PAGE;

		result = put_page(builder, done, count, builder->count - done - count, 0, output,
				err);
		done += count;
	} while (done < builder->count && result == LO_OK);
	builder->count = 0;
	builder->short_lives = 0;
	builder->blocks = 0;
	builder->bytes = 0;
	builder->from = section_output_sequence(output);
	return result;
}

static enum lo_result block_sealed(void *builder, const struct sealed_block *block,
		struct section_output *output, struct lo_error *err)
{
	struct lives_builder *lives = builder;
	enum lo_result result = collect(lives, block, err);

	if (result != LO_OK)
		return result;
	if (lives->count < LIVES_PAGE &&
			(lives->blocks < PAGE_EACH_BLOCKS ||
					lives->bytes / PAGE_SHARE <
							PAGE_BYTES + lives->count * LIFE_BYTES))
		return LO_OK;
	return put_pages(lives, output, err);
}

/* Who is still alive, in pages by id: ids are given out in the order of births. */
static enum lo_result put_living(struct lives_builder *builder, const struct live_tasks *tasks,
		struct section_output *output, struct lo_error *err)
{
	uint32_t rest = live_tasks_count(tasks);
	const struct live_task *task = live_tasks_next(tasks, 0);
	enum lo_result result = LO_OK;

	do {
		builder->count = 0;
		for (; task && builder->count < LIVES_PAGE && result == LO_OK; rest--) {
			struct life life = { task->task, task->born, LIFE_GOES_ON,
				task->creation_stack, task->existing };

			result = add_life(builder, &life,
					(struct life_times){ task->birth_ns, UINT64_MAX }, err);
			task = live_tasks_next(tasks, task->task);
		}
		if (result == LO_OK)
			result = put_page(builder, 0, builder->count, rest, LIVES_FLAG_ALIVE,
					output, err);
	} while (task && result == LO_OK);
	return result;
}

static enum lo_result trace_finished(void *builder, const struct live_tasks *tasks, uint64_t end_ns,
		struct section_output *output, struct lo_error *err)
{
	enum lo_result result = put_pages(builder, output, err);

	(void)end_ns;
	return result == LO_OK ? put_living(builder, tasks, output, err) : result;
}

const struct section_builder_kind lives_builder_kind = {
	.name = "lives",
	.make = make_builder,
	.sealed = block_sealed,
	.finish = trace_finished,
	.drop = drop_builder,
};

/* ---- reading ---- */

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

static bool read_life(struct life *life, const struct life *last, uint32_t sequence,
		struct byte_cursor columns[COLUMN_COUNT])
{
	uint64_t step = byte_cursor_varint(&columns[COLUMN_BIRTHS]);
	uint64_t length = byte_cursor_varint(&columns[COLUMN_LENGTHS]);
	uint64_t task = last->task + zigzag_unfold(byte_cursor_varint(&columns[COLUMN_IDS]));
	uint64_t origin = origin_of(last) +
			  zigzag_unfold(byte_cursor_varint(&columns[COLUMN_ORIGINS]));
	uint32_t left = sequence - last->birth;

	/* All is in blocks before this section. */
	if (step >= left || length > left - step || task == TASK_NONE || task > LIMIT_TASKS ||
			origin >> 1 > LIMIT_STACKS)
		return false;
	*life = (struct life){ (uint32_t)task, last->birth + (uint32_t)step, LIFE_GOES_ON,
		(uint32_t)(origin >> 1), (uint8_t)(origin & 1) };
	if (length > 0)
		life->death = life->birth + (uint32_t)(length - 1);
	return true;
}

static bool read_lives(struct lives_page *page, const struct section_range *range,
		uint32_t sequence, struct byte_cursor columns[COLUMN_COUNT])
{
	struct life last = { 0 };
	struct section_range found;

	for (uint32_t i = 0; i < page->count; i++) {
		if (!read_life(&page->lives[i], &last, sequence, columns))
			return false;
		last = page->lives[i];
	}
	for (unsigned i = 0; i < COLUMN_COUNT; i++)
		if (columns[i].failed || byte_cursor_left(&columns[i]) > 0)
			return false;
	/* Pages are passed over by their ids, so these must be true. */
	find_ids(&found, page->lives, page->count);
	return found.low == range->low && found.high == range->high;
}

static enum lo_result bad_lives(const struct section_payload *section, struct lo_error *err)
{
	return lo_fail(err, LO_CORRUPT, section->header.offset, "the lives make no sense");
}

static enum lo_result decode_lives(void **object, uint64_t *bytes,
		const struct trace_schema *schema, const struct section_payload *section,
		struct lo_error *err)
{
	struct byte_cursor columns[COLUMN_COUNT];
	uint32_t count = section->header.rows;
	struct section_range range;
	struct lives_page *page;

	(void)schema;
	if (count > LIMIT_LIVES || section->header.extra_bytes < LIVES_EXTRA_BYTES ||
			section_range_parse(&range, &section->header, NULL) != LO_OK ||
			!split_columns(columns, section))
		return bad_lives(section, err);
	page = malloc(sizeof(*page) + count * sizeof(*page->lives));
	if (!page)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u lives", count);
	page->count = count;
	if (!read_lives(page, &range, section->header.sequence, columns)) {
		free(page);
		return bad_lives(section, err);
	}
	*object = page;
	*bytes = sizeof(*page) + count * sizeof(*page->lives);
	return LO_OK;
}

const struct section_decoder lives_decoder = { decode_lives, free };
