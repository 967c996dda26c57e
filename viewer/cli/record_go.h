#ifndef LOITER_CLI_RECORD_GO_H
#define LOITER_CLI_RECORD_GO_H

#include <argp.h>
#include <stdint.h>

/* `loiter record --go URL`: what a Go program tells of itself at its pprof address. */
struct go_choices {
	const char *url;    /* NULL: it is not about a Go program */
	const char *output; /* NULL: choose a name */
	uint64_t max_bytes; /* that are fetched; 0 = GO_HTTP_BYTES_MAX */
	uint32_t seconds;   /* 0 = not said */
	uint32_t dumps;     /* 0 = an execution trace */
	uint64_t every_ns;  /* 0 = not said */
};

/* The options of Go programs, as a child of the command's own; `input` is a struct go_choices. */
extern const struct argp record_go_argp;

/* Fetches, imports, says what came of it. Returns the exit status. */
int record_go(const char *program, const struct go_choices *choices);

#endif
