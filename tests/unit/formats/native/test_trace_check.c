#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/bytes.h"
#include "formats/native/layout.h"
#include "formats/native/trace_check.h"
#include "tests/support/fault_source.h"
#include "tests/support/section_forge.h"
#include "tests/support/trace_builder.h"
#include "tests/support/trace_sample.h"

/* What the checks say about one file. */
struct findings {
	char damaged[256]; /* names of checks with problems, each with a blank behind */
	char impossible[256];
	uint64_t problems;
	uint64_t first_offset;
	char first_sentence[256];
};

static void note(void *context, uint64_t offset, const char *sentence)
{
	struct findings *findings = context;

	if (findings->first_sentence[0])
		return;
	findings->first_offset = offset;
	strncpy(findings->first_sentence, sentence, sizeof(findings->first_sentence) - 1);
}

static struct findings check(struct byte_source *source)
{
	struct findings findings = { 0 };
	struct trace_check_listener listener = { note, &findings };
	struct trace_checking *checking;
	struct trace_check_result result;

	assert_int_equal(trace_checking_open(&checking, source, NULL, NULL), LO_OK);
	for (unsigned i = 0; trace_check_at(i); i++) {
		assert_int_equal(trace_checking_run(checking, i, &listener, &result, NULL), LO_OK);
		assert_non_null(result.what);
		findings.problems += result.problems;
		if (!result.possible)
			strcat(strcat(findings.impossible, trace_check_at(i)->name), " ");
		if (result.problems > 0)
			strcat(strcat(findings.damaged, trace_check_at(i)->name), " ");
	}
	trace_checking_close(checking);
	return findings;
}

static struct findings check_bytes(const struct byte_buffer *file)
{
	struct byte_source *source;

	assert_int_equal(byte_source_open_memory(&source, file->bytes, file->size, NULL), LO_OK);
	return check(source);
}

static struct findings check_fault(const struct trace_sample *sample, struct fault fault)
{
	struct byte_source *source;

	fault_source_open(&source, sample->file.bytes, sample->file.size, fault);
	return check(source);
}

static void every_check_has_a_name_and_a_help(void **state)
{
	const struct trace_check_info *info;

	(void)state;
	for (unsigned i = 0; (info = trace_check_at(i)); i++) {
		assert_true(strlen(info->name) > 0 && strlen(info->name) <= 11);
		assert_true(strlen(info->help) > 10);
		for (unsigned other = 0; other < i; other++)
			assert_string_not_equal(info->name, trace_check_at(other)->name);
	}
}

static void a_sound_trace_passes_every_check(void **state)
{
	struct trace_sample sample;
	struct findings findings;

	(void)state;
	trace_sample_init(&sample, 5, 100, 21);
	findings = check_bytes(&sample.file);
	if (findings.problems)
		fail_msg("%s", findings.first_sentence);
	assert_string_equal(findings.impossible, "");
	trace_sample_release(&sample);
}

static void damage_is_told_once_with_its_place(void **state)
{
	struct trace_sample sample;

	(void)state;
	trace_sample_init(&sample, 5, 100, 22);
	for (uint32_t i = 0; i < sample.section_count; i++) {
		const struct sample_section *section = &sample.sections[i];
		struct findings findings = check_fault(&sample,
				(struct fault){ FAULT_FLIP, section->offset + section->bytes - 1, 0,
						0 });

		assert_true(findings.problems > 0);
		assert_int_equal(findings.first_offset, section->offset);
		assert_non_null(strstr(findings.damaged,
				section->type == SECTION_END || section->type == SECTION_LOCATOR
						? "headers "
						: "checksums "));
	}
	trace_sample_release(&sample);
}

static void a_cut_trace_has_no_end_and_no_index(void **state)
{
	struct byte_buffer file = { 0 };
	struct findings findings;

	(void)state;
	trace_text_to_bytes("@1s run T1\ncut\n", &file);
	findings = check_bytes(&file);
	assert_string_equal(findings.damaged, "end ");
	assert_string_equal(findings.impossible, "index ");
	byte_buffer_release(&file);
}

static void a_trace_without_its_schema_cannot_be_checked_further(void **state)
{
	struct trace_sample sample;
	struct findings findings;

	(void)state;
	trace_sample_init(&sample, 1, 10, 23);
	findings = check_fault(&sample, (struct fault){ FAULT_CUT, 100, 0, 0 });
	assert_string_equal(findings.damaged, "headers schema end ");
	assert_string_equal(findings.impossible, "tables blocks ids times notes snapshots index ");
	trace_sample_release(&sample);
}

static void what_is_no_trace_cannot_be_checked(void **state)
{
	struct byte_source *source;
	struct trace_checking *checking = NULL;

	(void)state;
	assert_int_equal(byte_source_open_memory(&source, "hello, world", 12, NULL), LO_OK);
	assert_int_equal(trace_checking_open(&checking, source, NULL, NULL), LO_UNSUPPORTED);
	assert_null(checking);
	trace_checking_close(NULL);
}

static void a_failing_disk_is_a_failure_of_the_check(void **state)
{
	struct trace_sample sample;
	struct trace_checking *checking;
	struct findings findings = { .problems = 0 };
	struct trace_check_listener listener = { note, &findings };
	struct trace_check_result result;
	struct byte_source *source;
	struct fault fault = { .kind = FAULT_READ };
	const struct sample_section *block;

	(void)state;
	trace_sample_init(&sample, 2, 5000, 24); /* more than a scan of headers reads */
	for (block = sample.sections; block->type != SECTION_BLOCK; block++)
		;
	fault.offset = block->offset + block->bytes - 1;
	fault.size = 1;
	fault_source_open(&source, sample.file.bytes, sample.file.size, fault);
	assert_int_equal(trace_checking_open(&checking, source, NULL, NULL), LO_OK);
	assert_int_equal(trace_checking_run(checking, 1, &listener, &result, NULL), LO_IO);
	trace_checking_close(checking);
	trace_sample_release(&sample);
}

