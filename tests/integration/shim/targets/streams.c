/*
 * Reading through stdio: what lies in the buffer is not waited for.
 *
 * Events:
 *	1 run existing
 *	1 name streams
 *	1 create 2
 *	1 block read descriptor 3
 *	1 unblock
 *	1 block read descriptor 3
 *	1 unblock
 *	1 block read descriptor 3
 *	1 unblock
 *	1 block read descriptor 3
 *	1 unblock
 *	1 block read descriptor 3
 *	1 unblock
 *	1 exit
 *	2 run
 *	2 exit
 */
#include "tests/integration/shim/targets/target.h"

static struct actor feeder;
static int fds[2];
static const char *const text[] = { "one\ntwo\n", "three\n", "four;five;", "six", "123456789" };

/* Gives one piece each time when the main thread has been asleep for a while. */
static void *feed(void *unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		struct actor main_thread = { .tid = getpid() };
		actor_await_sleep(&main_thread, 0);
		long_nap();
		syscall(SYS_write, fds[1], text[i], strlen(text[i]));
	}
	actor_reaches(&feeder, 1);
	return NULL;
}

int main(void)
{
	char line[64], *grown = NULL;
	size_t room = 0;
	FILE *stream;

	SHOW(pipe(fds));
	stream = fdopen(fds[0], "r");
	pthread_create(&feeder.thread, NULL, feed, NULL);
	puts(fgets(line, sizeof(line), stream));
	puts(fgets(line, sizeof(line), stream)); /* was in the buffer */
	SHOW(getline(&grown, &room, stream));
	puts(grown);
	SHOW(getdelim(&grown, &room, ';', stream));
	SHOW(getdelim(&grown, &room, ';', stream));
	SHOW(fread(line, 1, 3, stream));
	SHOW(fread(line, 3, 3, stream));
	actor_join(&feeder);
	close(fds[1]);
	SHOW(fgets(line, sizeof(line), stream) == NULL);
	SHOW(feof(stream) != 0);
	free(grown);
	fclose(stream);
	return 0;
}
