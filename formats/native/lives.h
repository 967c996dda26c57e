#ifndef LOITER_NATIVE_LIVES_H
#define LOITER_NATIVE_LIVES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/native/reader_parts.h"
#include "formats/native/section_builder.h"

/*
 * Who lived when: begin and end of every task that lived for some time. A program that makes
 * millions of tasks mostly makes short-lived ones, and to list those would cost more than it
 * saves: they are found by decoding the one or two blocks in which their whole lives are, and only
 * counted here.
 */
struct life {
	uint64_t birth_ns; /* its first event */
	uint64_t death_ns; /* LIFE_GOES_ON: it was alive at the end of the trace */
	uint32_t task;
	uint32_t creation_stack; /* STACK_NONE: not known */
	uint8_t existing;        /* its creation was not seen */
};

#define LIFE_GOES_ON UINT64_MAX

/* Lives of one section, in the order of their births: about 20 KiB of file, and 128 KiB decoded. */
#define LIVES_PAGE 4096u

/*
 * Is a life, which ended in the block [begin_ns, end_ns], too short to be listed? `before_ns` is
 * the begin of the block before. Such a life is in these two blocks from its birth to its death,
 * so whoever decodes a block and both of its neighbours sees all short lives that touch it.
 */
static inline bool life_is_short(uint64_t birth_ns, uint64_t death_ns, uint64_t before_ns,
		uint64_t begin_ns, uint64_t end_ns)
{
	return birth_ns > before_ns && death_ns - birth_ns < (end_ns - begin_ns) / 4;
}

extern const struct section_builder_kind lives_builder_kind;

/* Appends raw bytes; sorts the lives, and tells what they range over. */
void lives_encode(struct byte_buffer *raw, struct life *lives, uint32_t count,
		struct section_range *range);

/* One section in memory. */
struct lives_page {
	uint32_t count;
	struct life lives[]; /* ascending births */
};

extern const struct section_decoder lives_decoder;

#endif
