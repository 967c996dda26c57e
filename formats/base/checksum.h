#ifndef LOITER_BASE_CHECKSUM_H
#define LOITER_BASE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* XXH3-64 with seed 0: finds accidents, proves nothing about who wrote the bytes. */
uint64_t checksum64(const void *bytes, size_t size);

/*
 * Always true when built for a fuzzer (FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION): a mutated file
 * would otherwise never get past its checksums, and the code behind them would go unexercised.
 */
bool checksum64_matches(const void *bytes, size_t size, uint64_t expected);

#endif
