#include "recorder/symbols/symbol_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "formats/model/symbol_table.h"

#define CHILD_CPU_SECONDS 120u
/* Address space besides what the recorder has mapped; files of debug information are mapped too. */
#define CHILD_MEMORY (16ull << 30)
#define ASK_EACH_MS  100
#define TEXT_MAX     4096u

/*
 * What the child writes: for each address that has a name a head, then its places, each followed
 * by its two texts; at the end a head with END_MARK and a failure. All in the order and form of
 * this machine: both ends are one program.
 */
#define END_MARK UINT32_MAX

struct answer_head {
	uint32_t index;
	uint32_t places;
};

struct answer_place {
	uint32_t line;
	uint32_t function_bytes;
	uint32_t file_bytes;
};

struct answer_end {
	uint32_t result;
	char message[200];
};

/* ---- The child. ---- */

static enum lo_result write_place(FILE *out, const struct symbol_place *place)
{
	size_t function = strnlen(place->function, TEXT_MAX);
	size_t file = strnlen(place->file, TEXT_MAX);
	struct answer_place head = { place->line, (uint32_t)function, (uint32_t)file };

	fwrite(&head, sizeof(head), 1, out);
	fwrite(place->function, 1, function, out);
	fwrite(place->file, 1, file, out);
	return ferror(out) ? LO_IO : LO_OK;
}

static enum lo_result write_answer(void *context, uint32_t i, const struct symbol_place *places,
		uint32_t count, struct lo_error *err)
{
	struct answer_head head = { i, count };
	enum lo_result result = LO_OK;

	(void)err;
	fwrite(&head, sizeof(head), 1, context);
	for (uint32_t k = 0; k < count && result == LO_OK; k++)
		result = write_place(context, &places[k]);
	return result;
}

static rlim_t address_space_in_use(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void limit_child(void)
{
	const struct rlimit cpu = { CHILD_CPU_SECONDS, CHILD_CPU_SECONDS };
	const struct rlimit no_core = { 0, 0 };
	struct rlimit memory = { address_space_in_use() + CHILD_MEMORY, RLIM_INFINITY };

	memory.rlim_max = memory.rlim_cur;
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_AS, &memory);
	setrlimit(RLIMIT_CORE, &no_core);
	unsetenv("DEBUGINFOD_URLS"); /* a recorder does not ask the network */
}

__attribute__((noreturn)) static void be_child(const struct symbol_job *job, int fd)
{
	FILE *out = fdopen(fd, "w");
	struct symbol_receiver receiver = { write_answer, out };
	struct answer_head head = { END_MARK, 0 };
	struct answer_end end = { 0 };
	struct lo_error err = { 0 };

	if (!out)
		_exit(1);
	limit_child();
	end.result = (uint32_t)symbolizer_look_up(job, &receiver, &err);
	memcpy(end.message, err.message, sizeof(end.message) - 1);
	fwrite(&head, sizeof(head), 1, out);
	fwrite(&end, sizeof(end), 1, out);
	fflush(out);
	_exit(0);
}

/* ---- The parent. ---- */

