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

	uint32_t first; /* sequences of the first and the last block of the span */
	uint32_t last;
	bool rough; /* some may be alive in these blocks and not in the span */

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
	const struct lives_page *page;
	const void *object = NULL;
	enum lo_result result = trace_section_acquire(
			search->reader, section, &lives_decoder, &object, search->err);

	if (result != LO_OK)
		return result;
	page = object;
	for (uint32_t i = 0; i < page->count && page->lives[i].birth <= search->last; i++) {
		const struct life *life = &page->lives[i];

		if (life->death < search->first)
			continue;
		add_id(search, life->task);
		search->rough = search->rough || life->death == search->first ||
				life->birth == search->last;
	}
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

/* Stored lives go from block to block, so the span is taken to the borders of blocks. */
static enum lo_result search_stored(struct search *search, uint32_t first, uint32_t end)
{
	const struct section_entry *entries = search->sections->entries;
	enum lo_result result;

	search->first = entries[search->reader->blocks[first]].sequence;
	search->last = entries[search->reader->blocks[end - 1]].sequence;
	result = add_pages(search);
	if (result == LO_OK)
		result = add_unstored(search);
	count_short(search);
	return result;
}

static void forget(struct search *search)
{
	for (uint32_t word = 0; word <= search->highest / 64; word++)
		search->ids[word] = 0;
	search->found = 0;
	search->all = 0;
	search->more = 0;
	search->rough = false;
	*search->out = (struct alive_tasks){ 0 };
}

static enum lo_result search_all(struct search *search)
{
	struct trace_reader *reader = search->reader;
	struct time_span span = search->query.span;
	uint32_t first = trace_block_at(reader, span.begin_ns);
	uint32_t end = trace_block_at(reader, span.end_ns);
	enum lo_result result = find_heads(reader, search->err);

	search->heads = &reader->lives;
	if (result != LO_OK || span.begin_ns >= span.end_ns)
		return result;
	/* The block at the end of the span counts if it begins in it. */
	while (end < reader->block_count &&
			search->sections->entries[reader->blocks[end]].begin_ns < span.end_ns)
		end++;
	if (search->heads->sound && end > first + ALIVE_BLOCKS) {
		result = search_stored(search, first, end);
		if (result != LO_CORRUPT)
			return result;
		forget(search);
	}
	return add_from_events(search, span.begin_ns);
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
		alive->exact = search.more == 0 && !search.rough;
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
