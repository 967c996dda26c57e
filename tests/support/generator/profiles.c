#include "tests/support/generator/program.h"

#include <stddef.h>

#include "formats/base/macros.h"

#define US      1000ull
#define MS      1000000ull
#define SECONDS 1000000000ull

#define WORK(mean)                                 \
	{                                          \
		.code = OP_WORK, .mean_ns = (mean) \
	}
#define LOCK(group, function, stacks)                                                 \
	{                                                                             \
		.code = OP_LOCK, .with = (group), .at = (function), .paths = (stacks) \
	}
#define LOCK_OWN(group, function, stacks)                                             \
	{                                                                             \
		.code = OP_LOCK, .with = (group), .pick = PICK_OWN, .at = (function), \
		.paths = (stacks)                                                     \
	}
#define UNLOCK                    \
	{                         \
		.code = OP_UNLOCK \
	}
#define TAKE(group, function, stacks)                                                 \
	{                                                                             \
		.code = OP_TAKE, .with = (group), .at = (function), .paths = (stacks) \
	}
#define TAKE_WITHIN(group, limit, function, stacks)                                     \
	{                                                                               \
		.code = OP_TAKE, .with = (group), .mean_ns = (limit), .at = (function), \
		.paths = (stacks)                                                       \
	}
#define TAKE_OWN(group, function, stacks)                                             \
	{                                                                             \
		.code = OP_TAKE, .with = (group), .pick = PICK_OWN, .at = (function), \
		.paths = (stacks)                                                     \
	}
#define PUT(group, function, stacks)                                                 \
	{                                                                            \
		.code = OP_PUT, .with = (group), .at = (function), .paths = (stacks) \
	}
#define PUT_ANY(group, function, stacks)                                             \
	{                                                                            \
		.code = OP_PUT, .with = (group), .pick = PICK_ANY, .at = (function), \
		.paths = (stacks)                                                    \
	}
#define WAIT_FOR(group, function, stacks)                                             \
	{                                                                             \
		.code = OP_WAIT, .with = (group), .at = (function), .paths = (stacks) \
	}
#define WAIT_FOR_OWN(group, function, stacks)                                         \
	{                                                                             \
		.code = OP_WAIT, .with = (group), .pick = PICK_OWN, .at = (function), \
		.paths = (stacks)                                                     \
	}
#define SIGNAL_OWN(group)                                            \
	{                                                            \
		.code = OP_SIGNAL, .with = (group), .pick = PICK_OWN \
	}
#define SIGNAL(group)                              \
	{                                          \
		.code = OP_SIGNAL, .with = (group) \
	}
#define SLEEP(mean, function)                                                     \
	{                                                                         \
		.code = OP_SLEEP, .mean_ns = (mean), .at = (function), .paths = 2 \
	}
#define TICK(period, percent, function)                                                       \
	{                                                                                     \
		.code = OP_SLEEP, .mean_ns = (period), .jitter = (percent), .at = (function), \
		.paths = 1                                                                    \
	}
#define OUTSIDE(group, mean, function, stacks)                                            \
	{                                                                                 \
		.code = OP_OUTSIDE, .with = (group), .pick = PICK_OWN, .mean_ns = (mean), \
		.at = (function), .paths = (stacks)                                       \
	}
#define SPAWN(role, number, gap, function, stacks)                                     \
	{                                                                              \
		.code = OP_SPAWN, .with = (role), .count = (number), .mean_ns = (gap), \
		.at = (function), .paths = (stacks)                                    \
	}
#define SPAWN_SHARE(role, number, share, gap, function)                                     \
	{                                                                                   \
		.code = OP_SPAWN, .with = (role), .count = (number), .per_myriad = (share), \
		.mean_ns = (gap), .at = (function), .paths = 1                              \
	}
#define JOIN(function, stacks)                                       \
	{                                                            \
		.code = OP_JOIN, .at = (function), .paths = (stacks) \
	}
#define CHANCE(share, skipped)                                               \
	{                                                                    \
		.code = OP_CHANCE, .per_myriad = (share), .count = (skipped) \
	}
#define AGAIN(target)                               \
	{                                           \
		.code = OP_AGAIN, .count = (target) \
	}