struct answers {
	int fd;
	bool (*keep_on)(void *context);
	void *context;
	uint64_t asked_at_ms;
	bool cancelled;
	char buffer[16384];
	size_t begin;
	size_t end;
	char texts[SYMBOL_CHAIN_MAX][2][TEXT_MAX + 1];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool may_go_on(struct answers *answers)
{
	uint64_t now = now_ms();

	if (now - answers->asked_at_ms < ASK_EACH_MS)
		return true;
	answers->asked_at_ms = now;
	answers->cancelled = answers->keep_on && !answers->keep_on(answers->context);
	return !answers->cancelled;
}

/* Waits for more; false at the end, or when the work is to be cut short. */
static bool fill(struct answers *answers)
{
	struct pollfd wait = { .fd = answers->fd, .events = POLLIN };
	ssize_t got;

	do
		if (!may_go_on(answers))
			return false;
	while (poll(&wait, 1, ASK_EACH_MS) <= 0);
	got = read(answers->fd, answers->buffer, sizeof(answers->buffer));
	answers->begin = 0;
	answers->end = got > 0 ? (size_t)got : 0;
	return got > 0;
}

static bool take_bytes(struct answers *answers, void *bytes, size_t size)
{
	char *to = bytes;

	while (size > 0) {
		size_t there = answers->end - answers->begin;
		size_t part = there < size ? there : size;

		memcpy(to, answers->buffer + answers->begin, part);
		answers->begin += part;
		to += part;
		size -= part;
		if (size > 0 && !fill(answers))
			return false;
	}
	return true;
}

static bool take_text(struct answers *answers, char text[TEXT_MAX + 1], uint32_t bytes)
{
	if (bytes > TEXT_MAX || !take_bytes(answers, text, bytes))
		return false;
	text[bytes] = '\0';
	return true;
}

static bool take_place(struct answers *answers, uint32_t i, struct symbol_place *place)
{
	struct answer_place head;

	if (!take_bytes(answers, &head, sizeof(head)) ||
			!take_text(answers, answers->texts[i][0], head.function_bytes) ||
			!take_text(answers, answers->texts[i][1], head.file_bytes))
		return false;
	*place = (struct symbol_place){ answers->texts[i][0], answers->texts[i][1], head.line };
	return true;
}

static enum lo_result child_died(struct lo_error *err)
{
	return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET,
			"its debug information could not be read to the end");
}

static enum lo_result take_end(struct answers *answers, struct lo_error *err)
{
	struct answer_end end;

	if (!take_bytes(answers, &end, sizeof(end)) || end.result > LO_USAGE)
		return child_died(err);
	end.message[sizeof(end.message) - 1] = '\0';
	if (end.result == LO_OK)
		return LO_OK;
	return lo_fail(err, (enum lo_result)end.result, LO_NO_OFFSET, "%s", end.message);
}

static enum lo_result take_answers(struct answers *answers, const struct symbol_job *job,
		const struct symbol_receiver *receiver, struct lo_error *err)
{
	struct symbol_place places[SYMBOL_CHAIN_MAX];
	struct answer_head head;
	enum lo_result result = LO_OK;

	while (result == LO_OK) {
		if (!take_bytes(answers, &head, sizeof(head)))
			return child_died(err);
		if (head.index == END_MARK)
			return take_end(answers, err);
		if (head.index >= job->count || head.places == 0 || head.places > SYMBOL_CHAIN_MAX)
			return child_died(err);
		for (uint32_t i = 0; i < head.places; i++)
			if (!take_place(answers, i, &places[i]))
				return child_died(err);
		result = receiver->take(receiver->context, head.index, places, head.places, err);
	}
	return result;
}

static enum lo_result listen_to_child(pid_t child, int fd, const struct symbol_job *job,
		const struct symbol_receiver *receiver, bool (*keep_on)(void *context),
		void *keep_on_context, struct lo_error *err)
{
	struct answers *answers = calloc(1, sizeof(*answers));
	enum lo_result result;

	if (answers) {
		answers->fd = fd;
		answers->keep_on = keep_on;
		answers->context = keep_on_context;
		answers->asked_at_ms = now_ms();
		result = take_answers(answers, job, receiver, err);
		if (answers->cancelled)
			result = LO_CANCELLED;
	} else {
		result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for symbols");
	}
	free(answers);
	if (result != LO_OK)
		kill(child, SIGKILL);
	return result;
}

enum lo_result symbol_process_look_up(const struct symbol_job *job,
		const struct symbol_receiver *receiver, bool (*keep_on)(void *context),
		void *keep_on_context, struct lo_error *err)
{
	int fds[2];
	enum lo_result result;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return lo_fail_errno(err, errno, "cannot make a pipe");
	child = fork();
	if (child == 0) {
		close(fds[0]);
		be_child(job, fds[1]);
	}
	close(fds[1]);
	if (child < 0) {
		close(fds[0]);
		return lo_fail_errno(err, errno, "cannot make a process to read symbols");
	}
	result = listen_to_child(child, fds[0], job, receiver, keep_on, keep_on_context, err);
	close(fds[0]);
	waitpid(child, NULL, 0);
	return result;
}
