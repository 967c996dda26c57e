/* Writes traces as first inputs for the fuzz targets into an existing folder: fuzz_seeds FOLDER */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/trace_builder.h"
#include "tests/support/trace_sample.h"

static const char everything[] =
		"program /usr/bin/shop\n"
		"module libc /usr/lib/libc.so.6 system\n"
		"meta backend preload\n"
		"name T2 order-worker\n"
		"@0 run T1 existing\n"
		"@1ms create T2 by T1 at main>start>pthread_create!libc\n"
		"@2ms block T2 mutex 0x55d0c8a012c0 held T1 at main>worker(shop.c:12)>lock!libc\n"
		"@2ms block T1 for cond wait cond 0x20 timed signalled T2\n"
		"@3ms unblock T1 timed out\n"
		"lost 12 ring full\n"
		"flush\n"
		"@4ms block T1 descriptor 5 for read\n"
		"@9s advance\n"
		"@9s exit T2\n"
		"@10s end\n";

static void save(const char *folder, const char *name, const uint8_t *bytes, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct byte_buffer empty = { 0 };
	struct byte_buffer small = { 0 };
	struct trace_sample sample;

	if (argc != 2) {
		fputs("usage: fuzz_seeds FOLDER\n", stderr);
		return 2;
	}
	trace_text_to_bytes("@1s end\n", &empty);
	trace_text_to_bytes(everything, &small);
	trace_sample_init(&sample, 4, 20, 1);
	save(argv[1], "empty.loiter", empty.bytes, empty.size);
	save(argv[1], "small.loiter", small.bytes, small.size);
	save(argv[1], "blocks.loiter", sample.file.bytes, sample.file.size);
	save(argv[1], "cut.loiter", sample.file.bytes, sample.file.size / 2);
	byte_buffer_release(&empty);
	byte_buffer_release(&small);
	trace_sample_release(&sample);
	return 0;
}
