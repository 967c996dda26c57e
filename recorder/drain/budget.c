#include "recorder/drain/budget.h"

#include <stdbool.h>

/* Compressed, from recordings of common programs: at most 3.5, 60 and 30. */
#define BYTES_PER_EVENT 4u
#define BYTES_PER_FRAME 64u
#define BYTES_PER_BLOCK 32u   /* in the index */
#define BYTES_OF_END    4096u /* last rows, end mark, locator */

uint64_t budget_expected_bytes(const struct budget_use *use)
{
	return use->file_bytes + use->unsealed_events * BYTES_PER_EVENT +
	       use->frames * BYTES_PER_FRAME + use->blocks * BYTES_PER_BLOCK + BYTES_OF_END;
}

/*
 * Events that have not been compressed may turn out to take a quarter of what is expected. While
 * less than this share of the limit is certainly used up it is worth a small block to find out.
 */
static bool is_nearly_full(const struct budget *budget, const struct budget_use *use)
{
	struct budget_use sealed = *use;

	sealed.unsealed_events = 0;
	return budget_expected_bytes(&sealed) >= budget->max_bytes - budget->max_bytes / 8;
}

enum budget_verdict budget_check(const struct budget *budget, const struct budget_use *use)
{
	if (budget->max_bytes && budget_expected_bytes(use) >= budget->max_bytes)
		return use->unsealed_events == 0 || is_nearly_full(budget, use) ? BUDGET_SIZE
										: BUDGET_SEAL;
	if (budget->duration_ns && use->elapsed_ns >= budget->duration_ns)
		return BUDGET_DURATION;
	return BUDGET_LEFT;
}

uint64_t budget_events(const struct budget *budget, const struct budget_use *use)
{
	uint64_t used = budget_expected_bytes(use);

	if (budget->max_bytes == 0)
		return UINT64_MAX;
	/* Rows of tables come with events: half of the room is theirs. */
	return used < budget->max_bytes ? (budget->max_bytes - used) / (2 * BYTES_PER_EVENT) + 1
					: 1;
}
