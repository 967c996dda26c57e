#include "viewer/ui/time_axis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/duration.h"

#define SECOND_NS 1000000000ull
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS   (60 * MINUTE_NS)

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

/* Width of a column when the whole trace is shown: the widest there is. */
static uint64_t widest_column(const struct time_axis *axis)
{
	return divide_up(axis->limit_ns, (uint64_t)axis->columns);
}

/* Where the window begins when the last column of the trace is the last of the window. */
static uint64_t last_begin(const struct time_axis *axis)
{
	uint64_t total = divide_up(axis->limit_ns, axis->column_ns);
	uint64_t shown = (uint64_t)axis->columns;

	return total > shown ? (total - shown) * axis->column_ns : 0;
}

static void clamp(struct time_axis *axis)
{
	uint64_t widest = widest_column(axis);

	if (axis->column_ns > widest)
		axis->column_ns = widest;
	if (axis->column_ns < 1)
		axis->column_ns = 1;
	axis->begin_ns -= axis->begin_ns % axis->column_ns;
	if (axis->begin_ns > last_begin(axis))
		axis->begin_ns = last_begin(axis);
}

void time_axis_init(struct time_axis *axis, uint64_t limit_ns, int columns)
{
	axis->limit_ns = limit_ns > 0 ? limit_ns : 1;
	axis->columns = columns > 0 ? columns : 1;
	time_axis_fit_all(axis);
}

bool time_axis_shows_all(const struct time_axis *axis)
{
	return axis->begin_ns == 0 && axis->column_ns == widest_column(axis);
}

void time_axis_resize(struct time_axis *axis, int columns)
{
	bool all = time_axis_shows_all(axis);

	axis->columns = columns > 0 ? columns : 1;
	if (all)
		time_axis_fit_all(axis);
	clamp(axis);
}

void time_axis_fit_all(struct time_axis *axis)
{
	axis->begin_ns = 0;
	axis->column_ns = widest_column(axis);
}

void time_axis_fit(struct time_axis *axis, struct time_span span)
{
	uint64_t length = time_span_length(span);
	uint64_t columns = (uint64_t)axis->columns;

	/* The begin is rounded down to a whole column: leave one to spare, when there is one. */
	axis->column_ns = divide_up(length, columns > 1 ? columns - 1 : 1);
	if (axis->column_ns < 1)
		axis->column_ns = 1;
	axis->begin_ns = span.begin_ns;
	clamp(axis);
}

static uint64_t scaled_column(const struct time_axis *axis, int steps)
{
	uint64_t column = axis->column_ns;
	uint64_t widest = widest_column(axis);

	for (; steps > 0 && column > 1; steps--)
		column = divide_up(column, 2);
	for (; steps < 0 && column < widest; steps++)
		column = column > widest / 2 ? widest : column * 2;
	return column;
}

void time_axis_zoom(struct time_axis *axis, uint64_t anchor_ns, int steps)
{
	int column = time_axis_column(axis, anchor_ns);
	uint64_t before;

	if (column < 0 || column >= axis->columns)
		column = axis->columns / 2;
	axis->column_ns = scaled_column(axis, steps);
	before = (uint64_t)column * axis->column_ns;
	anchor_ns -= anchor_ns % axis->column_ns;
	axis->begin_ns = anchor_ns > before ? anchor_ns - before : 0;
	clamp(axis);
}

void time_axis_pan(struct time_axis *axis, int columns)
{
	uint64_t distance = (uint64_t)(columns < 0 ? -(int64_t)columns : columns) * axis->column_ns;
	uint64_t last = last_begin(axis);

	if (columns < 0)
		axis->begin_ns = axis->begin_ns > distance ? axis->begin_ns - distance : 0;
	else
		axis->begin_ns = axis->begin_ns + distance < last ? axis->begin_ns + distance
								  : last;
}

void time_axis_reveal(struct time_axis *axis, uint64_t time_ns)
{
	int column = time_axis_column(axis, time_ns);
	uint64_t width = (uint64_t)(axis->columns - 1) * axis->column_ns;

	if (column < 0)
		axis->begin_ns = time_ns;
	else if (column >= axis->columns)
		axis->begin_ns = time_ns - time_ns % axis->column_ns - width;
	clamp(axis);
}

int time_axis_column(const struct time_axis *axis, uint64_t time_ns)
{
	uint64_t column;

	if (time_ns < axis->begin_ns)
		return -1;
	column = (time_ns - axis->begin_ns) / axis->column_ns;
	return column < (uint64_t)axis->columns ? (int)column : axis->columns;
}

uint64_t time_axis_time(const struct time_axis *axis, int column)
{
	return axis->begin_ns + (uint64_t)(column > 0 ? column : 0) * axis->column_ns;
}

struct time_span time_axis_span(const struct time_axis *axis)
{
	return (struct time_span){ axis->begin_ns, time_axis_time(axis, axis->columns) };
}

bool time_axis_columns(const struct time_axis *axis, struct time_span span, int *begin, int *end)
{
	struct time_span window = time_axis_span(axis);

	if (span.end_ns <= span.begin_ns || span.end_ns <= window.begin_ns ||
			span.begin_ns >= window.end_ns)
		return false;
	*begin = span.begin_ns > window.begin_ns ? time_axis_column(axis, span.begin_ns) : 0;
	*end = span.end_ns < window.end_ns ? time_axis_column(axis, span.end_ns - 1) + 1
					   : axis->columns;
	return true;
}

