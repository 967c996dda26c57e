#ifndef LOITER_UI_INPUT_H
#define LOITER_UI_INPUT_H

#include <stdint.h>

/* Once, when the screen is there. */
void input_open(void);
/* The next key that is waiting, KEYCODE_NONE when there is none. Never waits. Needs a screen. */
uint32_t input_next(void);
int input_descriptor(void);

#endif
