#ifndef LOITER_MODEL_META_H
#define LOITER_MODEL_META_H

/*
 * Facts about a recording as key and value, both text. A key may come several times ("argument"):
 * the values keep their order. Unknown keys are kept and shown. Times in decimal nanoseconds.
 */
#define META_PROGRAM       "program"  /* path or name as given on the command line */
#define META_ARGUMENT      "argument" /* one per argument, without the program itself */
#define META_PID           "pid"
#define META_HOST          "host"
#define META_SYSTEM        "system"        /* kernel and architecture */
#define META_BACKEND       "backend"       /* "preload", "import", ... as in the report contract */
#define META_START_UNIX_NS "start_unix_ns" /* wall clock at the first event */
#define META_CLOCK         "clock"         /* "tsc" or "monotonic" */
#define META_RECORDER      "recorder"      /* name and version of the writing program */
#define META_SOURCE_FORMAT "source_format" /* of an imported file: "go-trace-v2", ... */
#define META_SOURCE_CUT    "source_cut"    /* "1" when the imported file ended early */
#define META_STACK_DEPTH   "stack_depth"
#define META_RESOLUTION    "resolution_ns" /* of times of events; without: 1 */
#define META_WARNING       "warning"       /* for people: what this trace cannot show, and why */

#endif
