#ifndef LOITER_ANALYSIS_THRESHOLDS_H
#define LOITER_ANALYSIS_THRESHOLDS_H

/*
 * The numbers of all verdicts. They were found on recordings of healthy and of sick programs; the
 * aim of each is that a healthy program has no finding, and a missed one is the lesser evil.
 */
#define MS_NS 1000000ull

/* A wait of work in hand (a lock, a join) is long from here on, however short the waits before. */
#define HARD_LEAST_NS (200 * MS_NS)
/*
 * Long for sure, and the least when no wait ended there before: at the start of a program the
 * other side may not have begun. Half of it accuses producers whose collector comes twice a second.
 */
#define HARD_MOST_NS (1000 * MS_NS)
/* Between the two: this part of the trace, so that short recordings can be judged. */
#define HARD_TRACE_PART 10
/* And this many times the longest wait that ended there. */
#define HARD_TIMES_LONGEST 2

/*
 * A wait is overtaken when so many that began later at the same place are over, and it lasts so
 * many times longer than the longest that ended there: one leak among thousands of good ones.
 */
#define OVERTAKERS              10
#define OVERTAKEN_TIMES_LONGEST 3

/* A queue moves while its last step is younger than this many times its longest pause so far. */
#define QUEUE_GAPS 3

/* In a shorter trace a receiver that waits means nothing at all. */
#define SOFT_TRACE_NS (1000 * MS_NS)

/*
 * Who woke waiters of a place this often, and nobody else did, is the one to expect there. After
 * fewer wake-ups somebody new may come: a server that was only woken while it started.
 */
#define HABIT_WAKES 10
/* The same when the last signal came while nobody waited. */
#define HABIT_WAKES_MISSED 3

/* The most created in this time is a burst candidate. */
#define BURST_WINDOW_NS (100 * MS_NS)
#define BURST_TRACE_NS  (500 * MS_NS)
/* So many from several places are a cascade; from one place they are the start of a pool. */
#define BURST_CASCADE   500
#define BURST_FLAT      1000
#define BURST_FLAT_PART 0.9
/* Times the best of all other windows: what repeats is a schedule. */
#define BURST_TIMES_NEXT 4
/* A burst goes on while each window has this part of the best, but not longer than this part. */
#define BURST_GOES_ON_PART 4
#define BURST_TRACE_PART   4

/* A lock is a convoy when two or more wait this part of the trace, on average as many, */
#define CONVOY_TRACE_NS  (500 * MS_NS)
#define CONVOY_TIME_PART 0.5
#define CONVOY_AVERAGE   2.0
/* and waits end in so many tenths of the trace: one slow initialisation is none. */
#define CONVOY_TENTHS 5

#endif
