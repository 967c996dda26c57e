/*
 * http_serve FOLDER [SOCKET]
 *
 * Serves as http_stub.h says until its standard input ends, and prints the port first. For tests
 * that are shell scripts.
 */
#include <stdio.h>
#include <unistd.h>

#include "tests/support/http_stub.h"

int main(int argc, char **argv)
{
	struct http_stub stub;
	char byte;

	if (argc < 2 || http_stub_start(&stub, argv[1], argc > 2 ? argv[2] : NULL) != 0) {
		perror("http_serve");
		return 2;
	}
	printf("%d\n", stub.port);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	http_stub_stop(&stub);
	return 0;
}
