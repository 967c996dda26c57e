/*
 * Two threads send one byte to and fro over two pipes: every read blocks. An operation is one hop,
 * a write and a read.
 */
#include "tests/bench/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct workload workload = { .name = "pipes", .ops = 1000000 };
static int to_partner[2], from_partner[2];

static void hop(int from, int to)
{
	char byte;

	if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1) {
		perror("pipes");
		exit(2);
	}
}

static void *send_back(void *unused)
{
	(void)unused;
	for (uint64_t i = 0; i < workload.ops / 2; i++)
		hop(to_partner[0], from_partner[1]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t partner;

	workload_begin(&workload, argc, argv);
	if (pipe(to_partner) != 0 || pipe(from_partner) != 0 ||
			write(from_partner[1], "x", 1) != 1) {
		perror("pipes");
		return 2;
	}
	pthread_create(&partner, NULL, send_back, NULL);
	for (uint64_t i = 0; i < workload.ops / 2; i++)
		hop(from_partner[0], to_partner[1]);
	pthread_join(partner, NULL);
	return workload_end(&workload);
}
