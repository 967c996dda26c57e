/*
 * sqlite_threads DATABASE: four threads insert into one SQLite database through connections of
 * their own, each in small transactions, and wait for each other through the library's busy
 * handler.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 4
#define INSERTS 100

static const char *path;

static void run(sqlite3 *database, const char *statement)
{
	char *error = NULL;

	if (sqlite3_exec(database, statement, NULL, NULL, &error) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", statement, error);
		exit(1);
	}
}

static sqlite3 *open_database(void)
{
	sqlite3 *database;

	if (sqlite3_open(path, &database) != SQLITE_OK)
		exit(1);
	sqlite3_busy_timeout(database, 60000);
	run(database, "PRAGMA synchronous = OFF");
	return database;
}

static void *insert_rows(void *unused)
{
	sqlite3 *database = open_database();

	for (int i = 0; i < INSERTS; i++)
		run(database, "INSERT INTO numbers VALUES (1)");
	sqlite3_close(database);
	return unused;
}

static int print_sum(void *unused, int columns, char **values, char **names)
{
	(void)unused;
	(void)columns;
	(void)names;
	puts(values[0]);
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	sqlite3 *database;

	if (argc != 2)
		return 2;
	path = argv[1];
	database = open_database();
	run(database, "CREATE TABLE numbers (n INTEGER)");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, insert_rows, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	sqlite3_exec(database, "SELECT sum(n) FROM numbers", print_sum, NULL, NULL);
	sqlite3_close(database);
	return 0;
}
