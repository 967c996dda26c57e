#include "formats/native/trace_alive.h"

#include <stdlib.h>

#include "formats/base/bytes.h"
#include "formats/base/limits.h"
#include "formats/native/lives.h"
#include "formats/native/reader_state.h"
#include "formats/native/trace_states.h"

/* ---- headers of stored lives ---- */

void lives_heads_release(struct lives_heads *heads)
{
	free(heads->short_lives);
	free(heads->from);
	*heads = (struct lives_heads){ 0 };
}

static bool read_head(struct trace_reader *reader, const struct section_entry *entry,
		struct section_header *header)
{
	uint8_t bytes[LIMIT_SECTION_HEADER];
	size_t size = entry->bytes < sizeof(bytes) ? entry->bytes : sizeof(bytes);
	size_t got = 0;

	return byte_source_read(reader->source, entry->offset, bytes, size, &got, NULL) == LO_OK &&
	       section_header_parse(header, bytes, got, entry->offset, NULL) == LO_OK &&
	       header->type == SECTION_LIVES && header->sequence == entry->sequence &&
	       header->extra_bytes >= LIVES_EXTRA_BYTES;
}

/* Sections come in stretches of blocks: `covered` is where the last complete stretch ends. */
static void note_head(struct lives_heads *heads, uint32_t i, const struct section_header *header)
{
	uint32_t rest = load_le32(header->extra + LIVES_AT_REST);
	uint32_t flags = load_le32(header->extra + LIVES_AT_FLAGS);

	heads->from[i] = load_le32(header->extra + LIVES_AT_FROM);
	heads->short_lives[i] = load_le32(header->extra + LIVES_AT_SHORT);
	if (heads->from[i] > header->sequence || (i > 0 && heads->from[i] < heads->from[i - 1]))
		heads->sound = false;
	if (rest == 0)
		heads->covered = header->sequence;
	if (flags & LIVES_FLAG_ALIVE)
		heads->finished = rest == 0;
}

/* Nobody will load a section of lives any more; loading it adds it to the damage list. */
static void note_damage(struct trace_reader *reader, uint32_t section)
{
	const void *page;

	if (trace_section_acquire(reader, section, &lives_decoder, &page, NULL) == LO_OK)
		trace_section_release(reader, section);
}

static enum lo_result read_heads(struct trace_reader *reader, struct lo_error *err)
{
	struct lives_heads *heads = &reader->lives;
	const struct section_list *list = &reader->sections;
	struct section_header *header = malloc(sizeof(*header));
	uint32_t count;
	const uint32_t *positions = section_list_of(list, SECTION_LIVES, &count);

	lives_heads_release(heads);
	heads->short_lives = calloc((size_t)count + 1, sizeof(*heads->short_lives));
	heads->from = calloc((size_t)count + 1, sizeof(*heads->from));
	if (!header || !heads->short_lives || !heads->from) {
		free(header);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u sections", count);
	}
	/* A section that a scan did not find may have been one of these. */
	heads->sound = list->count == 0 ||
		       list->entries[list->count - 1].sequence == list->count - 1;
	for (uint32_t i = 0; i < count; i++) {
		if (read_head(reader, &list->entries[positions[i]], header))
			note_head(heads, i, header);
		else
			heads->sound = false;
	}
	for (uint32_t i = 0; i < count && !heads->sound; i++)
		note_damage(reader, positions[i]);
	heads->known = true;
	free(header);
	return LO_OK;
}

static enum lo_result find_heads(struct trace_reader *reader, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	pthread_mutex_lock(&reader->lives_lock);
	if (!reader->lives.known)
		result = read_heads(reader, err);
	pthread_mutex_unlock(&reader->lives_lock);
	return result;
}

/* ---- a set of ids ---- */

struct search {
	struct trace_reader *reader;
	const struct section_list *sections;
	const struct lives_heads *heads;
	struct alive_query query;
	const struct progress *progress;
	struct lo_error *err;
	struct alive_tasks *out;

	uint64_t *ids; /* a bit for each: in order, and none twice */
	uint32_t highest;
	uint32_t found; /* from query.from on */
	uint64_t all;
	uint64_t more; /* at most so many that are not in `ids` */
};

static void add_id(void *context, uint32_t task)
{
	struct search *search = context;
	uint64_t bit = 1ull << task % 64;

	if (search->ids[task / 64] & bit)
		return;
	search->ids[task / 64] |= bit;
	search->all++;
	if (search->highest < task)
		search->highest = task;
	search->found += task >= search->query.from;
}

