#ifndef LOITER_NATIVE_CLOCK_STEPS_H
#define LOITER_NATIVE_CLOCK_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/byte_codec.h"
#include "formats/base/byte_cursor.h"
#include "formats/base/macros.h"
#include "formats/model/event.h"

/*
 * Times as numbers of steps of the clock that took them.
 *
 * Times are nine tenths of a trace once the rest is well coded, and most of their digits carry
 * nothing. A file has nanoseconds, but few clocks do: time stamp counters that go on by 36 or 100
 * ticks at once, Go's trace clock of 64 ns, a file that was written with a coarser resolution. With
 * a step of 10.0149 ns all differences are multiples of it, rounded: 3.3 bits of each are noise
 * that the clock never measured. The writer finds the step (clock_step_find.h), and stores how many
 * steps lie between two events.
 *
 * Three things turn that into bytes:
 *
 *   The clock  runs along on both sides as step and fraction, in 2^-32 ns. From one event to the
 *              next it goes on by a number of steps, and the time is its whole part. Where this
 *              is off, for a step is never known exactly, a correction says by how much.
 *   Classes    How long something takes depends on what it is. The class of a row is its kind, the
 *              kind before it, whether both are of one task, and the reason for which its task
 *              waits or waited last. Each class gets its own statistics.
 *   Symbols    A number of steps is a byte and some low bits as they are: the byte has the position
 *              of the highest bit and the `width` bits below it. The writer chooses the width for
 *              each class: more bits where times are much alike, fewer where they spread.
 *
 * docs/format.md has the layout of the bytes.
 */
#define STEP_CLASSES      8192u
#define STEP_WIDTH_MAX    7u
#define STEP_LOW_BITS_MAX 32u
#define STEP_ESCAPE       255u         /* a symbol: the number stands among the escapes */
#define STEP_ONE          (1ull << 32) /* a nanosecond */
#define STEP_FOLLOW       1024ull

__extension__ typedef unsigned __int128 uint128;

struct step_clock {
	uint64_t step; /* both in 2^-32 ns */
	uint32_t fraction;
};

static inline struct step_clock step_clock_start(uint64_t step)
{
	return (struct step_clock){ step, 1u << 31 };
}

/*
 * Goes on by `steps` and a correction, and returns by how many nanoseconds that is. All modulo
 * 2^64. A correction tells where within its nanosecond the clock must be at the least or the most;
 * and that the step is a little longer or shorter, since clocks are compared with each other again
 * and again while a trace is recorded.
 */
static inline uint64_t step_clock_go(struct step_clock *clock, uint64_t steps, uint64_t correction)
{
	uint128 sum = (uint128)steps * clock->step + clock->fraction;

	clock->fraction = (uint32_t)sum;
	if (LO_UNLIKELY(correction != 0)) {
		bool back = correction >> 63;

		clock->fraction = back ? UINT32_MAX : 0;
		clock->step += back ? 0 - STEP_FOLLOW : STEP_FOLLOW;
	}
	return (uint64_t)(sum >> 32) + correction;
}

/*
 * The numbers in a class are of this file, not of this build, and of any size: a class is the sum
 * of their low bits.
 */
static inline uint32_t step_class(
		uint32_t kind, uint32_t kind_before, bool same_task, uint32_t reason)
{
	return (kind & 7) << 10 | (kind_before & 7) << 7 | (uint32_t)same_task << 6 | (reason & 63);
}

#define STEP_MEMORY 8192u

/* What the class of a row depends on besides the row: goes from row to row. */
struct step_context {
	uint32_t kind_before;
	uint32_t task_before;
	uint8_t reason_of[STEP_MEMORY]; /* by task modulo this: of its last event that has one */
};

static inline uint32_t step_context_next(
		struct step_context *context, const struct event *event, bool has_reason)
{
	uint8_t *reason = &context->reason_of[event->task % STEP_MEMORY];
	uint32_t class;

	*reason = has_reason ? event->reason : *reason;
	class = step_class(event->kind, context->kind_before, event->task == context->task_before,
			*reason);
	context->kind_before = event->kind;
	context->task_before = event->task;
	return class;
}

/* Zeroed is ready. */
struct clock_steps_encoder {
	uint64_t step;               /* as found last; 0 = not looked for yet */
	uint8_t width[STEP_CLASSES]; /* as learnt last; 0 = never seen */
	struct step_context context;
	uint64_t step_after; /* what the block made of it */
	uint32_t class_end[STEP_CLASSES];
	uint32_t class_next[STEP_CLASSES];
	uint64_t *steps;   /* of each row */
	uint16_t *classes; /* of each row */
	uint32_t capacity;
	struct byte_buffer corrections;
	struct byte_buffer escapes;
	struct byte_buffer bits;
};

/*
 * Looks at a block for what changes seldom: the step of the clock and the widths of the classes.
 * Costs as much as encoding a few times; the encoder stays right without it.
 */
enum lo_result clock_steps_learn(struct clock_steps_encoder *encoder, const struct event *events,
		uint32_t rows, uint64_t begin_ns, struct lo_error *err);

enum lo_result clock_steps_encode(struct clock_steps_encoder *encoder, const struct event *events,
		uint32_t rows, uint64_t begin_ns, struct byte_buffer *raw, struct byte_parts *parts,
		struct lo_error *err);
void clock_steps_encoder_release(struct clock_steps_encoder *encoder);

/* Work space of decoding; its contents do not matter. */
struct clock_steps_decoder {
	struct step_context context;
	struct {
		uint32_t next; /* place of the next symbol */
		uint32_t width;
	} classes[STEP_CLASSES];
	uint16_t *class_of; /* of each row; the caller's */
};

/*
 * Sets `time_ns` of all rows, whose kinds, tasks and reasons are there as numbers of the file.
 * False when the bytes make no sense, or lead past `end_ns`.
 */
bool clock_steps_decode(struct clock_steps_decoder *decoder, struct byte_cursor bytes,
		const bool has_reason[256], struct event *events, uint32_t rows, uint64_t begin_ns,
		uint64_t end_ns);

#endif
