#ifndef LOITER_FUZZ_FUZZ_H
#define LOITER_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What a fuzz target is: called with input after input, it aborts when something is wrong. The
 * name is libFuzzer's; without a fuzzer replay.c calls it with the files of the corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
