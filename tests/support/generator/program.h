#ifndef LOITER_TESTS_GENERATOR_PROGRAM_H
#define LOITER_TESTS_GENERATOR_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "formats/model/task.h"

/*
 * The programs whose traces are made up, as data: what each kind of task does one thing after the
 * other, and what they wait for. simulation.c runs them in virtual time.
 */
enum op_code {
	OP_END,     /* the task exits; also what stands behind the last op of a role */
	OP_WORK,    /* for about `mean_ns` */
	OP_SLEEP,   /* the same, as a wait that ends by its time */
	OP_LOCK,    /* one of group `with`; waits in line while another task holds it */
	OP_UNLOCK,  /* what was locked last */
	OP_TAKE,    /* from a queue; waits while it is empty, with `mean_ns` at most so long */
	OP_PUT,     /* into a queue; waits while it is full */
	OP_WAIT,    /* for a condition that stands for items, giving up the lock meanwhile */
	OP_SIGNAL,  /* one item more, and wake one */
	OP_OUTSIDE, /* wait about `mean_ns` for something that is no task */
	OP_SPAWN,   /* `count` tasks of role `with`, about `mean_ns` between two */
	OP_JOIN,    /* wait for the end of the tasks made here: Go all, threads the last */
	OP_STUCK,   /* wait for one of group `with` for ever: a planted leak */
	OP_CHANCE,  /* in `per_myriad` of 10,000 go on with the next op, else skip `count` ops */
	OP_AGAIN,   /* from op number `count` on */
	OP_REPEAT,  /* the same, `mean_ns` times, then go on: one such loop to a role */
	OP_DIRECT,  /* do what the director has on the list now: see struct plant */
	OP_CODE_COUNT,
};

/* Which member of a group. */
enum pick {
	PICK_RANK, /* a random one, low numbers much more often */
	PICK_ANY,  /* a random one */
	PICK_OWN,  /* by the number of the task among those made with it */
	PICK_NEXT, /* the one behind its own */
};

struct op {
	uint8_t code;        /* enum op_code */
	uint8_t pick;        /* enum pick */
	uint8_t with;        /* group, or role */
	uint8_t jitter;      /* SLEEP: the time varies by so many hundredths, 0: as WORK does */
	uint16_t paths;      /* different stacks that lead here */
	uint16_t per_myriad; /* SPAWN: so many 10,000ths of the options' tasks in addition */
	uint32_t count;
	uint64_t mean_ns;
	const char *at; /* user function that does this; NULL: nothing that a stack is taken for */
};

/* Locks, queues and so on of one kind. */
struct group {
	uint32_t count;
	uint32_t per_myriad; /* in addition: of the options' tasks */
	uint32_t capacity;   /* of a queue */
	uint8_t object_kind;
	uint8_t reason; /* of LOCK, TAKE, WAIT, OUTSIDE, STUCK */
	uint8_t put_reason;
	const char *leaf; /* innermost function of such a wait */
	const char *put_leaf;
};

struct role {
	const char *name;  /* of the tasks */
	const char *entry; /* function that a task begins in */
	const struct op *ops;
	uint16_t op_count;
	bool numbered;   /* names are counted: worker-17 */
	uint8_t flags;   /* set of enum task_flag */
	uint8_t process; /* index, 0 = 1 */
};

/* What stacks and waits look like in a language. */
struct language {
	enum task_kind kind;
	uint8_t sleep_reason;
	uint8_t join_reason;
	uint8_t join_object; /* OBJECT_TASK: of one task, else of all */
	/* UNBLOCK is when a task may run again, told by its waker; else when it really runs. */
	bool ready_is_told;
	/*
	 * Clocks go on by more than a nanosecond at once: the time stamp counters of today's x86
	 * processors by about 10 ns, and Go divides what it reads there by 64.
	 */
	uint32_t clock_step_ns;
	const char *sleep_leaf;
	const char *join_leaf;
	const char *spawn_leaf;   /* NULL: the function that spawns is the innermost */
	const char *main_root[4]; /* outermost first */
	const char *task_root[4];
	const char *function; /* format of generated names: verb, noun */
	const char *file;     /* format: noun */
	const char *package;  /* of user functions named without one */
	const char *system;   /* path of the system's library; NULL: linked into the program */
	const char *backend;
	const char *source_format; /* of an imported trace, or NULL */
};

/* Fixed places in the tables of every profile, so that plants can be made anywhere. */
enum common_role {
	ROLE_MAIN,
	ROLE_DIRECTOR,
	ROLE_PHILOSOPHER, /* takes its own lock and then the next one's */
	ROLE_LOADER,      /* one of a burst */
	ROLE_LEAKED,
	ROLE_FIRST,
};

enum common_group {
	GROUP_FORKS, /* the locks of the philosophers */
	GROUP_DEAD,  /* channels that nobody reads any more */
	GROUP_FIRST,
};

struct profile {
	const char *name; /* "go-like" */
	const char *help;
	const struct language *language;
	const char *program;        /* path */
	const char *library;        /* path of the user's own library */
	const char *second_program; /* path, of process 2; NULL = one process */
	const struct role *roles;
	const struct group *groups;
	uint32_t role_count;
	uint32_t group_count;
	uint32_t cpus;
	uint32_t tasks; /* unless the options say other */
	uint64_t events;
};

enum generator_profile {
	PROFILE_THREAD_LIKE,
	PROFILE_GO_LIKE,
	PROFILE_MANY_ALIVE,
	PROFILE_MANY_SHORT,
	PROFILE_SERVER_IDLE,
	PROFILE_COUNT,
};

extern const struct profile profiles[PROFILE_COUNT];

/* What the director does when so much of the trace is over. */
enum plant_kind {
	PLANT_DEADLOCK = 1 << 0, /* three tasks that wait in a circle */
	PLANT_BURST = 1 << 1,    /* many tasks at once */
	PLANT_LEAK = 1 << 2,     /* from then on, now and then a task that never ends */
	PLANT_ALL = (1 << 3) - 1,
};

#endif
