/*
 * Runs a program under the preload library and prints what it recorded. Usage:
 *
 *     shim_record [OPTION...] LIBRARY PROGRAM [ARGUMENT...]
 *
 *     -f       follow children
 *     -m       monotonic clock instead of the counter
 *     -s       empty the rings only at the end
 *     -t NS    threshold of I/O calls (default 1000000)
 *     -d N     depth of stacks (default 0)
 *     -x MS    stop recording after so many milliseconds
 *     -w WHAT  damage: 1..6, see enum shim_damage
 *     -q       print only the figures
 */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/shim_recording.h"

int main(int argc, char **argv)
{
	struct shim_options options = {
		.clock = SEGMENT_CLOCK_TSC,
		.io_threshold_ns = 1000000,
	};
	struct shim_recording recording;
	bool quiet = false;
	int option;

	while ((option = getopt(argc, argv, "+fmsqt:d:x:w:")) != -1)
		switch (option) {
		case 'f':
			options.follow_children = true;
			break;
		case 'm':
			options.clock = SEGMENT_CLOCK_MONOTONIC;
			break;
		case 's':
			options.slow = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 't':
			options.io_threshold_ns = strtoull(optarg, NULL, 10);
			break;
		case 'd':
			options.stack_depth = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'x':
			options.stop_ms = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'w':
			options.damage = (enum shim_damage)strtoul(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	if (argc - optind < 2) {
		fputs("usage: shim_record [OPTION...] LIBRARY PROGRAM [ARGUMENT...]\n", stderr);
		return 2;
	}
	options.library = argv[optind];
	shim_recording_run(&recording, &options, argv + optind + 1);
	fflush(stdout);
	if (!quiet)
		shim_recording_print(&recording, stderr);
	fprintf(stderr,
			"records %zu taken %" PRIu64 " lost: full %" PRIu64 " nested %" PRIu64
			" no-ring %" PRIu64 "; broken %" PRIu64 "\n",
			recording.count, recording.taken, recording.lost_full,
			recording.lost_nested, recording.lost_no_ring, recording.failures);
	int status = recording.status;
	shim_recording_release(&recording);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
