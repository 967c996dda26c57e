#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "formats/base/checksum.h"
#include "formats/base/macros.h"
#include "tests/support/generator/dice.h"
#include "tests/support/generator/trace_generator.h"

/* So many that there is time for what is planted. */
static uint64_t events_of(enum generator_profile profile)
{
	return profile == PROFILE_MANY_SHORT ? 200000 : 30000;
}

static void numbers_stay_below_their_limit_and_reach_it(void **state)
{
	struct dice dice = dice_for(1, 1);
	unsigned seen[7] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 7000; i++) {
		uint32_t number = dice_below(&dice, 7);

		assert_in_range(number, 0, 6);
		seen[number]++;
	}
	for (unsigned i = 0; i < 7; i++)
		assert_in_range(seen[i], 850, 1150);
}

static void low_ranks_are_the_most_likely(void **state)
{
	struct dice dice = dice_for(1, 2);
	unsigned seen[100] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t rank = dice_rank(&dice, 100);

		assert_in_range(rank, 0, 99);
		seen[rank]++;
	}
	assert_true(seen[0] > 5 * seen[9]);
	assert_true(seen[9] > 5 * seen[99]);
	assert_true(seen[99] > 0);
	assert_int_equal(dice_rank(&dice, 1), 0);
	assert_int_equal(dice_rank(&dice, 0), 0);
}

static void times_have_the_mean_that_is_asked_for(void **state)
{
	static const uint64_t means[] = { 100, 12345, 1000000000 };

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(means); i++) {
		struct dice dice = dice_for(1, 3);
		uint64_t sum = 0;

		for (unsigned k = 0; k < 100000; k++)
			sum += dice_time(&dice, means[i]);
		assert_in_range(sum / 100000, means[i] / 100 * 94, means[i] / 100 * 106);
	}
}

struct digest {
	struct byte_buffer events;
};

static void keep_event(void *context, const struct event *event)
{
	struct digest *digest = context;

	byte_buffer_put(&digest->events, event, sizeof(*event));
}

/* A checksum of all events. */
static uint64_t digest_of(enum generator_profile profile, uint64_t seed, struct truth *truth)
{
	struct digest digest = { 0 };
	struct generator_options options = { .profile = profile,
		.seed = seed,
		.events = events_of(profile),
		.tasks = profile == PROFILE_MANY_ALIVE ? 500 : 0,
		.plants = PLANT_ALL,
		.watch = keep_event,
		.watch_context = &digest };
	struct byte_buffer file = { 0 };
	struct byte_sink *sink = NULL;
	struct trace_writer *writer = NULL;
	struct generated done;
	uint64_t sum;

	assert_int_equal(byte_sink_open_buffer(&sink, &file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	assert_int_equal(generate_trace(&options, writer, truth, &done, NULL), LO_OK);
	assert_in_range(done.events, events_of(profile), events_of(profile) + 64);
	assert_int_equal(digest.events.size, done.events * sizeof(struct event));
	sum = checksum64(digest.events.bytes, digest.events.size);
	trace_writer_close(writer);
	byte_buffer_release(&file);
	byte_buffer_release(&digest.events);
	return sum;
}

static void the_seed_alone_decides_what_happens(void **state)
{
	(void)state;
	for (unsigned profile = 0; profile < PROFILE_COUNT; profile++) {
		static struct truth truth;
		uint64_t sum = digest_of((enum generator_profile)profile, 5, &truth);

		truth_release(&truth);
		assert_true(sum == digest_of((enum generator_profile)profile, 5, NULL));
		assert_true(sum != digest_of((enum generator_profile)profile, 6, NULL));
	}
}

static void every_profile_brings_what_is_planted(void **state)
{
	(void)state;
	for (unsigned profile = 0; profile < PROFILE_COUNT; profile++) {
		static struct truth truth;

		digest_of((enum generator_profile)profile, 9, &truth);
		assert_int_equal(truth.cycle_length, 3);
		assert_true(truth.burst.tasks >= 300);
		assert_true(truth.leaks.tasks >= 50);
		assert_true(truth.instant_count >= TRUTH_INSTANTS - 1);
		truth_release(&truth);
	}
}

static void profiles_are_complete_and_found_by_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		const struct profile *profile = &profiles[i];

		assert_int_equal(generator_profile_by_name(profile->name), i);
		assert_true(profile->cpus > 0 && profile->tasks > 0 && profile->events > 0);
		for (uint32_t role = 0; role < profile->role_count; role++) {
			assert_non_null(profile->roles[role].name);
			assert_non_null(profile->roles[role].entry);
			for (uint32_t k = 0; k < profile->roles[role].op_count; k++)
				assert_true(profile->roles[role].ops[k].code < OP_CODE_COUNT);
		}
		for (uint32_t group = 0; group < profile->group_count; group++)
			assert_non_null(profile->groups[group].leaf);
	}
	assert_int_equal(generator_profile_by_name("nothing"), PROFILE_COUNT);
}

#define DISK_BYTES 20000u

/* A disk with room for the first 20,000 bytes. */
static enum lo_result refuse_more(
		struct byte_sink *sink, const void *bytes, size_t size, struct lo_error *err)
{
	(void)bytes;
	if (sink->written + size > DISK_BYTES)
		return lo_fail(err, LO_IO, LO_NO_OFFSET, "full");
	return LO_OK;
}

static enum lo_result close_disk(struct byte_sink *sink, struct lo_error *err)
{
	(void)err;
	free(sink);
	return LO_OK;
}

static void a_full_disk_ends_it(void **state)
{
	static const struct byte_sink_ops ops = { refuse_more, close_disk };
	struct generator_options options = { .seed = 1, .events = 1000000 };
	struct byte_sink *sink = calloc(1, sizeof(*sink));
	struct trace_writer *writer = NULL;
	struct lo_error err = { 0 };

	(void)state;
	assert_non_null(sink);
	sink->ops = &ops;
	assert_int_equal(trace_writer_open(&writer, sink, &err), LO_OK);
	assert_int_equal(generate_trace(&options, writer, NULL, NULL, &err), LO_IO);
	assert_string_equal(err.message, "full");
	trace_writer_close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_stay_below_their_limit_and_reach_it),
		cmocka_unit_test(low_ranks_are_the_most_likely),
		cmocka_unit_test(times_have_the_mean_that_is_asked_for),
		cmocka_unit_test(the_seed_alone_decides_what_happens),
		cmocka_unit_test(every_profile_brings_what_is_planted),
		cmocka_unit_test(profiles_are_complete_and_found_by_name),
		cmocka_unit_test(a_full_disk_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