/* What only these checks see: every checksum is right. */
static void events_that_name_missing_things_are_found(void **state)
{
	static const uint8_t tasks[] = { 1, 3 };
	static const uint8_t kinds[] = { 0, 0 };
	static const uint8_t stacks[] = { 1, 2 };
	static const uint8_t stack_rows[] = { 1, 2 * 9 };
	const struct forged_column columns[] = { { 1, 1, tasks, 2, 0 }, { 2, 0, kinds, 2, 0 },
		{ 4, 1, stacks, 2, 0 } };
	struct forge forge;
	struct findings findings;

	(void)state;
	forge_init(&forge);
	forge_schema(&forge);
	forge_raw_table(&forge, SECTION_STACKS, 1, 1, stack_rows, 2, 2);
	forge_block(&forge, 0, 1, 2, columns, 3, NULL, 0);
	forge_end(&forge, 1);
	findings = check_bytes(&forge.file);
	/* The forged header names no tasks; one stack has no frame, one does not exist. */
	assert_string_equal(findings.damaged, "blocks ids ");
	assert_non_null(strstr(findings.first_sentence, "tasks 0 to 0"));
	forge_release(&forge);
}

/* One task is made; a snapshot behind it tells `state` of `task`, which began `age` sections ago.
 */
static struct findings check_snapshot(uint8_t task, uint8_t state, uint8_t age, uint8_t highest)
{
	const uint8_t raw[] = { 1, (uint8_t)(task - 1), 1, state, 1, age, 1, highest };
	struct forged_column columns[] = { { COLUMN_TASK, ENCODING_VARINT, "\1", 1, 0 } };
	uint8_t extra[RANGE_EXTRA_BYTES] = { 0 };
	struct findings findings;
	struct forge forge;

	forge_init(&forge);
	forge_schema(&forge);
	forge_block(&forge, 0, 10, 1, columns, 1, NULL, 0);
	store_le64(extra + RANGE_AT_BEGIN_NS, 10);
	store_le64(extra + RANGE_AT_END_NS, 10);
	store_le32(extra + RANGE_AT_LOW, task);
	store_le32(extra + RANGE_AT_HIGH, task);
	forge_side(&forge, SECTION_SNAPSHOT, 1, extra, sizeof(extra), raw, sizeof(raw));
	forge_end(&forge, 20);
	findings = check_bytes(&forge.file);
	forge_release(&forge);
	return findings;
}

static void a_snapshot_that_contradicts_the_events_is_found(void **state)
{
	(void)state;
	assert_null(strstr(check_snapshot(1, 0, 1, 1).damaged, "snapshots "));
	assert_non_null(strstr(check_snapshot(1, 1, 1, 1).damaged, "snapshots "));
	assert_non_null(strstr(check_snapshot(2, 0, 1, 2).damaged, "snapshots "));
	assert_non_null(strstr(check_snapshot(1, 0, 2, 1).damaged, "snapshots "));
	assert_non_null(strstr(check_snapshot(1, 0, 1, 2).damaged, "snapshots "));
}

/* A checkpoint with a row for the schema, off by `more` bytes, and for nothing else if `all`. */
static struct findings check_checkpoint(uint32_t more, bool all)
{
	struct row_writer rows = { .schema = &row_schemas[SECTION_INDEX] };
	uint8_t extra[CHECKPOINT_EXTRA_BYTES] = { 0 };
	struct row row = { .number = { [INDEX_TYPE] = SECTION_SCHEMA } };
	struct findings findings;
	struct forge forge;

	forge_init(&forge);
	forge_schema(&forge);
	row.number[INDEX_BYTES] = forge.file.size + more;
	row.number[INDEX_ROWS] = load_le32(forge.file.bytes + SECTION_AT_ROWS);
	row_writer_put(&rows, &row);
	if (!all)
		forge_end(&forge, 10);
	forge_side(&forge, SECTION_CHECKPOINT, 1, extra, sizeof(extra), rows.bytes.bytes,
			rows.bytes.size);
	findings = check_bytes(&forge.file);
	row_writer_release(&rows);
	forge_release(&forge);
	return findings;
}

static void a_checkpoint_that_contradicts_the_file_is_found(void **state)
{
	(void)state;
	assert_null(strstr(check_checkpoint(0, true).damaged, "checkpoints "));
	assert_non_null(strstr(check_checkpoint(1, true).damaged, "checkpoints "));
	assert_non_null(strstr(check_checkpoint(0, false).damaged, "checkpoints "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_check_has_a_name_and_a_help),
		cmocka_unit_test(a_sound_trace_passes_every_check),
		cmocka_unit_test(damage_is_told_once_with_its_place),
		cmocka_unit_test(a_cut_trace_has_no_end_and_no_index),
		cmocka_unit_test(a_trace_without_its_schema_cannot_be_checked_further),
		cmocka_unit_test(what_is_no_trace_cannot_be_checked),
		cmocka_unit_test(a_failing_disk_is_a_failure_of_the_check),
		cmocka_unit_test(events_that_name_missing_things_are_found),
		cmocka_unit_test(a_snapshot_that_contradicts_the_events_is_found),
		cmocka_unit_test(a_checkpoint_that_contradicts_the_file_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
