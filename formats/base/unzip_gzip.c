#include "formats/base/unzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16) /* largest window; + 16: expects a gzip header */

struct gzip_state {
	z_stream stream;
	bool in_member;
};

static enum lo_result gzip_open(void **out, struct lo_error *err)
{
	struct gzip_state *state = calloc(1, sizeof(*state));

	if (!state || inflateInit2(&state->stream, GZIP_WINDOW_BITS) != Z_OK) {
		free(state);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to unpack gzip");
	}
	*out = state;
	return LO_OK;
}

static enum unzip_state gzip_step(void *opaque, struct unzip_step *step)
{
	struct gzip_state *state = opaque;
	uInt in_size = step->in_size < UINT_MAX ? (uInt)step->in_size : UINT_MAX;
	uInt out_size = step->out_size < UINT_MAX ? (uInt)step->out_size : UINT_MAX;
	int result;

	/* zlib never writes through next_in; its type only predates const. */
	state->stream.next_in = (Bytef *)(uintptr_t)step->in;
	state->stream.avail_in = in_size;
	state->stream.next_out = step->out;
	state->stream.avail_out = out_size;
	if (in_size > 0)
		state->in_member = true;
	result = inflate(&state->stream, Z_NO_FLUSH);
	step->in_used = in_size - state->stream.avail_in;
	step->out_made = out_size - state->stream.avail_out;
	if (result == Z_STREAM_END) { /* another member may follow */
		state->in_member = false;
		return inflateReset(&state->stream) == Z_OK ? UNZIP_MORE : UNZIP_BAD;
	}
	return result == Z_OK || result == Z_BUF_ERROR ? UNZIP_MORE : UNZIP_BAD;
}

static bool gzip_whole(const void *opaque)
{
	const struct gzip_state *state = opaque;

	return !state->in_member;
}

static void gzip_close(void *opaque)
{
	struct gzip_state *state = opaque;

	if (!state)
		return;
	inflateEnd(&state->stream);
	free(state);
}

const struct unzip unzip_gzip = {
	.name = "gzip",
	.magic = { 0x1f, 0x8b, 0x08 },
	.magic_size = 3,
	.open = gzip_open,
	.step = gzip_step,
	.whole = gzip_whole,
	.close = gzip_close,
};
