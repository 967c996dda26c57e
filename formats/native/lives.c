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
#define LIFE_BYTES       6u

/* ---- encoding ---- */

static int compare_births(const void *a, const void *b)
{
	const struct life *left = a;
	const struct life *right = b;

	if (left->birth_ns != right->birth_ns)
		return left->birth_ns < right->birth_ns ? -1 : 1;
	return (left->task > right->task) - (left->task < right->task);
}

static void find_range(struct section_range *range, const struct life *lives, uint32_t count)
{
	*range = (struct section_range){ 0 };
	if (count == 0)
		return;
	*range = (struct section_range){ lives[0].birth_ns, 0, UINT32_MAX, 0 };
	for (uint32_t i = 0; i < count; i++) {
		if (lives[i].death_ns > range->end_ns)
			range->end_ns = lives[i].death_ns;
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
	find_range(range, lives, count);
	last.birth_ns = range->begin_ns;
	for (uint32_t i = 0; i < count; i++) {
		const struct life *life = &lives[i];
		uint64_t length = life->death_ns == LIFE_GOES_ON
						  ? 0
						  : life->death_ns - life->birth_ns + 1;

		byte_buffer_put_varint(&columns[COLUMN_BIRTHS], life->birth_ns - last.birth_ns);
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

struct lives_builder {
	struct life *lives; /* that ended and are not written */
	uint32_t count;
	uint32_t capacity;
	uint32_t short_lives; /* that ended since the last section */
	uint32_t from;        /* sequence of the first block that the next section is about */
	uint32_t blocks;      /* since the last section, and their bytes */
	uint64_t bytes;
	uint64_t before_ns; /* begin of the last block */
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
	byte_buffer_release(&lives->raw);
	free(lives);
}

static enum lo_result add_life(
		struct lives_builder *builder, const struct life *life, struct lo_error *err)
{
	if (builder->count == builder->capacity) {
		uint32_t capacity = builder->capacity ? builder->capacity * 2 : 64;
		struct life *lives = realloc(builder->lives, capacity * sizeof(*lives));

		if (!lives)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u lives",
					capacity);
		builder->lives = lives;
		builder->capacity = capacity;
	}
	builder->lives[builder->count++] = *life;
	return LO_OK;
}

static enum lo_result collect(struct lives_builder *builder, const struct sealed_block *block,
		struct lo_error *err)
{
	uint32_t count;
	const struct ended_life *ended = live_tasks_ended(block->tasks, &count);
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < count && result == LO_OK; i++) {
		struct life life = { ended[i].birth_ns, ended[i].death_ns, ended[i].task,
			ended[i].creation_stack, ended[i].existing };

		if (life_is_short(life.birth_ns, life.death_ns, builder->before_ns, block->begin_ns,
				    block->end_ns))
			builder->short_lives++;
		else
			result = add_life(builder, &life, err);
	}
	builder->before_ns = block->begin_ns;
	builder->blocks++;
	builder->bytes += block->bytes;
	return result;
}

/* Writes some lives; `rest` more of the same blocks will follow. */
static enum lo_result put_page(struct lives_builder *builder, struct life *lives, uint32_t count,
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
	lives_encode(&builder->raw, lives, count, &draft.range);
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

		result = put_page(builder, done ? builder->lives + done : builder->lives, count,
				builder->count - done - count, 0, output, err);
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
			struct life life = { task->birth_ns, LIFE_GOES_ON, task->task,
				task->creation_stack, task->existing };

			result = add_life(builder, &life, err);
			task = live_tasks_next(tasks, task->task);
		}
		if (result == LO_OK)
			result = put_page(builder, builder->lives, builder->count, rest,
					LIVES_FLAG_ALIVE, output, err);
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

static bool read_life(struct life *life, const struct life *last,
		struct byte_cursor columns[COLUMN_COUNT])
{
	uint64_t step = byte_cursor_varint(&columns[COLUMN_BIRTHS]);
	uint64_t length = byte_cursor_varint(&columns[COLUMN_LENGTHS]);
	uint64_t task = last->task + zigzag_unfold(byte_cursor_varint(&columns[COLUMN_IDS]));
	uint64_t origin = origin_of(last) +
			  zigzag_unfold(byte_cursor_varint(&columns[COLUMN_ORIGINS]));

	if (step > UINT64_MAX - last->birth_ns || task == TASK_NONE || task > LIMIT_TASKS ||
			origin >> 1 > LIMIT_STACKS)
		return false;
	*life = (struct life){ last->birth_ns + step, LIFE_GOES_ON, (uint32_t)task,
		(uint32_t)(origin >> 1), (uint8_t)(origin & 1) };
	if (length == 0)
		return true;
	life->death_ns = life->birth_ns + (length - 1);
	return life->death_ns >= life->birth_ns && life->death_ns != LIFE_GOES_ON;
}

static bool read_lives(struct lives_page *page, const struct section_range *range,
		struct byte_cursor columns[COLUMN_COUNT])
{
	struct life last = { .birth_ns = range->begin_ns };
	struct section_range found;

	for (uint32_t i = 0; i < page->count; i++) {
		if (!read_life(&page->lives[i], &last, columns))
			return false;
		last = page->lives[i];
	}
	for (unsigned i = 0; i < COLUMN_COUNT; i++)
		if (columns[i].failed || byte_cursor_left(&columns[i]) > 0)
			return false;
	/* Pages are passed over by their ranges, so these must be true. */
	find_range(&found, page->lives, page->count);
	return found.begin_ns == range->begin_ns && found.end_ns == range->end_ns &&
	       found.low == range->low && found.high == range->high;
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
	if (!read_lives(page, &range, columns)) {
		free(page);
		return bad_lives(section, err);
	}
	*object = page;
	*bytes = sizeof(*page) + count * sizeof(*page->lives);
	return LO_OK;
}

const struct section_decoder lives_decoder = { decode_lives, free };
