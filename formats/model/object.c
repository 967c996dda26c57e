#include "formats/model/object.h"

const struct object_info object_infos[OBJECT_KIND_COUNT] = {
	[OBJECT_NONE] = { "none", OBJECT_VALUE_NONE },
	[OBJECT_MUTEX] = { "mutex", OBJECT_VALUE_ADDRESS },
	[OBJECT_RWLOCK] = { "rwlock", OBJECT_VALUE_ADDRESS },
	[OBJECT_COND] = { "cond", OBJECT_VALUE_ADDRESS },
	[OBJECT_SEMAPHORE] = { "semaphore", OBJECT_VALUE_ADDRESS },
	[OBJECT_BARRIER] = { "barrier", OBJECT_VALUE_ADDRESS },
	[OBJECT_ONCE] = { "once", OBJECT_VALUE_ADDRESS },
	[OBJECT_SPIN_LOCK] = { "spin lock", OBJECT_VALUE_ADDRESS },
	[OBJECT_FUTEX] = { "futex", OBJECT_VALUE_ADDRESS },
	[OBJECT_TASK] = { "task", OBJECT_VALUE_NUMBER },
	[OBJECT_DESCRIPTOR] = { "descriptor", OBJECT_VALUE_NUMBER },
	[OBJECT_PROCESS] = { "process", OBJECT_VALUE_NUMBER },
};