#define REPEAT(target, times)                                            \
	{                                                                \
		.code = OP_REPEAT, .count = (target), .mean_ns = (times) \
	}

#define OPS(array) .ops = array, .op_count = LO_COUNT_OF(array)

/* ---- what is planted ---- */

static const struct op director_ops[] = {
	TICK(MS, 10, "supervise"),
	{ .code = OP_DIRECT, .at = "start_extra", .paths = 1, .mean_ns = 20 * US },
	AGAIN(0),
};

/* Goroutines are made much faster than threads. */
static const struct op go_director_ops[] = {
	TICK(MS, 10, "supervise"),
	{ .code = OP_DIRECT, .at = "start_extra", .paths = 1, .mean_ns = 3 * US },
	AGAIN(0),
};

/* In a quiet program the director is as quiet. */
static const struct op slow_director_ops[] = {
	TICK(2 * SECONDS, 10, "supervise"),
	{ .code = OP_DIRECT, .at = "start_extra", .paths = 1, .mean_ns = 20 * US },
	AGAIN(0),
};

static const struct op philosopher_ops[] = {
	{ .code = OP_LOCK,
			.with = GROUP_FORKS,
			.pick = PICK_OWN,
			.at = "take_left_fork",
			.paths = 1 },
	TICK(5 * MS, 1, "think"),
	{ .code = OP_LOCK,
			.with = GROUP_FORKS,
			.pick = PICK_NEXT,
			.at = "take_right_fork",
			.paths = 1 },
	UNLOCK,
	UNLOCK,
};

static const struct op loader_ops[] = {
	WORK(200 * US),
	SLEEP(2 * MS, "load_page"),
	WORK(100 * US),
};

static const struct op leaked_ops[] = {
	WORK(50 * US),
	{ .code = OP_STUCK, .with = GROUP_DEAD, .pick = PICK_RANK, .at = "emit_audit", .paths = 3 },
};

#define COMMON_ROLES(director)                                                         \
	[ROLE_DIRECTOR] = { "director", "run_director", OPS(director) },               \
	[ROLE_PHILOSOPHER] = { "philosopher", "run_philosopher", OPS(philosopher_ops), \
		.numbered = true },                                                    \
	[ROLE_LOADER] = { "loader", "run_loader", OPS(loader_ops) },                   \
	[ROLE_LEAKED] = { "audited-order", "handle_order", OPS(leaked_ops) }

/* ---- languages ---- */

static const struct language threads = {
	.kind = TASK_THREAD,
	.clock_step_ns = 10,
	.sleep_reason = REASON_SLEEP,
	.join_reason = REASON_JOIN,
	.join_object = OBJECT_TASK,
	.sleep_leaf = "clock_nanosleep",
	.join_leaf = "pthread_join",
	.spawn_leaf = "pthread_create",
	.main_root = { "_start", "__libc_start_main", "main" },
	.task_root = { "clone3", "start_thread" },
	.function = "%s_%s",
	.file = "src/%s.c",
	.package = "",
	.system = "/usr/lib/x86_64-linux-gnu/libc.so.6",
	.backend = "preload",
};

static const struct language go = {
	.kind = TASK_GOROUTINE,
	.clock_step_ns = 64,
	.sleep_reason = REASON_SLEEP,
	.join_reason = REASON_SYNC,
	.ready_is_told = true,
	.sleep_leaf = "time.Sleep",
	.join_leaf = "sync.(*WaitGroup).Wait",
	.main_root = { "runtime.main", "main.main" },
	.task_root = { NULL },
	.function = "main.%s_%s",
	.file = "/srv/shop/%s.go",
	.package = "main.",
	.backend = "import",
	.source_format = "go-trace-v2",
};

#define GO_COMMON_GROUPS                                                                      \
	[GROUP_FORKS] = { 3, 0, 0, OBJECT_NONE, REASON_SYNC, 0, "sync.(*Mutex).Lock", NULL }, \
	[GROUP_DEAD] = { 4, 0, 0, OBJECT_NONE, REASON_CHAN_SEND, 0, "runtime.chansend1", NULL }

