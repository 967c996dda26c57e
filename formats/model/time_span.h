#ifndef LOITER_MODEL_TIME_SPAN_H
#define LOITER_MODEL_TIME_SPAN_H

#include <stdbool.h>
#include <stdint.h>

/* Half open: begin_ns <= t < end_ns. */
struct time_span {
	uint64_t begin_ns;
	uint64_t end_ns;
};

#define TIME_SPAN_ALL ((struct time_span){ 0, UINT64_MAX })

static inline bool time_span_contains(struct time_span span, uint64_t time_ns)
{
	return span.begin_ns <= time_ns && time_ns < span.end_ns;
}

static inline uint64_t time_span_length(struct time_span span)
{
	return span.end_ns > span.begin_ns ? span.end_ns - span.begin_ns : 0;
}

#endif
