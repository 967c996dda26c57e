#ifndef LOITER_CLI_EXIT_CODES_H
#define LOITER_CLI_EXIT_CODES_H

/* Documented in loiter(1). `record` passes on the status of the program instead. */
enum loiter_exit {
	LOITER_EXIT_OK = 0,
	LOITER_EXIT_FINDINGS = 1, /* verify: damage was found */
	LOITER_EXIT_FAILURE = 2,  /* usage, or the work could not be done */
};

#endif
