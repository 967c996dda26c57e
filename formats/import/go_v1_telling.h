#ifndef LOITER_IMPORT_GO_V1_TELLING_H
#define LOITER_IMPORT_GO_V1_TELLING_H

#include <stdint.h>

#include "formats/import/go_notes.h"
#include "formats/import/go_trace_common.h"
#include "formats/import/go_v1_file.h"
#include "formats/import/go_v1_order.h"

/* A Go trace v1 on its way to the sink. */
struct go_v1_telling {
	struct go_program program;
	struct go_v1_file file;
	struct go_v1_order order;
	struct go_notes notes;
	unsigned version;
	uint64_t frequency;
	uint32_t next_sample; /* of the file's */
};

/* On the time axis of the native trace. */
uint64_t go_v1_time(const struct go_v1_telling *telling, uint64_t ticks);

/* A step that is a remark. */
enum lo_result go_v1_tell_remark(
		struct go_v1_telling *telling, const struct go_v1_step *step, struct lo_error *err);

/* Puts CPU samples in the order of time, once; then tells those before `ticks`. */
void go_v1_sort_samples(struct go_v1_telling *telling);
enum lo_result go_v1_tell_samples(
		struct go_v1_telling *telling, uint64_t ticks, struct lo_error *err);

#endif