#define THREAD_COMMON_GROUPS                                                                 \
	[GROUP_FORKS] = { 3, 0, 0, OBJECT_MUTEX, REASON_MUTEX_LOCK, 0, "pthread_mutex_lock", \
		NULL },                                                                      \
	[GROUP_DEAD] = { 1, 0, 0, OBJECT_SEMAPHORE, REASON_SEMAPHORE_WAIT, 0, "sem_wait", NULL }

/* ---- thread-like: 64 threads of two processes ---- */

enum {
	T_TABLE = GROUP_FIRST, /* mutexes of a table, some hot */
	T_QUEUE_LOCK,
	T_QUEUE, /* condition */
	T_PIPE,  /* between stages */
	T_SLOTS, /* semaphore */
	T_SOCKET,
	T_GROUP_COUNT,
};

enum {
	T_ACCEPTOR = ROLE_FIRST,
	T_PRODUCER,
	T_WORKER,
	T_STAGE_MAIN,
	T_STAGE,
	T_TIMER,
	T_SPAWNER,
	T_BRIEF,
	T_ROLE_COUNT,
};

static const struct group thread_groups[] = {
	THREAD_COMMON_GROUPS,
	[T_TABLE] = { 64, 0, 0, OBJECT_MUTEX, REASON_MUTEX_LOCK, 0, "pthread_mutex_lock", NULL },
	[T_QUEUE_LOCK] = { 4, 0, 0, OBJECT_MUTEX, REASON_MUTEX_LOCK, 0, "pthread_mutex_lock",
			NULL },
	[T_QUEUE] = { 4, 0, 0, OBJECT_COND, REASON_COND_WAIT, 0, "pthread_cond_wait", NULL },
	[T_PIPE] = { 8, 0, 16, OBJECT_DESCRIPTOR, REASON_READ, REASON_WRITE, "read", "write" },
	[T_SLOTS] = { 2, 0, 1u << 30, OBJECT_SEMAPHORE, REASON_SEMAPHORE_WAIT, 0, "sem_wait",
			NULL },
	[T_SOCKET] = { 32, 0, 0, OBJECT_DESCRIPTOR, REASON_POLL, 0, "epoll_wait", NULL },
};

static const struct op thread_main_ops[] = {
	SPAWN(ROLE_DIRECTOR, 1, 30 * US, "start_director", 1),
	SPAWN_SHARE(T_ACCEPTOR, 1, 470, 30 * US, "start_acceptors"),
	SPAWN_SHARE(T_PRODUCER, 1, 1560, 30 * US, "start_producers"),
	SPAWN_SHARE(T_WORKER, 2, 4370, 30 * US, "start_workers"),
	SPAWN(T_STAGE_MAIN, 1, 30 * US, "start_stage_process", 1),
	SPAWN_SHARE(T_TIMER, 1, 620, 30 * US, "start_timers"),
	SPAWN(T_SPAWNER, 1, 30 * US, "start_helpers", 1),
	JOIN("wait_for_end", 1),
};

static const struct op stage_main_ops[] = {
	SPAWN_SHARE(T_STAGE, 1, 1870, 30 * US, "start_stages"),
	JOIN("wait_for_stages", 1),
};

static const struct op acceptor_ops[] = {
	OUTSIDE(T_SOCKET, 120 * US, "serve_events", 12),
	WORK(4 * US),
	PUT_ANY(T_PIPE, "forward_request", 40),
	AGAIN(0),
};

static const struct op producer_ops[] = {
	OUTSIDE(T_SOCKET, 50 * US, "read_input", 30),
	WORK(5 * US),
	LOCK_OWN(T_QUEUE_LOCK, "queue_push", 60),
	WORK(600),
	UNLOCK,
	SIGNAL_OWN(T_QUEUE),
	CHANCE(1000, 1),
	SLEEP(100 * US, "back_off"),
	AGAIN(0),
};

