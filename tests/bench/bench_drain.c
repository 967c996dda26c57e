/*
 * What the recorder process costs for each event, without a traced program: rings are filled by
 * this program as fast as it can and emptied by the recorder's own code, in one thread.
 * Usage: bench_drain [RINGS [ROUNDS]]; prints nanoseconds of CPU per event for each stage, and the
 * most memory this process ever had resident.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "recorder/drain/process_watch.h"
#include "recorder/drain/stream.h"

#define RECORDS_PER_ROUND 1900u /* of a ring: nearly full */
#define STACKS            120u

struct bench {
	struct segment_owner owner;
	struct tick_clock clock;
	struct drain *drain;
	struct stream stream;
	struct process_watch watch;
	struct trace_writer *writer;
	uint64_t copy_ns;
	uint64_t encode_ns;
	uint64_t events;
};

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void check(enum lo_result result, const struct lo_error *err)
{
	if (result == LO_OK)
		return;
	fprintf(stderr, "bench_drain: %s\n", err->message);
	exit(2);
}

static void make_process(struct segment *segment, uint32_t rings)
{
	struct process_slot *slot = &segment->processes[0];

	slot->state = PROCESS_SLOT_LIVE;
	slot->generation = 1;
	slot->next_task = rings + 1;
	slot->main_task = 1;
	slot->modules[0] = (struct segment_module){ .ready = 1, .begin = 0x10000, .end = 0x20000 };
	slot->module_count = 1;
	for (uint32_t i = 0; i < STACKS; i++) {
		slot->stacks.words[1 + i * 16] = 12;
		for (uint32_t k = 0; k < 12; k++)
			slot->stacks.words[2 + i * 16 + k] = 0x10000 + i * 64 + k * 4;
	}
	for (uint32_t i = 0; i < rings; i++) {
		segment->rings[i].state = RING_OWNED;
		segment->rings[i].generation = 1;
		segment->rings[i].task = i + 1;
		segment->rings[i].tid = i + 1;
	}
	segment->header.rings_used = rings;
	slot->pid = (uint32_t)getpid();
}

/* Waits of all tasks, mixed with each other as they would be in a busy program. */
static void fill(struct bench *bench, uint32_t rings)
{
	uint64_t now = tick_clock_now(&bench->clock);

	for (uint32_t i = 0; i < rings; i++) {
		struct ring *ring = &bench->owner.segment->rings[i];
		uint64_t head = ring->head;

		for (uint32_t k = 0; k < RECORDS_PER_ROUND; k++, head++)
			ring->slots[head % RING_CAPACITY] = (struct event){
				.time_ns = now + k * 100 + (i * 7919u) % 97,
				.kind = head % 2 ? EVENT_UNBLOCK : EVENT_BLOCK,
				.object = head % 2 ? 0 : 0x7f0000001000 + (i % 40) * 64,
				.peer = head % 2 ? 1 + (i + 1) % rings : 0,
				.stack = head % 2 ? 0 : (uint32_t)(1 + head / 2 % STACKS * 16),
				.reason = head % 2 ? 0 : REASON_MUTEX_LOCK,
				.object_kind = head % 2 ? 0 : OBJECT_MUTEX,
			};
		atomic_store_explicit(&ring->head, head, memory_order_release);
	}
	/* The clock must have passed the times above before they are copied. */
	while (tick_clock_now(&bench->clock) < now + RECORDS_PER_ROUND * 100)
		;
}

/* Until the rings are empty: with many of them the recorder's own memory is full before. */
static void drain_round(struct bench *bench)
{
	struct lo_error err;
	uint64_t copied;

	do {
		uint64_t begin = cpu_ns();
		uint64_t middle;
		bool more = true;

		copied = drain_pass(bench->drain, false);
		middle = cpu_ns();
		stream_collect(&bench->stream);
		check(process_watch_scan(&bench->watch, &err), &err);
		while (more)
			check(process_watch_let_out(&bench->watch, 65536, &more, &err), &err);
		check(stream_advance(&bench->stream, &err), &err);
		bench->events += copied;
		bench->copy_ns += middle - begin;
		bench->encode_ns += cpu_ns() - middle;
	} while (copied > 0);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	uint32_t rings = argc > 1 ? (uint32_t)atoi(argv[1]) : 8;
	uint32_t rounds = argc > 2 ? (uint32_t)atoi(argv[2]) : 200;
	struct segment_options segment_options = { .stack_depth = 64 };
	struct drain_options drain_options = { .segment = &bench.owner };
	struct byte_sink *sink;
	struct trace_writer_stats stats;
	struct rusage usage;
	struct lo_error err;

	if (rings == 0 || rings > SEGMENT_RINGS || rounds == 0)
		return 2;
	tick_clock_init(&bench.clock);
	segment_options.clock = bench.clock.kind;
	if (segment_create(&bench.owner, &segment_options) != 0)
		return 2;
	drain_options.clock = bench.clock;
	drain_options.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	check(drain_new(&bench.drain, &drain_options, &err), &err);
	check(byte_sink_open_file(&sink, "/dev/null", &err), &err);
	check(trace_writer_open(&bench.writer, sink, &err), &err);
	check(stream_init(&bench.stream, bench.drain, &bench.clock, bench.watch.targets, &err),
			&err);
	bench.stream.lateness_ticks = 0; /* nobody is late here */
	process_watch_init(&bench.watch, &bench.owner, &bench.stream, getpid(), "bench");
	stream_set_writer(&bench.stream, bench.writer);
	make_process(bench.owner.segment, rings);
	for (uint32_t i = 0; i < rounds; i++) {
		fill(&bench, rings);
		drain_round(&bench);
	}
	trace_writer_stats(bench.writer, &stats);
	getrusage(RUSAGE_SELF, &usage);
	printf("rings %u events %llu lost %llu copy_ns %.1f encode_ns %.1f bytes_per_event %.2f "
	       "resident_mib %ld\n",
			rings, (unsigned long long)bench.events,
			(unsigned long long)stats.lost[LOSS_REFUSED],
			(double)bench.copy_ns / (double)bench.events,
			(double)bench.encode_ns / (double)bench.events,
			(double)stats.bytes / (double)stats.events, usage.ru_maxrss / 1024);
	return 0;
}
