#ifndef LOITER_IMPORT_DUMP_LINE_H
#define LOITER_IMPORT_DUMP_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The lines of goroutine dumps, one at a time: what the runtime prints at a fatal signal or panic,
 * what runtime.Stack and the goroutine profile with debug=2 give, and the groups of debug=1.
 * Texts point into the line.
 */
struct dump_text {
	const char *bytes;
	uint32_t length;
};

/* goroutine 18 gp=0xc0 m=nil [chan receive, 5 minutes, locked to thread] {k: v}: */
struct dump_header {
	size_t prefix; /* bytes that stand before it, of a log collector */
	uint64_t goroutine;
	struct dump_text status; /* without attributes and without suffixes like "(scan)" */
	uint64_t minutes;        /* of waiting, 0 = under one or not known */
	bool locked;             /* to a system thread */
	struct dump_text labels; /* what stands between the braces, empty = none */
};
bool dump_line_header(struct dump_text line, struct dump_header *header);

/* main.(*T).f({0xc0, 0x1}, ...): the name alone. */
bool dump_line_function(struct dump_text line, struct dump_text *function);

/* created by main.main in goroutine 1; *creator is 0 where it is not said. */
bool dump_line_created(struct dump_text line, struct dump_text *function, uint64_t *creator);

/* <TAB>/src/main.go:22 +0x1c fp=0x.. sp=0x.. pc=0x.. */
bool dump_line_location(struct dump_text line, struct dump_text *file, uint32_t *line_number);

/* [originating from goroutine 5]: */
bool dump_line_ancestor(struct dump_text line, uint64_t *goroutine);

/* ...23 frames elided... or ...additional frames elided...: then *frames is 0. */
bool dump_line_elided(struct dump_text line, uint64_t *frames);

/* # labels: {"k":"v"}: what stands between the braces. */
bool dump_line_labels(struct dump_text line, struct dump_text *labels);

/*
 * Takes the next label from the front of `labels`: key: value, or with either in quotes. Quotes are
 * left out, what is escaped in them stays as it is.
 */
bool dump_label_next(struct dump_text *labels, struct dump_text *key, struct dump_text *value);

/* goroutine profile: total 251 */
bool dump_line_profile(struct dump_text line);

/* loiter: goroutine dump taken at unix ns 1763704000000000000: ours, so that several have times. */
#define DUMP_TAKEN_LINE "loiter: goroutine dump taken at unix ns "
bool dump_line_taken(struct dump_text line, uint64_t *unix_ns);

/* 25 @ 0x48594e 0x41719c */
bool dump_line_group(struct dump_text line, uint64_t *count);

/* #<TAB>0x51b51d<TAB>main.onSend+0x1d<TAB>/src/main.go:23 */
bool dump_line_group_frame(struct dump_text line, struct dump_text *function,
		struct dump_text *file, uint32_t *line_number);

/* The line without blanks and carriage returns at both ends. */
struct dump_text dump_text_trim(struct dump_text text);
bool dump_text_is(struct dump_text text, const char *words);
bool dump_text_begins(struct dump_text text, const char *words);

#endif
