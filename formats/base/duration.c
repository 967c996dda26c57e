#include "formats/base/duration.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MINUTE (60 * NS_PER_SECOND)
#define NS_PER_HOUR   (60 * NS_PER_MINUTE)

struct unit {
	const char *name;
	uint64_t value;
};

static const struct unit duration_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* micro sign */
	{ "ms", 1000000 },
	{ "s", NS_PER_SECOND },
	{ "min", NS_PER_MINUTE },
	{ "h", NS_PER_HOUR },
	{ "d", 24 * NS_PER_HOUR },
	{ NULL, 0 },
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "K", 1ull << 10 },
	{ "KiB", 1ull << 10 },
	{ "M", 1ull << 20 },
	{ "MiB", 1ull << 20 },
	{ "G", 1ull << 30 },
	{ "GiB", 1ull << 30 },
	{ "T", 1ull << 40 },
	{ "TiB", 1ull << 40 },
	{ NULL, 0 },
};

/* Three significant digits of value/unit; the caller has made sure that it is below 1000. */
static void format_three_digits(char *text, size_t capacity, double value, const char *unit)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(text, capacity, "%.*f %s", decimals, value, unit);
}

/* Whole units, to the nearest; never overflows. */
static uint64_t round_to(uint64_t duration_ns, uint64_t unit)
{
	return duration_ns / unit + (duration_ns % unit >= unit / 2);
}

const char *duration_format(char text[DURATION_TEXT_MAX], uint64_t duration_ns)
{
	uint64_t seconds = round_to(duration_ns, NS_PER_SECOND);
	uint64_t minutes = round_to(duration_ns, NS_PER_MINUTE);

	/* Each form ends where it would round up to a whole one of the next unit: 999,500 ns is
	 * "1.00 ms" and not "1000 us". */
	if (duration_ns < 1000)
		snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 " ns", duration_ns);
	else if (duration_ns < 999500)
		format_three_digits(text, DURATION_TEXT_MAX, (double)duration_ns / 1e3, "us");
	else if (duration_ns < 999500000)
		format_three_digits(text, DURATION_TEXT_MAX, (double)duration_ns / 1e6, "ms");
	else if (duration_ns < NS_PER_MINUTE - NS_PER_SECOND / 20)
		format_three_digits(text, DURATION_TEXT_MAX, (double)duration_ns / 1e9, "s");
	else if (seconds < 3600)
		snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 " min %" PRIu64 " s", seconds / 60,
				seconds % 60);
	else
		snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 " h %02" PRIu64 " min", minutes / 60,
				minutes % 60);
	return text;
}

const char *time_point_format(char text[DURATION_TEXT_MAX], uint64_t time_ns)
{
	uint64_t hours = time_ns / NS_PER_HOUR;
	unsigned minutes = (unsigned)(time_ns / NS_PER_MINUTE % 60);
	unsigned seconds = (unsigned)(time_ns / NS_PER_SECOND % 60);
	unsigned thousandths = (unsigned)(time_ns / 1000000 % 1000);

	if (hours > 0)
		snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 ":%02u:%02u.%03u", hours, minutes,
				seconds, thousandths);
	else
		snprintf(text, DURATION_TEXT_MAX, "%u:%02u.%03u", minutes, seconds, thousandths);
	return text;
}

const char *size_format(char text[SIZE_TEXT_MAX], uint64_t bytes)
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, SIZE_TEXT_MAX, "%" PRIu64 " B", bytes);
		return text;
	}
	while (value >= 1023.5 && unit + 1 < sizeof(names) / sizeof(names[0])) {
		value /= 1024;
		unit++;
	}
	format_three_digits(text, SIZE_TEXT_MAX, value, names[unit]);
	return text;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (const struct unit *unit = units; unit->name; unit++)
		if (strcmp(unit->name, name) == 0)
			return unit;
	return NULL;
}

/* The end of "12" or "1.5" at the start of `text`; NULL without a digit. Knows no signs, exponents
 * or locales, all of which strtod() would accept. */
static const char *skip_number(const char *text)
{
	size_t whole = strspn(text, "0123456789");
	size_t fraction = 0;

	if (text[whole] == '.')
		fraction = 1 + strspn(text + whole + 1, "0123456789");
	return whole > 0 && fraction != 1 ? text + whole + fraction : NULL;
}

/* Exact for whole numbers, to the nearest unit below otherwise; false when it does not fit. */
static bool scale_number(const char *text, const char *end, uint64_t unit, uint64_t *value)
{
	uint64_t whole = 0;
	double fraction = 0;
	double place = 1;

	for (; text < end && *text != '.'; text++)
		if (__builtin_mul_overflow(whole, 10u, &whole) ||
				__builtin_add_overflow(whole, (uint64_t)(*text - '0'), &whole))
			return false;
	for (text++; text < end; text++)
		fraction += (*text - '0') * (place /= 10);
	return !__builtin_mul_overflow(whole, unit, &whole) &&
	       !__builtin_add_overflow(whole, (uint64_t)(fraction * (double)unit + 0.5), value);
}

static const char *skip_spaces(const char *text)
{
	return text + strspn(text, " ");
}

static enum lo_result parse_with_units(const char *text, const struct unit *units,
		const char *example, uint64_t *value, struct lo_error *err)
{
	const char *end = skip_number(text);
	const struct unit *unit = end ? find_unit(units, skip_spaces(end)) : NULL;

	if (!unit)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "'%.40s' is not %s", text, example);
	if (!scale_number(text, end, unit->value, value))
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "'%.40s' is too large", text);
	return LO_OK;
}

enum lo_result duration_parse(const char *text, uint64_t *duration_ns, struct lo_error *err)
{
	return parse_with_units(text, duration_units,
			"a time with a unit, like 10s, 1.5ms, 2min or 1h", duration_ns, err);
}

enum lo_result size_parse(const char *text, uint64_t *bytes, struct lo_error *err)
{
	return parse_with_units(text, size_units,
			"a size, like 4096, 64K, 1.5M or 2G (powers of 1024)", bytes, err);
}
