#include "tests/support/shim_recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "formats/model/event_schema.h"
#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "recorder/ring/clock.h"

/*
 * The text form of a record, for comparing:
 *
 *     process PROCESS forked|replaced
 *     TASK KIND [REASON OBJECT] [holder|waker|signaller TASK] [FLAG...]
 *
 * Tasks are the numbers that the program gave out; in a program of several processes they are
 * written PROCESS.TASK. Objects are numbered by their first appearance in this list ("mutex 1"),
 * descriptors and processes by themselves. A record that was never published ends in "armed".
 */

#define LATENESS_NS 5000000u
#define POLL_NS     1000000

struct session {
	const struct shim_options *options;
	struct shim_recording *recording;
	struct segment *segment;
	size_t room;
	int fd;
	uint64_t lateness_ticks;
	uint64_t tails[SEGMENT_RINGS];
	uint64_t last_ticks[SEGMENT_RINGS];
};

static void die(const char *what)
{
	fprintf(stderr, "shim_recording: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void broken(struct session *session, const char *what, uint32_t ring)
{
	fprintf(stderr, "ring %u: %s\n", ring, what);
	session->recording->failures++;
}

static void *grow(void *memory, size_t size)
{
	memory = realloc(memory, size);
	if (!memory)
		die("memory");
	return memory;
}

/* Ticks in ten milliseconds of CLOCK_MONOTONIC, scaled to one second. */
static uint64_t ticks_per_second(enum segment_clock clock)
{
	if (clock == SEGMENT_CLOCK_MONOTONIC)
		return 1000000000u;

	uint64_t begin = clock_ticks(clock), begin_ns = clock_ticks(SEGMENT_CLOCK_MONOTONIC);
	uint64_t now_ns;
	do
		now_ns = clock_ticks(SEGMENT_CLOCK_MONOTONIC);
	while (now_ns - begin_ns < 10000000);
	return (clock_ticks(clock) - begin) * 1000000000u / (now_ns - begin_ns);
}

static void make_segment(struct session *session)
{
	const struct shim_options *options = session->options;
	uint64_t frequency = ticks_per_second(options->clock);

	session->fd = memfd_create("loiter-test", MFD_CLOEXEC);
	if (session->fd < 0 || ftruncate(session->fd, (off_t)sizeof(struct segment)) != 0)
		die("segment");
	session->segment = mmap(NULL, sizeof(struct segment), PROT_READ | PROT_WRITE, MAP_SHARED,
			session->fd, 0);
	if (session->segment == MAP_FAILED)
		die("mmap");

	struct segment_header *header = &session->segment->header;
	header->magic = SEGMENT_MAGIC;
	header->version = SEGMENT_VERSION + (options->damage == SHIM_DAMAGE_VERSION);
	header->clock = options->clock;
	header->bytes = sizeof(struct segment);
	header->token = 0x1234567890abcdefu;
	header->io_threshold_ticks = options->io_threshold_ns * frequency / 1000000000u;
	header->stack_depth = options->stack_depth;
	header->follow_children = options->follow_children;
	header->recording = 1;
	session->lateness_ticks = (uint64_t)LATENESS_NS * frequency / 1000000000u;
}

static void set_environment(const struct session *session)
{
	char path[64], token[32];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getppid(), session->fd);
	snprintf(token, sizeof(token), "%" PRIx64,
			session->segment->header.token +
					(session->options->damage == SHIM_DAMAGE_TOKEN));
	switch (session->options->damage) {
	case SHIM_DAMAGE_NO_FILE:
		strcpy(path, "/proc/1/fd/none");
		break;
	case SHIM_DAMAGE_GARBAGE:
		strcpy(path, "/proc/self/exe");
		break;
	case SHIM_DAMAGE_SHORT:
		strcpy(path, "/dev/null");
		break;
	case SHIM_DAMAGE_DIRECTORY:
		strcpy(path, "/proc");
		break;
	default:
		break;
	}
	setenv(SEGMENT_ENV_PATH, path, 1);
	setenv(SEGMENT_ENV_TOKEN, token, 1);
	setenv("LD_PRELOAD", session->options->library, 1);
}

static pid_t start_program(const struct session *session, char *const command[])
{
	pid_t child = fork();

	if (child != 0)
		return child;
	if (session->options->output) {
		int fd = open(session->options->output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			die(session->options->output);
		close(fd);
	}
	/* Descriptors get the same numbers wherever the test runs. */
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	if (session->options->library)
		set_environment(session);
	execvp(command[0], command);
	fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
	_exit(127);
}

static uint32_t process_of(struct session *session, uint32_t slot_index, uint32_t generation)
{
	struct shim_recording *recording = session->recording;
	struct process_slot *slot = &session->segment->processes[slot_index % SEGMENT_PROCESSES];

	for (uint32_t i = 0; i < recording->process_count; i++)
		if (recording->processes[i].slot == slot_index &&
				recording->processes[i].generation == generation)
			return i;
	recording->processes = grow(recording->processes,
			(recording->process_count + 1) * sizeof(*recording->processes));
	recording->processes[recording->process_count] = (struct shim_process){
		.slot = slot_index,
		.generation = generation,
		.pid = slot->pid,
		.parent_pid = slot->parent_pid,
		.forked = slot->forked,
	};
	return (uint32_t)recording->process_count++;
}

static void keep(struct session *session, uint32_t index, const struct event *event, bool armed)
{
	struct shim_recording *recording = session->recording;
	struct ring *ring = &session->segment->rings[index];

	if (session->options->discard) {
		recording->count++;
		return;
	}
	if (recording->count == session->room) {
		session->room = session->room ? session->room * 2 : 1024;
		recording->records = grow(
				recording->records, session->room * sizeof(*recording->records));
	}
	if (event->time_ns < session->last_ticks[index])
		broken(session, "time goes back", index);
	session->last_ticks[index] = event->time_ns;
	recording->records[recording->count++] = (struct shim_record){
		.process = process_of(session, ring->process, ring->generation),
		.task = ring->task,
		.armed = armed,
		.event = *event,
	};
}

/* `word` was read before the head up to which all records are kept, so what is armed comes next. */
static void take_pending(struct session *session, uint32_t index, uint64_t word, bool dead)
{
	struct ring *ring = &session->segment->rings[index];
	struct event copy = ring_pending_read(ring);
	uint64_t now = clock_ticks(session->options->clock);

	if ((word & PENDING_STATE_MASK) != PENDING_ARMED)
		return;
	if (!dead && now - copy.time_ns < session->lateness_ticks)
		return;
	if (!atomic_compare_exchange_strong(&ring->pending_word, &word,
			    (word & ~(uint64_t)PENDING_STATE_MASK) | PENDING_TAKEN))
		return;
	keep(session, index, &copy, dead);
	session->recording->taken += !dead;
}

static void drain_ring(struct session *session, uint32_t index, bool dead)
{
	struct ring *ring = &session->segment->rings[index];
	uint32_t state = atomic_load_explicit(&ring->state, memory_order_acquire);
	uint64_t word = atomic_load_explicit(&ring->pending_word, memory_order_acquire);
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

	if (head - session->tails[index] > RING_CAPACITY)
		broken(session, "more records than it holds", index);
	while (session->tails[index] < head) {
		struct event event = ring->slots[session->tails[index] % RING_CAPACITY];
		keep(session, index, &event, false);
		session->tails[index]++;
	}
	atomic_store_explicit(&ring->tail, head, memory_order_release);
	take_pending(session, index, word, dead);
	if (state == RING_CLOSED) {
		if ((word & PENDING_STATE_MASK) != PENDING_IDLE)
			broken(session, "closed with a pending event", index);
		atomic_store_explicit(&ring->state, RING_FREE, memory_order_release);
	}
}

static void drain_all(struct session *session, bool dead)
{
	uint32_t used = atomic_load_explicit(
			&session->segment->header.rings_used, memory_order_acquire);

	for (uint32_t i = 0; i < used; i++)
		drain_ring(session, i, dead);
}

struct order {
	const struct shim_record *record;
	size_t index;
};

static int compare_order(const void *a, const void *b)
{
	const struct order *one = a, *other = b;

	if (one->record->process != other->record->process)
		return one->record->process < other->record->process ? -1 : 1;
	if (one->record->task != other->record->task)
		return one->record->task < other->record->task ? -1 : 1;
	if (one->record->event.time_ns != other->record->event.time_ns)
		return one->record->event.time_ns < other->record->event.time_ns ? -1 : 1;
	return one->index < other->index ? -1 : one->index > other->index;
}

/* Task after task, and each in the order of time: it may have gone on in another ring. */
static struct order *records_by_task(const struct shim_recording *recording)
{
	struct order *order = grow(NULL, (recording->count + 1) * sizeof(*order));

	for (size_t i = 0; i < recording->count; i++)
		order[i] = (struct order){ &recording->records[i], i };
	qsort(order, recording->count, sizeof(*order), compare_order);
	return order;
}

/*
 * RUN first, EXIT last, BLOCK and UNBLOCK in turn. A task without RUN was refused by the system
 * and consists of EXIT; an EXIT ends a wait too.
 */
static void check_stories(struct shim_recording *recording)
{
	struct order *order = records_by_task(recording);
	bool begun = false, blocked = false, ended = false;

	for (size_t i = 0; i < recording->count; i++) {
		const struct shim_record *record = order[i].record;
		const struct shim_record *last = i ? order[i - 1].record : NULL;
		uint8_t kind = record->event.kind;

		if (!last || last->task != record->task || last->process != record->process) {
			begun = blocked = ended = false;
			if (kind != EVENT_RUN && kind != EVENT_EXIT)
				goto bad;
		}
		if (ended || (kind == EVENT_RUN && begun) || (kind == EVENT_BLOCK && blocked) ||
				(kind == EVENT_UNBLOCK && !blocked) ||
				(kind == EVENT_EXIT && blocked))
			goto bad;
		begun = true;
		if (kind == EVENT_BLOCK || kind == EVENT_UNBLOCK)
			blocked = kind == EVENT_BLOCK;
		ended = kind == EVENT_EXIT;
		continue;
	bad:
		fprintf(stderr, "record %zu (%u.%u kind %u) does not fit %s\n", order[i].index,
				record->process + 1, record->task, kind,
				!begun    ? "at the begin"
				: ended   ? "after the end"
				: blocked ? "into a wait"
					  : "between waits");
		recording->failures++;
		break;
	}
	free(order);
}

static void collect_facts(struct session *session)
{
	struct shim_recording *recording = session->recording;
	struct segment *segment = session->segment;

	recording->lost_no_ring = segment->header.lost_no_ring;
	for (uint32_t i = 0; i < SEGMENT_RINGS && i < segment->header.rings_used; i++) {
		recording->lost_full += segment->rings[i].lost[RING_LOSS_FULL];
		recording->lost_nested += segment->rings[i].lost[RING_LOSS_NESTED];
	}
	for (size_t i = 0; i < recording->process_count; i++) {
		struct shim_process *process = &recording->processes[i];
		struct process_slot *slot = &segment->processes[process->slot];

		if (slot->generation != process->generation)
			continue;
		process->main_task = slot->main_task;
		process->modules = slot->module_count;
		process->replaced = slot->replaced;
	}
}

static uint64_t now_ms(void)
{
	return clock_ticks(SEGMENT_CLOCK_MONOTONIC) / 1000000u;
}

void shim_recording_run(struct shim_recording *recording, const struct shim_options *options,
		char *const command[])
{
	struct session *session = calloc(1, sizeof(*session));
	const struct timespec pause = { 0, POLL_NS };
	uint64_t begin_ms = now_ms();

	if (!session)
		die("memory");
	*recording = (struct shim_recording){ 0 };
	session->options = options;
	session->recording = recording;
	make_segment(session);
	recording->segment = session->segment;

	pid_t child = start_program(session, command);
	while (waitpid(child, &recording->status, WNOHANG) == 0) {
		if (!options->slow)
			drain_all(session, false);
		if (options->stop_ms && now_ms() - begin_ms >= options->stop_ms)
			atomic_store(&session->segment->header.recording, 0);
		nanosleep(&pause, NULL);
	}
	drain_all(session, true);
	collect_facts(session);
	if (!options->discard)
		check_stories(recording);
	close(session->fd);
	free(session);
}

void shim_recording_release(struct shim_recording *recording)
{
	if (recording->segment)
		munmap(recording->segment, sizeof(struct segment));
	free(recording->records);
	free(recording->processes);
	*recording = (struct shim_recording){ 0 };
}

/* ---- text ---- */

struct printer {
	const struct shim_recording *recording;
	FILE *out;
	struct {
		uint64_t value;
		uint32_t process;
		uint8_t kind;
	} * objects;
	size_t object_count;
};

static void print_task(const struct printer *printer, uint32_t process, uint32_t task)
{
	if (printer->recording->process_count > 1)
		fprintf(printer->out, "%u.", process + 1);
	fprintf(printer->out, "%u", task);
}

static uint32_t task_of_tid(const struct shim_recording *recording, uint32_t tid, uint32_t *process)
{
	for (size_t i = recording->count; i-- > 0;) {
		const struct shim_record *record = &recording->records[i];

		if (record->event.kind != EVENT_RUN || record->event.object != tid)
			continue;
		*process = record->process;
		return record->task;
	}
	return 0;
}

static void print_peer(const struct printer *printer, const struct shim_record *record)
{
	const struct event *event = &record->event;
	const char *name = event_schemas[event->kind].peer_name;
	uint32_t process = record->process;
	uint32_t task = event->peer;

	if (event->peer == 0)
		return;
	if (event->flags & EVENT_FLAG_SIGNALLED_BEFORE)
		name = "signaller";
	if (event->flags & EVENT_FLAG_PEER_IS_TID)
		task = task_of_tid(printer->recording, event->peer, &process);
	fprintf(printer->out, " %s ", name);
	print_task(printer, process, task);
}

static unsigned object_number(struct printer *printer, const struct shim_record *record)
{
	const struct event *event = &record->event;
	unsigned number = 1;

	for (size_t i = 0; i < printer->object_count; i++) {
		if (printer->objects[i].kind != event->object_kind)
			continue;
		if (printer->objects[i].value == event->object &&
				printer->objects[i].process == record->process)
			return number;
		number++;
	}
	printer->objects = grow(
			printer->objects, (printer->object_count + 1) * sizeof(*printer->objects));
	printer->objects[printer->object_count].value = event->object;
	printer->objects[printer->object_count].process = record->process;
	printer->objects[printer->object_count].kind = event->object_kind;
	printer->object_count++;
	return number;
}

static void print_block(struct printer *printer, const struct shim_record *record)
{
	const struct event *event = &record->event;

	if (event->reason >= REASON_COUNT || event->object_kind >= OBJECT_KIND_COUNT) {
		fputs(" NONSENSE", printer->out);
		return;
	}
	fprintf(printer->out, " %s", reason_infos[event->reason].name);
	if (event->object_kind == OBJECT_NONE)
		return;
	fprintf(printer->out, " %s ", object_infos[event->object_kind].name);
	if (event->object_kind == OBJECT_TASK)
		print_task(printer, record->process, (uint32_t)event->object);
	else if (object_infos[event->object_kind].form == OBJECT_VALUE_NUMBER)
		fprintf(printer->out, "%" PRIu64, event->object);
	else
		fprintf(printer->out, "%u", object_number(printer, record));
}

static const struct {
	uint8_t flag;
	const char *name;
} flag_names[] = {
	{ EVENT_FLAG_EXISTING, "existing" },
	{ EVENT_FLAG_TIMED_OUT, "timed-out" },
	{ EVENT_FLAG_TIMED, "timed" },
	{ EVENT_FLAG_SIGNALLED_BEFORE, "signalled-before" },
	{ EVENT_FLAG_INTERRUPTED, "interrupted" },
};

static void print_record(struct printer *printer, const struct shim_record *record)
{
	const struct event *event = &record->event;

	print_task(printer, record->process, record->task);
	if (event->kind == RING_EVENT_NAME) {
		fputs(" name ", printer->out);
		if (event->stack != 0) {
			fputs("of ", printer->out);
			print_task(printer, record->process, event->stack);
			fputc(' ', printer->out);
		}
		fprintf(printer->out, "%.16s\n",
				(const char *)event + offsetof(struct event, object));
		return;
	}
	if (event->kind >= EVENT_KIND_COUNT) {
		fputs(" NONSENSE\n", printer->out);
		return;
	}
	fprintf(printer->out, " %s", event_schemas[event->kind].name);
	if (event->kind == EVENT_CREATE) {
		fputc(' ', printer->out);
		print_task(printer, record->process, event->task);
	}
	if (event->kind == EVENT_BLOCK)
		print_block(printer, record);
	print_peer(printer, record);
	for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
		if (event->flags & flag_names[i].flag)
			fprintf(printer->out, " %s", flag_names[i].name);
	fputs(record->armed ? " armed\n" : "\n", printer->out);
}

/* Only what is out of the ordinary. */
static void print_process(const struct printer *printer, uint32_t index)
{
	const struct shim_process *process = &printer->recording->processes[index];

	if (process->forked)
		fprintf(printer->out, "process %u forked\n", index + 1);
	if (process->replaced)
		fprintf(printer->out, "process %u replaced\n", index + 1);
	if (process->modules == 0)
		fprintf(printer->out, "process %u has no modules\n", index + 1);
	if (process->main_task != 1)
		fprintf(printer->out, "process %u has main task %u\n", index + 1,
				process->main_task);
}

void shim_recording_print(const struct shim_recording *recording, FILE *out)
{
	struct printer printer = { .recording = recording, .out = out };
	struct order *order = records_by_task(recording);

	for (size_t i = 0; i < recording->process_count; i++)
		print_process(&printer, (uint32_t)i);
	for (size_t i = 0; i < recording->count; i++)
		print_record(&printer, order[i].record);
	free(printer.objects);
	free(order);
}
