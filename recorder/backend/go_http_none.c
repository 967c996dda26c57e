#include "recorder/backend/go_http.h"

/* What is left of fetching in a build without libcurl. */

static enum lo_result cannot(struct lo_error *err)
{
	return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
			"this build cannot fetch, as it was made without libcurl; fetch the file with "
			"another program and open it with loiter");
}

enum lo_result go_address_parse(struct go_address *address, const char *text,
		enum go_profile profile, uint32_t seconds, struct lo_error *err)
{
	(void)text;
	(void)profile;
	*address = (struct go_address){ .seconds = seconds };
	return cannot(err);
}

enum lo_result go_http_fetch(int descriptor, const struct go_http_request *request,
		struct go_http_answer *answer, struct lo_error *err)
{
	(void)descriptor;
	(void)request;
	*answer = (struct go_http_answer){ 0 };
	return cannot(err);
}
