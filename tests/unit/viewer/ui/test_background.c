#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "viewer/ui/background.h"

/* Sleeps, without a time limit, until the worker has something to say. */
static void await_news(struct background *background)
{
	struct pollfd news = { .fd = background->wake_fd, .events = POLLIN };

	while (poll(&news, 1, -1) < 1)
		continue;
}

static void await_end(struct background *background, enum lo_result *result, struct lo_error *err)
{
	while (!background_take(background, result, err))
		await_news(background);
}

static enum lo_result count_to_ten(
		void *context, const struct progress *progress, struct lo_error *err)
{
	(void)err;
	for (int i = 0; i < 10; i++) {
		++*(int *)context;
		if (!progress_step(progress, (uint64_t)i + 1, 10))
			return LO_CANCELLED;
	}
	return LO_OK;
}

static enum lo_result go_on_for_ever(
		void *context, const struct progress *progress, struct lo_error *err)
{
	(void)err;
	while (progress_step(progress, 1, 2))
		*(int *)context = 1;
	return LO_CANCELLED;
}

static enum lo_result fail_at_once(
		void *context, const struct progress *progress, struct lo_error *err)
{
	(void)context;
	(void)progress;
	return lo_fail(err, LO_CORRUPT, 42, "it is %s", "broken");
}

static void work_is_done_and_taken_once(void **state)
{
	struct background background;
	enum lo_result result = LO_END;
	struct lo_error err;
	int count = 0;

	(void)state;
	assert_int_equal(background_init(&background, NULL), LO_OK);
	for (int round = 1; round <= 3; round++) {
		assert_int_equal(background_start(&background, count_to_ten, &count, NULL), LO_OK);
		await_end(&background, &result, &err);
		assert_int_equal(result, LO_OK);
		assert_int_equal(count, 10 * round);
		assert_int_equal(background_percent(&background), 100);
		assert_false(background_take(&background, &result, &err));
	}
	background_release(&background);
}

static void a_failure_keeps_its_sentence(void **state)
{
	struct background background;
	enum lo_result result = LO_OK;
	struct lo_error err = { 0 };

	(void)state;
	background_init(&background, NULL);
	background_start(&background, fail_at_once, NULL, NULL);
	await_end(&background, &result, &err);
	assert_int_equal(result, LO_CORRUPT);
	assert_int_equal(err.offset, 42);
	assert_string_equal(err.message, "it is broken");
	background_release(&background);
}

static void stopping_waits_until_the_worker_has_stopped(void **state)
{
	struct background background;
	enum lo_result result;
	struct lo_error err;
	int touched = 0;

	(void)state;
	background_init(&background, NULL);
	background_start(&background, go_on_for_ever, &touched, NULL);
	await_news(&background); /* the first step was taken */
	assert_false(background_take(&background, &result, &err));
	background_stop(&background);
	touched = 7;
	assert_false(background_take(&background, &result, &err));
	assert_int_equal(touched, 7);
	background_start(&background, go_on_for_ever, &touched, NULL);
	background_release(&background);
	background_release(&background);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_is_done_and_taken_once),
		cmocka_unit_test(a_failure_keeps_its_sentence),
		cmocka_unit_test(stopping_waits_until_the_worker_has_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
