#include "recorder/backend/go_http.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "tests/support/http_stub.h"

/* Enough for a busy machine where an answer is expected, little where none is. */
#define PATIENCE_MS 20000u
#define HASTE_MS    200u
/* Between the two: something is expected, and then nothing. */
#define SHORT_MS 2000u

#define TRACE_BYTES 40000

struct fixture {
	struct http_stub stub;
	char folder[64];
	unsigned char trace[TRACE_BYTES];
};

static void write_file(
		const struct fixture *fixture, const char *name, const void *bytes, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
	static struct fixture fixture;

	strcpy(fixture.folder, "/tmp/loiter-test-XXXXXX");
	assert_non_null(mkdtemp(fixture.folder));
	for (size_t i = 0; i < TRACE_BYTES; i++)
		fixture.trace[i] = (unsigned char)(i * 7 + i / 251);
	memcpy(fixture.trace, "go 1.22 trace\0\0\0", 16);
	write_file(&fixture, "trace", fixture.trace, TRACE_BYTES);
	write_file(&fixture, "dump", "goroutine 1 [running]:\n", 23);
	assert_int_equal(http_stub_start(&fixture.stub, fixture.folder, NULL), 0);
	*state = &fixture;
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = { "trace", "dump", "requests" };
	struct fixture *fixture = *state;
	char path[128];

	http_stub_stop(&fixture->stub);
	for (size_t i = 0; i < LO_COUNT_OF(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", fixture->folder, names[i]);
		unlink(path);
	}
	return rmdir(fixture->folder);
}

/* One fetch and what came of it. */
struct outcome {
	enum lo_result result;
	struct go_http_answer answer;
	struct lo_error err;
	unsigned char bytes[2 * TRACE_BYTES];
	size_t size;
};

static int fetching_into; /* the file of the fetch that goes on */

static void fetch_from(
		struct outcome *outcome, const char *text, const struct go_http_request *wish)
{
	char path[] = "/tmp/loiter-test-XXXXXX";
	struct go_http_request request = *wish;
	struct go_address address;
	int fd = mkstemp(path);
	ssize_t size;

	assert_true(fd >= 0);
	unlink(path);
	fetching_into = fd;
	assert_int_equal(go_address_parse(&address, text, wish->profile, 1, NULL), LO_OK);
	/* The server does not really trace: what is due is due at once. */
	address.seconds = 0;
	request.address = &address;
	outcome->err.message[0] = '\0';
	outcome->result = go_http_fetch(fd, &request, &outcome->answer, &outcome->err);
	size = pread(fd, outcome->bytes, sizeof(outcome->bytes), 0);
	assert_true(size >= 0);
	outcome->size = (size_t)size;
	assert_int_equal(outcome->size, outcome->answer.bytes);
	close(fd);
}

static void fetch(struct outcome *outcome, const struct fixture *fixture, const char *path,
		const struct go_http_request *wish)
{
	char text[200];

	snprintf(text, sizeof(text), "http://127.0.0.1:%d/%s/trace", fixture->stub.port, path);
	fetch_from(outcome, text, wish);
}

static const struct go_http_request patient = { .patience_ms = PATIENCE_MS, .max_bytes = 1 << 20 };
static const struct go_http_request hasty = { .patience_ms = HASTE_MS, .max_bytes = 1 << 20 };

static const struct go_http_request brief = { .patience_ms = SHORT_MS, .max_bytes = 1 << 20 };

static void a_whole_trace_arrives_unchanged(void **state)
{
	static const char *const paths[] = { "ok/trace", "chunked/trace", "late/trace",
		"redirect-3/trace" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < LO_COUNT_OF(paths); i++) {
		struct outcome outcome;

		fetch(&outcome, fixture, paths[i], &patient);
		assert_int_equal(outcome.result, LO_OK);
		assert_int_equal(outcome.answer.end, GO_HTTP_COMPLETE);
		assert_int_equal(outcome.size, TRACE_BYTES);
		assert_memory_equal(outcome.bytes, fixture->trace, TRACE_BYTES);
	}
}

static void the_beginning_of_a_trace_is_kept_when_the_rest_does_not_come(void **state)
{
	static const struct {
		const char *path;
		const struct go_http_request *wish;
	} cases[] = { { "cut/trace", &patient }, { "stall/trace", &brief },
		{ "drip/trace", &brief } };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		struct outcome outcome;

		fetch(&outcome, fixture, cases[i].path, cases[i].wish);
		assert_int_equal(outcome.result, LO_OK);
		assert_int_equal(outcome.answer.end, GO_HTTP_BROKEN);
		assert_true(outcome.answer.why[0] != '\0');
		assert_in_range(outcome.size, 16, TRACE_BYTES / 2);
		assert_memory_equal(outcome.bytes, fixture->trace, outcome.size);
	}
}

