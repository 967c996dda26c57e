#include <stdio.h>
#include <stdlib.h>

#include "tests/support/trace_builder.h"

/* write_trace EVENTS OUT: a trace written as readable lines (trace_builder.h) to a trace file. */
int main(int argc, char **argv)
{
	struct byte_buffer file = { .bytes = NULL };
	char *text = NULL;
	size_t size = 0;
	FILE *in;
	FILE *out;

	if (argc != 3) {
		fputs("usage: write_trace EVENTS OUT\n", stderr);
		return EXIT_FAILURE;
	}
	in = fopen(argv[1], "r");
	out = fopen(argv[2], "wb");
	if (!in || !out || getdelim(&text, &size, '\0', in) < 0) {
		perror("write_trace");
		return EXIT_FAILURE;
	}
	trace_text_to_bytes(text, &file);
	if (fwrite(file.bytes, 1, file.size, out) != file.size || fclose(out) != 0) {
		perror("write_trace");
		return EXIT_FAILURE;
	}
	fclose(in);
	byte_buffer_release(&file);
	free(text);
	return EXIT_SUCCESS;
}
