#ifndef LOITER_MODEL_TASK_H
#define LOITER_MODEL_TASK_H

#include <stdint.h>

/*
 * Who a task is. What it does is in the events; who made it and where is in its CREATE event.
 * Rows about a task may come more than once in a file (a thread that is renamed): the last counts.
 */
enum task_kind {
	TASK_THREAD,
	TASK_GOROUTINE,
	TASK_FIBER,
	TASK_KIND_COUNT
};

enum task_flag {
	TASK_FLAG_MAIN = 1 << 0,    /* the first task of its process */
	TASK_FLAG_RUNTIME = 1 << 1, /* of a language runtime or of the recorder: never a finding */
};

struct task_info {
	uint32_t id;      /* as in events, from 1 */
	uint32_t process; /* index of a process_info */
	uint32_t tid;     /* the source's own number: kernel thread id, goroutine id */
	uint32_t name;    /* string id, 0 = none */
	uint8_t kind;     /* enum task_kind */
	uint8_t flags;    /* set of enum task_flag */
};

enum process_end {
	PROCESS_RUNNING,  /* still there when the recording ended, or nobody knows */
	PROCESS_EXITED,   /* end_value: exit status */
	PROCESS_KILLED,   /* end_value: signal number */
	PROCESS_REPLACED, /* became another program by exec */
	PROCESS_END_COUNT,
};

/* Several only when children were followed. The last row for an index counts. */
struct process_info {
	uint32_t index;  /* from 1 */
	uint32_t parent; /* index, 0 = started by the recorder */
	uint32_t pid;
	uint32_t program; /* string id: path of the executable */
	uint64_t begin_ns;
	uint64_t end_ns; /* 0 while running */
	uint8_t end;     /* enum process_end */
	uint32_t end_value;
};

#endif
