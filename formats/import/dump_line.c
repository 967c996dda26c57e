#include "formats/import/dump_line.h"

#include <string.h>

/* Longest name of a function that is believed; generic ones reach some hundred bytes. */
#define FUNCTION_MAX 2048u

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static struct dump_text rest(struct dump_text text, size_t from)
{
	return (struct dump_text){ text.bytes + from, text.length - (uint32_t)from };
}

struct dump_text dump_text_trim(struct dump_text text)
{
	while (text.length > 0 && is_blank(text.bytes[0]))
		text = rest(text, 1);
	while (text.length > 0 && is_blank(text.bytes[text.length - 1]))
		text.length--;
	return text;
}

bool dump_text_is(struct dump_text text, const char *words)
{
	return text.length == strlen(words) && memcmp(text.bytes, words, text.length) == 0;
}

bool dump_text_begins(struct dump_text text, const char *words)
{
	size_t length = strlen(words);

	return text.length >= length && memcmp(text.bytes, words, length) == 0;
}

static bool ends_with(struct dump_text text, const char *words)
{
	size_t length = strlen(words);

	return text.length >= length &&
	       memcmp(text.bytes + text.length - length, words, length) == 0;
}

/* Takes digits from the front of `text`; false when there are none or too many. */
static bool take_number(struct dump_text *text, uint64_t *number)
{
	uint32_t digits = 0;

	*number = 0;
	while (digits < text->length && is_digit(text->bytes[digits])) {
		if (*number > UINT64_MAX / 10 - 1)
			return false;
		*number = *number * 10 + (uint64_t)(text->bytes[digits] - '0');
		digits++;
	}
	*text = rest(*text, digits);
	return digits > 0;
}

static bool find(struct dump_text text, const char *words, size_t *at)
{
	const char *found = memmem(text.bytes, text.length, words, strlen(words));

	if (!found)
		return false;
	*at = (size_t)(found - text.bytes);
	return true;
}

/* Marks of the garbage collector and of leak detection behind the status. */
static struct dump_text without_suffixes(struct dump_text status)
{
	static const char *const suffixes[] = { " (leaked)", " (scan)", " (durable)" };
	bool cut = true;

	while (cut) {
		cut = false;
		for (unsigned i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
			if (ends_with(status, suffixes[i])) {
				status.length -= (uint32_t)strlen(suffixes[i]);
				cut = true;
			}
	}
	return status;
}

static void read_attributes(struct dump_text attributes, struct dump_header *header)
{
	while (attributes.length > 0) {
		uint64_t number;
		size_t comma;

		attributes = dump_text_trim(attributes);
		header->locked = header->locked || dump_text_begins(attributes, "locked to thread");
		if (header->minutes == 0 && take_number(&attributes, &number) &&
				dump_text_begins(attributes, " minutes"))
			header->minutes = number;
		if (!find(attributes, ",", &comma))
			break;
		attributes = rest(attributes, comma + 1);
	}
}

/* `text` begins behind the bracket: {key: value}: */
static struct dump_text find_labels(struct dump_text text)
{
	text = dump_text_trim(text);
	if (text.length > 0 && text.bytes[text.length - 1] == ':')
		text.length--;
	text = dump_text_trim(text);
	if (!dump_text_begins(text, "{") || !ends_with(text, "}") || text.length < 2)
		return (struct dump_text){ text.bytes, 0 };
	return (struct dump_text){ text.bytes + 1, text.length - 2 };
}

/* `text` begins behind "goroutine ". */
static bool parse_header(struct dump_text text, struct dump_header *header)
{
	struct dump_text inside;
	size_t open;
	size_t close;
	size_t comma;

	if (!take_number(&text, &header->goroutine) || !find(text, " [", &open))
		return false;
	/* Between number and bracket stand only words like gp=0xc000 m=nil. */
	if (open > 0 && (text.bytes[0] != ' ' || !memchr(text.bytes, '=', open)))
		return false;
	text = rest(text, open + 2);
	if (!find(text, "]", &close) || close == 0 || !ends_with(dump_text_trim(text), ":"))
		return false;
	inside = (struct dump_text){ text.bytes, (uint32_t)close };
	header->status = inside;
	header->minutes = 0;
	header->locked = false;
	header->labels = find_labels(rest(text, close + 1));
	if (find(inside, ",", &comma)) {
		header->status.length = (uint32_t)comma;
		read_attributes(rest(inside, comma + 1), header);
	}
	header->status = without_suffixes(dump_text_trim(header->status));
	return header->status.length > 0;
}

bool dump_line_header(struct dump_text line, struct dump_header *header)
{
	static const char word[] = "goroutine ";
	size_t begin = 0;
	size_t at;

	while (find(rest(line, begin), word, &at)) {
		begin += at;
		header->prefix = begin;
		begin += sizeof(word) - 1;
		if (parse_header(rest(line, begin), header))
			return true;
	}
	return false;
}

bool dump_line_function(struct dump_text line, struct dump_text *function)
{
	uint32_t depth = 0;
	uint32_t at;

	line = dump_text_trim(line);
	if (!ends_with(line, ")"))
		return false;
	for (at = line.length; at-- > 0;) {
		depth += line.bytes[at] == ')';
		if (line.bytes[at] == '(' && --depth == 0)
			break;
	}
	*function = (struct dump_text){ line.bytes, at };
	return at != UINT32_MAX && at > 0 && at <= FUNCTION_MAX;
}

bool dump_line_created(struct dump_text line, struct dump_text *function, uint64_t *creator)
{
	static const char words[] = "created by ";
	static const char by[] = " in goroutine ";
	size_t at;

	line = dump_text_trim(line);
	if (!dump_text_begins(line, words))
		return false;
	line = rest(line, sizeof(words) - 1);
	*creator = 0;
	if (find(line, by, &at)) {
		struct dump_text number = rest(line, at + sizeof(by) - 1);

		if (!take_number(&number, creator))
			*creator = 0;
		line.length = (uint32_t)at;
	}
	*function = line;
	return line.length > 0 && line.length <= FUNCTION_MAX;
}

bool dump_line_location(struct dump_text line, struct dump_text *file, uint32_t *line_number)
{
	line = dump_text_trim(line);
	for (uint32_t at = line.length; at-- > 1;) {
		struct dump_text number;
		uint64_t value;

		if (line.bytes[at] != ':')
			continue;
		number = rest(line, at + 1);
		if (!take_number(&number, &value) || value > UINT32_MAX ||
				(number.length > 0 && number.bytes[0] != ' '))
			continue;
		*file = (struct dump_text){ line.bytes, at };
		*line_number = (uint32_t)value;
		return true;
	}
	return false;
}

bool dump_line_ancestor(struct dump_text line, uint64_t *goroutine)
{
	static const char words[] = "[originating from goroutine ";

	line = dump_text_trim(line);
	if (!dump_text_begins(line, words))
		return false;
	line = rest(line, sizeof(words) - 1);
	if (!take_number(&line, goroutine))
		*goroutine = 0;
	return true;
}

bool dump_line_elided(struct dump_text line, uint64_t *frames)
{
	*frames = 0;
	line = dump_text_trim(line);
	if (!dump_text_begins(line, "...") || !ends_with(line, " frames elided..."))
		return false;
	line = rest(line, strlen("..."));
	return dump_text_is(line, "additional frames elided...") || take_number(&line, frames);
}

bool dump_line_labels(struct dump_text line, struct dump_text *labels)
{
	static const char words[] = "# labels: ";

	line = dump_text_trim(line);
	if (!dump_text_begins(line, words))
		return false;
	*labels = find_labels(rest(line, sizeof(words) - 1));
	return labels->length > 0;
}

/* A word up to one of `ends`, or what stands in quotes. */
static struct dump_text take_word(struct dump_text *text, const char *ends)
{
	struct dump_text word;
	uint32_t at = 0;
	bool quoted;

