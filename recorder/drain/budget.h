#ifndef LOITER_DRAIN_BUDGET_H
#define LOITER_DRAIN_BUDGET_H

#include <stdint.h>

/* When a recording ends although the program runs on: --max-size and --duration. */
struct budget {
	uint64_t max_bytes;   /* of the finished file; 0 = no limit */
	uint64_t duration_ns; /* 0 = no limit */
};

/* What has been used up so far. */
struct budget_use {
	uint64_t file_bytes;
	uint64_t unsealed_events; /* not in the file yet */
	uint64_t frames;          /* that will get symbols */
	uint64_t blocks;
	uint64_t elapsed_ns;
};

enum budget_verdict {
	BUDGET_LEFT,
	BUDGET_SEAL, /* perhaps: it has to be seen what the events that are not in the file take */
	BUDGET_SIZE,
	BUDGET_DURATION,
};

/* The size of the file if it were finished now: an estimate, on the high side. */
uint64_t budget_expected_bytes(const struct budget_use *use);

enum budget_verdict budget_check(const struct budget *budget, const struct budget_use *use);

/* How many events may be written before the next check, at least one. */
uint64_t budget_events(const struct budget *budget, const struct budget_use *use);

#endif
