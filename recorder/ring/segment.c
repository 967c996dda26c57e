#include "recorder/ring/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define PAGE_BYTES 4096u

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008u
#endif

/* Newer kernels want to be told that the memory never becomes a program; older refuse the flag. */
static int create_memory_file(void)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("loiter-segment", flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("loiter-segment", flags);
	return fd;
}

/* A traced process opens the file for writing: without the seals it could shrink it under us. */
static int size_and_seal(int fd)
{
	if (ftruncate(fd, (off_t)sizeof(struct segment)) != 0)
		return errno;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return errno;
	return 0;
}

static void fill_header(const struct segment_owner *owner, const struct segment_options *options)
{
	struct segment_header *header = &owner->segment->header;

	header->magic = SEGMENT_MAGIC;
	header->version = SEGMENT_VERSION;
	header->clock = (uint32_t)options->clock;
	header->bytes = sizeof(struct segment);
	header->token = owner->token;
	header->io_threshold_ticks = options->io_threshold_ticks;
	header->stack_depth = options->stack_depth;
	header->follow_children = options->follow_children;
	atomic_store_explicit(&header->recording, 1, memory_order_release);
}

int segment_create(struct segment_owner *owner, const struct segment_options *options)
{
	int error;

	*owner = (struct segment_owner){ .fd = -1 };
	if (getrandom(&owner->token, sizeof(owner->token), 0) != sizeof(owner->token))
		return errno;
	owner->fd = create_memory_file();
	if (owner->fd < 0)
		return errno;
	error = size_and_seal(owner->fd);
	if (error == 0) {
		void *memory = mmap(NULL, sizeof(struct segment), PROT_READ | PROT_WRITE,
				MAP_SHARED, owner->fd, 0);
		if (memory != MAP_FAILED) {
			owner->segment = memory;
			fill_header(owner, options);
			return 0;
		}
		error = errno;
	}
	segment_release(owner);
	return error;
}

void segment_release(struct segment_owner *owner)
{
	if (owner->segment) {
		munmap(owner->segment, sizeof(struct segment));
		close(owner->fd);
	} else if (owner->fd > 0) {
		close(owner->fd);
	}
	*owner = (struct segment_owner){ .fd = -1 };
}

void segment_drop(const struct segment_owner *owner, size_t offset, size_t bytes)
{
	size_t begin = (offset + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	size_t end = (offset + bytes) / PAGE_BYTES * PAGE_BYTES;

	if (begin >= end)
		return;
	if (fallocate(owner->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)begin,
			    (off_t)(end - begin)) != 0)
		memset((char *)owner->segment + begin, 0, end - begin);
}