	*text = dump_text_trim(*text);
	quoted = dump_text_begins(*text, "\"");
	if (quoted)
		*text = rest(*text, 1);
	while (at < text->length &&
			!(quoted ? text->bytes[at] == '"' : strchr(ends, text->bytes[at]) != NULL))
		at += quoted && text->bytes[at] == '\\' && at + 1 < text->length ? 2 : 1;
	word = (struct dump_text){ text->bytes, at };
	*text = rest(*text, at);
	if (quoted && text->length > 0)
		*text = rest(*text, 1);
	return word;
}

static bool take_mark(struct dump_text *text, char mark)
{
	*text = dump_text_trim(*text);
	if (text->length == 0 || text->bytes[0] != mark)
		return false;
	*text = rest(*text, 1);
	return true;
}

bool dump_label_next(struct dump_text *labels, struct dump_text *key, struct dump_text *value)
{
	*key = take_word(labels, ":,");
	if (!take_mark(labels, ':'))
		return false;
	*value = take_word(labels, ",");
	*value = dump_text_trim(*value);
	take_mark(labels, ',');
	return key->length > 0;
}

bool dump_line_profile(struct dump_text line)
{
	size_t at;

	return find(line, "goroutine profile: total ", &at) ||
	       find(line, "goroutineleak profile: total ", &at);
}

bool dump_line_taken(struct dump_text line, uint64_t *unix_ns)
{
	line = dump_text_trim(line);
	if (!dump_text_begins(line, DUMP_TAKEN_LINE))
		return false;
	line = rest(line, strlen(DUMP_TAKEN_LINE));
	return take_number(&line, unix_ns) && line.length == 0;
}

bool dump_line_group(struct dump_text line, uint64_t *count)
{
	line = dump_text_trim(line);
	return take_number(&line, count) && *count > 0 && dump_text_begins(line, " @") &&
	       (line.length == 2 || dump_text_begins(line, " @ 0x"));
}

bool dump_line_group_frame(struct dump_text line, struct dump_text *function,
		struct dump_text *file, uint32_t *line_number)
{
	size_t plus;
	uint32_t at = 2;

	line = dump_text_trim(line);
	if (!dump_text_begins(line, "#"))
		return false;
	line = dump_text_trim(rest(line, 1));
	if (!dump_text_begins(line, "0x"))
		return false;
	while (at < line.length && is_hex(line.bytes[at]))
		at++;
	line = dump_text_trim(rest(line, at));
	if (!find(line, "+0x", &plus) || plus == 0 || plus > FUNCTION_MAX)
		return false;
	*function = (struct dump_text){ line.bytes, (uint32_t)plus };
	at = (uint32_t)plus + 3;
	while (at < line.length && is_hex(line.bytes[at]))
		at++;
	return dump_line_location(rest(line, at), file, line_number);
}
