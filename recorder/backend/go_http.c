#include "recorder/backend/go_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "formats/import/import_probe.h"

#define REDIRECTS_MAX       5L
#define POLL_MS             100
#define SLOWEST_BYTES_PER_S 1024u
#define HEAD_BYTES          16u
/* Of an answer that is no profile only the beginning is of interest. */
#define REFUSAL_BYTES 160u

struct fetch {
	const struct go_http_request *request;
	struct go_http_answer *answer;
	CURL *easy;
	int descriptor;
	int write_error; /* errno, 0 = none */
	bool is_limit;
	bool is_refused;                 /* what comes is not what was asked for */
	char refusal[REFUSAL_BYTES + 1]; /* text of an answer with another status than 200 */
	size_t refusal_length;
	uint8_t head[HEAD_BYTES];
	size_t head_length;
	uint64_t begin_ms;
	uint64_t window_ms;    /* since then, once the tracing must be over, */
	uint64_t window_bytes; /* and with so many bytes, the pace is watched */
	char detail[CURL_ERROR_SIZE];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static long status_of(const struct fetch *fetch)
{
	long status = 0;

	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* ---- What comes. ---- */

/* What a profile begins with, also one that somebody has compressed on its way. */
static bool begins_well(const struct fetch *fetch)
{
	static const char *const beginnings[] = { "\x1f\x8b", "\x28\xb5\x2f\xfd" };
	const char *own = fetch->request->profile == GO_PROFILE_TRACE ? "go 1." : "goroutine ";

	for (size_t i = 0; i < LO_COUNT_OF(beginnings); i++)
		if (memcmp(fetch->head, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return memcmp(fetch->head, own, strlen(own)) == 0;
}

static bool take_head(struct fetch *fetch, const char *bytes, size_t size)
{
	size_t part = HEAD_BYTES - fetch->head_length;

	if (part > size)
		part = size;
	memcpy(fetch->head + fetch->head_length, bytes, part);
	fetch->head_length += part;
	return fetch->head_length < HEAD_BYTES || begins_well(fetch);
}

static void take_refusal(struct fetch *fetch, const char *bytes, size_t size)
{
	size_t part = REFUSAL_BYTES - fetch->refusal_length;

	if (part > size)
		part = size;
	memcpy(fetch->refusal + fetch->refusal_length, bytes, part);
	fetch->refusal_length += part;
}

static bool write_all(struct fetch *fetch, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t count = write(fetch->descriptor, bytes, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			fetch->write_error = errno;
			return false;
		}
		bytes += count;
		size -= (size_t)count;
		fetch->answer->bytes += (size_t)count;
	}
	return true;
}

/* curl ends the transfer when fewer bytes are taken than came. */
static size_t take_bytes(char *bytes, size_t one, size_t size, void *context)
{
	struct fetch *fetch = context;
	uint64_t room = fetch->request->max_bytes - fetch->answer->bytes;

	(void)one; /* always 1 */
	if (status_of(fetch) != 200) {
		take_refusal(fetch, bytes, size);
		return fetch->refusal_length < REFUSAL_BYTES ? size : 0;
	}
	if (!take_head(fetch, bytes, size)) {
		fetch->is_refused = true;
		return 0;
	}
	if (size > room) {
		fetch->is_limit = true;
		write_all(fetch, bytes, (size_t)room);
		return 0;
	}
	return write_all(fetch, bytes, size) ? size : 0;
}

/* ---- How long. ---- */

static bool is_too_slow(struct fetch *fetch, uint64_t now)
{
	uint64_t traced_ms = fetch->request->address->seconds * 1000ull;
	uint64_t patience_ms = fetch->request->patience_ms;
	uint64_t got = fetch->answer->bytes - fetch->window_bytes;

	if (now - fetch->begin_ms < traced_ms) {
		fetch->window_ms = now;
		fetch->window_bytes = fetch->answer->bytes;
		return false;
	}
	if (now - fetch->window_ms < patience_ms)
		return false;
	fetch->window_ms = now;
	fetch->window_bytes = fetch->answer->bytes;
	return got < SLOWEST_BYTES_PER_S * patience_ms / 1000;
}

/* Returns what curl says in the end; CURLE_ABORTED_BY_CALLBACK when it was stopped. */
static CURLcode transfer(struct fetch *fetch, CURLM *multi)
{
	uint64_t traced_ms = fetch->request->address->seconds * 1000ull;
	CURLMcode code = CURLM_OK;
	int running = 1;
	int messages;
	CURLMsg *message;

	while (code == CURLM_OK && running) {
		uint64_t now = now_ms();

		if (!progress_step(fetch->request->progress, now - fetch->begin_ms, traced_ms))
			return CURLE_ABORTED_BY_CALLBACK;
		if (is_too_slow(fetch, now))
			return CURLE_OPERATION_TIMEDOUT;
		code = curl_multi_perform(multi, &running);
		if (code == CURLM_OK && running)
			code = curl_multi_poll(multi, NULL, 0, POLL_MS, NULL);
	}
	message = curl_multi_info_read(multi, &messages);
	return code == CURLM_OK && message ? message->data.result : CURLE_OUT_OF_MEMORY;
}

/* ---- Words. ---- */

/* "404 Not Found": what Go programs and the proxies before them say. */
static const char *status_name(long status)
{
	static const struct {
		long status;
		const char *name;
	} names[] = {
		{ 400, "bad request" },
		{ 401, "it wants a password: http://USER:PASSWORD@host" },
		{ 403, "forbidden" },
		{ 404, "there is no such page; does the program import net/http/pprof, and is it "
		       "served at this port?" },
		{ 405, "method not allowed" },
		{ 500, "internal error" },
		{ 502, "a proxy could not reach it" },
		{ 503, "service unavailable" },
		{ 504, "a proxy waited too long: try fewer --seconds" },
	};

	for (size_t i = 0; i < LO_COUNT_OF(names); i++)
		if (names[i].status == status)
			return names[i].name;
	return "no answer that can be used";
}

static bool is_plain_text(const struct fetch *fetch)
{
	const char *type = NULL;

	curl_easy_getinfo(fetch->easy, CURLINFO_CONTENT_TYPE, &type);
	return type && strncmp(type, "text/plain", strlen("text/plain")) == 0;
}

/* Go's own handlers say in one line of text what is wrong: "tracing is already enabled". */
static enum lo_result fail_by_status(struct fetch *fetch, long status, struct lo_error *err)
{
	fetch->refusal[fetch->refusal_length] = '\0';
	fetch->refusal[strcspn(fetch->refusal, "\r\n")] = '\0';
	if (status >= 300 && status < 400)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"the answer (status %ld) points to another place without naming it",
				status);
	if (status != 404 && is_plain_text(fetch) && fetch->refusal[0])
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "the answer is status %ld: %s",
				status, fetch->refusal);
	return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "the answer is status %ld: %s", status,
			status_name(status));
}

