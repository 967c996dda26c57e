/* Writes traces as first inputs for the fuzz targets into an existing folder: fuzz_seeds FOLDER */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"
#include "formats/native/damage_list.h"
#include "formats/native/row_codec.h"
#include "formats/native/section_list.h"
#include "tests/support/section_forge.h"
#include "tests/support/trace_builder.h"
#include "tests/support/trace_sample.h"

static const char everything[] =
		"program /usr/bin/shop\n"
		"module libc /usr/lib/libc.so.6 system\n"
		"meta backend preload\n"
		"name T2 order-worker\n"
		"@0 run T1 existing\n"
		"@1ms create T2 by T1 at main>start>pthread_create!libc\n"
		"@2ms block T2 mutex 0x55d0c8a012c0 held T1 at main>worker(shop.c:12)>lock!libc\n"
		"@2ms block T1 for cond wait cond 0x20 timed signalled T2\n"
		"@3ms unblock T1 timed out\n"
		"lost 12 ring full\n"
		"flush\n"
		"@4ms block T1 descriptor 5 for read\n"
		"@9s advance\n"
		"@9s exit T2\n"
		"@10s end\n";

static void save(const char *folder, const char *name, const uint8_t *bytes, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void put_index_row(struct row_writer *rows, const struct section_list *list, uint32_t i)
{
	const struct section_entry *entry = &list->entries[i];
	struct byte_buffer detail = { 0 };
	struct row row = { .number = { [INDEX_TYPE] = entry->type,
					   [INDEX_BYTES] = entry->bytes,
					   [INDEX_ROWS] = entry->rows,
					   [INDEX_BEGIN] = entry->begin_ns,
					   [INDEX_LENGTH] = entry->end_ns - entry->begin_ns } };
	const struct section_loss *losses;
	uint32_t count;

	if (section_has_range(entry->type) || section_has_positions(entry->type))
		byte_buffer_put_varint(&detail, entry->low);
	if (section_has_range(entry->type))
		byte_buffer_put_varint(&detail, entry->high - entry->low);
	losses = section_list_losses(list, i, &count);
	for (uint32_t loss = 0; loss < count; loss++) {
		byte_buffer_put_varint(&detail, losses[loss].cause);
		byte_buffer_put_varint(&detail, losses[loss].count);
	}
	row.number[INDEX_DETAIL] = detail.size;
	row.bytes[INDEX_DETAIL] = detail.bytes;
	row_writer_put(rows, &row);
	byte_buffer_release(&detail);
}

/* Appends a checkpoint, which a writer would not do before 1 MiB. `previous` and `first` are of the
 * one before; returns its sequence number. */
static uint32_t append_checkpoint(struct byte_buffer *file, uint64_t previous, uint32_t first)
{
	struct row_writer rows = { .schema = &row_schemas[SECTION_INDEX] };
	uint8_t extra[CHECKPOINT_EXTRA_BYTES] = { 0 };
	struct byte_source *source;
	struct damage_list damage;
	struct section_list list;
	struct forge forge;

	damage_list_init(&damage);
	if (byte_source_open_memory(&source, file->bytes, file->size, NULL) != LO_OK ||
			section_list_scan(&list, source, &damage, NULL, NULL) != LO_OK)
		abort();
	for (uint32_t i = first; i < list.count; i++)
		put_index_row(&rows, &list, i);
	store_le32(extra + TABLE_AT_FIRST_ID, first);
	store_le64(extra + CHECKPOINT_AT_PREVIOUS, previous);
	for (uint32_t i = list.count; i-- > 0;)
		if (list.entries[i].type == SECTION_BLOCK && list.entries[i].rows > 0)
			memcpy(extra + CHECKPOINT_AT_KEY,
					file->bytes + list.entries[i].offset +
							SECTION_AT_PAYLOAD_CHECKSUM,
					8);
	forge_init(&forge);
	forge.sequence = list.count;
	forge_side(&forge, SECTION_CHECKPOINT, rows.rows, extra, sizeof(extra), rows.bytes.bytes,
			rows.bytes.size);
	byte_buffer_put(file, forge.file.bytes, forge.file.size);
	forge_release(&forge);
	row_writer_release(&rows);
	section_list_release(&list);
	damage_list_release(&damage);
	byte_source_close(source);
	return forge.sequence - 1;
}

/* The begin of a sample with two checkpoints, the second in the chain of the first. */
static void save_checkpoints(const char *folder, const struct trace_sample *sample)
{
	struct byte_buffer file = { 0 };
	uint32_t blocks = 0;
	uint32_t i;
	uint64_t first_at;
	uint32_t first;

	for (i = 0; blocks < 2; i++)
		blocks += sample->sections[i].type == SECTION_BLOCK;
	byte_buffer_put(&file, sample->file.bytes, sample->sections[i].offset);
	first_at = file.size;
	first = append_checkpoint(&file, 0, 0);
	append_checkpoint(&file, first_at, first);
	save(folder, "checkpoints.loiter", file.bytes, file.size);
	byte_buffer_release(&file);
}

int main(int argc, char **argv)
{
	struct byte_buffer empty = { 0 };
	struct byte_buffer small = { 0 };
	struct trace_sample sample;

	if (argc != 2) {
		fputs("usage: fuzz_seeds FOLDER\n", stderr);
		return 2;
	}
	trace_text_to_bytes("@1s end\n", &empty);
	trace_text_to_bytes(everything, &small);
	trace_sample_init(&sample, 4, 20, 1);
	save(argv[1], "empty.loiter", empty.bytes, empty.size);
	save(argv[1], "small.loiter", small.bytes, small.size);
	save(argv[1], "blocks.loiter", sample.file.bytes, sample.file.size);
	save(argv[1], "cut.loiter", sample.file.bytes, sample.file.size / 2);
	save_checkpoints(argv[1], &sample);
	byte_buffer_release(&empty);
	byte_buffer_release(&small);
	trace_sample_release(&sample);
	return 0;
}
