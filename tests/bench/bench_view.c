#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/base/macros.h"
#include "tests/support/trace_builder.h"

/*
 * bench_view LOITER: how many bytes the viewer sends to the terminal for a key, beside the budget.
 * Each figure is the median of several presses of the key, in a terminal of our own that sends the
 * key and counts what comes back until nothing comes for a while. The timeline is shown; "sparse"
 * holds long states, "dense" changes in nearly every column.
 */
#define TASKS     60
#define SPAN_S    60.0
#define QUIET_MS  200
#define PRESSES   7
#define TEXT_SIZE (8u << 20)

/* Small and repeatable: the trace must be the same each time, not random in any deeper sense. */
static double next_fraction(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return ((double)(*seed >> 33) + 0.5) / 2147483648.0;
}

struct text {
	char *bytes;
	size_t length;
};

static void add(struct text *text, const char *format, ...) LO_PRINTF(2, 3);

static void add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text->length += (size_t)vsnprintf(
			text->bytes + text->length, TEXT_SIZE - text->length, format, arguments);
	va_end(arguments);
	if (text->length >= TEXT_SIZE)
		abort();
}

/* Each task waits and goes on in turns of about `step_s`, a hundredth of the span apart. */
static void write_events(struct text *text, double step_s)
{
	double next_s[TASKS];
	bool blocked[TASKS] = { false };
	uint64_t seed = 7;

	for (int i = 0; i < TASKS; i++) {
		next_s[i] = 0.001 * (i + 1);
		add(text, "@%dus create T%d by T1 at main>start(pool.c:9)\n run T%d\n",
				10 * (i + 1), i + 2, i + 2);
	}
	for (;;) {
		int first = 0;

		for (int i = 1; i < TASKS; i++)
			if (next_s[i] < next_s[first])
				first = i;
		if (next_s[first] >= SPAN_S)
			break;
		add(text, "@%.6fms ", next_s[first] * 1e3);
		if (blocked[first])
			add(text, "unblock T%d by T1\n", first + 2);
		else
			add(text, "block T%d cond 0x10 at main>loop>handle(pool.c:4)\n", first + 2);
		blocked[first] = !blocked[first];
		next_s[first] += step_s * (0.2 + 1.6 * next_fraction(&seed));
	}
}

static void write_trace(const char *path, double step_s)
{
	struct text text = { .bytes = malloc(TEXT_SIZE) };
	struct byte_buffer file = { .bytes = NULL };
	FILE *out = fopen(path, "wb");

	if (!text.bytes || !out)
		abort();
	add(&text, "program /usr/bin/shop\nmeta backend preload\n");
	for (int i = 0; i < TASKS; i++)
		add(&text, "name T%d order-worker-%d\n", i + 2, i);
	add(&text, "@0 run T1 existing\n");
	write_events(&text, step_s);
	add(&text, "@%.0fs end\n", SPAN_S);
	trace_text_to_bytes(text.bytes, &file);
	if (fwrite(file.bytes, 1, file.size, out) != file.size || fclose(out) != 0)
		abort();
	byte_buffer_release(&file);
	free(text.bytes);
}

struct terminal {
	int fd;
	pid_t child;
};

static struct terminal start(const char *loiter, const char *trace, int columns, int rows)
{
	struct winsize size = { .ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows };
	struct terminal terminal;

	terminal.child = forkpty(&terminal.fd, NULL, NULL, &size);
	if (terminal.child < 0)
		abort();
	if (terminal.child == 0) {
		/* Eight colours, and a terminal that can shift rows. */
		setenv("TERM", "screen", 1);
		setenv("LC_ALL", "C.UTF-8", 1);
		unsetenv("NO_COLOR");
		execl(loiter, loiter, "view", trace, (char *)NULL);
		_exit(127);
	}
	return terminal;
}

/* Bytes until nothing comes for QUIET_MS. */
static size_t receive(const struct terminal *terminal)
{
	struct pollfd input = { .fd = terminal->fd, .events = POLLIN };
	char bytes[65536];
	size_t total = 0;

	while (poll(&input, 1, QUIET_MS) > 0) {
		ssize_t got = read(terminal->fd, bytes, sizeof(bytes));

		if (got <= 0)
			break;
		total += (size_t)got;
	}
	return total;
}

static size_t press(const struct terminal *terminal, const char *keys)
{
	if (write(terminal->fd, keys, strlen(keys)) < 0)
		abort();
	return receive(terminal);
}

static int compare_sizes(const void *a, const void *b)
{
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;

	return left < right ? -1 : left > right;
}

/* `keys` is pressed and measured, `back` undoes it and is measured as well. */
static size_t median_of(const struct terminal *terminal, const char *keys, const char *back)
{
	size_t sizes[PRESSES];

	for (int i = 0; i < PRESSES; i++)
		sizes[i] = press(terminal, i % 2 ? back : keys);
	qsort(sizes, PRESSES, sizeof(*sizes), compare_sizes);
	return sizes[PRESSES / 2];
}

static void print_figure(const char *what, size_t bytes, size_t budget)
{
	printf("  %-28s %8zu %8zu%s\n", what, bytes, budget, bytes > budget ? "  over" : "");
}

/* Budgets at 200x50; a third of them at 80x24. */
static void measure(const char *loiter, const char *trace, const char *kind, int columns, int rows)
{
	size_t part = columns < 160 ? 3 : 1;
	struct terminal terminal = start(loiter, trace, columns, rows);
	char burst[61];

	printf("%dx%d, %s\n", columns, rows, kind);
	print_figure("first screen", receive(&terminal), 12000 / part);
	press(&terminal, "2gww");
	press(&terminal, "ddd");
	print_figure("row move", median_of(&terminal, "j", "k"), 300);
	print_figure("cursor move", median_of(&terminal, "l", "h"), 1500 / part);
	print_figure("pan by a tenth", median_of(&terminal, "d", "a"),
			(strcmp(kind, "dense") == 0 ? 6000 : 4000) / part);
	print_figure("zoom", median_of(&terminal, "w", "s"), 12000 / part);
	memset(burst, 'j', 60);
	burst[60] = '\0';
	print_figure("60 keys at once", press(&terminal, burst), 30000 / part);
	print_figure("idle", receive(&terminal), 0);
	press(&terminal, "Q");
	close(terminal.fd);
	waitpid(terminal.child, NULL, 0);
}

int main(int argc, char **argv)
{
	char path[] = "/tmp/loiter-bench-view.XXXXXX";
	int fd = argc == 2 ? mkstemp(path) : -1;

	if (fd < 0) {
		fputs("usage: bench_view LOITER\n", stderr);
		return EXIT_FAILURE;
	}
	close(fd);
	printf("  %-28s %8s %8s\n", "bytes to the terminal", "median", "budget");
	for (int dense = 0; dense < 2; dense++) {
		write_trace(path, dense ? 0.15 : 6.0);
		measure(argv[1], path, dense ? "dense" : "sparse", 200, 50);
		measure(argv[1], path, dense ? "dense" : "sparse", 80, 24);
	}
	unlink(path);
	return EXIT_SUCCESS;
}
