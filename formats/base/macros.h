#ifndef LOITER_BASE_MACROS_H
#define LOITER_BASE_MACROS_H

#define LO_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define LO_PRINTF(format_index, first_argument) \
	__attribute__((format(printf, format_index, first_argument)))

#define LO_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define LO_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#endif
