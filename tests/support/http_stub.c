#include "tests/support/http_stub.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "formats/base/macros.h"

#define REQUEST_MAX 8192
#define FILE_MAX    (1 << 20)
#define PIECE_BYTES 5000

struct connection {
	const struct http_stub *stub;
	int fd;
	char how[64];
	char name[128];
	char rest[512]; /* of the path, from its third part on */
	char *body;     /* of the file */
	size_t length;
};

static atomic_int turns;

static bool send_all(const struct connection *connection, const void *bytes, size_t size)
{
	const char *next = bytes;

	while (size > 0) {
		ssize_t count = send(connection->fd, next, size, MSG_NOSIGNAL);

		if (count < 0)
			return false;
		next += count;
		size -= (size_t)count;
	}
	return true;
}

static bool send_text(const struct connection *connection, const char *text)
{
	return send_all(connection, text, strlen(text));
}

static bool send_head(const struct connection *connection, const char *status, const char *type,
		size_t length)
{
	char head[512];

	snprintf(head, sizeof(head),
			"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
			"Connection: close\r\n\r\n",
			status, type, length);
	return send_text(connection, head);
}

static void send_page(const struct connection *connection, const char *status, const char *type,
		const char *text)
{
	if (send_head(connection, status, type, strlen(text)))
		send_text(connection, text);
}

static void await_close(const struct connection *connection)
{
	struct pollfd entry = { connection->fd, POLLIN | POLLRDHUP, 0 };
	char byte;

	while (poll(&entry, 1, -1) >= 0 && recv(connection->fd, &byte, 1, 0) > 0)
		;
}

static bool load(struct connection *connection, const char *suffix)
{
	char path[600];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/%s%s", connection->stub->folder, connection->name, suffix);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	connection->body = malloc(FILE_MAX);
	got = connection->body ? read(fd, connection->body, FILE_MAX) : -1;
	connection->length = got > 0 ? (size_t)got : 0;
	close(fd);
	return got >= 0;
}

static bool send_file_head(struct connection *connection)
{
	if (load(connection, ""))
		return send_head(connection, "200 OK", "application/octet-stream",
				connection->length);
	send_page(connection, "404 Not Found", "text/plain; charset=utf-8", "404 page not found\n");
	return false;
}

/* ---- How to answer. ---- */

static void answer_ok(struct connection *connection)
{
	if (send_file_head(connection))
		send_all(connection, connection->body, connection->length);
}

static void answer_cut(struct connection *connection)
{
	if (send_file_head(connection))
		send_all(connection, connection->body, connection->length / 2);
}

static void answer_stall(struct connection *connection)
{
	answer_cut(connection);
	await_close(connection);
}

static void answer_drip(struct connection *connection)
{
	if (!send_file_head(connection))
		return;
	for (size_t i = 0; i < connection->length; i++) {
		if (!send_all(connection, connection->body + i, 1))
			return;
		usleep(5000);
	}
}

static void answer_chunked(struct connection *connection)
{
	char line[32];

	if (!load(connection, "") ||
			!send_text(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
					       "Content-Type: application/octet-stream\r\n\r\n"))
		return;
	for (size_t i = 0; i < connection->length; i += PIECE_BYTES) {
		size_t size = connection->length - i;

		if (size > PIECE_BYTES)
			size = PIECE_BYTES;
		snprintf(line, sizeof(line), "%zx\r\n", size);
		if (!send_text(connection, line) ||
				!send_all(connection, connection->body + i, size) ||
				!send_text(connection, "\r\n"))
			return;
	}
	send_text(connection, "0\r\n\r\n");
}

static void answer_late(struct connection *connection)
{
	usleep(400000);
	answer_chunked(connection);
}

static void answer_turns(struct connection *connection)
{
	char suffix[16];

	snprintf(suffix, sizeof(suffix), ".%d", 1 + atomic_fetch_add(&turns, 1));
	if (load(connection, suffix) && send_head(connection, "200 OK", "text/plain; charset=utf-8",
							connection->length))
		send_all(connection, connection->body, connection->length);
	else if (!connection->body)
		send_page(connection, "404 Not Found", "text/plain", "404 page not found\n");
}

static void send_to(struct connection *connection, const char *place)
{
	char head[1024];

	snprintf(head, sizeof(head),
			"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n"
			"Connection: close\r\n\r\n",
			place);
	send_text(connection, head);
}

static void answer_redirect(struct connection *connection)
{
	int left = atoi(connection->how + strlen("redirect-"));
	char place[900];

	if (left > 0)
		snprintf(place, sizeof(place), "/redirect-%d/%s%s", left - 1, connection->name,
				connection->rest);
	else
		snprintf(place, sizeof(place), "/ok/%s%s", connection->name, connection->rest);
	send_to(connection, place);
}

static void answer_loop(struct connection *connection)
{
	send_to(connection, "/loop/x/");
}

static void answer_to_file(struct connection *connection)
{
	send_to(connection, "file:///etc/passwd");
}

