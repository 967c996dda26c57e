#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/model/event.h"
#include "formats/native/trace_reader.h"
#include "tests/support/trace_builder.h"
#include "tests/unit/viewer/analysis/analysed.h"
#include "viewer/analysis/flame.h"

static struct trace_reader *reader;

static struct flame *flame_of(const char *text, struct time_span span, uint32_t task)
{
	struct flame *flame = NULL;

	trace_reader_close(reader);
	reader = trace_from_text(text);
	assert_int_equal(flame_new(&flame, reader, span, task, NULL, NULL), LO_OK);
	return flame;
}

static uint32_t child(const struct flame *flame, uint32_t parent, const char *name)
{
	for (uint32_t i = flame->nodes[parent].first_child; i; i = flame->nodes[i].next_sibling)
		if (strcmp(flame_name(flame, &flame->nodes[i]), name) == 0)
			return i;
	return 0;
}

/* Follows "main/worker/mutex lock" from the root; 0 when there is no such way. */
static uint32_t node_at(const struct flame *flame, const char *path)
{
	char copy[256];
	uint32_t node = 0;

	strcpy(copy, path);
	for (char *name = strtok(copy, "/"); name; name = strtok(NULL, "/")) {
		node = child(flame, node, name);
		if (!node)
			return 0;
	}
	return node;
}

static void check_tree(const struct flame *flame)
{
	for (uint32_t i = 0; i < flame->node_count; i++) {
		const struct flame_node *node = &flame->nodes[i];
		uint64_t children_ns = 0;
		uint64_t last_ns = UINT64_MAX;

		for (uint32_t c = node->first_child; c; c = flame->nodes[c].next_sibling) {
			assert_int_equal(flame->nodes[c].parent, i);
			assert_int_equal(flame->nodes[c].depth, node->depth + 1);
			assert_true(flame->nodes[c].total_ns <= last_ns);
			last_ns = flame->nodes[c].total_ns;
			children_ns += last_ns;
		}
		assert_true(children_ns <= node->total_ns);
		assert_true(node->depth <= flame->max_depth);
	}
}

#define SHOP                                                          \
	"program shop\n"                                              \
	"module libc /lib/libc.so.6 system\n"                         \
	"@0 run T1 existing\n"                                        \
	"@1ms create T2 by T1 at main\n"                              \
	"@10ms block T2 mutex 0x10 at main>worker(a.c:1)>lock!libc\n" \
	"@20ms unblock T2 by T1\n"                                    \
	"@30ms block T2 mutex 0x10 at main>worker(a.c:2)>lock!libc\n" \
	"@35ms unblock T2 by T1\n"                                    \
	"@40ms block T2 cond 0x20 at main>worker(a.c:3)>wait!libc\n"  \
	"@50ms block T1 for sleep at main>sleep!libc\n"               \
	"@140ms end\n"

static void lines_of_one_function_are_one_frame(void **state)
{
	struct flame *flame = flame_of(SHOP, TIME_SPAN_ALL, TASK_NONE);
	uint32_t lock = node_at(flame, "main/worker/lock/mutex lock");
	uint32_t wait = node_at(flame, "main/worker/wait/cond wait");

	(void)state;
	check_tree(flame);
	assert_int_not_equal(lock, 0);
	assert_int_equal(flame->nodes[lock].total_ns, 15000000);
	assert_int_equal(flame->nodes[lock].blocks, 2);
	assert_int_equal(flame->nodes[lock].stuck, 0);
	assert_int_not_equal(wait, 0);
	assert_int_equal(flame->nodes[wait].total_ns, 100000000);
	assert_int_equal(flame->nodes[wait].stuck, 1);
	assert_int_equal(flame->nodes[0].total_ns, 205000000);
	assert_int_equal(flame->nodes[0].blocks, 4);
	assert_int_equal(flame->nodes[0].stuck, 2);
	assert_int_equal(flame->nodes[node_at(flame, "main/worker")].total_ns, 115000000);
	/* The larger child comes first. */
	assert_string_equal(flame_name(flame, &flame->nodes[flame->nodes[node_at(flame, "main")]
									      .first_child]),
			"worker");
	flame_free(flame);
}

static void a_span_cuts_waits_at_both_ends(void **state)
{
	struct flame *flame = flame_of(SHOP, (struct time_span){ 15000000, 45000000 }, TASK_NONE);

	(void)state;
	check_tree(flame);
	assert_int_equal(flame->nodes[0].total_ns, 15000000);
	assert_int_equal(flame->nodes[0].blocks, 3);
	assert_int_equal(flame->nodes[0].stuck, 1);
	assert_int_equal(node_at(flame, "main/sleep"), 0);
	flame_free(flame);
}

