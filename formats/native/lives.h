#ifndef LOITER_NATIVE_LIVES_H
#define LOITER_NATIVE_LIVES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/native/reader_parts.h"
#include "formats/native/section_builder.h"

/*
 * Who lived when: from which block to which, of every task that lived for some time. A program that
 * makes millions of tasks mostly makes short-lived ones; to list those would cost more than it
 * saves, so they are only counted here. Births and deaths by block take a fifth of what times would
 * take; when exactly they were is in these blocks.
 */
struct life {
	uint32_t task;
	uint32_t birth;          /* sequence of the block with its first event */
	uint32_t death;          /* of the block with its exit; or LIFE_GOES_ON */
	uint32_t creation_stack; /* STACK_NONE: not known */
	uint8_t existing;        /* its creation was not seen */
};

#define LIFE_GOES_ON UINT32_MAX /* it was alive at the end of the trace */

/* Lives of one section: about 8 KiB of file, and 80 KiB decoded. */
#define LIVES_PAGE 4096u

extern const struct section_builder_kind lives_builder_kind;

/* Appends raw bytes; sorts the lives, and tells the least and the greatest id. */
void lives_encode(struct byte_buffer *raw, struct life *lives, uint32_t count,
		struct section_range *range);

/* One section in memory. */
struct lives_page {
	uint32_t count;
	struct life lives[]; /* by birth */
};

extern const struct section_decoder lives_decoder;

#endif