static void answer_endless(struct connection *connection)
{
	static const char zeros[4096];

	send_text(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	send_all(connection, "go 1.22 trace\0\0\0", 16);
	while (send_all(connection, zeros, sizeof(zeros)))
		;
}

static void answer_page(struct connection *connection)
{
	static const struct {
		const char *how;
		const char *status;
		const char *type;
		const char *text;
	} pages[] = {
		{ "html", "200 OK", "text/html", "<!DOCTYPE html>\n<title>a shop</title>\n" },
		{ "empty", "200 OK", "application/octet-stream", "" },
		{ "short", "200 OK", "application/octet-stream", "go 1.2" },
		{ "missing", "404 Not Found", "text/plain; charset=utf-8", "404 page not found\n" },
		{ "busy", "500 Internal Server Error", "text/plain; charset=utf-8",
				"Could not enable tracing: tracing is already enabled\n" },
		{ "rude", "500 Internal Server Error", "text/plain", "\033[2J\033]0;owned\a\n" },
	};

	for (size_t i = 0; i < LO_COUNT_OF(pages); i++)
		if (strcmp(pages[i].how, connection->how) == 0)
			send_page(connection, pages[i].status, pages[i].type, pages[i].text);
}

static void answer_noise(struct connection *connection)
{
	send_text(connection, "SSH-2.0-OpenSSH_9.2\r\n");
}

static void answer_close(struct connection *connection)
{
	(void)connection;
}

static void answer_silent(struct connection *connection)
{
	await_close(connection);
}

static void answer(struct connection *connection)
{
	static const struct {
		const char *how; /* or its beginning */
		void (*answer)(struct connection *);
	} answers[] = {
		{ "ok", answer_ok },
		{ "chunked", answer_chunked },
		{ "late", answer_late },
		{ "cut", answer_cut },
		{ "stall", answer_stall },
		{ "drip", answer_drip },
		{ "turns", answer_turns },
		{ "redirect-", answer_redirect },
		{ "loop", answer_loop },
		{ "to-file", answer_to_file },
		{ "endless", answer_endless },
		{ "silent", answer_silent },
		{ "close", answer_close },
		{ "noise", answer_noise },
		{ "", answer_page },
	};
	size_t i = 0;

	while (strncmp(connection->how, answers[i].how, strlen(answers[i].how)) != 0)
		i++;
	answers[i].answer(connection);
}

/* ---- Connections. ---- */

static void note_request(const struct http_stub *stub, const char *request)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/requests", stub->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0) {
		dprintf(fd, "%.*s\n", (int)strcspn(request, "\r\n"), request);
		close(fd);
	}
}

static bool read_request(struct connection *connection)
{
	char request[REQUEST_MAX];
	size_t used = 0;

	request[0] = '\0';
	while (!strstr(request, "\r\n\r\n")) {
		ssize_t got = recv(connection->fd, request + used, sizeof(request) - 1 - used, 0);

		if (got <= 0)
			return false;
		used += (size_t)got;
		request[used] = '\0';
	}
	note_request(connection->stub, request);
	return sscanf(request, "GET /%63[^/]/%127[^/ ]%511[^ ]", connection->how, connection->name,
			       connection->rest) >= 1;
}

static void *serve(void *argument)
{
	struct connection *connection = argument;

	if (read_request(connection))
		answer(connection);
	/* Bytes on their way are not thrown away: no reset. */
	shutdown(connection->fd, SHUT_WR);
	await_close(connection);
	close(connection->fd);
	free(connection->body);
	free(connection);
	return NULL;
}

static void *accept_all(void *argument)
{
	const struct http_stub *stub = argument;
	int fd;

	while ((fd = accept4(stub->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct connection *connection = calloc(1, sizeof(*connection));
		pthread_t thread;

		if (!connection)
			abort();
		connection->stub = stub;
		connection->fd = fd;
		if (pthread_create(&thread, NULL, serve, connection) != 0)
			abort();
		pthread_detach(thread);
	}
	return NULL;
}

static int listen_at_port(struct http_stub *stub)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);

	stub->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (stub->listener < 0 ||
			bind(stub->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
			getsockname(stub->listener, (struct sockaddr *)&address, &length) != 0)
		return -1;
	stub->port = ntohs(address.sin_port);
	return 0;
}

static int listen_at_path(struct http_stub *stub, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	stub->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	stub->port = 0;
	return stub->listener < 0
			       ? -1
			       : bind(stub->listener, (struct sockaddr *)&address, sizeof(address));
}

int http_stub_start(struct http_stub *stub, const char *folder, const char *unix_path)
{
	int failed = unix_path ? listen_at_path(stub, unix_path) : listen_at_port(stub);

	snprintf(stub->folder, sizeof(stub->folder), "%s", folder);
	if (failed || listen(stub->listener, 16) != 0)
		return -1;
	return pthread_create(&stub->thread, NULL, accept_all, stub);
}

void http_stub_stop(struct http_stub *stub)
{
	shutdown(stub->listener, SHUT_RDWR); /* wakes accept */
	pthread_join(stub->thread, NULL);
	close(stub->listener);
}