static const struct op worker_ops[] = {
	LOCK_OWN(T_QUEUE_LOCK, "queue_pop", 12),
	WORK(300),
	WAIT_FOR_OWN(T_QUEUE, "queue_pop", 12),
	UNLOCK,
	WORK(6 * US),
	LOCK(T_TABLE, "table_update", 1500),
	WORK(1500),
	CHANCE(2500, 3),
	LOCK(T_TABLE, "table_move", 400),
	WORK(900),
	UNLOCK,
	UNLOCK,
	CHANCE(400, 1),
	{ .code = OP_PUT, .with = T_SLOTS },
	AGAIN(0),
};

static const struct op stage_ops[] = {
	TAKE_OWN(T_PIPE, "stage_read", 30),
	WORK(5 * US),
	LOCK(T_TABLE, "table_find", 300),
	WORK(700),
	UNLOCK,
	CHANCE(3000, 1),
	TAKE_WITHIN(T_SLOTS, 400 * US, "take_slot", 8),
	AGAIN(0),
};

static const struct op timer_ops[] = {
	TICK(2 * MS, 5, "tick"),
	WORK(10 * US),
	AGAIN(0),
};

static const struct op spawner_ops[] = {
	SLEEP(4 * MS, "wait_for_work"),
	SPAWN(T_BRIEF, 3, 40 * US, "fork_helpers", 6),
	JOIN("join_helpers", 6),
	AGAIN(0),
};

static const struct op brief_ops[] = {
	WORK(100 * US),
	LOCK(T_TABLE, "table_scan", 40),
	WORK(2 * US),
	UNLOCK,
};

static const struct role thread_roles[] = {
	COMMON_ROLES(director_ops),
	[ROLE_MAIN] = { "orderd", "run_orderd", OPS(thread_main_ops), .flags = TASK_FLAG_MAIN },
	[T_ACCEPTOR] = { "acceptor", "run_acceptor", OPS(acceptor_ops), .numbered = true },
	[T_PRODUCER] = { "producer", "run_producer", OPS(producer_ops), .numbered = true },
	[T_WORKER] = { "worker", "run_worker", OPS(worker_ops), .numbered = true },
	[T_STAGE_MAIN] = { "stage-main", "run_stages", OPS(stage_main_ops), .flags = TASK_FLAG_MAIN,
			.process = 2 },
	[T_STAGE] = { "stage", "run_stage", OPS(stage_ops), .numbered = true, .process = 2 },
	[T_TIMER] = { "timer", "run_timer", OPS(timer_ops), .numbered = true },
	[T_SPAWNER] = { "helpers", "run_helpers", OPS(spawner_ops) },
	[T_BRIEF] = { "helper", "run_helper", OPS(brief_ops) },
};

/* ---- go-like: thousands of goroutines alive, millions that come and go ---- */

enum {
	G_LISTENER = GROUP_FIRST,
	G_CONNECTION,
	G_DATABASE,
	G_SESSIONS, /* mutexes */
	G_STATS,
	G_JOBS,   /* channel of the pool */
	G_EVENTS, /* channels of subscribers */
	G_RESULTS,
	G_IDLE, /* of the runtime */
	G_GROUP_COUNT,
};

enum {
	G_ACCEPTOR = ROLE_FIRST,
	G_HANDLER,
	G_LOOKUP,
	G_WORKER,
	G_SUBSCRIBER,
	G_PUBLISHER,
	G_KEEPER, /* a connection that mostly keeps still */
	G_TICKER,
	G_COLLECTOR,
	G_ROLE_COUNT,
};

static const struct group go_groups[] = {
	GO_COMMON_GROUPS,
	[G_LISTENER] = { 1, 0, 0, OBJECT_NONE, REASON_NETWORK, 0, "internal/poll.(*FD).Accept",
			NULL },
	[G_CONNECTION] = { 1, 0, 0, OBJECT_NONE, REASON_NETWORK, 0, "internal/poll.(*FD).Read",
			NULL },
	[G_DATABASE] = { 1, 0, 0, OBJECT_NONE, REASON_NETWORK, 0, "internal/poll.(*FD).Read",
			NULL },
	[G_SESSIONS] = { 256, 0, 0, OBJECT_NONE, REASON_SYNC, 0, "sync.(*Mutex).Lock", NULL },
	[G_STATS] = { 1, 0, 0, OBJECT_NONE, REASON_SYNC, 0, "sync.(*Mutex).Lock", NULL },
	[G_JOBS] = { 4, 0, 32, OBJECT_NONE, REASON_CHAN_RECEIVE, REASON_CHAN_SEND,
			"runtime.chanrecv1", "runtime.chansend1" },
	[G_EVENTS] = { 1, 500, 1, OBJECT_NONE, REASON_SELECT, REASON_SELECT, "runtime.selectgo",
			"runtime.selectgo" },
	[G_RESULTS] = { 64, 0, 1u << 30, OBJECT_NONE, REASON_SELECT, REASON_CHAN_SEND,
			"runtime.selectgo", "runtime.chansend1" },
	[G_IDLE] = { 1, 0, 0, OBJECT_NONE, REASON_SYSTEM_GOROUTINE_WAIT, 0, "runtime.gopark",
			NULL },
};

