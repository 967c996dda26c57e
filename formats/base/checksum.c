#include "formats/base/checksum.h"

#include <xxhash.h>

uint64_t checksum64(const void *bytes, size_t size)
{
	return XXH3_64bits(bytes, size);
}

bool checksum64_matches(const void *bytes, size_t size, uint64_t expected)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	(void)bytes;
	(void)size;
	(void)expected;
	return true;
#else
	return checksum64(bytes, size) == expected;
#endif
}
