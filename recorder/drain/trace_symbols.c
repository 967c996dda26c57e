#include "recorder/drain/trace_symbols.h"

enum lo_result trace_symbols_add(
		struct trace_writer *writer, const struct progress *progress, struct lo_error *err)
{
	(void)writer;
	(void)progress;
	(void)err;
	return LO_OK;
}