/* The ids from query.from on, up to the limit; returns how many. */
static uint32_t take_ids(const struct search *search, uint32_t *tasks)
{
	uint32_t count = 0;
	uint64_t mask = UINT64_MAX << search->query.from % 64;

	for (uint32_t word = search->query.from / 64;
			word <= search->highest / 64 && count < search->query.limit; word++) {
		uint64_t bits = search->ids[word] & mask;

		for (mask = UINT64_MAX; bits != 0 && count < search->query.limit; bits &= bits - 1)
			tasks[count++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
	}
	return count;
}

static bool touches(const struct section_entry *entry, struct time_span span)
{
	return entry->begin_ns < span.end_ns && entry->end_ns >= span.begin_ns;
}

/* ---- stored lives ---- */

static int compare_lows(const void *a, const void *b, void *sections)
{
	const struct section_entry *entries = sections;
	uint32_t left = entries[*(const uint32_t *)a].low;
	uint32_t right = entries[*(const uint32_t *)b].low;

	return (left > right) - (left < right);
}

static enum lo_result add_page(struct search *search, uint32_t section)
{
	struct time_span span = search->query.span;
	const struct lives_page *page;
	const void *object = NULL;
	enum lo_result result = trace_section_acquire(
			search->reader, section, &lives_decoder, &object, search->err);

	if (result != LO_OK)
		return result;
	page = object;
	for (uint32_t i = 0; i < page->count && page->lives[i].birth_ns < span.end_ns; i++)
		if (page->lives[i].death_ns >= span.begin_ns)
			add_id(search, page->lives[i].task);
	trace_section_release(search->reader, section);
	return LO_OK;
}

/* Can a page that begins with this id still have one of those that are asked for? */
static bool is_beyond(const struct search *search, uint32_t low)
{
	uint64_t left = search->query.limit;

	if (search->found < search->query.limit)
		return false;
	for (uint32_t task = search->query.from; task < low && left > 0; task = (task | 63) + 1) {
		uint64_t bits = search->ids[task / 64] & UINT64_MAX << task % 64;
		uint64_t some = (uint64_t)__builtin_popcountll(bits);

		left -= some < left ? some : left;
	}
	return left == 0;
}

/* Goes through the pages by their ids, so that the rest can be left alone when there are enough. */
static enum lo_result add_pages(struct search *search)
{
	uint32_t count;
	const uint32_t *positions = section_list_of(search->sections, SECTION_LIVES, &count);
	uint32_t *pages = malloc(count * sizeof(*pages) + 1);
	enum lo_result result = LO_OK;
	uint32_t used = 0;
	bool lost = false;

	if (!pages)
		return lo_fail(search->err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u pages",
				count);
	for (uint32_t i = 0; i < count; i++)
		if (touches(&search->sections->entries[positions[i]], search->query.span))
			pages[used++] = positions[i];
	qsort_r(pages, used, sizeof(*pages), compare_lows, search->sections->entries);
	for (uint32_t i = 0; i < used && result == LO_OK; i++) {
		const struct section_entry *entry = &search->sections->entries[pages[i]];

		if (is_beyond(search, entry->low))
			search->more += entry->rows;
		else
			result = add_page(search, pages[i]);
		/* The others may be damaged too, which is worth knowing once. */
		lost = lost || result == LO_CORRUPT;
		if (result == LO_CORRUPT)
			result = LO_OK;
	}
	free(pages);
	return result == LO_OK && lost ? LO_CORRUPT : result;
}

/* ---- short lives ---- */

/* The first block behind a sequence number. */
static uint32_t block_behind(const struct search *search, uint32_t sequence)
{
	uint32_t low = 0;
	uint32_t high = search->reader->block_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (search->sections->entries[search->reader->blocks[middle]].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Of long spans only their number is told. */
static void count_short(struct search *search)
{
	uint32_t count;
	const uint32_t *positions = section_list_of(search->sections, SECTION_LIVES, &count);
	uint32_t first = trace_block_at(search->reader, search->query.span.begin_ns);
	uint32_t end = trace_block_at(search->reader, search->query.span.end_ns);

	for (uint32_t i = 0; i < count; i++) {
		const struct section_entry *entry = &search->sections->entries[positions[i]];
		uint32_t from = block_behind(search, search->heads->from[i]);
		uint32_t to = block_behind(search, entry->sequence);

		/* A life that ended just behind the span may have begun in it. */
		if (from <= end + 1 && first < to)
			search->more += search->heads->short_lives[i];
	}
	search->out->without_short = search->more > 0;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/*
 * Short lives of some blocks. A task whose first event there is a wait may be new to the recorder;
 * or it exited long ago, and this was one of its destructors. Such tasks are doubtful: when there
 * are any, the states before the blocks tell who has exited, and the blocks are walked again.
 */
struct walk {
	struct search *search;
	uint32_t first; /* blocks [first, end) */
	uint32_t end;
	struct live_tasks *tasks;
	uint32_t *doubtful;
	uint32_t doubtful_count;
	bool settled; /* the second time: nothing is doubtful any more */
};

static enum lo_result take_short(
		struct walk *walk, const struct section_entry *block, uint64_t before_ns)
{
	struct search *search = walk->search;
	struct time_span span = search->query.span;
	uint32_t count;
	const struct ended_life *ended = live_tasks_ended(walk->tasks, &count);
	uint32_t *doubtful = realloc(walk->doubtful,
			((size_t)walk->doubtful_count + count) * sizeof(*doubtful) + 1);

	if (!doubtful)
		return lo_fail(search->err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks",
				count);
	walk->doubtful = doubtful;
	for (uint32_t i = 0; i < count; i++) {
		const struct ended_life *life = &ended[i];
		bool sure = walk->settled || life->born_by == EVENT_CREATE ||
			    life->born_by == EVENT_RUN;

		/* A doubtful one may hide a life that begins later. */
		if (!sure)
			doubtful[walk->doubtful_count++] = life->task;
		else if (life_is_short(life->birth_ns, life->death_ns, before_ns, block->begin_ns,
					 block->end_ns) &&
				life->birth_ns < span.end_ns && life->death_ns >= span.begin_ns)
			add_id(search, life->task);
	}
	return LO_OK;
}

static enum lo_result walk_block(struct walk *walk, uint32_t number, uint64_t before_ns)
{
	struct search *search = walk->search;
	struct trace_reader *reader = search->reader;
	const struct section_entry *entry = &search->sections->entries[reader->blocks[number]];
	const struct cached_block *block = NULL;
	enum lo_result result = trace_block_acquire(reader, number, &block, search->err);

	if (result == LO_CORRUPT) {
		search->out->uncertain = true;
		return LO_OK;
	}
	if (result == LO_OK)
		result = live_tasks_advance(walk->tasks, block->events, block->count,
				entry->sequence, search->err);
	if (result == LO_OK)
		result = take_short(walk, entry, before_ns);
	trace_block_release(reader, block);
	return result;
}

static enum lo_result walk_blocks(struct walk *walk)
{
	const struct search *search = walk->search;
	uint64_t before_ns = 0;
	enum lo_result result = LO_OK;

	for (uint32_t number = walk->first; number < walk->end && result == LO_OK; number++) {
		result = walk_block(walk, number, before_ns);
		before_ns = search->sections->entries[search->reader->blocks[number]].begin_ns;
	}
	return result;
}

/* Starts again, with the doubtful tasks as they were before the first of the blocks. */
static enum lo_result settle(struct walk *walk)
{
	struct search *search = walk->search;
	const struct section_entry
			*first = &search->sections->entries[search->reader->blocks[walk->first]];
	struct task_state_at *states = malloc(walk->doubtful_count * sizeof(*states));
	enum lo_result result;
	bool uncertain = false;
	uint32_t count = 0;

	if (!states)
		return lo_fail(search->err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks",
				walk->doubtful_count);
	qsort(walk->doubtful, walk->doubtful_count, sizeof(*walk->doubtful), compare_ids);
	for (uint32_t i = 0; i < walk->doubtful_count; i++)
		if (i == 0 || walk->doubtful[i] != walk->doubtful[i - 1])
			walk->doubtful[count++] = walk->doubtful[i];
	live_tasks_free(walk->tasks);
	walk->tasks = NULL;
	walk->settled = true;
	result = live_tasks_new(&walk->tasks, search->err);
	if (result == LO_OK)
		result = trace_states_of(search->reader, first->begin_ns, walk->doubtful, count,
				states, &uncertain, search->progress, search->err);
	for (uint32_t i = 0; i < count && result == LO_OK; i++)
		if (states[i].state == LIVE_EXITED)
			result = live_tasks_seed_exited(walk->tasks, states[i].task, search->err);
	search->out->uncertain = search->out->uncertain || uncertain;
	free(states);
	return result;
}

/* The short lives of a span of few blocks: in these and their neighbours. */
static enum lo_result add_short(struct search *search, uint32_t first, uint32_t end)
{
	struct walk walk = { .search = search, .first = first, .end = end };
	enum lo_result result = live_tasks_new(&walk.tasks, search->err);

	if (first > 0)
		walk.first--;
	if (end < search->reader->block_count)
		walk.end++;
	if (result == LO_OK)
		result = walk_blocks(&walk);
	if (result == LO_OK && walk.doubtful_count > 0) {
		result = settle(&walk);
		if (result == LO_OK)
			result = walk_blocks(&walk);
	}
	live_tasks_free(walk.tasks);
	free(walk.doubtful);
	return result;
}

/* ---- together ---- */

/* Who is alive at some time from `begin_ns` on, from the events alone. */
static enum lo_result add_from_events(struct search *search, uint64_t begin_ns)
{
	struct time_span span = { begin_ns, search->query.span.end_ns };

	return trace_states_span(search->reader, span, add_id, search, &search->out->uncertain,
			search->progress, search->err);
}

/*
 * A trace that was cut has no list of those that were alive at its end, nor of those that ended in
 * its last blocks. All of them are alive, or born, from the time on up to which lives are stored.
 */
static enum lo_result add_unstored(struct search *search)
{
	uint32_t first = block_behind(search, search->heads->covered);
	uint64_t begin_ns = search->query.span.end_ns;
	struct trace_reader *reader = search->reader;

	if (search->heads->finished)
		return LO_OK;
	if (first < reader->block_count &&
			search->sections->entries[reader->blocks[first]].begin_ns < begin_ns)
		begin_ns = search->sections->entries[reader->blocks[first]].begin_ns;
	if (begin_ns < search->query.span.begin_ns)
		begin_ns = search->query.span.begin_ns;
	return add_from_events(search, begin_ns);
}

static enum lo_result search_stored(struct search *search)
{
	uint32_t first = trace_block_at(search->reader, search->query.span.begin_ns);
	uint32_t end = trace_block_at(search->reader, search->query.span.end_ns);
	enum lo_result result = add_pages(search);

	/* The block at the end of the span counts if it begins in it. */
	if (end < search->reader->block_count)
		end++;
	if (result == LO_OK)
		result = add_unstored(search);
	if (result != LO_OK)
		return result;
	if (end - first <= ALIVE_BLOCKS)
		return add_short(search, first, end);
	count_short(search);
	return LO_OK;
}

static void forget(struct search *search)
{
	for (uint32_t word = 0; word <= search->highest / 64; word++)
		search->ids[word] = 0;
	search->found = 0;
	search->all = 0;
	search->more = 0;
	*search->out = (struct alive_tasks){ 0 };
}

static enum lo_result search_all(struct search *search)
{
	enum lo_result result = find_heads(search->reader, search->err);

	search->heads = &search->reader->lives;
	if (result != LO_OK || search->query.span.begin_ns >= search->query.span.end_ns)
		return result;
	if (search->heads->sound) {
		result = search_stored(search);
		if (result != LO_CORRUPT)
			return result;
		forget(search);
	}
	return add_from_events(search, search->query.span.begin_ns);
}

enum lo_result trace_alive_in(struct alive_tasks *alive, struct trace_reader *reader,
		const struct alive_query *query, const struct progress *progress,
		struct lo_error *err)
{
	struct search search = { .reader = reader,
		.sections = &reader->sections,
		.query = *query,
		.progress = progress,
		.err = err,
		.out = alive };
	enum lo_result result;

	*alive = (struct alive_tasks){ 0 };
	if (search.query.from > LIMIT_TASKS)
		search.query.limit = 0;
	search.ids = calloc(LIMIT_TASKS / 64 + 1, sizeof(*search.ids));
	if (!search.ids)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to list tasks");
	result = search_all(&search);
	if (result == LO_OK) {
		uint32_t most = search.found < search.query.limit ? search.found
								  : search.query.limit;

		alive->tasks = malloc(most * sizeof(*alive->tasks) + 1);
		alive->total = search.all + search.more;
		alive->exact = search.more == 0;
		if (!alive->tasks)
			result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks",
					most);
		else if (most > 0)
			alive->count = take_ids(&search, alive->tasks);
	}
	free(search.ids);
	return result;
}

void alive_tasks_release(struct alive_tasks *alive)
{
	free(alive->tasks);
	*alive = (struct alive_tasks){ 0 };
}
