#ifndef LOITER_MODEL_MODULE_H
#define LOITER_MODEL_MODULE_H

#include <stdint.h>

/*
 * A file that was mapped as code. A frame is (module, offset), not an absolute address, so equal
 * stacks of two processes or two runs are equal whatever the address space layout.
 */
#define MODULE_NONE         0u /* generated code, or not known: the offset is the absolute address */
#define MODULE_BUILD_ID_MAX 64

enum module_flag {
	MODULE_FLAG_MAIN = 1 << 0,   /* the program itself */
	MODULE_FLAG_SYSTEM = 1 << 1, /* lives in a system library directory */
	MODULE_FLAG_VDSO = 1 << 2,
};

struct module_info {
	uint32_t path;         /* string id */
	uint8_t flags;         /* set of enum module_flag */
	uint8_t build_id_size; /* 0 = none */
	uint8_t build_id[MODULE_BUILD_ID_MAX];
};

#endif
