#ifndef LOITER_BASE_LIMITS_H
#define LOITER_BASE_LIMITS_H

/*
 * Every cap on what a trace may ask of its reader, with its reason. A trace may come from a
 * stranger, and 100 bytes of zstd can stand for gigabytes; so no size or count of a file is
 * believed before it was compared with one of these and with the bytes that are left.
 * Writers keep to the same numbers, so that whatever was written can be read.
 */

/* One pread fetches any section header whole. A block header with 64 columns and 64 loss counts
 * takes 1.6 KiB. */
#define LIMIT_SECTION_HEADER 4096u

/* Compressed bytes of one section, which the reader holds at once. The largest is the index: about
 * 7 bytes for each of LIMIT_SECTIONS. A block of 32,768 rows that do not compress at all takes
 * 1.2 MiB. */
#define LIMIT_SECTION_PAYLOAD (256u << 20)

/* Sections of a file, 48 bytes each in memory: four a second for 48 days, or 500,000 million
 * events. */
#define LIMIT_SECTIONS (1u << 24)

/* Unpacked bytes of one table section; the writer starts a new section at 1 MiB. */
#define LIMIT_TABLE_RAW (16u << 20)

/* Unpacked bytes of the index: LIMIT_SECTIONS entries of 16 bytes, which is more than they take. */
#define LIMIT_INDEX_RAW (256u << 20)

/* Rows of one block: 8 MiB once decoded, eight times what the writer makes. */
#define LIMIT_BLOCK_ROWS (1u << 18)

/* Raw bytes that one row may take in one column: a 64-bit varint, an object kind and its reference.
 */
#define LIMIT_COLUMN_ROW_BYTES 16u

/* Columns and loss causes named by one block header. */
#define LIMIT_BLOCK_COLUMNS 64u
#define LIMIT_BLOCK_LOSSES  64u

/* Rows and names of a stored schema: some hundreds are in use. */
#define LIMIT_SCHEMA_ROWS 4096u
#define LIMIT_SCHEMA_NAME 64u

/* Fields of one table row, as a schema may describe them. */
#define LIMIT_ROW_FIELDS 32u

/* Highest task id. Readers keep a few hundred bytes for each, so more could not be analysed; it is
 * 14 minutes of 20,000 new threads a second. */
#define LIMIT_TASKS (1u << 24)

/* Lives in one section: eight times what the writer puts there. */
#define LIMIT_LIVES (1u << 15)

/* Rows about tasks: as many as tasks, and as many again for tasks that change their names. */
#define LIMIT_TASK_ROWS (2u * LIMIT_TASKS)

/* Distinct strings, their bytes together, and one of them. Demangled C++ names reach tens of
 * kilobytes; a large program has some hundred thousand functions. */
#define LIMIT_STRINGS       (1u << 22)
#define LIMIT_STRING_BYTES  (256u << 20)
#define LIMIT_STRING_LENGTH (1u << 20)

/* Distinct code places and call stacks. 44,000 stacks is the most seen in one recording. */
#define LIMIT_FRAMES (1u << 22)
#define LIMIT_STACKS (1u << 23)

/* Frames of one stack: bounds every walk from a leaf to its root. Recorders keep at most 128. */
#define LIMIT_STACK_DEPTH 1024u

/* Files mapped as code, and processes. The recorder follows 64 processes at a time. */
#define LIMIT_MODULES   (1u << 16)
#define LIMIT_PROCESSES (1u << 20)

/* Inlined places over all frames: some per frame. */
#define LIMIT_SYMBOLS (1u << 23)

/* Key and value pairs about the recording: mostly program arguments. */
#define LIMIT_META_ROWS 65536u

/* Counters of a trace: what each section says of each fits in its header. Rows of one section: the
 * writer starts a new one at 1024. */
#define LIMIT_COUNTERS     48u
#define LIMIT_COUNTER_ROWS 65536u

/* Notes of one section, and kinds of notes: the writer starts a new section at 4096. */
#define LIMIT_NOTE_ROWS  65536u
#define LIMIT_NOTE_KINDS 64u

/* Unpacked bytes of a section of tiles, tiles in it, and rows and groups of one. The writer starts
 * a new section at 64 KiB, and has 2,048 rows and 512 groups at most. */
#define LIMIT_TILES_RAW   (1u << 20)
#define LIMIT_TILES       64u
#define LIMIT_TILE_ROWS   4096u
#define LIMIT_TILE_GROUPS 4096u

/* Levels of tiles: more than 8^12 blocks there cannot be. */
#define LIMIT_TILE_LEVELS 12u

/* Bytes at the end of a file without an index that are searched for a checkpoint: the writer makes
 * one each 1 MiB, unless sections are so small that it makes none. And how many places that look
 * like one are tried. */
#define LIMIT_CHECKPOINT_SEARCH (8u << 20)
#define LIMIT_CHECKPOINT_TRIES  16u

/* Sections in front of the first events of a file: tables, of 1 MiB each where they are large. */
#define LIMIT_CHECKPOINT_HEAD 4096u

/* Checkpoints of one chain: the writer keeps to 96. */
#define LIMIT_CHECKPOINT_LINKS 256u

/* Damaged stretches that are listed one by one. */
#define LIMIT_DAMAGE 65536u

/* ---- of imported formats; what stands below is not part of docs/format.md ---- */

/* Bytes of one generation of a Go trace, held at once. The runtime starts a new one every second,
 * and writes about 30 MB a second on two busy cores. */
#define LIMIT_GO_GENERATION (1u << 29)

/* Bytes that make no sense, between two batches of a Go trace. A batch has at most 64 KiB. */
#define LIMIT_GO_DAMAGE (64u << 20)

/* Goroutines of one dump: a count in a text of a few bytes may claim any number. The largest dump
 * of an incident that was published had 98,500. */
#define LIMIT_DUMP_GOROUTINES (1u << 21)
#define LIMIT_DUMP_TOTAL      (1u << 24) /* of all dumps of a file */

/* Labels and other remarks about them, of all dumps: a group of a few bytes may claim millions. */
#define LIMIT_DUMP_REMARKS (1u << 22)

#endif
