#include "viewer/ui/glyphs.h"

const struct glyphs glyphs_ascii = {
	.horizontal = '-',
	.vertical = '|',
	.ellipsis = '~',
	.spark = { '.', ',', '-', '=', '+', '*', '#', '@' },
};

const struct glyphs glyphs_utf8 = {
	.horizontal = 0x2500,
	.vertical = 0x2502,
	.ellipsis = 0x2026,
	.spark = { 0x2581, 0x2582, 0x2583, 0x2584, 0x2585, 0x2586, 0x2587, 0x2588 },
};
