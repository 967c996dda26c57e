#include "recorder/drain/budget.h"

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

enum budget_verdict budget_check(const struct budget *budget, const struct budget_use *use)
{
	if (budget->max_bytes && budget_expected_bytes(use) >= budget->max_bytes)
		return BUDGET_SIZE;
	if (budget->duration_ns && use->elapsed_ns >= budget->duration_ns)
		return BUDGET_DURATION;
	return BUDGET_LEFT;
}
