#ifndef LOITER_TEST_HTTP_STUB_H
#define LOITER_TEST_HTTP_STUB_H

#include <pthread.h>

/*
 * An HTTP server on the loopback that answers as Go programs do, and as everything else does that
 * may sit at a port. The first part of a path says how, the second of which file of `folder`:
 *
 *     /ok/NAME/...        the file, with its length
 *     /chunked/NAME/...   the file in pieces of unknown number, as Go sends a trace
 *     /late/NAME/...      the same after a moment of silence
 *     /cut/NAME/...       half of the file, then the connection is closed
 *     /stall/NAME/...     half of the file, then nothing
 *     /drip/NAME/...      one byte now and then
 *     /turns/NAME/...     NAME.1, NAME.2 and so on, one for each request; 404 when there are no
 * more /redirect-N/NAME/.. to redirect-(N-1), in the end to the file /loop/  /to-file/   to itself;
 * to a file: address /endless/           the beginning of a trace, then zeros for ever /silent/
 * /close/    no answer at all; closed without one /html/ /empty/ /short/ /missing/ /busy/ /rude/
 * /noise/ a page; nothing; six bytes; 404; 500 with Go's sentence; one with terminal escapes;
 *                         something that is not HTTP
 *
 * Each request line is appended to `folder`/requests. One thread for each connection.
 */
struct http_stub {
	char folder[256];
	int listener;
	int port; /* 0 for a unix socket */
	pthread_t thread;
};

/* Listens at the path `unix_path`, or, when that is NULL, at a port of 127.0.0.1. 0 on success. */
int http_stub_start(struct http_stub *stub, const char *folder, const char *unix_path);
/* Connections that are still open stay so until the other side closes them. */
void http_stub_stop(struct http_stub *stub);

#endif