/* Steps that people count in: 1, 2, 5 of decimal units; the clock's own above seconds. */
static const uint64_t clock_steps[] = {
	SECOND_NS,
	2 * SECOND_NS,
	5 * SECOND_NS,
	10 * SECOND_NS,
	15 * SECOND_NS,
	30 * SECOND_NS,
	MINUTE_NS,
	2 * MINUTE_NS,
	5 * MINUTE_NS,
	10 * MINUTE_NS,
	15 * MINUTE_NS,
	30 * MINUTE_NS,
	HOUR_NS,
	2 * HOUR_NS,
	3 * HOUR_NS,
	6 * HOUR_NS,
	12 * HOUR_NS,
};

uint64_t time_axis_tick_step(const struct time_axis *axis, int columns)
{
	uint64_t least = axis->column_ns * (uint64_t)(columns > 0 ? columns : 1);
	uint64_t step;

	for (uint64_t unit = 1; unit < SECOND_NS; unit *= 10)
		for (uint64_t factor = 1; factor <= 5; factor += factor == 1 ? 1 : 3)
			if (unit * factor >= least)
				return unit * factor;
	for (size_t i = 0; i < sizeof(clock_steps) / sizeof(*clock_steps); i++)
		if (clock_steps[i] >= least)
			return clock_steps[i];
	for (step = 24 * HOUR_NS; step < least && step <= UINT64_MAX / 2;)
		step *= 2;
	return step;
}

/* Digits after the second that are needed to tell neighbouring multiples of the step apart. */
static unsigned decimals_for(uint64_t resolution_ns)
{
	unsigned decimals = 0;

	for (uint64_t unit = SECOND_NS; unit > resolution_ns && decimals < 9; unit /= 10)
		decimals++;
	return decimals;
}

const char *time_axis_label(const struct time_axis *axis, uint64_t time_ns, uint64_t resolution_ns,
		char text[TIME_LABEL_MAX])
{
	unsigned long long seconds = time_ns / SECOND_NS;
	unsigned long long longest = axis->limit_ns / SECOND_NS;
	unsigned decimals = decimals_for(resolution_ns);
	char fraction[16] = "";
	int hour_digits = 1;

	if (decimals > 0) {
		snprintf(fraction, sizeof(fraction), ".%09u", (unsigned)(time_ns % SECOND_NS));
		fraction[decimals + 1] = '\0';
	}
	for (unsigned long long hours = longest / 3600; hours >= 10 && hour_digits < 8; hours /= 10)
		hour_digits++;
	if (longest >= 3600)
		snprintf(text, TIME_LABEL_MAX, "%*llu:%02llu:%02llu%s", hour_digits, seconds / 3600,
				seconds / 60 % 60, seconds % 60, fraction);
	else if (longest >= 600)
		snprintf(text, TIME_LABEL_MAX, "%02llu:%02llu%s", seconds / 60, seconds % 60,
				fraction);
	else
		snprintf(text, TIME_LABEL_MAX, "%llu:%02llu%s", seconds / 60, seconds % 60,
				fraction);
	return text;
}

/* "1:02.5", "2:00:00": minutes and hours before the seconds. */
static bool parse_clock(const char *text, double *seconds)
{
	unsigned hours = 0;
	unsigned minutes = 0;
	int used = 0;

	if (sscanf(text, "%5u:%2u:%lf%n", &hours, &minutes, seconds, &used) < 3 &&
			(hours = 0, sscanf(text, "%5u:%lf%n", &minutes, seconds, &used) < 2))
		return false;
	if (text[used] != '\0' || !(*seconds >= 0 && *seconds < 60))
		return false;
	*seconds += 60.0 * minutes + 3600.0 * hours;
	return true;
}

static bool parse_percent(const char *text, double *percent)
{
	char *end;

	*percent = strtod(text, &end);
	return end != text && strcmp(end, "%") == 0 && *percent >= 0 && *percent <= 100;
}

static bool parse_place(
		const struct time_axis *axis, const char *text, uint64_t now_ns, uint64_t *time_ns)
{
	bool forward = text[0] == '+';
	bool backward = text[0] == '-';
	double number;
	uint64_t length;

	if (strcmp(text, "start") == 0)
		*time_ns = 0;
	else if (strcmp(text, "end") == 0)
		*time_ns = axis->limit_ns;
	else if (parse_percent(text, &number))
		*time_ns = (uint64_t)(number / 100 * (double)axis->limit_ns);
	else if (parse_clock(text, &number))
		*time_ns = (uint64_t)(number * 1e9 + 0.5);
	else if (duration_parse(text + (forward || backward), &length, NULL) != LO_OK)
		return false;
	else if (backward)
		*time_ns = now_ns > length ? now_ns - length : 0;
	else
		*time_ns = forward && length < UINT64_MAX - now_ns ? now_ns + length : length;
	return true;
}

enum lo_result time_axis_parse(const struct time_axis *axis, const char *text, uint64_t now_ns,
		uint64_t *time_ns, struct lo_error *err)
{
	if (!parse_place(axis, text, now_ns, time_ns))
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"'%.40s' is no time: write 12.4s, 1:02.5, +3ms, 40%%, start or end",
				text);
	if (*time_ns >= axis->limit_ns)
		*time_ns = axis->limit_ns - 1;
	return LO_OK;
}
