#ifndef LOITER_IMPORT_GO_TRACE_COMMON_H
#define LOITER_IMPORT_GO_TRACE_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/import/import_sink.h"
#include "formats/import/number_map.h"
#include "formats/model/reason.h"

/*
 * What every source of goroutines shares: header lines, names of waits, frames, task rows.
 *
 * A frame of Go comes with its names. It becomes a frame of one module that stands for the whole
 * program, with the program counter as its offset, and its names are written as its symbols at
 * once. The program counter is what makes two frames equal: inlined calls have their own.
 */
struct go_program {
	struct import_sink *sink;
	uint32_t module;           /* id in the native trace */
	struct number_map frames;  /* program counter to frame id */
	struct number_map unknown; /* the same for frames whose names were missing */
	struct number_map places;  /* function, file and line to a number */
	uint32_t *functions;       /* string id of the function, by frame id */
	uint32_t functions_size;
};

#define GO_FRAMES_MAX 128u /* of one stack; the runtime keeps no more */

enum lo_result go_program_init(
		struct go_program *program, struct import_sink *sink, struct lo_error *err);
void go_program_release(struct go_program *program);

struct go_frame {
	uint64_t pc;
	uint32_t function; /* string ids of the native trace, 0 = unknown */
	uint32_t file;
	uint32_t line;
};

struct go_place {
	uint32_t stack; /* id in the native trace, STACK_NONE = no frames */
	uint32_t entry; /* string id of the outermost function, 0 = unknown */
};

/* `frames` innermost first. */
enum lo_result go_program_stack(struct go_program *program, const struct go_frame *frames,
		uint32_t count, struct go_place *place, struct lo_error *err);

/*
 * A program counter for a place that comes without one. The same place has always the same, and
 * they are not mixed with real ones.
 */
enum lo_result go_program_place_pc(struct go_program *program, uint32_t function, uint32_t file,
		uint32_t line, uint64_t *pc, struct lo_error *err);

/* Writes the row of a goroutine. `entry`: string id of its first function, 0 = not known yet. */
enum lo_result go_program_task(struct go_program *program, uint32_t task, uint64_t goroutine,
		uint32_t entry, bool runtime, struct lo_error *err);

/* Whether goroutines that begin in `function` belong to the runtime and not to the program. */
bool go_function_is_runtime(const char *function);

/*
 * The number of the wait called `name`: this version's, or one that the native trace gives it. When
 * there is none left it is REASON_UNSPECIFIED, and *named is false.
 */
enum lo_result go_program_reason(struct go_program *program, const char *name, uint32_t length,
		uint8_t *reason, bool *named, struct lo_error *err);
/* Waits of which only goroutines of the runtime are capable. */
bool go_reason_is_runtime(uint8_t reason);

/* "go 1.N trace" and zero bytes: returns N, or 0 when `head` is something else. */
#define GO_HEADER_BYTES 16u
unsigned go_header_version(const uint8_t *head, size_t size);

/* `units` of a clock that counts `frequency` in a second, as ns; saturates. frequency > 0. */
uint64_t go_nanoseconds(uint64_t units, uint64_t frequency);

#endif
