#ifndef LOITER_TESTS_TRACE_SAMPLE_H
#define LOITER_TESTS_TRACE_SAMPLE_H

#include "formats/base/byte_buffer.h"
#include "formats/model/event.h"
#include "formats/native/trace_reader.h"

/*
 * A written trace together with what the writer's side knows about it: every event, and where each
 * section came to lie. The sections are noted by the sink, one write each, without the reader's
 * help; so a test can say what must survive when bytes are harmed.
 */
struct sample_section {
	uint64_t offset;
	uint64_t bytes;
	unsigned type;        /* enum section_type, from the bytes */
	uint32_t first_event; /* blocks: position in `events` */
	uint32_t event_count;
};

struct trace_sample {
	struct byte_buffer file;
	struct event *events;
	uint32_t event_count;
	struct sample_section *sections;
	uint32_t section_count;
};

/* `blocks` blocks of `rows` generated events each, with tables, tasks and symbols in between. */
void trace_sample_init(struct trace_sample *sample, uint32_t blocks, uint32_t rows, uint64_t seed);
void trace_sample_release(struct trace_sample *sample);

/* The section that the byte at `offset` belongs to. */
const struct sample_section *trace_sample_section_at(
		const struct trace_sample *sample, uint64_t offset);

/*
 * Reads all events of an open trace and compares them with the events of the sample, except those
 * of blocks for which `lost` says so (NULL: none is lost). Stacks that the reader does not know
 * count as STACK_NONE. Returns how many events were compared; aborts the test when one differs.
 */
uint32_t trace_sample_compare(const struct trace_sample *sample, struct trace_reader *reader,
		bool (*lost)(const struct sample_section *section, const void *context),
		const void *context);

#endif
