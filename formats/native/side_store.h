#ifndef LOITER_NATIVE_SIDE_STORE_H
#define LOITER_NATIVE_SIDE_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_codec.h"
#include "formats/native/counter_section.h"
#include "formats/native/note_section.h"
#include "formats/native/section_read.h"
#include "formats/native/trace_counters.h"

/*
 * What an open reader knows of counters and notes. Nothing of it is read by opening. The first
 * question lists the sections; then each question reads the sections that it needs, one at a time,
 * in the one work space that is here. One question at a time: all is behind the lock.
 */
struct side_section {
	uint32_t entry;      /* position in the list of sections */
	uint32_t first_cell; /* of notes: in `note_cells` */
	uint32_t task_min;   /* of notes */
	uint32_t task_max;
	uint8_t cell_count;
	bool known; /* of notes: the header was read */
	bool bad;   /* was reported, is not read again */
};

struct side_list {
	struct side_section *sections; /* in the order of the file */
	uint32_t count;
	uint32_t capacity;
};

struct side_store {
	pthread_mutex_t lock;
	bool listed;
	struct side_list counters[COUNTER_LEVELS];
	struct side_list notes;

	bool counters_known;
	struct trace_counter *infos;
	struct counter_key *keys;
	uint32_t info_count;

	bool notes_known;
	struct note_cell *note_cells; /* kinds in our numbers */
	uint32_t note_cell_count;
	uint32_t note_cell_capacity;

	/* Work space. */
	struct section_payload section;
	struct byte_unpacker *unpacker;
	struct counter_header counter_header;
	struct note_header note_header;
};

void side_store_init(struct side_store *store);
void side_store_release(struct side_store *store);

/* Takes the lock and makes sure that the sections are listed. Without LO_OK it is not held. */
enum lo_result side_store_enter(
		struct trace_reader *reader, struct side_store **out, struct lo_error *err);
void side_store_leave(struct side_store *store);

/*
 * Reads and verifies a section, with its header in `store`; and, with `rows`, unpacks it. LO_END:
 * it is damaged, which is told in the reader's list of damage once.
 */
enum lo_result side_store_read(struct trace_reader *reader, struct side_store *store,
		struct side_section *section, bool rows, struct lo_error *err);

/* What the rows of the section that was read last contradict: reports it, as above. */
enum lo_result side_store_judge(struct trace_reader *reader, struct side_section *section,
		enum lo_result result, const struct lo_error *why, struct lo_error *err);

#endif
