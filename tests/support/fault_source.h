#ifndef LOITER_TESTS_FAULT_SOURCE_H
#define LOITER_TESTS_FAULT_SOURCE_H

#include "formats/base/byte_sink.h"
#include "formats/base/byte_source.h"

/* A byte source over a healthy file that behaves as if the file were not. */
enum fault_kind {
	FAULT_CUT,  /* the file ends at `offset` */
	FAULT_FLIP, /* bit `bit` of the byte at `offset` is the other one */
	FAULT_ZERO, /* `size` bytes from `offset` on are zero, as after a lost disk page */
	FAULT_READ, /* reading any of `size` bytes from `offset` on (0: all) fails with LO_IO */
};

struct fault {
	enum fault_kind kind;
	uint64_t offset;
	uint64_t size;
	unsigned bit;
};

/* `bytes` stay the caller's and must outlive the source. At most one fault. */
void fault_source_open(
		struct byte_source **out, const void *bytes, size_t size, struct fault fault);

/* A sink that takes `capacity` bytes into nowhere and then fails for ever, as a full disk does. */
void fault_sink_open(struct byte_sink **out, uint64_t capacity);

#endif
