#include "recorder/backend/go_address.h"

#include <curl/curl.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIX_PREFIX "unix:"

static enum lo_result no_address(const char *text, const char *why, struct lo_error *err)
{
	return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
			"'%.100s' is no address of a Go program (%s): wanted is one like "
			"http://localhost:6060 or unix:/run/shop.sock",
			text, why);
}

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t size = strlen(end);

	return length >= size && memcmp(text + length - size, end, size) == 0;
}

/* The path up to the folder of the profiles, without a slash at its end. */
static size_t folder_length(const char *path, bool *is_pprof)
{
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	*is_pprof = true;
	if (ends_with(path, length, "/trace"))
		return length - strlen("/trace");
	if (ends_with(path, length, "/goroutine"))
		return length - strlen("/goroutine");
	*is_pprof = ends_with(path, length, "/pprof");
	return length;
}

static CURLUcode set_path(CURLU *url, enum go_profile profile)
{
	const char *leaf = profile == GO_PROFILE_TRACE ? "trace" : "goroutine";
	char whole[GO_ADDRESS_MAX];
	bool is_pprof;
	char *path;
	int length;
	CURLUcode code = curl_url_get(url, CURLUPART_PATH, &path, 0);

	if (code != CURLUE_OK)
		return code;
	length = (int)folder_length(path, &is_pprof);
	length = snprintf(whole, sizeof(whole), "%.*s%s/%s", length, path,
			is_pprof ? "" : "/debug/pprof", leaf);
	curl_free(path);
	if (length < 0 || (size_t)length >= sizeof(whole))
		return CURLUE_BAD_PATH;
	return curl_url_set(url, CURLUPART_PATH, whole, 0);
}

static bool is_parameter(const char *text, size_t length, const char *name)
{
	size_t size = strlen(name);

	return length > size && memcmp(text, name, size) == 0 && text[size] == '=';
}

/* What is left of a query without the parameters that are ours. */
static void keep_others(const char *query, char *kept, uint32_t *seconds)
{
	size_t used = 0;

	for (const char *next = query; *next; next += *next == '&') {
		size_t length = strcspn(next, "&");

		if (is_parameter(next, length, "seconds")) {
			unsigned long value = strtoul(next + strlen("seconds="), NULL, 10);

			*seconds = value <= GO_SECONDS_MAX ? (uint32_t)value : GO_SECONDS_MAX;
		} else if (length > 0 && !is_parameter(next, length, "debug")) {
			if (used > 0)
				kept[used++] = '&';
			memcpy(kept + used, next, length);
			used += length;
		}
		next += length;
	}
	kept[used] = '\0';
}

static CURLUcode set_query(CURLU *url, enum go_profile profile, uint32_t *seconds)
{
	char kept[GO_ADDRESS_MAX] = "";
	char ours[32];
	uint32_t asked = 0;
	char *query;
	CURLUcode code = curl_url_get(url, CURLUPART_QUERY, &query, 0);

	if (code == CURLUE_OK) {
		if (strlen(query) < sizeof(kept))
			keep_others(query, kept, &asked);
		curl_free(query);
	} else if (code != CURLUE_NO_QUERY) {
		return code;
	}
	if (*seconds == 0)
		*seconds = asked ? asked : GO_SECONDS_DEFAULT;
	if (profile == GO_PROFILE_GOROUTINES)
		*seconds = 0;
	code = curl_url_set(url, CURLUPART_QUERY, kept[0] ? kept : NULL, 0);
	if (code != CURLUE_OK)
		return code;
	if (profile == GO_PROFILE_GOROUTINES)
		snprintf(ours, sizeof(ours), "debug=2");
	else
		snprintf(ours, sizeof(ours), "seconds=%" PRIu32, *seconds);
	return curl_url_set(url, CURLUPART_QUERY, ours, CURLU_APPENDQUERY);
}

/* The host and port, for messages and, with other characters made harmless, for a file name. */
static CURLUcode set_names(struct go_address *address, CURLU *url)
{
	char *host;
	char *port;
	CURLUcode code = curl_url_get(url, CURLUPART_HOST, &host, 0);

	if (code != CURLUE_OK)
		return code;
	code = curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
	if (code == CURLUE_OK) {
		snprintf(address->name, sizeof(address->name), "%.40s-%.8s", host, port);
		snprintf(address->shown, sizeof(address->shown), "%.150s:%.8s", host, port);
		curl_free(port);
	}
	curl_free(host);
	return code;
}

static void clean_name(char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '.' && *name != '-')
			*name = '_';
}

/* "unix:/run/shop.sock": the program behind it takes any host. */
static enum lo_result take_socket(
		struct go_address *address, const char *text, struct lo_error *err)
{
	const char *path = text + strlen(UNIX_PREFIX);
	const char *base = strrchr(path, '/');

	while (path[0] == '/' && path[1] == '/')
		path++;
	if (path[0] == '\0' || (base && base[1] == '\0'))
		return no_address(text, "the socket has no name", err);
	if (strlen(path) >= sizeof(address->socket))
		return no_address(text, "the name of a socket has at most 103 bytes", err);
	strcpy(address->socket, path);
	snprintf(address->name, sizeof(address->name), "%.60s", base ? base + 1 : path);
	snprintf(address->shown, sizeof(address->shown), "%s%s", UNIX_PREFIX, path);
	return LO_OK;
}

static CURLUcode fill(
		struct go_address *address, CURLU *url, const char *text, enum go_profile profile)
{
	char with_scheme[GO_ADDRESS_MAX];
	char *whole;
	int length = snprintf(with_scheme, sizeof(with_scheme), "%s%s",
			!address->socket[0] && strstr(text, "://") ? "" : "http://",
			address->socket[0] ? "localhost" : text);
	CURLUcode code = CURLUE_MALFORMED_INPUT;

	if (length > 0 && (size_t)length < sizeof(with_scheme))
		code = curl_url_set(url, CURLUPART_URL, with_scheme, 0);
	if (code == CURLUE_OK)
		code = curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	if (code == CURLUE_OK)
		code = set_path(url, profile);
	if (code == CURLUE_OK)
		code = set_query(url, profile, &address->seconds);
	if (code == CURLUE_OK && !address->socket[0])
		code = set_names(address, url);
	if (code == CURLUE_OK)
		code = curl_url_get(url, CURLUPART_URL, &whole, 0);
	if (code != CURLUE_OK)
		return code;
	if (strlen(whole) >= sizeof(address->url))
		code = CURLUE_MALFORMED_INPUT;
	else
		strcpy(address->url, whole);
	curl_free(whole);
	return code;
}

static bool is_http(CURLU *url)
{
	char *scheme;
	bool is;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return false;
	is = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
	curl_free(scheme);
	return is;
}

enum lo_result go_address_parse(struct go_address *address, const char *text,
		enum go_profile profile, uint32_t seconds, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	CURLUcode code;
	CURLU *url;

	*address = (struct go_address){ .seconds = seconds };
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		result = take_socket(address, text, err);
	if (result != LO_OK)
		return result;
	url = curl_url();
	if (!url)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an address");
	code = fill(address, url, text, profile);
	if (code == CURLUE_OUT_OF_MEMORY)
		result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an address");
	else if (code != CURLUE_OK)
		result = no_address(text, curl_url_strerror(code), err);
	else if (!is_http(url))
		result = no_address(text, "only http, https and unix are known", err);
	curl_url_cleanup(url);
	clean_name(address->name);
	return result;
}
