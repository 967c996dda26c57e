#include "viewer/analysis/site_names.h"

#include <stdlib.h>
#include <string.h>

#include "viewer/analysis/site.h"

enum lo_result site_names_init(
		struct site_names *names, const struct trace_reader *reader, struct lo_error *err)
{
	enum lo_result result;

	*names = (struct site_names){
		.reader = reader,
		.stack_count = stack_table_stack_count(trace_reader_stacks(reader)),
	};
	result = string_table_new(&names->names, err);
	if (result != LO_OK)
		return result;
	names->by_stack = calloc((size_t)names->stack_count + 1, sizeof(*names->by_stack));
	if (names->by_stack)
		return LO_OK;
	site_names_release(names);
	return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the names of places");
}

void site_names_release(struct site_names *names)
{
	string_table_free(names->names);
	free(names->by_stack);
	*names = (struct site_names){ 0 };
}

uint32_t site_names_get(struct site_names *names, uint32_t stack)
{
	struct place place;
	uint32_t id = 0;

	if (stack == STACK_NONE || stack > names->stack_count)
		return 0;
	if (!names->by_stack[stack]) {
		stack_user_place(names->reader, stack, &place);
		string_table_add(names->names, place.function, (uint32_t)strlen(place.function),
				&id, NULL);
		names->by_stack[stack] = id + 1;
	}
	return names->by_stack[stack];
}
