#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/ring/segment.h"

static struct segment_owner owner;

static int set_up(void **state)
{
	const struct segment_options options = { SEGMENT_CLOCK_TSC, 4200, 33, 1 };

	(void)state;
	return segment_create(&owner, &options);
}

static int tear_down(void **state)
{
	(void)state;
	segment_release(&owner);
	return 0;
}

static void the_header_says_what_was_asked_for(void **state)
{
	const struct segment_header *header = &owner.segment->header;

	(void)state;
	assert_true(header->magic == SEGMENT_MAGIC);
	assert_int_equal(header->version, SEGMENT_VERSION);
	assert_int_equal(header->bytes, sizeof(struct segment));
	assert_int_equal(header->clock, SEGMENT_CLOCK_TSC);
	assert_int_equal(header->io_threshold_ticks, 4200);
	assert_int_equal(header->stack_depth, 33);
	assert_int_equal(header->follow_children, 1);
	assert_int_equal(header->recording, 1);
	assert_true(header->token == owner.token);
}

static void another_process_reaches_it_by_path_but_not_by_inheritance(void **state)
{
	char path[64];
	int fd;
	struct segment_header *header;

	(void)state;
	assert_true(fcntl(owner.fd, F_GETFD) & FD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), owner.fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	header = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(header != MAP_FAILED);
	header->ring_hint = 77;
	assert_int_equal(owner.segment->header.ring_hint, 77);
	munmap(header, 4096);
	close(fd);
}

static void nobody_can_cut_it_short(void **state)
{
	(void)state;
	assert_int_not_equal(ftruncate(owner.fd, 4096), 0);
	assert_int_not_equal(ftruncate(owner.fd, 2 * sizeof(struct segment)), 0);
	owner.segment->rings[SEGMENT_RINGS - 1].head = 1;
	assert_int_equal(owner.segment->rings[SEGMENT_RINGS - 1].head, 1);
}

static uint64_t resident_pages(void)
{
	struct stat status;

	assert_int_equal(fstat(owner.fd, &status), 0);
	return (uint64_t)status.st_blocks * 512 / 4096;
}

static void dropped_memory_is_given_back_and_reads_as_zeros(void **state)
{
	struct ring *ring = &owner.segment->rings[9];
	size_t slots = (size_t)((char *)ring->slots - (char *)owner.segment);
	uint64_t before;

	(void)state;
	for (uint32_t i = 0; i < RING_CAPACITY; i++)
		ring->slots[i].time_ns = i + 1;
	ring->head = 5;
	before = resident_pages();
	segment_drop(&owner, slots, sizeof(ring->slots));
	assert_int_equal(before - resident_pages(), 15); /* the header's page stays */
	assert_int_equal(ring->head, 5);
	assert_int_equal(ring->slots[0].time_ns, 1);
	assert_int_equal(ring->slots[RING_CAPACITY - 1].time_ns, 0);
}

static void two_segments_have_different_tokens(void **state)
{
	const struct segment_options options = { 0 };
	struct segment_owner other;

	(void)state;
	assert_int_equal(segment_create(&other, &options), 0);
	assert_true(other.token != owner.token);
	segment_release(&other);
}

int main(void)
{
#define TEST(behaviour) cmocka_unit_test_setup_teardown(behaviour, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_header_says_what_was_asked_for),
		TEST(another_process_reaches_it_by_path_but_not_by_inheritance),
		TEST(nobody_can_cut_it_short),
		TEST(dropped_memory_is_given_back_and_reads_as_zeros),
		TEST(two_segments_have_different_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
