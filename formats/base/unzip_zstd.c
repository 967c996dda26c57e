#include "formats/base/unzip.h"

#include <stdlib.h>
#include <zstd.h>

struct zstd_state {
	ZSTD_DStream *stream;
	size_t wants; /* 0 between frames */
};

static void zstd_close(void *opaque)
{
	struct zstd_state *state = opaque;

	if (!state)
		return;
	ZSTD_freeDStream(state->stream);
	free(state);
}

static enum lo_result zstd_open(void **out, struct lo_error *err)
{
	struct zstd_state *state = calloc(1, sizeof(*state));

	if (state)
		state->stream = ZSTD_createDStream();
	if (!state || !state->stream) {
		zstd_close(state);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to unpack zstd");
	}
	*out = state;
	return LO_OK;
}

static enum unzip_state zstd_step(void *opaque, struct unzip_step *step)
{
	struct zstd_state *state = opaque;
	ZSTD_inBuffer in = { step->in, step->in_size, 0 };
	ZSTD_outBuffer out = { step->out, step->out_size, 0 };
	size_t wants = ZSTD_decompressStream(state->stream, &out, &in);

	step->in_used = in.pos;
	step->out_made = out.pos;
	if (ZSTD_isError(wants))
		return UNZIP_BAD;
	if (in.pos > 0 || out.pos > 0) /* at an end it otherwise names the size of a next header */
		state->wants = wants;
	return UNZIP_MORE;
}

static bool zstd_whole(const void *opaque)
{
	const struct zstd_state *state = opaque;

	return state->wants == 0;
}

const struct unzip unzip_zstd = {
	.name = "zstd",
	.magic = { 0x28, 0xb5, 0x2f, 0xfd },
	.magic_size = 4,
	.open = zstd_open,
	.step = zstd_step,
	.whole = zstd_whole,
	.close = zstd_close,
};
