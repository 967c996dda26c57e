#ifndef LOITER_SHIM_ENVIRONMENT_H
#define LOITER_SHIM_ENVIRONMENT_H

/*
 * Removes this library from LD_PRELOAD, and our variables, so that programs started from here are
 * left alone. Other entries of LD_PRELOAD stay. Only for the constructor: other threads may read
 * the environment later.
 */
void environment_forget(void);

#endif