static const struct op go_main_ops[] = {
	SPAWN(G_COLLECTOR, 8, 2 * US, "start_collectors", 1),
	SPAWN(ROLE_DIRECTOR, 1, 2 * US, "start_director", 1),
	SPAWN_SHARE(G_WORKER, 8, 200, 2 * US, "start_workers"),
	SPAWN_SHARE(G_SUBSCRIBER, 1, 500, 2 * US, "start_subscribers"),
	SPAWN(G_PUBLISHER, 4, 2 * US, "start_publishers", 1),
	SPAWN_SHARE(G_TICKER, 4, 50, 2 * US, "start_tickers"),
	SPAWN_SHARE(G_KEEPER, 1, 4000, 2 * US, "start_keepers"),
	SPAWN_SHARE(G_ACCEPTOR, 1, 60, 2 * US, "start_acceptors"),
	JOIN("main.wait_for_end", 1),
};

static const struct op go_acceptor_ops[] = {
	OUTSIDE(G_LISTENER, 900 * US, "main.accept_connection", 2),
	SPAWN(G_HANDLER, 1, US, "main.serve_connection", 4),
	AGAIN(0),
};

static const struct op go_handler_ops[] = {
	WORK(3 * US),
	OUTSIDE(G_CONNECTION, 9 * MS, "main.read_request", 40),
	WORK(4 * US),
	LOCK(G_SESSIONS, "main.session_of", 120),
	WORK(300),
	UNLOCK,
	CHANCE(3500, 2),
	SPAWN(G_LOOKUP, 2, 3 * US, "main.fan_out", 60),
	JOIN("main.gather", 60),
	WORK(5 * US),
	CHANCE(3000, 3),
	PUT_ANY(G_JOBS, "main.enqueue_job", 30),
	WORK(US),
	{ .code = OP_TAKE,
			.with = G_RESULTS,
			.pick = PICK_ANY,
			.mean_ns = 3 * MS,
			.at = "main.await_result",
			.paths = 30 },
	OUTSIDE(G_CONNECTION, 150 * US, "main.write_reply", 40),
	REPEAT(0, 5),
};

static const struct op go_lookup_ops[] = {
	WORK(2 * US),
	OUTSIDE(G_DATABASE, 500 * US, "main.query_database", 300),
	WORK(2 * US),
	CHANCE(4000, 3),
	LOCK(G_STATS, "main.count_lookup", 20),
	WORK(100),
	UNLOCK,
	WORK(US),
};

static const struct op go_worker_ops[] = {
	TAKE_OWN(G_JOBS, "main.next_job", 2),
	WORK(9 * US),
	LOCK(G_SESSIONS, "main.update_session", 200),
	WORK(400),
	UNLOCK,
	PUT_ANY(G_RESULTS, "main.hand_over", 6),
	AGAIN(0),
};

static const struct op go_subscriber_ops[] = {
	TAKE_OWN(G_EVENTS, "main.next_event", 3),
	WORK(2 * US),
	AGAIN(0),
};

static const struct op go_publisher_ops[] = {
	SLEEP(300 * US, "main.batch"),
	PUT_ANY(G_EVENTS, "main.publish", 8),
	WORK(500),
	REPEAT(1, 20),
	AGAIN(0),
};