static void one_task_has_a_flame_of_its_own(void **state)
{
	struct flame *flame = flame_of(SHOP, TIME_SPAN_ALL, 1);

	(void)state;
	assert_int_equal(flame->nodes[0].total_ns, 90000000);
	assert_int_not_equal(node_at(flame, "main/sleep/sleep"), 0);
	assert_int_equal(node_at(flame, "main/worker"), 0);
	flame_free(flame);
}

static void recursion_is_folded_and_inlined_functions_are_frames(void **state)
{
	struct flame *flame = flame_of("program shop\n"
				       "@0 run T1 existing\n"
				       "@1ms block T1 mutex 0x10 at main>walk(a.c:1)>walk(a.c:1)>"
				       "walk(a.c:9)>step~advance\n"
				       "@2ms unblock T1\n"
				       "@3ms block T1 mutex 0x10 at main>walk(a.c:1)>step~advance\n"
				       "@4ms unblock T1\n",
			TIME_SPAN_ALL, TASK_NONE);
	uint32_t node = node_at(flame, "main/walk/advance/step/mutex lock");

	(void)state;
	check_tree(flame);
	assert_int_not_equal(node, 0);
	assert_int_equal(flame->nodes[node].blocks, 2);
	assert_int_equal(flame->node_count, 6);
	flame_free(flame);
}

static void equal_names_of_two_modules_are_two_frames(void **state)
{
	struct flame *flame = flame_of("program shop\n"
				       "module liba /usr/lib/liba.so\n"
				       "module libb /usr/lib/libb.so\n"
				       "@0 run T1 existing\n"
				       "@1ms block T1 mutex 0x10 at main>init!liba\n"
				       "@2ms unblock T1\n"
				       "@3ms block T1 mutex 0x10 at main>init!libb\n"
				       "@4ms unblock T1\n",
			TIME_SPAN_ALL, TASK_NONE);
	uint32_t init = flame->nodes[node_at(flame, "main")].first_child;

	(void)state;
	assert_string_equal(flame_name(flame, &flame->nodes[init]), "init");
	init = flame->nodes[init].next_sibling;
	assert_string_equal(flame_name(flame, &flame->nodes[init]), "init");
	flame_free(flame);
}

static void a_wait_without_stack_hangs_on_the_root(void **state)
{
	struct flame *flame = flame_of("@5ms unblock T1\n@6ms end\n", TIME_SPAN_ALL, TASK_NONE);

	(void)state;
	assert_int_equal(flame->node_count, 2);
	assert_int_equal(flame->nodes[1].total_ns, 5000000);
	assert_int_equal(flame->nodes[1].depth, 1);
	flame_free(flame);
}

static void a_trace_without_waits_has_only_a_root(void **state)
{
	struct flame *flame = flame_of("@0 run T1 existing\n@1s end\n", TIME_SPAN_ALL, TASK_NONE);

	(void)state;
	assert_int_equal(flame->node_count, 1);
	assert_int_equal(flame->nodes[0].parent, 0);
	assert_int_equal(flame->nodes[0].first_child, 0);
	flame_free(flame);
}

static void the_flame_has_all_the_blocked_time_of_the_analysis(void **state)
{
	const struct analysis *analysis = analysed(SHOP "@145ms process exited 0\n"
							"@200ms end\n");
	struct flame *flame = flame_of(
			SHOP "@145ms process exited 0\n@200ms end\n", TIME_SPAN_ALL, TASK_NONE);
	uint64_t total_ns = 0;

	(void)state;
	for (uint32_t i = 0; i < analysis->blocked_count; i++)
		total_ns += analysis->blocked[i].total_ns;
	assert_int_equal(flame->nodes[0].total_ns, total_ns);
	flame_free(flame);
}

static bool refuse(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	(void)done;
	(void)total;
	return false;
}

static void it_stops_on_request(void **state)
{
	struct progress progress = { refuse, NULL };
	struct flame *flame = NULL;

	(void)state;
	trace_reader_close(reader);
	reader = trace_from_text(SHOP);
	assert_int_equal(flame_new(&flame, reader, TIME_SPAN_ALL, TASK_NONE, &progress, NULL),
			LO_CANCELLED);
	assert_null(flame);
}

static int tear_down(void **state)
{
	(void)state;
	trace_reader_close(reader);
	analysed(NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_one_function_are_one_frame),
		cmocka_unit_test(a_span_cuts_waits_at_both_ends),
		cmocka_unit_test(one_task_has_a_flame_of_its_own),
		cmocka_unit_test(recursion_is_folded_and_inlined_functions_are_frames),
		cmocka_unit_test(equal_names_of_two_modules_are_two_frames),
		cmocka_unit_test(a_wait_without_stack_hangs_on_the_root),
		cmocka_unit_test(a_trace_without_waits_has_only_a_root),
		cmocka_unit_test(the_flame_has_all_the_blocked_time_of_the_analysis),
		cmocka_unit_test(it_stops_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
