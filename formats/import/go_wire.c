#include "formats/import/go_wire.h"

#define NO GO_WIRE_NOT_AN_EVENT

/* clang-format off */
const uint8_t go_wire_arguments[GO_WIRE_TYPES] = {
	/*         0   1   2   3   4   5   6   7   8   9 */
	/*   0 */ NO, NO, NO, NO, NO, NO, NO, NO, NO,  2,
	/*  10 */  2,  0,  3,  2,  3,  1,  2,  0,  0,  2,
	/*  20 */  2,  3,  2,  0,  0,  3,  2,  0,  1,  2,
	/*  30 */  1,  1,  1,  2,  1,  1,  0,  1,  1,  1,
	/*  40 */  4,  2,  3,  3,  4,  2,  2,  3,  4, NO,
	/*  50 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	/*  60 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	/*  70 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	/*  80 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	/*  90 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	/* 100 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	/* 110 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	/* 120 */ NO, NO, NO, NO, NO, NO, NO, NO,  3,  3,
	/* 130 */  1,  2,  2,  1,  2,  2,  1,
};
/* clang-format on */
