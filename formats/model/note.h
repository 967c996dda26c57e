#ifndef LOITER_MODEL_NOTE_H
#define LOITER_MODEL_NOTE_H

#include <stdint.h>

/*
 * What a source says about a trace beside what its tasks wait for: ranges and moments, of one task
 * or of all. Notes change no state and make no finding; they are shown next to what happened.
 * Which members a kind uses is said once, in note.c; unused members are zero. The names of the
 * kinds are stored in each file; the numbers are this build's own.
 */
enum note_kind {
	NOTE_USER_TASK,     /* a piece of work that the program named, over several tasks */
	NOTE_REGION,        /* a stretch of one task that the program named */
	NOTE_LOG,           /* a line that the program wrote into the trace */
	NOTE_LABEL,         /* key and value that a task carries */
	NOTE_GC,            /* garbage is being marked */
	NOTE_STOP_WORLD,    /* every task of the program stands still */
	NOTE_SWEEP,         /* marked garbage is given back */
	NOTE_MARK_ASSIST,   /* the task has to help with marking before it may go on */
	NOTE_CPU_SAMPLE,    /* the task was running here */
	NOTE_THREAD_LOCK,   /* the task runs on one system thread only */
	NOTE_ANCESTOR,      /* who made the task's creator, and where */
	NOTE_FRAMES_ELIDED, /* the source shortened the task's stack */
	NOTE_KIND_COUNT,
};

/* Numbers from NOTE_KIND_COUNT on stand for kinds that a file names and this build does not know.
 */
#define NOTE_KIND_LIMIT 64u

enum note_flag {
	NOTE_FLAG_BEGAN_BEFORE =
			1 << 0, /* the range is older than the trace: `begin_ns` is no begin */
	NOTE_FLAG_STILL_OPEN = 1 << 1, /* its end was not seen: `end_ns` is no end */
};

struct note {
	uint64_t begin_ns;
	uint64_t end_ns; /* of a moment: begin_ns */
	uint64_t id;     /* the source's own number, see note_schema; 0 = none */
	uint64_t parent; /* user task that this belongs to; 0 = none */
	uint64_t value;  /* see note_schema.value_name */
	uint32_t task;   /* TASK_NONE: of the whole process */
	uint32_t stack;
	uint32_t name; /* string ids, 0 = none */
	uint32_t text;
	uint8_t kind;  /* enum note_kind, or a number that the file named */
	uint8_t flags; /* set of enum note_flag */
};

enum note_field {
	NOTE_HAS_NAME = 1 << 0,
	NOTE_HAS_TEXT = 1 << 1,
	NOTE_HAS_STACK = 1 << 2,
	NOTE_HAS_ID = 1 << 3,
	NOTE_HAS_PARENT = 1 << 4,
	NOTE_HAS_VALUE = 1 << 5,
	NOTE_IS_RANGE = 1 << 6,
};

struct note_schema {
	const char *name;       /* "user task": as in every output, and as stored in files */
	const char *help;       /* one line for a person */
	const char *value_name; /* what `value` means, NULL without NOTE_HAS_VALUE */
	uint8_t fields;         /* set of enum note_field */
};

/* Indexed by enum note_kind; complete for [0, NOTE_KIND_COUNT). */
extern const struct note_schema note_schemas[NOTE_KIND_COUNT];

#endif
