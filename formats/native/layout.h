#ifndef LOITER_NATIVE_LAYOUT_H
#define LOITER_NATIVE_LAYOUT_H

#include <stdint.h>

/*
 * The fixed numbers of the trace file. docs/format.md explains each and is compared with this
 * header by a test. Nothing here may change in a released version; new numbers may be added.
 *
 * A trace is a sequence of sections. A section is one zstd skippable frame, its header, followed by
 * payload_bytes of ordinary zstd frames. So `zstd -t` accepts a trace, and a reader that knows no
 * section types can walk it.
 */
#define SECTION_FRAME_MAGIC 0x184d2a5cu           /* one of zstd's sixteen skippable magics */
#define SECTION_MAGIC       0x0a726574696f6cabull /* byte ab, "loiter", newline */
#define FORMAT_VERSION      1u

/* Offsets in a section header, from the start of its frame. */
enum section_header_offset {
	SECTION_AT_FRAME_MAGIC = 0,       /* u32 */
	SECTION_AT_FRAME_BYTES = 4,       /* u32: bytes of the header after this number */
	SECTION_AT_MAGIC = 8,             /* u64 */
	SECTION_AT_TYPE = 16,             /* u16 enum section_type */
	SECTION_AT_FLAGS = 18,            /* u16 set of enum section_flag */
	SECTION_AT_VERSION = 20,          /* u16 */
	SECTION_AT_RESERVED = 22,         /* u16 zero, ignored */
	SECTION_AT_SEQUENCE = 24,         /* u32: 0 for the first section, then one more each */
	SECTION_AT_ROWS = 28,             /* u32 */
	SECTION_AT_PAYLOAD_BYTES = 32,    /* u64 */
	SECTION_AT_PAYLOAD_CHECKSUM = 40, /* u64 XXH3-64 */
	SECTION_AT_EXTRA = 48,            /* the part that depends on the type */
};
/* Last in every header: XXH3-64 of all its bytes before. */
#define SECTION_CHECKSUM_BYTES 8u
#define SECTION_HEADER_LEAST   (SECTION_AT_EXTRA + SECTION_CHECKSUM_BYTES)

enum section_type {
	SECTION_SCHEMA = 1,
	SECTION_META = 2,
	SECTION_STRINGS = 3,
	SECTION_MODULES = 4,
	SECTION_FRAMES = 5,
	SECTION_STACKS = 6,
	SECTION_TASKS = 7,
	SECTION_PROCESSES = 8,
	SECTION_SYMBOLS = 9,
	SECTION_BLOCK = 10,
	SECTION_END = 11,
	SECTION_INDEX = 12,
	SECTION_LOCATOR = 13,
	SECTION_SNAPSHOT = 14,
	SECTION_LIVES = 15,
	SECTION_TILES = 16,
	SECTION_COUNTERS = 17,
	SECTION_NOTES = 18,
	SECTION_CHECKPOINT = 19,
	SECTION_TYPE_COUNT,
};

enum section_flag {
	SECTION_FLAG_OPTIONAL = 1 << 0, /* who does not know the type may pass over it */
};

/* Offsets in the extra part, from the start of that part. */
enum table_extra_offset {
	TABLE_AT_FIRST_ID = 0,  /* u32: id of the first row; 0 where rows carry their own */
	TABLE_AT_RAW_BYTES = 4, /* u32: payload, unpacked */
	TABLE_EXTRA_BYTES = 8,
};

/* Behind the two above, in sections that are found by time or by number: section_has_range(). */
enum range_extra_offset {
	RANGE_AT_BEGIN_NS = 8, /* u64 */
	RANGE_AT_END_NS = 16,  /* u64, inclusive */
	RANGE_AT_LOW = 24,     /* u32 */
	RANGE_AT_HIGH = 28,    /* u32, inclusive */
	RANGE_EXTRA_BYTES = 32,
};

enum lives_extra_offset {
	LIVES_AT_FROM = 32,  /* u32: sequence of the first section that it sums up */
	LIVES_AT_REST = 36,  /* u32: lives of the same blocks that follow in other sections */
	LIVES_AT_SHORT = 40, /* u32: short lives, which are not listed */
	LIVES_AT_FLAGS = 44, /* u32 set of enum lives_flag */
	LIVES_EXTRA_BYTES = 48,
};

enum lives_flag {
	LIVES_FLAG_ALIVE = 1 << 0, /* those that are alive at the end of the trace */
};

/* Behind the two above. */
enum checkpoint_extra_offset {
	CHECKPOINT_AT_PREVIOUS = 8, /* u64: offset of the checkpoint before in the chain; 0: none */
	CHECKPOINT_AT_KEY = 16, /* u64: SECTION_AT_PAYLOAD_CHECKSUM of the first block with rows */
	CHECKPOINT_EXTRA_BYTES = 24,
};

