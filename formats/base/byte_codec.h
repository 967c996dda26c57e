#ifndef LOITER_BASE_BYTE_CODEC_H
#define LOITER_BASE_BYTE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/error.h"

/*
 * Single zstd frames, in and out. A packer or unpacker holds zstd's working memory (about 1 MiB and
 * 150 KiB); use each from one thread at a time.
 */
struct byte_packer;
struct byte_unpacker;

enum lo_result byte_packer_new(struct byte_packer **out, struct lo_error *err);
void byte_packer_free(struct byte_packer *packer);

/* 1 to 19: how hard to try; 3 if this is not called. 19 costs 20 times the time of 3. */
#define BYTE_PACKER_LEVEL_MAX 19
void byte_packer_set_level(struct byte_packer *packer, int level);

/* Appends one frame that holds `bytes` and, in its own header, their number. */
enum lo_result byte_packer_pack(struct byte_packer *packer, const void *bytes, size_t size,
		struct byte_buffer *out, struct lo_error *err);

/*
 * Where the nature of bytes changes: how often which byte comes is then counted anew behind each
 * border, which saves more than the few dozen bytes that it costs when the parts are long and
 * unlike. It is still one frame, and who unpacks it sees nothing of it.
 */
#define BYTE_PARTS_MAX 64u

struct byte_parts {
	size_t end[BYTE_PARTS_MAX]; /* increasing */
	uint32_t count;
};

/* What lies behind the last border is one more part. */
enum lo_result byte_packer_pack_parts(struct byte_packer *packer, const void *bytes, size_t size,
		const struct byte_parts *parts, struct byte_buffer *out, struct lo_error *err);

enum lo_result byte_unpacker_new(struct byte_unpacker **out, struct lo_error *err);
void byte_unpacker_free(struct byte_unpacker *unpacker);

/*
 * Unpacks one frame that fills `packed` exactly and yields exactly `size` bytes; LO_CORRUPT
 * otherwise. Writes nothing beyond `size` bytes of `out` whatever the frame claims, and allocates
 * nothing.
 */
enum lo_result byte_unpacker_unpack(struct byte_unpacker *unpacker, const void *packed,
		size_t packed_size, void *out, size_t size, struct lo_error *err);

#endif