static const struct op go_keeper_ops[] = {
	OUTSIDE(G_CONNECTION, 400 * MS, "main.keep_alive", 12),
	WORK(3 * US),
	AGAIN(0),
};

static const struct op go_ticker_ops[] = {
	TICK(5 * MS, 3, "main.refresh"),
	WORK(30 * US),
	LOCK(G_STATS, "main.read_stats", 3),
	WORK(2 * US),
	UNLOCK,
	AGAIN(0),
};

static const struct op go_collector_ops[] = {
	OUTSIDE(G_IDLE, 40 * MS, "runtime.gcBgMarkWorker", 1),
	WORK(500 * US),
	AGAIN(0),
};

static const struct role go_roles[] = {
	COMMON_ROLES(go_director_ops),
	[ROLE_MAIN] = { "main.main", "main.run", OPS(go_main_ops), .flags = TASK_FLAG_MAIN },
	[G_ACCEPTOR] = { "main.acceptor", "main.acceptor", OPS(go_acceptor_ops) },
	[G_HANDLER] = { "main.handle", "main.handle", OPS(go_handler_ops) },
	[G_LOOKUP] = { "main.lookup", "main.lookup", OPS(go_lookup_ops) },
	[G_WORKER] = { "main.worker", "main.worker", OPS(go_worker_ops) },
	[G_SUBSCRIBER] = { "main.subscriber", "main.subscriber", OPS(go_subscriber_ops) },
	[G_PUBLISHER] = { "main.publisher", "main.publisher", OPS(go_publisher_ops) },
	[G_KEEPER] = { "main.keeper", "main.keeper", OPS(go_keeper_ops) },
	[G_TICKER] = { "main.ticker", "main.ticker", OPS(go_ticker_ops) },
	[G_COLLECTOR] = { "runtime.gcBgMarkWorker", "runtime.gcBgMarkWorker", OPS(go_collector_ops),
			.flags = TASK_FLAG_RUNTIME },
};

/* ---- many-alive: 200,000 goroutines at the same time ---- */

enum {
	A_SHARDS = GROUP_FIRST, /* mutexes */
	A_MAIL,
	A_SOCKET,
	A_GROUP_COUNT,
};

enum {
	A_BRANCH = ROLE_FIRST,
	A_SLEEPER,
	A_READER,
	A_FEEDER,
	A_CLIENT,
	A_ROLE_COUNT,
};

static const struct group alive_groups[] = {
	GO_COMMON_GROUPS,
	[A_SHARDS] = { 16, 50, 0, OBJECT_NONE, REASON_SYNC, 0, "sync.(*Mutex).Lock", NULL },
	[A_MAIL] = { 16, 1000, 4, OBJECT_NONE, REASON_CHAN_RECEIVE, REASON_CHAN_SEND,
			"runtime.chanrecv1", "runtime.chansend1" },
	[A_SOCKET] = { 1, 0, 0, OBJECT_NONE, REASON_NETWORK, 0, "internal/poll.(*FD).Read", NULL },
};

static const struct op alive_main_ops[] = {
	SPAWN(ROLE_DIRECTOR, 1, 2 * US, "start_director", 1),
	SPAWN_SHARE(A_BRANCH, 2, 50, 2 * US, "start_branches"),
	JOIN("main.wait_for_end", 1),
};

/* 200 tasks each, and 50 in 10,000 of them are branches. */
static const struct op branch_ops[] = {
	SPAWN(A_SLEEPER, 90, 2 * US, "main.start_sleepers", 2),
	SPAWN(A_CLIENT, 50, 2 * US, "main.start_clients", 2),
	SPAWN(A_READER, 30, 2 * US, "main.start_readers", 2),
	SPAWN(A_FEEDER, 30, 2 * US, "main.start_feeders", 2),
	JOIN("main.wait_for_branch", 2),
};

static const struct op sleeper_ops[] = {
	TICK(150 * MS, 20, "main.poll_state"),
	WORK(2 * US),
	AGAIN(0),
};

static const struct op alive_client_ops[] = {
	OUTSIDE(A_SOCKET, 200 * MS, "main.read_message", 60),
	WORK(3 * US),
	LOCK(A_SHARDS, "main.update_shard", 100),
	WORK(500),
	UNLOCK,
	AGAIN(0),
};

