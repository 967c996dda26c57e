#include "viewer/cli/exit_codes.h"
#include "viewer/cli/info_json.h"

int print_info_json(FILE *out, const char *program, struct trace_reader *reader)
{
	(void)out;
	(void)reader;
	fprintf(stderr, "%s: this build cannot write JSON (it was built without jansson)\n",
			program);
	return LOITER_EXIT_FAILURE;
}
