/*
 * json_query PATH < DOCUMENT
 *
 * Prints what a path of a JSON document leads to, one value a line: strings bare, everything else
 * as JSON. For tests that are shell scripts. A path is a list of steps:
 *
 *     name             the member of an object
 *     []               every element of an array
 *     [member=value]   the elements whose member is this string or number
 *     #                how many elements the array has
 *
 * with a dot before each name that is not the first: findings[kind=stuck].stack[].function
 * Prints nothing where the path leads nowhere. Exit status 2 if the document or path is none.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_value(const json_t *value)
{
	if (json_is_string(value))
		puts(json_string_value(value));
	else if (json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT) == 0)
		putchar('\n');
}

static bool equals(const json_t *value, const char *text, size_t length)
{
	char number[32];

	if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
				json_integer_value(value));
		return strlen(number) == length && memcmp(number, text, length) == 0;
	}
	return json_is_string(value) && json_string_length(value) == length &&
	       memcmp(json_string_value(value), text, length) == 0;
}

static _Noreturn void bad_path(const char *rest)
{
	fprintf(stderr, "json_query: cannot read the path from '%s' on\n", rest);
	exit(2);
}

static void follow(const json_t *value, const char *path);

static void follow_member(const json_t *value, const char *path)
{
	size_t length = strcspn(path, ".[#");
	char name[64];

	if (length == 0 || length >= sizeof(name))
		bad_path(path);
	memcpy(name, path, length);
	name[length] = '\0';
	value = json_object_get(value, name);
	if (value)
		follow(value, path + length);
}

static void follow_elements(const json_t *array, const char *path)
{
	const char *end = strchr(path, ']');
	const char *equal = strchr(path, '=');
	char name[64] = "";
	size_t i;
	json_t *element;

	if (!end)
		bad_path(path);
	if (equal && equal < end)
		snprintf(name, sizeof(name), "%.*s", (int)(equal - path), path);
	else if (end != path)
		bad_path(path);
	json_array_foreach(array, i, element)
	{
		if (name[0] == '\0' || equals(json_object_get(element, name), equal + 1,
						       (size_t)(end - equal - 1)))
			follow(element, end + 1);
	}
}

static void follow(const json_t *value, const char *path)
{
	if (*path == '\0')
		print_value(value);
	else if (strcmp(path, "#") == 0)
		printf("%zu\n", json_array_size(value));
	else if (*path == '[')
		follow_elements(value, path + 1);
	else
		follow_member(value, *path == '.' ? path + 1 : path);
}

int main(int argc, char **argv)
{
	json_error_t error;
	json_t *document;

	if (argc != 2) {
		fputs("usage: json_query PATH < DOCUMENT\n", stderr);
		return 2;
	}
	document = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
	if (!document) {
		fprintf(stderr, "json_query: line %d: %s\n", error.line, error.text);
		return 2;
	}
	follow(document, argv[1]);
	json_decref(document);
	return 0;
}
