#include "formats/model/loss.h"

#include <stddef.h>

static const char *const loss_cause_names[LOSS_CAUSE_COUNT] = {
	[LOSS_RING_FULL] = "ring full",
	[LOSS_NO_RING] = "no ring free",
	[LOSS_NESTED] = "in a signal handler",
	[LOSS_REFUSED] = "record refused",
	[LOSS_RECORDER_BEHIND] = "recorder behind",
	[LOSS_SIZE_LIMIT] = "size limit",
	[LOSS_WRITE_FAILED] = "write failed",
	[LOSS_DAMAGED] = "file damaged",
};

const char *loss_cause_name(unsigned cause)
{
	return cause < LOSS_CAUSE_COUNT ? loss_cause_names[cause] : NULL;
}
