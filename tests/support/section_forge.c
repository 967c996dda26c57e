#include "tests/support/section_forge.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"
#include "formats/base/checksum.h"
#include "formats/native/trace_schema.h"

void forge_init(struct forge *forge)
{
	*forge = (struct forge){ 0 };
	if (byte_packer_new(&forge->packer, NULL) != LO_OK)
		abort();
}

void forge_release(struct forge *forge)
{
	byte_buffer_release(&forge->file);
	byte_packer_free(forge->packer);
}

void forge_section(struct forge *forge, struct section_header *header, const void *payload,
		size_t payload_bytes)
{
	uint16_t version = header->version;
	size_t begin = forge->file.size;
	uint8_t *bytes;

	header->sequence = forge->sequence++;
	section_header_put(&forge->file, header, payload, payload_bytes);
	if (version != 0) {
		size_t hashed = header->header_bytes - SECTION_CHECKSUM_BYTES;

		bytes = forge->file.bytes + begin;
		store_le16(bytes + SECTION_AT_VERSION, version);
		store_le64(bytes + hashed, checksum64(bytes, hashed));
	}
	byte_buffer_put(&forge->file, payload, payload_bytes);
}

void forge_raw_table(struct forge *forge, enum section_type type, uint32_t first_id, uint32_t rows,
		const void *raw, size_t raw_bytes, uint32_t announced_bytes)
{
	struct section_header *header = calloc(1, sizeof(*header));
	struct byte_buffer payload = { 0 };

	if (!header || byte_packer_pack(forge->packer, raw, raw_bytes, &payload, NULL) != LO_OK)
		abort();
	header->type = (uint16_t)type;
	header->rows = rows;
	header->extra_bytes = TABLE_EXTRA_BYTES;
	store_le32(header->extra + TABLE_AT_FIRST_ID, first_id);
	store_le32(header->extra + TABLE_AT_RAW_BYTES, announced_bytes);
	forge_section(forge, header, payload.bytes, payload.size);
	byte_buffer_release(&payload);
	free(header);
}

void forge_table(struct forge *forge, enum section_type type, uint32_t first_id,
		struct row_writer *rows)
{
	forge_raw_table(forge, type, first_id, rows->rows, rows->bytes.bytes, rows->bytes.size,
			(uint32_t)rows->bytes.size);
	row_writer_release(rows);
}

void forge_side(struct forge *forge, enum section_type type, uint32_t rows, const void *extra,
		size_t extra_bytes, const void *raw, size_t raw_bytes)
{
	struct section_header *header = calloc(1, sizeof(*header));
	struct byte_buffer payload = { 0 };

	if (!header || byte_packer_pack(forge->packer, raw, raw_bytes, &payload, NULL) != LO_OK)
		abort();
	header->type = (uint16_t)type;
	header->flags = SECTION_FLAG_OPTIONAL;
	header->rows = rows;
	header->extra_bytes = (uint32_t)extra_bytes;
	if (extra_bytes > 0)
		memcpy(header->extra, extra, extra_bytes);
	if (extra_bytes >= TABLE_EXTRA_BYTES)
		store_le32(header->extra + TABLE_AT_RAW_BYTES, (uint32_t)raw_bytes);
	forge_section(forge, header, payload.bytes, payload.size);
	byte_buffer_release(&payload);
	free(header);
}

void forge_schema_rows(struct row_writer *rows)
{
	*rows = (struct row_writer){ .schema = &row_schemas[SECTION_SCHEMA] };
	trace_schema_put(rows);
}

void forge_schema_row(struct row_writer *rows, uint64_t group, uint64_t number, uint64_t value,
		const char *name)
{
	struct row row = { .number = { group, number, value, strlen(name) },
		.bytes = { NULL, NULL, NULL, (const uint8_t *)name } };

	row_writer_put(rows, &row);
}

void forge_schema(struct forge *forge)
{
	struct row_writer rows;

	forge_schema_rows(&rows);
	forge_table(forge, SECTION_SCHEMA, 0, &rows);
}

void forge_block(struct forge *forge, uint64_t begin_ns, uint64_t end_ns, uint32_t rows,
		const struct forged_column *columns, unsigned column_count,
		const struct block_loss *losses, unsigned loss_count)
{
	struct section_header *header = calloc(1, sizeof(*header));
	struct block_header *block = calloc(1, sizeof(*block));
	struct byte_buffer payload = { 0 };

	if (!header || !block)
		abort();
	block->begin_ns = begin_ns;
	block->end_ns = end_ns;
	for (unsigned i = 0; i < column_count; i++) {
		size_t before = payload.size;
		uint32_t announced = columns[i].announced_bytes;

		if (byte_packer_pack(forge->packer, columns[i].raw, columns[i].raw_bytes, &payload,
				    NULL) != LO_OK)
			abort();
		block->columns[block->column_count++] = (struct block_column){ columns[i].number,
			columns[i].encoding, (uint32_t)(payload.size - before),
			announced ? announced : (uint32_t)columns[i].raw_bytes };
	}
	for (unsigned i = 0; i < loss_count; i++)
		block->losses[block->loss_count++] = losses[i];
	block_header_store(header, block);
	header->type = SECTION_BLOCK;
	header->rows = rows;
	forge_section(forge, header, payload.bytes, payload.size);
	byte_buffer_release(&payload);
	free(header);
	free(block);
}

void forge_end(struct forge *forge, uint64_t end_ns)
{
	struct section_header *header = calloc(1, sizeof(*header));

	if (!header)
		abort();
	header->type = SECTION_END;
	header->extra_bytes = END_EXTRA_BYTES;
	store_le64(header->extra + END_AT_TIME_NS, end_ns);
	forge_section(forge, header, NULL, 0);
	free(header);
}

enum lo_result forge_open(
		const struct forge *forge, struct trace_reader **reader, struct lo_error *err)
{
	struct byte_source *source;

	if (byte_source_open_memory(&source, forge->file.bytes, forge->file.size, err) != LO_OK)
		abort();
	return trace_reader_open(reader, source, NULL, err);
}