static const struct op reader_ops[] = {
	TAKE_OWN(A_MAIL, "main.next_mail", 4),
	WORK(3 * US),
	AGAIN(0),
};

static const struct op feeder_ops[] = {
	SLEEP(100 * MS, "main.wait_for_batch"),
	PUT_ANY(A_MAIL, "main.send_mail", 30),
	WORK(US),
	AGAIN(0),
};

static const struct role alive_roles[] = {
	COMMON_ROLES(go_director_ops),
	[ROLE_MAIN] = { "main.main", "main.run", OPS(alive_main_ops), .flags = TASK_FLAG_MAIN },
	[A_BRANCH] = { "main.branch", "main.branch", OPS(branch_ops) },
	[A_SLEEPER] = { "main.sleeper", "main.sleeper", OPS(sleeper_ops) },
	[A_READER] = { "main.reader", "main.reader", OPS(reader_ops) },
	[A_FEEDER] = { "main.feeder", "main.feeder", OPS(feeder_ops) },
	[A_CLIENT] = { "main.client", "main.client", OPS(alive_client_ops) },
};

/* ---- many-short: millions of tasks that hardly live ---- */

enum {
	S_LOCK = GROUP_FIRST,
	S_GROUP_COUNT,
};

enum {
	S_SPAWNER = ROLE_FIRST,
	S_BRIEF,
	S_ROLE_COUNT,
};

static const struct group short_groups[] = {
	GO_COMMON_GROUPS,
	[S_LOCK] = { 16, 0, 0, OBJECT_NONE, REASON_SYNC, 0, "sync.(*Mutex).Lock", NULL },
};

static const struct op short_main_ops[] = {
	SPAWN(ROLE_DIRECTOR, 1, 2 * US, "start_director", 1),
	SPAWN_SHARE(S_SPAWNER, 1, 1200, 2 * US, "start_spawners"),
	JOIN("main.wait_for_end", 1),
};

static const struct op short_spawner_ops[] = {
	SPAWN(S_BRIEF, 40, 700, "main.fan_out", 200),
	JOIN("main.gather", 200),
	WORK(5 * US),
	AGAIN(0),
};

static const struct op short_brief_ops[] = {
	WORK(3 * US),
	CHANCE(1500, 3),
	LOCK(S_LOCK, "main.count", 40),
	WORK(200),
	UNLOCK,
	CHANCE(800, 1),
	SLEEP(300 * US, "main.retry"),
};

static const struct role short_roles[] = {
	COMMON_ROLES(go_director_ops),
	[ROLE_MAIN] = { "main.main", "main.run", OPS(short_main_ops), .flags = TASK_FLAG_MAIN },
	[S_SPAWNER] = { "main.spawner", "main.spawner", OPS(short_spawner_ops) },
	[S_BRIEF] = { "main.brief", "main.brief", OPS(short_brief_ops) },
};

/* ---- server-idle: pools, timers and acceptors that mostly rest ---- */

enum {
	I_QUEUE_LOCK = GROUP_FIRST,
	I_QUEUE,
	I_SOCKET,
	I_GROUP_COUNT,
};

enum {
	I_ACCEPTOR = ROLE_FIRST,
	I_WORKER,
	I_TIMER,
	I_ROLE_COUNT,
};

static const struct group idle_groups[] = {
	THREAD_COMMON_GROUPS,
	[I_QUEUE_LOCK] = { 1, 0, 0, OBJECT_MUTEX, REASON_MUTEX_LOCK, 0, "pthread_mutex_lock",
			NULL },
	[I_QUEUE] = { 1, 0, 0, OBJECT_COND, REASON_COND_WAIT, 0, "pthread_cond_wait", NULL },
	[I_SOCKET] = { 16, 0, 0, OBJECT_DESCRIPTOR, REASON_POLL, 0, "epoll_wait", NULL },
};

