#include "tests/support/fault_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fault_source {
	struct byte_source source;
	const uint8_t *bytes;
	size_t size;
	struct fault fault;
};

static uint64_t faulty_size(struct byte_source *source)
{
	struct fault_source *faulty = (struct fault_source *)source;

	return faulty->fault.kind == FAULT_CUT && faulty->fault.offset < faulty->size
			       ? faulty->fault.offset
			       : faulty->size;
}

/* `bytes` are those of the file from `offset` on. */
static void spoil(const struct fault *fault, uint64_t offset, uint8_t *bytes, size_t size)
{
	uint64_t begin = fault->offset;
	uint64_t end = fault->offset + (fault->kind == FAULT_ZERO ? fault->size : 1);

	if (fault->kind != FAULT_FLIP && fault->kind != FAULT_ZERO)
		return;
	if (begin < offset)
		begin = offset;
	if (end > offset + size)
		end = offset + size;
	for (uint64_t at = begin; at < end; at++) {
		uint8_t byte = bytes[at - offset];

		bytes[at - offset] = (uint8_t)(fault->kind == FAULT_ZERO ? 0
									 : byte ^ 1u << fault->bit);
	}
}

static enum lo_result faulty_read(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, size_t *got, struct lo_error *err)
{
	struct fault_source *faulty = (struct fault_source *)source;
	uint64_t end = faulty_size(source);

	*got = 0;
	if (offset >= end)
		return LO_OK;
	*got = end - offset < size ? (size_t)(end - offset) : size;
	if (faulty->fault.kind == FAULT_READ && offset + *got > faulty->fault.offset &&
			(faulty->fault.size == 0 ||
					offset < faulty->fault.offset + faulty->fault.size))
		return lo_fail_errno(err, EIO, "cannot read");
	memcpy(bytes, faulty->bytes + offset, *got);
	spoil(&faulty->fault, offset, bytes, *got);
	return LO_OK;
}

static void faulty_close(struct byte_source *source)
{
	free(source);
}

void fault_source_open(struct byte_source **out, const void *bytes, size_t size, struct fault fault)
{
	static const struct byte_source_ops ops = { faulty_read, faulty_size, faulty_close };
	struct fault_source *faulty = calloc(1, sizeof(*faulty));

	if (!faulty)
		abort();
	*faulty = (struct fault_source){ { &ops }, bytes, size, fault };
	*out = &faulty->source;
}

struct fault_sink {
	struct byte_sink sink;
	uint64_t room;
};

static enum lo_result full_write(
		struct byte_sink *sink, const void *bytes, size_t size, struct lo_error *err)
{
	struct fault_sink *faulty = (struct fault_sink *)sink;

	(void)bytes;
	if (size > faulty->room) {
		faulty->room = 0;
		return lo_fail_errno(err, ENOSPC, "cannot write the file");
	}
	faulty->room -= size;
	return LO_OK;
}

static enum lo_result full_close(struct byte_sink *sink, struct lo_error *err)
{
	(void)err;
	free(sink);
	return LO_OK;
}

void fault_sink_open(struct byte_sink **out, uint64_t capacity)
{
	static const struct byte_sink_ops ops = { full_write, full_close };
	struct fault_sink *faulty = calloc(1, sizeof(*faulty));

	if (!faulty)
		abort();
	*faulty = (struct fault_sink){ { &ops, 0 }, capacity };
	*out = &faulty->sink;
}
