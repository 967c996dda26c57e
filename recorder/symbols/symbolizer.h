#ifndef LOITER_SYMBOLS_SYMBOLIZER_H
#define LOITER_SYMBOLS_SYMBOLIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"

/*
 * What the addresses of one file are called.
 *
 * Two ways in: symbolizer_look_up() reads the file in this process; symbol_process.h does the same
 * in a child, because debug information is the least trustworthy thing a recorder reads.
 */
struct symbol_job {
	const char *path; /* "[vdso]": the kernel's library, from this process */
	const uint8_t *build_id;
	uint32_t build_id_size; /* 0 = not known: the file is taken for the right one */
	uint32_t count;
	const uint64_t *addresses; /* in the address space of the file */
};

struct symbol_place {
	const char *function; /* demangled; "" = unknown */
	const char *file;     /* "" = unknown */
	uint32_t line;        /* 0 = unknown */
};

/* Takes the places of address `i`, innermost first; not called for those without a name. */
struct symbol_receiver {
	enum lo_result (*take)(void *context, uint32_t i, const struct symbol_place *places,
			uint32_t count, struct lo_error *err);
	void *context;
};

/* False in a build without elfutils: then every look-up is LO_UNSUPPORTED. */
bool symbolizer_is_there(void);

/*
 * LO_UNSUPPORTED with a sentence: the file is not what was loaded, or of no use. LO_IO: it cannot
 * be read. Otherwise what the receiver returns.
 */
enum lo_result symbolizer_look_up(const struct symbol_job *job,
		const struct symbol_receiver *receiver, struct lo_error *err);

#endif