static void no_more_bytes_are_taken_than_allowed(void **state)
{
	static const uint64_t limits[] = { 16, 17, 1000, 65536 };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < LO_COUNT_OF(limits); i++) {
		struct go_http_request wish = patient;
		struct outcome outcome;

		wish.max_bytes = limits[i];
		fetch(&outcome, fixture, "endless/x", &wish);
		assert_int_equal(outcome.result, LO_OK);
		assert_int_equal(outcome.answer.end, GO_HTTP_LIMIT);
		assert_int_equal(outcome.size, limits[i]);
	}
}

static void whatever_is_no_profile_is_refused_with_words(void **state)
{
	static const struct {
		const char *path;
		const struct go_http_request *wish;
		const char *words;
	} cases[] = {
		{ "html/x", &patient, "HTML" },
		{ "empty/x", &patient, "is empty" },
		{ "short/x", &patient, "is not an execution trace" },
		{ "ok/dump", &patient, "is not an execution trace" },
		{ "missing/x", &patient, "404: there is no such page" },
		{ "ok/no-such-file", &patient, "404" },
		{ "busy/x", &patient, "500: Could not enable tracing: tracing is already enabled" },
		{ "rude/x", &patient, "status 500" },
		{ "close/x", &patient, "closed without an answer" },
		{ "noise/x", &patient, "is not HTTP" },
		{ "loop/x", &patient, "more than 5 times" },
		{ "redirect-6/trace", &patient, "more than 5 times" },
		{ "to-file/x", &patient, "not HTTP" },
		{ "silent/x", &hasty, "no answer came" },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		struct outcome outcome;

		fetch(&outcome, fixture, cases[i].path, cases[i].wish);
		assert_true(outcome.result == LO_IO || outcome.result == LO_UNSUPPORTED);
		if (!strstr(outcome.err.message, cases[i].words))
			fail_msg("%s: '%s' is missing in '%s'", cases[i].path, cases[i].words,
					outcome.err.message);
		assert_in_range(outcome.size, 0, 6);
	}
}

static void a_dump_is_no_trace_and_the_other_way_round(void **state)
{
	struct go_http_request wish = patient;
	struct outcome outcome;

	wish.profile = GO_PROFILE_GOROUTINES;
	fetch(&outcome, *state, "ok/dump", &wish);
	assert_int_equal(outcome.result, LO_OK);
	fetch(&outcome, *state, "ok/trace", &wish);
	assert_int_equal(outcome.result, LO_UNSUPPORTED);
	assert_non_null(strstr(outcome.err.message, "is not a goroutine dump"));
}

static void a_port_where_nobody_listens_is_said_to_be_one(void **state)
{
	struct http_stub closed;
	struct outcome outcome;
	char text[64];

	(void)state;
	assert_int_equal(http_stub_start(&closed, "/tmp", NULL), 0);
	http_stub_stop(&closed);
	snprintf(text, sizeof(text), "127.0.0.1:%d", closed.port);
	fetch_from(&outcome, text, &patient);
	assert_int_equal(outcome.result, LO_IO);
	assert_non_null(strstr(outcome.err.message, "Connection refused"));
}

