/*
 * What the import of a Go execution trace (v2) costs.
 *
 *     bench_go_import [MILLIONS [FILE]]
 *
 * The trace is made here: on each of two threads eight rings of 32 goroutines pass a token over
 * channels, so every hop is GoUnblock, GoBlock, GoStart, which is what busy Go programs write most.
 * A generation is a second. With FILE the trace is kept there. Reported are CPU time and events a
 * second of reading the trace and writing the native one with its index, and of the reading alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/varint.h"
#include "formats/import/go_batch.h"
#include "formats/import/import_run.h"

#define THREADS          2u
#define RINGS            8u
#define RING_SIZE        32u
#define GOROUTINES       (RINGS * RING_SIZE) /* of a thread */
#define PAYLOAD          60000u
#define HOP_UNITS        9u /* of 64 ns, shared by three events */
#define UNITS_PER_SECOND 15625000u
#define ROUNDS           3

struct maker {
	struct byte_buffer file;
	struct byte_buffer payload[THREADS];
	uint64_t batch_time[THREADS];
	uint64_t time[THREADS];
	uint64_t sequence[THREADS][GOROUTINES];
	uint32_t runs[THREADS];         /* index of the running goroutine */
	uint32_t token[THREADS][RINGS]; /* who waits in front in each ring */
	uint64_t generation;
	uint64_t events;
	uint32_t random;
};

static uint32_t random_number(struct maker *maker)
{
	maker->random = maker->random * 1664525u + 1013904223u;
	return maker->random >> 16;
}

static void put_numbers(struct byte_buffer *out, const uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		byte_buffer_put_varint(out, numbers[i]);
}

static void put_batch(
		struct maker *maker, uint64_t thread, uint64_t time, struct byte_buffer *payload)
{
	uint64_t length = payload->size;

	byte_buffer_put_byte(&maker->file, GO_WIRE_EVENT_BATCH);
	put_numbers(&maker->file, (const uint64_t[]){ maker->generation, thread, time }, 3);
	for (unsigned i = 0; i < VARINT_MAX - 1; i++, length >>= 7)
		byte_buffer_put_byte(&maker->file, (uint8_t)(length | 0x80));
	byte_buffer_put_byte(&maker->file, (uint8_t)length);
	byte_buffer_put(&maker->file, payload->bytes, payload->size);
	byte_buffer_clear(payload);
}

static void put_event(struct maker *maker, uint32_t thread, const uint64_t *numbers, size_t count)
{
	maker->time[thread] += numbers[1];
	maker->events++;
	put_numbers(&maker->payload[thread], numbers, count);
	if (maker->payload[thread].size < PAYLOAD)
		return;
	put_batch(maker, 700 + thread, maker->batch_time[thread], &maker->payload[thread]);
	maker->batch_time[thread] = maker->time[thread];
}