static enum lo_result fail_by_content(struct fetch *fetch, struct lo_error *err)
{
	const char *wanted = fetch->request->profile == GO_PROFILE_TRACE ? "an execution trace"
									 : "a goroutine dump";

	if (fetch->answer->bytes == 0 && fetch->head_length == 0)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"the answer is empty, where %s was asked for", wanted);
	return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "the answer is not %s: %s", wanted,
			import_probe_guess(fetch->head, fetch->head_length));
}

static enum lo_result fail_to_connect(struct fetch *fetch, struct lo_error *err)
{
	long number = 0;

	curl_easy_getinfo(fetch->easy, CURLINFO_OS_ERRNO, &number);
	return lo_fail(err, LO_IO, LO_NO_OFFSET,
			"cannot connect: %s; is the program running, and is this the port of its "
			"net/http/pprof?",
			number ? strerror((int)number) : "nobody answers");
}

static enum lo_result fail_by_curl(struct fetch *fetch, CURLcode code, struct lo_error *err)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return lo_fail(err, LO_IO, LO_NO_OFFSET, "there is no host of this name");
	case CURLE_COULDNT_RESOLVE_PROXY:
		return lo_fail(err, LO_IO, LO_NO_OFFSET,
				"there is no host of the name that http_proxy has");
	case CURLE_COULDNT_CONNECT:
		return fail_to_connect(fetch, err);
	case CURLE_OPERATION_TIMEDOUT:
		return lo_fail(err, LO_IO, LO_NO_OFFSET, "no answer came within %u s",
				(unsigned)(fetch->request->address->seconds +
						fetch->request->patience_ms / 1000));
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
		return lo_fail(err, LO_IO, LO_NO_OFFSET,
				"the connection was closed without an answer");
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"what answers there is not HTTP, or points to what is not");
	case CURLE_TOO_MANY_REDIRECTS:
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"the answers point from one place to the next, more than %ld times",
				REDIRECTS_MAX);
	case CURLE_OUT_OF_MEMORY:
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a connection");
	default:
		return lo_fail(err, LO_IO, LO_NO_OFFSET, "cannot fetch: %s",
				fetch->detail[0] ? fetch->detail : curl_easy_strerror(code));
	}
}