static const struct op idle_main_ops[] = {
	SPAWN(ROLE_DIRECTOR, 1, 50 * US, "start_director", 1),
	SPAWN_SHARE(I_WORKER, 2, 8000, 50 * US, "start_workers"),
	SPAWN_SHARE(I_ACCEPTOR, 1, 500, 50 * US, "start_acceptors"),
	SPAWN_SHARE(I_TIMER, 1, 1000, 50 * US, "start_timers"),
	JOIN("wait_for_end", 1),
};

static const struct op idle_acceptor_ops[] = {
	OUTSIDE(I_SOCKET, 700 * MS, "serve_events", 6),
	WORK(40 * US),
	SIGNAL(I_QUEUE),
	AGAIN(0),
};

static const struct op idle_worker_ops[] = {
	LOCK(I_QUEUE_LOCK, "queue_pop", 2),
	WORK(US),
	WAIT_FOR(I_QUEUE, "queue_pop", 2),
	UNLOCK,
	WORK(3 * MS),
	AGAIN(0),
};

static const struct op idle_timer_ops[] = {
	TICK(5 * SECONDS, 1, "tick"),
	WORK(50 * US),
	AGAIN(0),
};

static const struct role idle_roles[] = {
	COMMON_ROLES(slow_director_ops),
	[ROLE_MAIN] = { "stored", "run_stored", OPS(idle_main_ops), .flags = TASK_FLAG_MAIN },
	[I_ACCEPTOR] = { "acceptor", "run_acceptor", OPS(idle_acceptor_ops), .numbered = true },
	[I_WORKER] = { "pool", "run_pool", OPS(idle_worker_ops), .numbered = true },
	[I_TIMER] = { "timer", "run_timer", OPS(idle_timer_ops), .numbered = true },
};

const struct profile profiles[PROFILE_COUNT] = {
	[PROFILE_THREAD_LIKE] = {
		.name = "thread-like",
		.help = "64 threads with locks, queues and pipes",
		.language = &threads,
		.program = "/srv/shop/bin/orderd",
		.library = "/srv/shop/lib/libstore.so.3",
		.second_program = "/srv/shop/bin/stage",
		.roles = thread_roles,
		.groups = thread_groups,
		.role_count = T_ROLE_COUNT,
		.group_count = T_GROUP_COUNT,
		.cpus = 8,
		.tasks = 64,
		.events = 1000000,
	},
	[PROFILE_GO_LIKE] = {
		.name = "go-like",
		.help = "thousands of goroutines alive, millions short-lived",
		.language = &go,
		.program = "/srv/shop/bin/gateway",
		.library = "/srv/shop/bin/gateway",
		.roles = go_roles,
		.groups = go_groups,
		.role_count = G_ROLE_COUNT,
		.group_count = G_GROUP_COUNT,
		.cpus = 8,
		.tasks = 4000,
		.events = 1000000,
	},
	[PROFILE_MANY_ALIVE] = {
		.name = "many-alive",
		.help = "200,000 goroutines at the same time",
		.language = &go,
		.program = "/srv/shop/bin/presence",
		.library = "/srv/shop/bin/presence",
		.roles = alive_roles,
		.groups = alive_groups,
		.role_count = A_ROLE_COUNT,
		.group_count = A_GROUP_COUNT,
		.cpus = 8,
		.tasks = 200000,
		.events = 10000000,
	},
	[PROFILE_MANY_SHORT] = {
		.name = "many-short",
		.help = "3 million goroutines that hardly live",
		.language = &go,
		.program = "/srv/shop/bin/crawl",
		.library = "/srv/shop/bin/crawl",
		.roles = short_roles,
		.groups = short_groups,
		.role_count = S_ROLE_COUNT,
		.group_count = S_GROUP_COUNT,
		.cpus = 8,
		.tasks = 500,
		.events = 10600000,
	},
	[PROFILE_SERVER_IDLE] = {
		.name = "server-idle",
		.help = "pools, timers and acceptors that mostly rest",
		.language = &threads,
		.program = "/srv/shop/bin/stored",
		.library = "/srv/shop/lib/libstore.so.3",
		.roles = idle_roles,
		.groups = idle_groups,
		.role_count = I_ROLE_COUNT,
		.group_count = I_GROUP_COUNT,
		.cpus = 4,
		.tasks = 200,
		.events = 20000,
	},
};
