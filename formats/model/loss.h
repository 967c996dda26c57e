#ifndef LOITER_MODEL_LOSS_H
#define LOITER_MODEL_LOSS_H

/*
 * Why an event could not be kept. Every lost event is counted under exactly one cause, and the
 * counts travel in the header of the block during which they happened, so that a loss has a place
 * on the time axis. Types only: this header is shared with the code inside the traced program.
 *
 * The names (loss.c) are stored in each file; the numbers may change between versions.
 */
enum loss_cause {
	LOSS_RING_FULL, /* the task was faster than the recorder for longer than a ring lasts */
	LOSS_NO_RING,   /* more tasks at once than the segment has rings */
	LOSS_NESTED,    /* a signal handler blocked while the interrupted hook was recording */
	LOSS_REFUSED,   /* a record made no sense to the recorder (damaged shared memory) */
	LOSS_RECORDER_BEHIND, /* the recorder's own queue reached its memory limit */
	LOSS_SIZE_LIMIT,      /* the file had reached --max-size */
	LOSS_WRITE_FAILED,    /* the disk refused (full, quota, error) */
	LOSS_DAMAGED,         /* was in the file, which was damaged before it was repaired */
	LOSS_CAUSE_COUNT,
};

/* "ring full", ...; NULL when `cause` is out of range. */
const char *loss_cause_name(unsigned cause);

#endif
