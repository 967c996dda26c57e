#ifndef LOITER_SHIM_HOOKS_JUMP_H
#define LOITER_SHIM_HOOKS_JUMP_H

/* Before the recording begins: finds out whether the target of a jump can be read. */
void jump_targets_init(void);

#endif
