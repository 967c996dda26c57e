#ifndef LOITER_DRAIN_TASK_TABLE_H
#define LOITER_DRAIN_TASK_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"

/*
 * Tasks of the recording while they matter: from (process, number in the process) and from kernel
 * thread id to what is known of the task.
 *
 * Numbers are given out one after the other and most tasks are short, so entries lie in pages of
 * neighbouring numbers, and a page whose tasks have all exited is thrown away when numbers have
 * moved far past it. Memory follows the number of living tasks, not of those ever seen.
 */
enum task_state {
	TASK_STATE_NONE, /* the file has no event of it yet */
	TASK_STATE_CREATED,
	TASK_STATE_ACTIVE,
	TASK_STATE_BLOCKED,
	TASK_STATE_EXITED,
};

struct task_entry {
	uint32_t id;   /* in the file; never 0 */
	uint32_t tid;  /* kernel thread id, 0 = not known yet */
	uint32_t name; /* string id, 0 = the process's own */
	uint8_t state; /* enum task_state */
	bool row;      /* the file has a row about it */
};

#define TASK_PAGE_ENTRIES 256u
/* Hostile numbers can ask for a page each: 32 MiB, or four million tasks alive at once. */
#define TASK_PAGES_MAX 8192u
/* Exited tasks whose number is within this of the newest are remembered. */
#define TASK_NUMBERS_REMEMBERED 16384u
/* Linux gives out no thread id above 2^22. */
#define TASK_TID_MAX (1u << 22)

struct task_page;

struct task_table {
	struct task_page *buckets[1024];
	uint32_t page_count;
	uint32_t next_id;
	uint32_t **tids; /* pages of task ids by thread id */
};

bool task_table_init(struct task_table *table);
void task_table_release(struct task_table *table);

/* NULL when the task was never asked for with task_table_add(). Valid until entries are thrown
 * away. */
struct task_entry *task_table_find(struct task_table *table, uint32_t process, uint32_t number);

/*
 * Finds the task or gives it the next id. NULL when no more tasks can be told apart, or there is
 * no memory. `process` is any number that no two processes of a recording share.
 */
struct task_entry *task_table_add(struct task_table *table, uint32_t process, uint32_t number);

/* Call when `entry` of this process and number has got TASK_STATE_EXITED. */
void task_table_exited(struct task_table *table, uint32_t process, uint32_t number);

/* Throw away what is not needed any more: pages of old exited tasks; all pages of a process. */
void task_table_retire(struct task_table *table);
void task_table_forget_process(struct task_table *table, uint32_t process);

/* Calls `visit` for each task of a process until it returns other than LO_OK, and returns that. */
enum lo_result task_table_visit(struct task_table *table, uint32_t process,
		enum lo_result (*visit)(void *context, uint32_t number, struct task_entry *entry),
		void *context);

/* The task that last ran under a kernel thread id; 0 = none. Ids out of range are ignored. */
void task_table_set_tid(struct task_table *table, uint32_t tid, uint32_t id);
uint32_t task_table_by_tid(const struct task_table *table, uint32_t tid);

#endif