static const char *why_broken(CURLcode code)
{
	return code == CURLE_OPERATION_TIMEDOUT ? "nothing more came for a while"
						: "the connection ended early";
}

static enum lo_result judge(struct fetch *fetch, CURLcode code, struct lo_error *err)
{
	long status = status_of(fetch);

	if (fetch->write_error)
		return lo_fail_errno(err, fetch->write_error, "cannot keep what was fetched");
	if (fetch->is_limit) {
		fetch->answer->end = GO_HTTP_LIMIT;
		return LO_OK;
	}
	if (status != 0 && status != 200 && code != CURLE_TOO_MANY_REDIRECTS &&
			(code == CURLE_OK || code == CURLE_WRITE_ERROR))
		return fail_by_status(fetch, status, err);
	if (fetch->is_refused || (code == CURLE_OK && fetch->head_length < HEAD_BYTES))
		return fail_by_content(fetch, err);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		fetch->answer->end = GO_HTTP_STOPPED;
	else if (code != CURLE_OK)
		fetch->answer->end = GO_HTTP_BROKEN;
	if (fetch->head_length == HEAD_BYTES) {
		snprintf(fetch->answer->why, sizeof(fetch->answer->why), "%s", why_broken(code));
		return LO_OK;
	}
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped before anything had come");
	return fail_by_curl(fetch, code, err);
}

/* ---- The request. ---- */

static bool is_loopback(const char *shown)
{
	return strncmp(shown, "localhost:", strlen("localhost:")) == 0 ||
	       strncmp(shown, "127.", strlen("127.")) == 0 ||
	       strncmp(shown, "[::1]", strlen("[::1]")) == 0;
}

static void set_options(struct fetch *fetch)
{
	const struct go_address *address = fetch->request->address;
	CURL *easy = fetch->easy;

	curl_easy_setopt(easy, CURLOPT_URL, address->url);
	if (address->socket[0])
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, address->socket);
	/* No proxy knows this machine's own ports. */
	if (address->socket[0] || is_loopback(address->shown))
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)fetch->request->patience_ms);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "loiter");
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->detail);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
}

static enum lo_result run(struct fetch *fetch, CURLM *multi, struct lo_error *err)
{
	CURLcode code = CURLE_OUT_OF_MEMORY;
	enum lo_result result;

	set_options(fetch);
	fetch->begin_ms = now_ms();
	fetch->window_ms = fetch->begin_ms;
	if (curl_multi_add_handle(multi, fetch->easy) == CURLM_OK)
		code = transfer(fetch, multi);
	result = judge(fetch, code, err);
	curl_multi_remove_handle(multi, fetch->easy);
	return result;
}

enum lo_result go_http_fetch(int descriptor, const struct go_http_request *request,
		struct go_http_answer *answer, struct lo_error *err)
{
	struct fetch fetch = {
		.request = request,
		.answer = answer,
		.descriptor = descriptor,
		.easy = curl_easy_init(),
	};
	CURLM *multi = curl_multi_init();
	enum lo_result result;

	*answer = (struct go_http_answer){ 0 };
	if (fetch.easy && multi)
		result = run(&fetch, multi, err);
	else
		result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a connection");
	curl_easy_cleanup(fetch.easy);
	curl_multi_cleanup(multi);
	return result;
}
