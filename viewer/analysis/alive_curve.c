#include "viewer/analysis/alive_curve.h"

#include <stdlib.h>

void alive_curve_release(struct alive_curve *curve)
{
	free(curve->begins);
	free(curve->ends);
	free(curve->after);
	free(curve->peaks);
	*curve = (struct alive_curve){ 0 };
}

enum lo_result alive_curve_init(struct alive_curve *curve, size_t most, struct lo_error *err)
{
	*curve = (struct alive_curve){
		.begins = calloc(most + 1, sizeof(*curve->begins)),
		.ends = calloc(most + 1, sizeof(*curve->ends)),
		.after = calloc(most + 1, sizeof(*curve->after)),
		.peaks = calloc(most / ALIVE_FAN + 1, sizeof(*curve->peaks)),
	};
	if (curve->begins && curve->ends && curve->after && curve->peaks)
		return LO_OK;
	alive_curve_release(curve);
	return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %zu tasks", most);
}

void alive_curve_add(struct alive_curve *curve, uint64_t begin, uint64_t end)
{
	curve->begins[curve->count] = begin;
	curve->ends[curve->count++] = end;
}

static int by_time(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

void alive_curve_seal(struct alive_curve *curve)
{
	size_t ended = 0;

	qsort(curve->begins, curve->count, sizeof(*curve->begins), by_time);
	qsort(curve->ends, curve->count, sizeof(*curve->ends), by_time);
	for (size_t i = 0; i < curve->count; i++) {
		uint32_t *peak = &curve->peaks[i / ALIVE_FAN];

		while (ended < i && curve->ends[ended] <= curve->begins[i])
			ended++;
		curve->after[i] = (uint32_t)(i + 1 - ended);
		if (*peak < curve->after[i])
			*peak = curve->after[i];
	}
}

/* How many of `times` are at or before `time`. */
static size_t count_until(const uint64_t *times, size_t count, uint64_t time)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (times[middle] <= time)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

uint32_t alive_curve_peak(const struct alive_curve *curve, uint64_t begin, uint64_t end)
{
	size_t first = count_until(curve->begins, curve->count, begin);
	size_t last = end > 0 ? count_until(curve->begins, curve->count, end - 1) : 0;
	size_t ended = count_until(curve->ends, curve->count, begin);
	uint32_t peak = first > ended ? (uint32_t)(first - ended) : 0;

	for (size_t i = first; i < last;) {
		size_t step = i % ALIVE_FAN == 0 && i + ALIVE_FAN <= last ? ALIVE_FAN : 1;
		uint32_t here = step == 1 ? curve->after[i] : curve->peaks[i / ALIVE_FAN];

		if (peak < here)
			peak = here;
		i += step;
	}
	return peak;
}
