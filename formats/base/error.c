#include "formats/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum lo_result lo_fail(struct lo_error *err, enum lo_result result, uint64_t offset,
		const char *format, ...)
{
	va_list arguments;

	if (!err)
		return result;

	err->result = result;
	err->offset = offset;
	va_start(arguments, format);
	vsnprintf(err->message, sizeof(err->message), format, arguments);
	va_end(arguments);
	return result;
}

enum lo_result lo_fail_errno(struct lo_error *err, int number, const char *format, ...)
{
	va_list arguments;
	size_t used;

	if (!err)
		return LO_IO;

	err->result = LO_IO;
	err->offset = LO_NO_OFFSET;
	va_start(arguments, format);
	vsnprintf(err->message, sizeof(err->message), format, arguments);
	va_end(arguments);
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s", strerror(number));
	return LO_IO;
}
