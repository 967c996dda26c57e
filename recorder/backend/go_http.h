#ifndef LOITER_BACKEND_GO_HTTP_H
#define LOITER_BACKEND_GO_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "recorder/backend/go_address.h"

/*
 * Fetches a profile of a Go program from its own address: what the program collects about itself,
 * so nothing has to be loaded into it and nothing be stopped.
 *
 * The other side is a stranger. Redirects are followed five times and only to http and https;
 * bytes are counted against a limit; who takes longer than the tracing itself and then sends less
 * than a kilobyte a second is given up. An answer that is no profile is refused by its first bytes,
 * not after the last.
 */
struct go_http_request {
	const struct go_address *address;
	enum go_profile profile;
	uint64_t max_bytes;
	uint32_t patience_ms; /* for connecting, and without bytes when some are due */
	/* Told the milliseconds that have passed, of those the tracing takes; can end the fetching.
	 */
	const struct progress *progress;
};

#define GO_HTTP_PATIENCE_MS 20000u
#define GO_HTTP_BYTES_MAX   (1ull << 30)

enum go_http_end {
	GO_HTTP_COMPLETE,
	GO_HTTP_STOPPED, /* by the progress callback */
	GO_HTTP_LIMIT,   /* max_bytes have come */
	GO_HTTP_BROKEN,  /* the connection ended early, or nothing came any more */
};

struct go_http_answer {
	uint64_t bytes;
	enum go_http_end end;
	char why[160]; /* of GO_HTTP_BROKEN, a part of a sentence */
};

/*
 * Writes the body to `descriptor`, which stays the caller's. LO_OK as soon as the beginning of a
 * profile has come, however it ended: the beginning of a trace can be read. LO_CANCELLED when it
 * was stopped before. Otherwise a sentence says what the address answered instead.
 */
enum lo_result go_http_fetch(int descriptor, const struct go_http_request *request,
		struct go_http_answer *answer, struct lo_error *err);

#endif
