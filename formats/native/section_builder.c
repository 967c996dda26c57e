#include "formats/native/section_builder.h"

#include <stdlib.h>

#include "formats/base/macros.h"
#include "formats/native/lives.h"
#include "formats/native/snapshot.h"

/* In the order in which their sections follow a block; ends with NULL. */
static const struct section_builder_kind *const kinds[] = {
	&snapshot_builder_kind,
	&lives_builder_kind,
	&tile_builder_kind,
	NULL,
};

struct section_builders {
	struct live_tasks *tasks;
	void *builders[LO_COUNT_OF(kinds)];
};

const struct section_builder_kind *section_builder_kind_at(unsigned i)
{
	return i < LO_COUNT_OF(kinds) ? kinds[i] : NULL;
}

enum lo_result section_builders_new(struct section_builders **out, struct lo_error *err)
{
	struct section_builders *builders = calloc(1, sizeof(*builders));
	enum lo_result result;

	if (!builders)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to index a trace");
	result = live_tasks_new(&builders->tasks, err);
	for (size_t i = 0; kinds[i] && result == LO_OK; i++)
		result = kinds[i]->make(&builders->builders[i], err);
	if (result == LO_OK)
		*out = builders;
	else
		section_builders_free(builders);
	return result;
}

void section_builders_free(struct section_builders *builders)
{
	if (!builders)
		return;
	for (size_t i = 0; kinds[i]; i++)
		kinds[i]->drop(builders->builders[i]);
	live_tasks_free(builders->tasks);
	free(builders);
}

enum lo_result section_builders_sealed(struct section_builders *builders,
		struct sealed_block *block, struct section_output *output, struct lo_error *err)
{
	enum lo_result result = live_tasks_advance(
			builders->tasks, block->events, block->rows, block->sequence, err);

	block->tasks = builders->tasks;
	for (size_t i = 0; kinds[i] && result == LO_OK; i++)
		result = kinds[i]->sealed(builders->builders[i], block, output, err);
	return result;
}

enum lo_result section_builders_finish(struct section_builders *builders, uint64_t end_ns,
		struct section_output *output, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (size_t i = 0; kinds[i] && result == LO_OK; i++)
		if (kinds[i]->finish)
			result = kinds[i]->finish(builders->builders[i], builders->tasks, end_ns,
					output, err);
	return result;
}
