#include "tests/support/unwind_builder.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT_PC_RELATIVE_4 0x1b
#define FORMAT_UNSIGNED_4    0x03
#define FORMAT_SORTED_TABLE  0x3b

static void put(struct unwind_builder *builder, const void *bytes, size_t size)
{
	if (size > sizeof(builder->bytes) - builder->size)
		abort();
	if (size > 0)
		memcpy(builder->bytes + builder->size, bytes, size);
	builder->size += size;
}

static void put_number(struct unwind_builder *builder, uint64_t value, size_t size)
{
	put(builder, &value, size);
}

void unwind_builder_patch(struct unwind_builder *builder, size_t at, uint64_t value, size_t size)
{
	if (at > sizeof(builder->bytes) || size > sizeof(builder->bytes) - at)
		abort();
	memcpy(builder->bytes + at, &value, size);
}

static size_t record_begin(struct unwind_builder *builder)
{
	size_t at = builder->size;

	put_number(builder, 0, 4);
	return at;
}

static void record_end(struct unwind_builder *builder, size_t at)
{
	while (builder->size % 4 != 0)
		put_number(builder, 0, 1); /* DW_CFA_nop */
	unwind_builder_patch(builder, at, builder->size - at - 4, 4);
}

void unwind_builder_init_with(struct unwind_builder *builder, const char *augmentation,
		const uint8_t *data, size_t data_size, const uint8_t *program, size_t program_size)
{
	memset(builder, 0, sizeof(*builder));
	builder->pointer_format = FORMAT_PC_RELATIVE_4;
	builder->cie = record_begin(builder);
	put_number(builder, 0, 4);
	put_number(builder, 1, 1); /* version */
	put(builder, augmentation, strlen(augmentation) + 1);
	put_number(builder, 1, 1);    /* code alignment */
	put_number(builder, 0x78, 1); /* data alignment: -8 */
	put_number(builder, 16, 1);   /* return address register */
	if (augmentation[0] == 'z')
		put_number(builder, data_size, 1);
	put(builder, data, data_size);
	put(builder, program, program_size);
	record_end(builder, builder->cie);
}

void unwind_builder_init(struct unwind_builder *builder)
{
	const uint8_t format = FORMAT_PC_RELATIVE_4;
	const uint8_t program[] = { 0x0c, 7, 8, 0x90, 1 };

	unwind_builder_init_with(builder, "zR", &format, 1, program, sizeof(program));
}

/* Bytes of a pointer, by the lower half of its format; 0: none that is used here. */
static size_t pointer_size(uint8_t format)
{
	static const uint8_t sizes[16] = {
		[0] = 8, [2] = 2, [3] = 4, [4] = 8, [10] = 2, [11] = 4, [12] = 8
	};

	return sizes[format & 0x0f];
}

static void put_pointer(struct unwind_builder *builder, size_t function)
{
	uintptr_t target = (uintptr_t)builder->bytes + function;
	uintptr_t here = (uintptr_t)builder->bytes + builder->size;

	put_number(builder, builder->pointer_format & 0x10 ? target - here : target,
			pointer_size(builder->pointer_format));
}

void unwind_builder_add(struct unwind_builder *builder, size_t at, size_t size,
		const uint8_t *program, size_t program_size)
{
	size_t fde = record_begin(builder);

	if (builder->count == UNWIND_BUILDER_FUNCTIONS)
		abort();
	builder->fdes[builder->count] = fde;
	builder->functions[builder->count++] = UNWIND_BUILDER_CODE + at;
	put_number(builder, builder->size - builder->cie, 4);
	put_pointer(builder, UNWIND_BUILDER_CODE + at);
	put_number(builder, size, pointer_size(builder->pointer_format));
	put_number(builder, 0, 1); /* no augmentation data */
	put(builder, program, program_size);
	record_end(builder, fde);
}

void unwind_builder_finish(struct unwind_builder *builder)
{
	builder->header = builder->size;
	put_number(builder, 1, 1);
	put_number(builder, FORMAT_PC_RELATIVE_4, 1);
	put_number(builder, FORMAT_UNSIGNED_4, 1);
	put_number(builder, FORMAT_SORTED_TABLE, 1);
	put_number(builder, 0 - builder->size, 4);
	put_number(builder, builder->count, 4);
	for (size_t i = 0; i < builder->count; i++) {
		put_number(builder, builder->functions[i] - builder->header, 4);
		put_number(builder, builder->fdes[i] - builder->header, 4);
	}
}

struct cfi_tables unwind_builder_tables(const struct unwind_builder *builder)
{
	return (struct cfi_tables){
		.begin = builder->bytes,
		.end = builder->bytes + builder->size,
		.header = builder->bytes + builder->header,
	};
}

uintptr_t unwind_builder_pc(const struct unwind_builder *builder, size_t offset)
{
	return (uintptr_t)builder->bytes + UNWIND_BUILDER_CODE + offset;
}
