#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/trace_model.h"

/* The bytes are a file, opened as any other: by its index, if it has one. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct event events[MODEL_EVENTS_MAX];
	struct trace_reader *reader = model_open(bytes, size);

	if (reader) {
		model_check_events(reader, events);
		model_check_tables(reader);
		model_check_side(reader);
		model_check_states(reader);
	}
	trace_reader_close(reader);
	return 0;
}