#define EVENT(maker, thread, ...)                                       \
	put_event((maker), (thread), (const uint64_t[]){ __VA_ARGS__ }, \
			sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static uint64_t number_of(uint32_t thread, uint32_t goroutine)
{
	return 100 + thread * GOROUTINES + goroutine;
}

static void begin_generation(struct maker *maker)
{
	maker->generation++;
	for (uint32_t thread = 0; thread < THREADS; thread++) {
		maker->batch_time[thread] = maker->time[thread];
		EVENT(maker, thread, GO_WIRE_PROC_STATUS, 1, thread, 1);
		for (uint32_t i = 0; i < GOROUTINES; i++) {
			bool runs = i == maker->runs[thread];

			maker->sequence[thread][i] = 0;
			EVENT(maker, thread, GO_WIRE_GO_STATUS, 0, number_of(thread, i),
					runs ? 700 + thread : GO_WIRE_NONE, runs ? 2 : 4);
		}
	}
}

static void put_tables(struct maker *maker)
{
	static const char *const texts[] = { "chan receive", "main.pass", "main.go", "main.main" };
	struct byte_buffer payload = { 0 };

	byte_buffer_put_byte(&payload, GO_WIRE_STRINGS);
	for (unsigned i = 0; i < 4; i++) {
		put_numbers(&payload, (const uint64_t[]){ GO_WIRE_STRING, i + 1, strlen(texts[i]) },
				3);
		byte_buffer_put(&payload, texts[i], strlen(texts[i]));
	}
	put_batch(maker, GO_WIRE_NONE, 0, &payload);
	byte_buffer_put_byte(&payload, GO_WIRE_STACKS);
	for (uint64_t i = 1; i <= 2 * RINGS; i++) {
		put_numbers(&payload, (const uint64_t[]){ GO_WIRE_STACK, i, 3 }, 3);
		for (uint64_t frame = 0; frame < 3; frame++)
			put_numbers(&payload,
					(const uint64_t[]){ 4096 * i + frame, 2 + 2 * (frame == 2),
							3, 10 * i + frame },
					4);
	}
	put_batch(maker, GO_WIRE_NONE, 0, &payload);
	put_numbers(&payload, (const uint64_t[]){ GO_WIRE_FREQUENCY, UNITS_PER_SECOND }, 2);
	put_batch(maker, GO_WIRE_NONE, 0, &payload);
	byte_buffer_release(&payload);
}

static void end_generation(struct maker *maker)
{
	for (uint32_t thread = 0; thread < THREADS; thread++)
		put_batch(maker, 700 + thread, maker->batch_time[thread], &maker->payload[thread]);
	put_tables(maker);
}

/* The running goroutine wakes the next of some ring, waits itself, and that one runs. */
static void hop(struct maker *maker, uint32_t thread)
{
	uint32_t ring = random_number(maker) % RINGS;
	uint32_t place = (maker->token[thread][ring] + 1) % RING_SIZE;
	uint32_t next = ring * RING_SIZE + place;
	uint32_t runs = maker->runs[thread];
	uint64_t number = number_of(thread, next);
	uint64_t jitter = random_number(maker) % 4;

	maker->token[thread][ring] = place;
	if (next == runs)
		return;
	EVENT(maker, thread, GO_WIRE_GO_UNBLOCK, 2 + jitter, number,
			++maker->sequence[thread][next], 1 + 2 * ring);
	EVENT(maker, thread, GO_WIRE_GO_BLOCK, 3, 1, 2 + 2 * (runs / RING_SIZE));
	EVENT(maker, thread, GO_WIRE_GO_START, HOP_UNITS - 5, number,
			++maker->sequence[thread][next]);
	maker->runs[thread] = next;
}

static void make(struct maker *maker, uint64_t events)
{
	static const char header[16] = "go 1.22 trace";

	maker->random = 1;
	byte_buffer_put(&maker->file, header, sizeof(header));
	for (uint32_t thread = 0; thread < THREADS; thread++)
		maker->time[thread] = 1000 * UNITS_PER_SECOND + thread;
	while (maker->events < events) {
		uint64_t end = maker->time[0] + UNITS_PER_SECOND;

		begin_generation(maker);
		while (maker->time[0] < end && maker->events < events)
			for (uint32_t thread = 0; thread < THREADS; thread++)
				hop(maker, thread);
		end_generation(maker);
	}
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(enum lo_result result, const struct lo_error *err)
{
	if (result == LO_OK)
		return;
	fprintf(stderr, "bench_go_import: %s\n", err->message);
	exit(1);
}

static void complain(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "bench_go_import: %s\n", sentence);
	exit(1);
}

static double import(const struct byte_buffer *file, struct byte_buffer *native)
{
	struct import_options options = { .warn = complain };
	struct byte_source *source;
	struct byte_stream *in;
	struct byte_sink *sink;
	struct lo_error err = { 0 };
	double begin = cpu_seconds();

	byte_buffer_clear(native);
	must(byte_source_open_memory(&source, file->bytes, file->size, &err), &err);
	must(byte_stream_open(&in, source, &err), &err);
	must(byte_sink_open_buffer(&sink, native, &err), &err);
	must(import_run(in, sink, &options, &err), &err);
	byte_stream_close(in);
	return cpu_seconds() - begin;
}

static void keep(const struct byte_buffer *file, const char *path)
{
	FILE *out = fopen(path, "wb");

	if (!out || fwrite(file->bytes, 1, file->size, out) != file->size || fclose(out) != 0) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static struct maker maker;
	struct byte_buffer native = { 0 };
	double best = 0;

	make(&maker, (uint64_t)((argc > 1 ? atof(argv[1]) : 6) * 1e6));
	if (argc > 2)
		keep(&maker.file, argv[2]);
	for (int i = 0; i < ROUNDS; i++) {
		double seconds = import(&maker.file, &native);

		if (best == 0 || seconds < best)
			best = seconds;
	}
	printf("%llu events, %.1f MB in %llu generations, %.2f bytes per event\n",
			(unsigned long long)maker.events, (double)maker.file.size / 1e6,
			(unsigned long long)maker.generation,
			(double)maker.file.size / (double)maker.events);
	printf("import: %.2f s CPU, %.1f M events/s, native %.1f MB (%.2f bytes per event)\n", best,
			(double)maker.events / best / 1e6, (double)native.size / 1e6,
			(double)native.size / (double)maker.events);
	return 0;
}
