#include "formats/base/unzip.h"

#include <string.h>

#include "formats/base/macros.h"

static const struct unzip *const unzips[] = {
	&unzip_zstd,
#ifdef LOITER_HAVE_ZLIB
	&unzip_gzip,
#endif
};

const struct unzip *unzip_by_magic(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < LO_COUNT_OF(unzips); i++)
		if (size >= unzips[i]->magic_size &&
				memcmp(bytes, unzips[i]->magic, unzips[i]->magic_size) == 0)
			return unzips[i];
	return NULL;
}
