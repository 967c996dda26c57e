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

/* Appends one frame that holds `bytes` and, in its own header, their number. */
enum lo_result byte_packer_pack(struct byte_packer *packer, const void *bytes, size_t size,
		struct byte_buffer *out, struct lo_error *err);

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
