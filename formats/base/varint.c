#include "formats/base/varint.h"

size_t varint_get_long(const uint8_t *bytes, size_t size, uint64_t *value)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < size && i < VARINT_MAX; i++) {
		/* Of the tenth byte only one bit fits. */
		if (i == VARINT_MAX - 1 && bytes[i] > 1)
			return 0;
		sum |= (uint64_t)(bytes[i] & 0x7f) << (7 * i);
		if (bytes[i] < 0x80) {
			*value = sum;
			return i + 1;
		}
	}
	return 0;
}
