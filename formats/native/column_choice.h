#ifndef LOITER_NATIVE_COLUMN_CHOICE_H
#define LOITER_NATIVE_COLUMN_CHOICE_H

#include <stdint.h>

#include "formats/base/byte_codec.h"
#include "formats/native/event_codec.h"

/*
 * Which encoding each column gets: the one that is smallest once packed. Nothing cheaper than
 * packing tells, since what zstd finds in a sequence is not to be guessed. But programs go on doing
 * what they do, so all are tried in one block of COLUMN_TRIAL_BLOCKS only, and what won is used for
 * the others. Zeroed is ready.
 */
#define COLUMN_TRIAL_BLOCKS 8u

struct column_choice {
	uint8_t encodings[EVENT_COLUMN_COUNT];
	uint32_t blocks;     /* from the last one that was tried, which counts */
	uint32_t trial_rows; /* of that block: a much larger one deserves its own */
	struct byte_buffer packed;
};

/* Chooses for the block that `encoder` has been started with. */
enum lo_result column_choice_make(struct column_choice *choice, struct event_encoder *encoder,
		struct byte_packer *packer, struct lo_error *err);
void column_choice_release(struct column_choice *choice);

#endif
