#ifndef LOITER_BASE_UNZIP_H
#define LOITER_BASE_UNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"

/* One kind of compressed stream; a new kind is a file and a row in unzip_table.c. */
enum unzip_state {
	UNZIP_MORE, /* wants more bytes or more room */
	UNZIP_BAD,  /* the compressed bytes make no sense */
};

struct unzip_step {
	const uint8_t *in;
	size_t in_size;
	size_t in_used; /* out */
	uint8_t *out;
	size_t out_size;
	size_t out_made; /* out */
};

struct unzip {
	const char *name; /* "zstd", for messages */
	uint8_t magic[4];
	size_t magic_size;
	enum lo_result (*open)(void **state, struct lo_error *err);
	enum unzip_state (*step)(void *state, struct unzip_step *step);
	/* Whether all bytes so far form whole members: an end here is a clean end. */
	bool (*whole)(const void *state);
	void (*close)(void *state);
};

/* The row whose magic `bytes` begin with, or NULL. */
const struct unzip *unzip_by_magic(const uint8_t *bytes, size_t size);

extern const struct unzip unzip_zstd;
extern const struct unzip unzip_gzip;

#endif
