#include "viewer/ui/utf8.h"

size_t utf8_put(char out[UTF8_MAX], uint32_t code_point)
{
	size_t tail = code_point < 0x80 ? 0 : code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
	static const unsigned char lead[UTF8_MAX] = { 0x00, 0xc0, 0xe0, 0xf0 };

	out[0] = (char)(lead[tail] | code_point >> (6 * tail));
	for (size_t i = 1; i <= tail; i++)
		out[i] = (char)(0x80 | (code_point >> (6 * (tail - i)) & 0x3f));
	return tail + 1;
}
