#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/byte_source.h"
#include "tests/support/fault_source.h"
#include "tests/support/trace_builder.h"
#include "tests/unit/viewer/analysis/analysed.h"
#include "viewer/analysis/losses.h"

static void losses_are_a_finding_with_their_causes(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@1s lost 5 ring full\n"
						   "@1s lost 2 in a signal handler\n"
						   "@1500ms block T1 for sleep\n"
						   "@2s flush\n"
						   "@3s unblock T1 timed out\n"
						   "@4s end\n");
	const struct finding *finding = finding_of(analysis, FINDING_LOSS);

	(void)state;
	assert_int_equal(analysis->lost_total, 7);
	assert_int_equal(analysis->finding_count, 1);
	assert_non_null(finding);
	assert_int_equal(finding->severity, 1);
	assert_non_null(strstr(finding->summary, "7 events"));
	assert_true(why_has(finding, "5 lost: ring full"));
	assert_true(why_has(finding, "2 lost: in a signal handler"));
	assert_true(finding->since_ns <= 1000000000);
	assert_in_range(finding->until_ns, 1000000000, 2000000000);
	assert_int_equal(finding->task_count, 0);
}

static void without_losses_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(analysed("@0 run T1 existing\n@1s end\n")->finding_count, 0);
}

static void a_loss_before_a_wait_does_not_touch_it(void **state)
{
	const struct analysis *analysis = analysed(
			"program shop\n"
			"@0 run T1 existing\n"
			"@1ms lost 5 ring full\n"
			"@2ms flush\n"
			"@100ms exit T2\n"
			"@500ms block T1 mutex 0x10 held T2 at main>lock\n"
			"@2s end\n");

	(void)state;
	assert_non_null(finding_of(analysis, FINDING_STUCK));
}

static void a_loss_during_a_wait_leaves_it_unjudged(void **state)
{
	const struct analysis *analysis = analysed(
			"program shop\n"
			"@0 run T1 existing\n"
			"@100ms exit T2\n"
			"@500ms block T1 mutex 0x10 held T2 at main>lock\n"
			"@501ms flush\n"
			"@1s run T3\n"
			"@1s lost 5 ring full\n"
			"@2s end\n");

	(void)state;
	assert_null(finding_of(analysis, FINDING_STUCK));
	assert_non_null(strstr(parked_with(analysis, 1)->why, "lost"));
}

/* --- damage
 * --------------------------------------------------------------------------------------- */

static const char damaged_text[] = "program shop\n"
				   "@0 run T1 existing\n"
				   "@1ms run T2\n"
				   "@2ms run T3\n"
				   "@100ms exit T3\n"
				   "@200ms block T1 mutex 0x10 held T3 at main>lock\n"
				   "@300ms flush\n"
				   "@400ms block T2 for sleep at worker\n"
				   "@500ms unblock T2 timed out\n"
				   "@600ms flush\n"
				   "@700ms block T2 mutex 0x10 held T3 at worker>other>lock\n"
				   "@4s end\n";

static struct trace_reader *reader;
static struct analysis *analysis;
static struct byte_buffer file;

static uint64_t block_offset(unsigned number, uint64_t *bytes)
{
	struct trace_section section;

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++)
		if (strcmp(section.name, "block") == 0 && number-- == 0) {
			*bytes = section.bytes;
			return section.offset;
		}
	fail();
	return 0;
}

static void open_with(struct fault fault)
{
	struct byte_source *source = NULL;

	trace_reader_close(reader);
	fault_source_open(&source, file.bytes, file.size, fault);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
}

/* Analyses the trace with a flipped bit `back` bytes before the end of block `number`. */
static void analyse_damaged(unsigned number, bool header)
{
	struct fault fault = { .kind = FAULT_FLIP, .bit = 3 };
	uint64_t bytes = 0;

	analysis_free(analysis);
	analysis = NULL;
	trace_reader_close(reader);
	byte_buffer_release(&file);
	reader = trace_from_text(damaged_text);
	fault.offset = block_offset(number, &bytes);
	fault.offset += header ? 12 : bytes - 1;
	trace_text_to_bytes(damaged_text, &file);
	open_with(fault);
	assert_int_equal(analysis_new(&analysis, reader, NULL, NULL), LO_OK);
}

static void a_wait_across_damage_is_not_judged(void **state)
{
	(void)state;
	for (int header = 0; header <= 1; header++) {
		analyse_damaged(1, header);
		assert_null(finding_with(analysis, FINDING_STUCK, 1));
		assert_non_null(finding_with(analysis, FINDING_STUCK, 2)); /* began after it */
		assert_non_null(strstr(parked_with(analysis, 1)->why, "lost"));
	}
}

static void a_file_cut_in_a_block_is_judged_up_to_there(void **state)
{
	uint64_t bytes = 0;

	(void)state;
	analyse_damaged(2, false); /* for the offsets */
	open_with((struct fault){
			.kind = FAULT_CUT, .offset = block_offset(2, &bytes) + bytes / 2 });
	analysis_free(analysis);
	assert_int_equal(analysis_new(&analysis, reader, NULL, NULL), LO_OK);
	assert_null(finding_of(analysis, FINDING_LOSS));
	assert_int_equal(analysis->tasks[1].state, TASK_STATE_BLOCKED);
	assert_non_null(finding_with(analysis, FINDING_STUCK, 1));
}

static void damaged_blocks_are_told_with_their_events(void **state)
{
	(void)state;
	analyse_damaged(1, false);
	assert_non_null(finding_of(analysis, FINDING_LOSS));
	assert_true(why_has(finding_of(analysis, FINDING_LOSS), "2 cannot be read"));
	assert_int_equal(analysis->lost_total, 0); /* by the recorder */
}

static int tear_down(void **state)
{
	(void)state;
	analysed(NULL);
	analysis_free(analysis);
	trace_reader_close(reader);
	byte_buffer_release(&file);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(losses_are_a_finding_with_their_causes),
		cmocka_unit_test(without_losses_there_is_none),
		cmocka_unit_test(a_loss_before_a_wait_does_not_touch_it),
		cmocka_unit_test(a_loss_during_a_wait_leaves_it_unjudged),
		cmocka_unit_test(a_wait_across_damage_is_not_judged),
		cmocka_unit_test(a_file_cut_in_a_block_is_judged_up_to_there),
		cmocka_unit_test(damaged_blocks_are_told_with_their_events),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