static void a_name_that_no_host_has_is_said_to_be_one(void **state)
{
	struct outcome outcome;
	char text[200];

	(void)state;
	/* A part of a name has at most 63 characters, so that nobody has to be asked. */
	snprintf(text, sizeof(text), "http://%0100d.invalid:6060", 0);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	fetch_from(&outcome, text, &patient);
	assert_int_equal(outcome.result, LO_IO);
	assert_non_null(strstr(outcome.err.message, "no host of this name"));
}

static bool stop_at_once(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	(void)done;
	(void)total;
	return false;
}

static bool stop_at_half(void *context, uint64_t done, uint64_t total)
{
	struct stat status;

	(void)context;
	(void)done;
	(void)total;
	return fstat(fetching_into, &status) == 0 && status.st_size < TRACE_BYTES / 2;
}

static void who_stops_keeps_what_had_come(void **state)
{
	const struct progress at_once = { stop_at_once, NULL };
	const struct progress at_half = { stop_at_half, NULL };
	struct go_http_request wish = patient;
	struct outcome outcome;

	wish.progress = &at_once;
	fetch(&outcome, *state, "ok/trace", &wish);
	assert_int_equal(outcome.result, LO_CANCELLED);
	wish.progress = &at_half;
	fetch(&outcome, *state, "stall/trace", &wish);
	assert_int_equal(outcome.result, LO_OK);
	assert_int_equal(outcome.answer.end, GO_HTTP_STOPPED);
	assert_int_equal(outcome.size, TRACE_BYTES / 2);
}

static void a_disk_that_refuses_is_an_error_of_this_side(void **state)
{
	struct fixture *fixture = *state;
	struct go_http_request request = patient;
	struct go_http_answer answer;
	struct go_address address;
	struct lo_error err;
	char text[64];
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (full < 0)
		skip();
	snprintf(text, sizeof(text), "127.0.0.1:%d/ok/trace/trace", fixture->stub.port);
	assert_int_equal(go_address_parse(&address, text, GO_PROFILE_TRACE, 1, NULL), LO_OK);
	request.address = &address;
	assert_int_equal(go_http_fetch(full, &request, &answer, &err), LO_IO);
	assert_non_null(strstr(err.message, "No space left"));
	close(full);
}

static void a_unix_socket_is_as_good_as_a_port(void **state)
{
	struct fixture *fixture = *state;
	struct http_stub local;
	struct outcome outcome;
	char path[100];
	char text[128];

	snprintf(path, sizeof(path), "%s/socket", fixture->folder);
	snprintf(text, sizeof(text), "unix:%s", path);
	assert_int_equal(http_stub_start(&local, fixture->folder, path), 0);
	fetch_from(&outcome, text, &patient); /* the stub knows no /debug */
	http_stub_stop(&local);
	unlink(path);
	assert_int_equal(outcome.result, LO_IO);
	assert_non_null(strstr(outcome.err.message, "closed"));
	fetch_from(&outcome, text, &patient);
	assert_non_null(strstr(outcome.err.message, "cannot connect"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_trace_arrives_unchanged),
		cmocka_unit_test(the_beginning_of_a_trace_is_kept_when_the_rest_does_not_come),
		cmocka_unit_test(no_more_bytes_are_taken_than_allowed),
		cmocka_unit_test(whatever_is_no_profile_is_refused_with_words),
		cmocka_unit_test(a_dump_is_no_trace_and_the_other_way_round),
		cmocka_unit_test(a_port_where_nobody_listens_is_said_to_be_one),
		cmocka_unit_test(a_name_that_no_host_has_is_said_to_be_one),
		cmocka_unit_test(who_stops_keeps_what_had_come),
		cmocka_unit_test(a_disk_that_refuses_is_an_error_of_this_side),
		cmocka_unit_test(a_unix_socket_is_as_good_as_a_port),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
