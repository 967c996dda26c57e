#ifndef LOITER_UI_UTF8_H
#define LOITER_UI_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4

/* Stores one code point (up to U+10FFFF, not checked further); returns the bytes used. */
size_t utf8_put(char out[UTF8_MAX], uint32_t code_point);

#endif
