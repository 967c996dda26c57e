#include "formats/model/note.h"

#include <stddef.h>

const struct note_schema note_schemas[NOTE_KIND_COUNT] = {
	[NOTE_USER_TASK] = { "user task", "a piece of work that the program named", NULL,
			NOTE_IS_RANGE | NOTE_HAS_NAME | NOTE_HAS_STACK | NOTE_HAS_ID |
					NOTE_HAS_PARENT },
	[NOTE_REGION] = { "region", "a stretch of a task that the program named", NULL,
			NOTE_IS_RANGE | NOTE_HAS_NAME | NOTE_HAS_STACK | NOTE_HAS_PARENT },
	[NOTE_LOG] = { "log", "a line that the program wrote into the trace", NULL,
			NOTE_HAS_NAME | NOTE_HAS_TEXT | NOTE_HAS_STACK | NOTE_HAS_PARENT },
	[NOTE_LABEL] = { "label", "key and value that the task carries", NULL,
			NOTE_HAS_NAME | NOTE_HAS_TEXT },
	[NOTE_GC] = { "gc", "garbage is being marked while the program runs", NULL,
			NOTE_IS_RANGE | NOTE_HAS_STACK | NOTE_HAS_ID },
	[NOTE_STOP_WORLD] = { "stop the world", "every task of the program stands still", NULL,
			NOTE_IS_RANGE | NOTE_HAS_NAME | NOTE_HAS_STACK },
	[NOTE_SWEEP] = { "sweep", "garbage is given back", "bytes swept",
			NOTE_IS_RANGE | NOTE_HAS_STACK | NOTE_HAS_VALUE },
	[NOTE_MARK_ASSIST] = { "mark assist", "the task has to help the garbage collector", NULL,
			NOTE_IS_RANGE | NOTE_HAS_STACK },
	[NOTE_CPU_SAMPLE] = { "cpu sample", "the task was running here", NULL, NOTE_HAS_STACK },
	[NOTE_THREAD_LOCK] = { "locked to thread", "the task runs on one system thread only", NULL,
			0 },
	[NOTE_ANCESTOR] = { "ancestor", "who made the task's creator, and where", "its number",
			NOTE_HAS_STACK | NOTE_HAS_VALUE },
	[NOTE_FRAMES_ELIDED] = { "frames elided", "the source shortened the stack",
			"frames left out; 0 = not told", NOTE_HAS_VALUE },
};