enum block_extra_offset {
	BLOCK_AT_BEGIN_NS = 0,      /* u64 */
	BLOCK_AT_END_NS = 8,        /* u64, inclusive */
	BLOCK_AT_TASK_MIN = 16,     /* u32 */
	BLOCK_AT_TASK_MAX = 20,     /* u32 */
	BLOCK_AT_COLUMN_COUNT = 24, /* u16 */
	BLOCK_AT_LOSS_COUNT = 26,   /* u16 */
	BLOCK_AT_COLUMNS = 28,      /* column entries, then loss entries */
};

enum column_entry_offset {
	COLUMN_AT_NUMBER = 0,       /* u8 */
	COLUMN_AT_ENCODING = 1,     /* u8 */
	COLUMN_AT_RESERVED = 2,     /* u16 zero, ignored */
	COLUMN_AT_PACKED_BYTES = 4, /* u32 */
	COLUMN_AT_RAW_BYTES = 8,    /* u32 */
	COLUMN_ENTRY_BYTES = 12,
};

enum loss_entry_offset {
	LOSS_AT_CAUSE = 0, /* u32 */
	LOSS_AT_COUNT = 4, /* u64 */
	LOSS_ENTRY_BYTES = 12,
};

/* The extra part of these two begins as that of every section with a range. */
enum counters_extra_offset {
	COUNTERS_AT_FROM = 32,       /* u32: sequence of the first section that is summed up */
	COUNTERS_AT_CELL_COUNT = 36, /* u16 */
	COUNTERS_AT_RESERVED = 38,   /* u16 zero, ignored */
	COUNTERS_AT_CELLS = 40,
};

enum counter_cell_offset {
	COUNTER_AT_NAME = 0,      /* u32 string id */
	COUNTER_AT_UNIT = 4,      /* u32 string id */
	COUNTER_AT_PROCESS = 8,   /* u32 */
	COUNTER_AT_ROWS = 12,     /* u32: of this section */
	COUNTER_AT_SAMPLES = 16,  /* u64 */
	COUNTER_AT_FIRST_NS = 24, /* u64 */
	COUNTER_AT_LAST_NS = 32,  /* u64 */
	COUNTER_AT_FIRST = 40,    /* u64: these four are values */
	COUNTER_AT_LAST = 48,
	COUNTER_AT_LEAST = 56,
	COUNTER_AT_GREATEST = 64,
	COUNTER_CELL_BYTES = 72,
};

/* So many sections of one level make one of the next. */
#define COUNTER_FAN    16u
#define COUNTER_LEVELS 7u

enum notes_extra_offset {
	NOTES_AT_CELL_COUNT = 32, /* u16 */
	NOTES_AT_RESERVED = 34,   /* u16 zero, ignored */
	NOTES_AT_CELLS = 36,
};

enum note_cell_offset {
	NOTE_AT_KIND = 0,      /* u32 as named by the schema */
	NOTE_AT_COUNT = 4,     /* u32 */
	NOTE_AT_BEGIN_NS = 8,  /* u64: of the earliest of this kind */
	NOTE_AT_END_NS = 16,   /* u64: of the latest */
	NOTE_AT_TOTAL_NS = 24, /* u64: length of all together */
	NOTE_CELL_BYTES = 32,
};

/* Bins of a tile, at most. */
#define TILE_BINS 32u
/* Bits of the set of tasks that had events in a tile. */
#define TILE_TOUCHED_BITS 2048u

/* What a task does at the begin and at the end of a tile: two bits each of one byte. */
enum tile_state {
	TILE_ABSENT = 0, /* not yet there, or gone */
	TILE_ACTIVE = 1,
	TILE_BLOCKED = 2,
	TILE_STATE_COUNT
};

/* Bits of the byte that is a task in a bin of a tile. */
enum tile_cell_bit {
	TILE_CELL_SHARE = 0x0f,   /* code of the time blocked */
	TILE_CELL_CHANGES = 0x30, /* of its state, TILE_CHANGES_MAX or more */
	TILE_CELL_REASON = 0x40,  /* another reason than before, which stands in the list */
};
#define TILE_SHARE_ALL   15u
#define TILE_CHANGES_MAX 3u

enum end_extra_offset {
	END_AT_TIME_NS = 0, /* u64 */
	END_EXTRA_BYTES = 8,
};

enum locator_extra_offset {
	LOCATOR_AT_INDEX_OFFSET = 0, /* u64: of the header frame of the index section */
	LOCATOR_EXTRA_BYTES = 8,
};
/* The last bytes of a finished trace. */
#define LOCATOR_BYTES (SECTION_AT_EXTRA + LOCATOR_EXTRA_BYTES + SECTION_CHECKSUM_BYTES)

#endif
