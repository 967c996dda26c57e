#ifndef LOITER_BACKEND_GO_ADDRESS_H
#define LOITER_BACKEND_GO_ADDRESS_H

#include <stdint.h>

#include "formats/base/error.h"

/*
 * Where a Go program serves net/http/pprof, from what people have at hand: "localhost:6060",
 * "http://host:port/debug/pprof/", a whole address with its query out of a browser, or
 * "unix:/run/shop.sock".
 *
 * The folder of the profiles is what stands before a last part called "trace" or "goroutine"; a
 * path that ends in "pprof"; or else /debug/pprof below the path. Other parameters of the query
 * (tokens of a proxy) are kept.
 */
enum go_profile {
	GO_PROFILE_TRACE,      /* an execution trace of some seconds */
	GO_PROFILE_GOROUTINES, /* a dump of all stacks */
};

#define GO_ADDRESS_MAX        2048
#define GO_ADDRESS_SOCKET_MAX 104 /* sun_path with its NUL */
#define GO_ADDRESS_NAME_MAX   64

struct go_address {
	char url[GO_ADDRESS_MAX];           /* what is asked for; may hold a password */
	char socket[GO_ADDRESS_SOCKET_MAX]; /* "" = TCP */
	char name[GO_ADDRESS_NAME_MAX];     /* "localhost-6060": fit for a file name */
	char shown[GO_ADDRESS_NAME_MAX + GO_ADDRESS_SOCKET_MAX]; /* for messages, no password */
	uint32_t seconds; /* that are asked for; 0 for dumps */
};

/* How long one trace may take. */
#define GO_SECONDS_DEFAULT 5u
#define GO_SECONDS_MAX     86400u

/*
 * `seconds`: how long to trace; 0 = what the address itself says, or GO_SECONDS_DEFAULT. LO_USAGE
 * with a sentence when `text` is no such address; LO_UNSUPPORTED in a build without libcurl.
 */
enum lo_result go_address_parse(struct go_address *address, const char *text,
		enum go_profile profile, uint32_t seconds, struct lo_error *err);

#endif
