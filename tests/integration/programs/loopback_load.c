/*
 * loopback_load PORT CONNECTIONS REQUESTS REQUEST ANSWER-END
 *
 * A load for servers on 127.0.0.1: each of CONNECTIONS threads sends REQUEST so many times over one
 * connection and reads each answer up to ANSWER-END. "\r" and "\n" in both are understood. Waits up
 * to five seconds for the server to listen. Prints how many answers came; status 1 if any did not.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64u
#define ANSWER_MAX      65536u
#define PATIENCE_MS     5000u

static struct sockaddr_in server;
static unsigned requests;
static char *request, *answer_end;
static atomic_uint answers;

/* In place: the result is never longer. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && (text[1] == 'r' || text[1] == 'n'))
			*out++ = *++text == 'r' ? '\r' : '\n';
		else
			*out++ = *text;
	}
	*out = '\0';
}

static int connect_to_server(void)
{
	for (unsigned waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 50) {
		int connection = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(connection, (struct sockaddr *)&server, sizeof(server)) == 0)
			return connection;
		close(connection);
		usleep(50000);
	}
	return -1;
}

static int read_answer(int connection)
{
	char answer[ANSWER_MAX + 1];
	size_t length = 0;

	while (length < ANSWER_MAX) {
		ssize_t got = read(connection, answer + length, ANSWER_MAX - length);

		if (got <= 0)
			return -1;
		length += (size_t)got;
		answer[length] = '\0';
		if (strstr(answer, answer_end))
			return 0;
	}
	return -1;
}

static void *ask_server(void *unused)
{
	int connection = connect_to_server();
	size_t length = strlen(request);

	(void)unused;
	if (connection < 0)
		return NULL;
	for (unsigned i = 0; i < requests; i++) {
		if (write(connection, request, length) != (ssize_t)length ||
				read_answer(connection) != 0)
			break;
		answers++;
	}
	close(connection);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[CONNECTIONS_MAX];
	unsigned connections;

	if (argc != 6) {
		fputs("usage: loopback_load PORT CONNECTIONS REQUESTS REQUEST ANSWER-END\n",
				stderr);
		return 2;
	}
	server.sin_family = AF_INET;
	server.sin_port = htons((in_port_t)atoi(argv[1]));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connections = (unsigned)atoi(argv[2]) % (CONNECTIONS_MAX + 1);
	requests = (unsigned)atoi(argv[3]);
	unescape(request = argv[4]);
	unescape(answer_end = argv[5]);
	for (unsigned i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, ask_server, NULL);
	for (unsigned i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	printf("%u answers\n", answers);
	return answers == connections * requests ? 0 : 1;
}
