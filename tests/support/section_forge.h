#ifndef LOITER_TESTS_SECTION_FORGE_H
#define LOITER_TESTS_SECTION_FORGE_H

#include "formats/base/byte_buffer.h"
#include "formats/base/byte_codec.h"
#include "formats/native/block.h"
#include "formats/native/row_codec.h"
#include "formats/native/section.h"
#include "formats/native/trace_reader.h"

/*
 * Files that no writer of this build makes: from later versions, or from enemies. Sections are put
 * together by hand, with checksums that are right, so that what is behind the checksums is met.
 */
struct forge {
	struct byte_buffer file;
	struct byte_packer *packer;
	uint32_t sequence;
};

void forge_init(struct forge *forge);
void forge_release(struct forge *forge);

/* A section as given: sequence and checksums are filled in, version only when it is 0. */
void forge_section(struct forge *forge, struct section_header *header, const void *payload,
		size_t payload_bytes);

/* A table section; the rows are released. */
void forge_table(struct forge *forge, enum section_type type, uint32_t first_id,
		struct row_writer *rows);
/* The same with raw bytes that may be anything. */
void forge_raw_table(struct forge *forge, enum section_type type, uint32_t first_id, uint32_t rows,
		const void *raw, size_t raw_bytes, uint32_t announced_bytes);

/* The same for types with an extra part of their own, which is given but for the raw bytes. */
void forge_side(struct forge *forge, enum section_type type, uint32_t rows, const void *extra,
		size_t extra_bytes, const void *raw, size_t raw_bytes);

/* Rows that begin with this build's schema; more may be added before forge_table(). */
void forge_schema_rows(struct row_writer *rows);
void forge_schema_row(struct row_writer *rows, uint64_t group, uint64_t number, uint64_t value,
		const char *name);
/* This build's schema as a section. */
void forge_schema(struct forge *forge);

/* Raw bytes of one column. */
struct forged_column {
	uint8_t number;
	uint8_t encoding;
	const void *raw;
	size_t raw_bytes;
	uint32_t announced_bytes; /* 0: raw_bytes */
};

void forge_block(struct forge *forge, uint64_t begin_ns, uint64_t end_ns, uint32_t rows,
		const struct forged_column *columns, unsigned column_count,
		const struct block_loss *losses, unsigned loss_count);

void forge_end(struct forge *forge, uint64_t end_ns);

/* Opens what was forged; the forge must outlive the reader. */
enum lo_result forge_open(
		const struct forge *forge, struct trace_reader **reader, struct lo_error *err);

#endif
