#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"
#include "formats/native/layout.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/trace_model.h"

/*
 * The bytes are a file that has lost its index: the locator at its end is cut off, so the sections
 * are found by checkpoints or a scan. Then the file is cut once more, before a section that the
 * bytes choose: what is left must be the begin of what was there before. (Inside a section the rule
 * holds only with real checksums: what a cut header swallows may look like sections of its own.)
 */
static void require_same_begin(const struct event *whole, uint32_t whole_count,
		const struct event *part, uint32_t part_count)
{
	if (part_count > whole_count)
		abort();
	for (uint32_t i = 0; i < part_count; i++)
		/* Stacks may be missing in the part, and with them their ids. */
		if (part[i].time_ns != whole[i].time_ns || part[i].task != whole[i].task ||
				part[i].kind != whole[i].kind || part[i].object != whole[i].object)
			abort();
}

/* What follows the header of a section. */
static const uint8_t *payload_of(
		const uint8_t *bytes, const struct trace_section *section, uint64_t *size)
{
	uint64_t header = SECTION_AT_MAGIC +
			  load_le32(bytes + section->offset + SECTION_AT_FRAME_BYTES);

	*size = section->bytes - header;
	return bytes + section->offset + header;
}

/*
 * A later schema has all that the earlier ones say, and is used for the whole file. One that was
 * forged may say something else: then the part, which does not have it, is rightly read in another
 * way. Do all say the same?
 */
static bool has_one_schema(const uint8_t *bytes, const struct trace_reader *reader)
{
	struct trace_section section;
	const uint8_t *first = NULL;
	uint64_t first_size = 0;

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		const uint8_t *payload;
		uint64_t size;

		if (strcmp(section.name, "schema") != 0)
			continue;
		payload = payload_of(bytes, &section, &size);
		if (first && (size != first_size || memcmp(payload, first, size) != 0))
			return false;
		first = payload;
		first_size = size;
	}
	return true;
}

/* The begin of a section, by a number from 0 to 255. */
static size_t choose_cut(const struct trace_reader *reader, uint8_t choice)
{
	struct trace_section section = { .offset = 0 };
	uint32_t count = trace_reader_section_count(reader);

	trace_reader_section(reader, (uint32_t)((uint64_t)choice * count / 256), &section);
	return (size_t)section.offset;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct event whole[MODEL_EVENTS_MAX];
	static struct event part[MODEL_EVENTS_MAX];
	struct trace_reader *reader;
	uint32_t whole_count;
	bool one_schema;
	size_t cut;
	bool by_scan;

	if (size < LOCATOR_BYTES)
		return 0;
	size -= LOCATOR_BYTES;
	reader = model_open(bytes, size);
	if (!reader)
		return 0;
	if (trace_reader_info(reader)->index == TRACE_INDEX_COMPLETE) {
		trace_reader_close(reader); /* there was another locator before the last */
		return 0;
	}
	by_scan = trace_reader_info(reader)->index != TRACE_INDEX_CHECKPOINT;
	whole_count = model_check_events(reader, whole);
	model_check_tables(reader);
	model_check_side(reader);
	model_check_states(reader);
	cut = choose_cut(reader, bytes[size]);
	one_schema = has_one_schema(bytes, reader);
	trace_reader_close(reader);

	reader = model_open(bytes, cut);
	/* A checkpoint may list sections that are not what it says, and in the part another one, or
	 * none, is used: only what is found by a scan is the same. */
	if (reader && by_scan && one_schema &&
			trace_reader_info(reader)->index != TRACE_INDEX_COMPLETE &&
			trace_reader_info(reader)->index != TRACE_INDEX_CHECKPOINT)
		require_same_begin(whole, whole_count, part, model_check_events(reader, part));
	trace_reader_close(reader);
	return 0;
}
