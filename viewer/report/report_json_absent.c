#include "viewer/report/report.h"

/* In the place of report_json.c where jansson is not. */
enum lo_result report_write_json(const struct report *report, FILE *out, struct lo_error *err)
{
	(void)report;
	(void)out;
	return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
			"this build cannot write JSON: jansson was missing when it was made; "
			"leave out --json for the text form");
}
