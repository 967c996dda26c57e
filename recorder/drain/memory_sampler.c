#include "recorder/drain/memory_sampler.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "formats/model/counter.h"

void memory_sampler_open(struct memory_sampler *sampler, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
	*sampler = (struct memory_sampler){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
}

void memory_sampler_close(struct memory_sampler *sampler)
{
	if (sampler->fd >= 0)
		close(sampler->fd);
	sampler->fd = -1;
}

/* The second number of the line, in pages. A process that has ended has none. */
static bool read_resident(const struct memory_sampler *sampler, uint64_t *bytes)
{
	char text[128];
	ssize_t got = pread(sampler->fd, text, sizeof(text) - 1, 0);
	uint64_t pages;

	if (got <= 0)
		return false;
	text[got] = '\0';
	if (sscanf(text, "%*u %" SCNu64, &pages) != 1 || pages == 0)
		return false;
	*bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

static enum lo_result find_counter(
		struct memory_sampler *sampler, struct trace_writer *writer, struct lo_error *err)
{
	struct counter_key key = { 0 };
	uint32_t counter = 0;
	enum lo_result result = trace_writer_string(
			writer, COUNTER_RESIDENT, strlen(COUNTER_RESIDENT), &key.name, err);

	if (result == LO_OK)
		result = trace_writer_string(
				writer, COUNTER_BYTES, strlen(COUNTER_BYTES), &key.unit, err);
	if (result == LO_OK)
		result = trace_writer_counter(writer, key, &counter, err);
	if (result == LO_OK)
		sampler->counter = counter + 1;
	return result;
}

enum lo_result memory_sampler_look(struct memory_sampler *sampler, struct trace_writer *writer,
		uint64_t now_ns, uint64_t time_ns, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	uint64_t bytes;

	if (sampler->fd < 0 || now_ns < sampler->next_ns)
		return LO_OK;
	sampler->next_ns = now_ns + MEMORY_SAMPLE_NS;
	if (!read_resident(sampler, &bytes)) {
		memory_sampler_close(sampler);
		return LO_OK;
	}
	if (time_ns > sampler->last_ns)
		sampler->last_ns = time_ns;
	if (sampler->counter == 0)
		result = find_counter(sampler, writer, err);
	if (result == LO_OK)
		result = trace_writer_sample(
				writer, sampler->counter - 1, sampler->last_ns, bytes, err);
	if (result == LO_UNSUPPORTED) { /* the tables are full: the recording goes on */
		memory_sampler_close(sampler);
		return LO_OK;
	}
	return result;
}
