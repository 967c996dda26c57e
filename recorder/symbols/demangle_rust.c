#include "recorder/symbols/demangle_rust.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "formats/base/macros.h"

#define DEPTH_MAX 128u
/* A symbol of n bytes may name its own parts again and again by reference. */
#define STEPS_MAX 20000u

struct rust {
	const char *begin; /* behind "_R": references count from here */
	const char *next;
	const char *end;
	char *out;
	size_t capacity;
	size_t used;
	unsigned depth;
	unsigned steps;
	uint64_t bound; /* lifetimes bound by the binders around this place */
	bool failed;
};

static void print_path(struct rust *rust, bool in_value);
static void print_type(struct rust *rust);
static void print_const(struct rust *rust);

/* ---- Output. ---- */

static void put(struct rust *rust, const char *text, size_t length)
{
	size_t room = rust->capacity - 1 - rust->used;

	if (length > room)
		length = room;
	memcpy(rust->out + rust->used, text, length);
	rust->used += length;
}

static void put_text(struct rust *rust, const char *text)
{
	put(rust, text, strlen(text));
}

static void put_number(struct rust *rust, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	put_text(rust, text);
}

/* ---- Input. ---- */

static void fail(struct rust *rust)
{
	rust->failed = true;
	rust->next = rust->end; /* every loop ends */
}

static char peek(const struct rust *rust)
{
	return rust->next < rust->end ? *rust->next : '\0';
}

static char take(struct rust *rust)
{
	if (rust->next == rust->end || ++rust->steps > STEPS_MAX) {
		fail(rust);
		return '\0';
	}
	return *rust->next++;
}

static bool eat(struct rust *rust, char wanted)
{
	if (peek(rust) != wanted)
		return false;
	rust->next++;
	return true;
}

static uint64_t take_decimal(struct rust *rust)
{
	uint64_t number = 0;

	if (!isdigit((unsigned char)peek(rust)))
		fail(rust);
	if (eat(rust, '0'))
		return 0;
	while (isdigit((unsigned char)peek(rust)) && number < UINT32_MAX)
		number = number * 10 + (uint64_t)(take(rust) - '0');
	return number;
}

static unsigned base_62_digit(char digit)
{
	if (isdigit((unsigned char)digit))
		return (unsigned)(digit - '0');
	if (islower((unsigned char)digit))
		return 10 + (unsigned)(digit - 'a');
	if (isupper((unsigned char)digit))
		return 36 + (unsigned)(digit - 'A');
	return 62;
}

/* "_" is 0, "0_" is 1, and so on. */
static uint64_t take_base_62(struct rust *rust)
{
	uint64_t number = 0;

	if (eat(rust, '_'))
		return 0;
	while (!rust->failed && !eat(rust, '_')) {
		unsigned digit = base_62_digit(take(rust));

		if (digit > 61 || number > (UINT64_MAX - digit) / 62)
			fail(rust);
		number = number * 62 + digit;
	}
	return number + 1;
}

static uint64_t take_optional_base_62(struct rust *rust, char tag)
{
	return eat(rust, tag) ? take_base_62(rust) + 1 : 0;
}

struct identifier {
	const char *text;
	size_t length;
	bool punycode;
};

static struct identifier take_identifier(struct rust *rust)
{
	struct identifier name = { .punycode = eat(rust, 'u') };
	uint64_t length = take_decimal(rust);

	eat(rust, '_'); /* before a name that begins with a digit or "_" */
	if (length > (uint64_t)(rust->end - rust->next)) {
		fail(rust);
		return name;
	}
	name.text = rust->next;
	name.length = (size_t)length;
	rust->next += length;
	return name;
}

static void put_identifier(struct rust *rust, const struct identifier *name)
{
	if (name->punycode)
		put_text(rust, "punycode{");
	if (name->text)
		put(rust, name->text, name->length);
	if (name->punycode)
		put_text(rust, "}");
}

/* ---- Nesting and references. ---- */

static bool enter(struct rust *rust)
{
	if (++rust->depth > DEPTH_MAX)
		fail(rust);
	return !rust->failed;
}

static void leave(struct rust *rust)
{
	rust->depth--;
}

/* Goes to an earlier place of the symbol; the caller prints what is there and comes back. */
static const char *follow(struct rust *rust)
{
	const char *here = rust->next - 1; /* the "B" */
	uint64_t offset = take_base_62(rust);
	const char *back = rust->next;

	if (rust->failed || offset >= (uint64_t)(here - rust->begin)) {
		fail(rust);
		return back;
	}
	rust->next = rust->begin + offset;
	return back;
}

static void come_back(struct rust *rust, const char *back)
{
	if (!rust->failed)
		rust->next = back;
}

/* ---- Lifetimes. ---- */

static void put_lifetime(struct rust *rust, uint64_t index)
{
	uint64_t depth;
	char name[2] = "a";

	put_text(rust, "'");
	if (index == 0) {
		put_text(rust, "_");
		return;
	}
	if (index > rust->bound) {
		fail(rust);
		return;
	}
	depth = rust->bound - index;
	if (depth < 26) {
		name[0] = (char)('a' + depth);
		put_text(rust, name);
	} else {
		put_text(rust, "_");
		put_number(rust, depth);
	}
}

/* "for<'a, 'b> "; returns what to take off `bound` again. */
static uint64_t open_binder(struct rust *rust)
{
	uint64_t count = take_optional_base_62(rust, 'G');

	if (count == 0)
		return 0;
	if (count > DEPTH_MAX) {
		fail(rust);
		return 0;
	}
	put_text(rust, "for<");
	for (uint64_t i = 0; i < count; i++) {
		if (i > 0)
			put_text(rust, ", ");
		rust->bound++;
		put_lifetime(rust, 1);
	}
	put_text(rust, "> ");
	return count;
}

/* ---- Paths. ---- */

static void print_generic_argument(struct rust *rust)
{
	if (eat(rust, 'L'))
		put_lifetime(rust, take_base_62(rust));
	else if (eat(rust, 'K'))
		print_const(rust);
	else
		print_type(rust);
}

static void print_generic_arguments(struct rust *rust)
{
	for (bool first = true; !rust->failed && !eat(rust, 'E'); first = false) {
		if (!first)
			put_text(rust, ", ");
		print_generic_argument(rust);
	}
}

/* Where an impl stands says nothing to a reader: parsed, not printed. */
static void skip_impl_path(struct rust *rust)
{
	size_t used = rust->used;

	take_optional_base_62(rust, 's');
	print_path(rust, false);
	rust->used = used;
}

static void print_nested(struct rust *rust, bool in_value)
{
	char space = take(rust);
	uint64_t disambiguator;
	struct identifier name;

	if (!isalpha((unsigned char)space)) {
		fail(rust);
		return;
	}
	print_path(rust, in_value);
	disambiguator = take_optional_base_62(rust, 's');
	name = take_identifier(rust);
	if (isupper((unsigned char)space)) {
		put_text(rust, "::{");
		if (space == 'C')
			put_text(rust, "closure");
		else if (space == 'S')
			put_text(rust, "shim");
		else
			put(rust, &space, 1);
		if (name.length > 0)
			put_text(rust, ":");
		put_identifier(rust, &name);
		put_text(rust, "#");
		put_number(rust, disambiguator);
		put_text(rust, "}");
	} else if (name.length > 0) {
		put_text(rust, "::");
		put_identifier(rust, &name);
	}
}

static void print_path_of(struct rust *rust, char tag, bool in_value)
{
	struct identifier name;
	const char *back;

	switch (tag) {
	case 'C':
		take_optional_base_62(rust, 's');
		name = take_identifier(rust);
		put_identifier(rust, &name);
		break;
	case 'M':
	case 'X':
	case 'Y':
		if (tag != 'Y')
			skip_impl_path(rust);
		put_text(rust, "<");
		print_type(rust);
		if (tag != 'M') {
			put_text(rust, " as ");
			print_path(rust, false);
		}
		put_text(rust, ">");
		break;
	case 'N':
		print_nested(rust, in_value);
		break;
	case 'I':
		print_path(rust, in_value);
		put_text(rust, in_value ? "::<" : "<");
		print_generic_arguments(rust);
		put_text(rust, ">");
		break;
	case 'B':
		back = follow(rust);
		print_path(rust, in_value);
		come_back(rust, back);
		break;
	default:
		fail(rust);
	}
}

static void print_path(struct rust *rust, bool in_value)
{
	if (enter(rust))
		print_path_of(rust, take(rust), in_value);
	leave(rust);
}

/* ---- Types. ---- */

static const char *const basic_types['z' - 'a' + 1] = {
	['a' - 'a'] = "i8",
	['b' - 'a'] = "bool",
	['c' - 'a'] = "char",
	['d' - 'a'] = "f64",
	['e' - 'a'] = "str",
	['f' - 'a'] = "f32",
	['h' - 'a'] = "u8",
	['i' - 'a'] = "isize",
	['j' - 'a'] = "usize",
	['l' - 'a'] = "i32",
	['m' - 'a'] = "u32",
	['n' - 'a'] = "i128",
	['o' - 'a'] = "u128",
	['p' - 'a'] = "_",
	['s' - 'a'] = "i16",
	['t' - 'a'] = "u16",
	['u' - 'a'] = "()",
	['v' - 'a'] = "...",
	['x' - 'a'] = "i64",
	['y' - 'a'] = "u64",
	['z' - 'a'] = "!",
};

static void print_reference(struct rust *rust, const char *kind)
{
	put_text(rust, "&");
	if (eat(rust, 'L')) {
		uint64_t lifetime = take_base_62(rust);

		if (lifetime) {
			put_lifetime(rust, lifetime);
			put_text(rust, " ");
		}
	}
	put_text(rust, kind);
	print_type(rust);
}

static void print_tuple(struct rust *rust)
{
	unsigned count = 0;

	put_text(rust, "(");
	for (; !rust->failed && !eat(rust, 'E'); count++) {
		if (count > 0)
			put_text(rust, ", ");
		print_type(rust);
	}
	put_text(rust, count == 1 ? ",)" : ")");
}

static void print_function_type(struct rust *rust)
{
	uint64_t bound = open_binder(rust);

	if (eat(rust, 'U'))
		put_text(rust, "unsafe ");
	if (eat(rust, 'K')) {
		struct identifier abi = { .text = "C", .length = 1 };

		if (!eat(rust, 'C'))
			abi = take_identifier(rust);
		put_text(rust, "extern \"");
		put_identifier(rust, &abi);
		put_text(rust, "\" ");
	}
	put_text(rust, "fn(");
	for (bool first = true; !rust->failed && !eat(rust, 'E'); first = false) {
		if (!first)
			put_text(rust, ", ");
		print_type(rust);
	}
	put_text(rust, ")");
	if (!eat(rust, 'u')) {
		put_text(rust, " -> ");
		print_type(rust);
	}
	rust->bound -= bound;
}

/* A trait, perhaps with "<Item = T>" inside its own generic arguments. */
static void print_dyn_trait(struct rust *rust)
{
	print_path(rust, false);
	while (eat(rust, 'p')) {
		struct identifier name = take_identifier(rust);
		bool open = rust->used > 0 && rust->out[rust->used - 1] == '>';

		if (open)
			rust->used--;
		put_text(rust, open ? ", " : "<");
		put_identifier(rust, &name);
		put_text(rust, " = ");
		print_type(rust);
		put_text(rust, ">");
	}
}

static void print_dyn(struct rust *rust)
{
	uint64_t bound;
	uint64_t lifetime;

	put_text(rust, "dyn ");
	bound = open_binder(rust);
	for (bool first = true; !rust->failed && !eat(rust, 'E'); first = false) {
		if (!first)
			put_text(rust, " + ");
		print_dyn_trait(rust);
	}
	rust->bound -= bound;
	if (!eat(rust, 'L')) {
		fail(rust);
		return;
	}
	lifetime = take_base_62(rust);
	if (lifetime) {
		put_text(rust, " + ");
		put_lifetime(rust, lifetime);
	}
}

static void print_array(struct rust *rust, bool sized)
{
	put_text(rust, "[");
	print_type(rust);
	if (sized) {
		put_text(rust, "; ");
		print_const(rust);
	}
	put_text(rust, "]");
}

static void print_type_of(struct rust *rust, char tag)
{
	const char *back;

	if (islower((unsigned char)tag) && basic_types[tag - 'a']) {
		put_text(rust, basic_types[tag - 'a']);
		return;
	}
	switch (tag) {
	case 'A':
	case 'S':
		print_array(rust, tag == 'A');
		break;
	case 'R':
	case 'Q':
		print_reference(rust, tag == 'Q' ? "mut " : "");
		break;
	case 'P':
	case 'O':
		put_text(rust, tag == 'P' ? "*const " : "*mut ");
		print_type(rust);
		break;
	case 'T':
		print_tuple(rust);
		break;
	case 'F':
		print_function_type(rust);
		break;
	case 'D':
		print_dyn(rust);
		break;
	case 'B':
		back = follow(rust);
		print_type(rust);
		come_back(rust, back);
		break;
	default:
		print_path_of(rust, tag, false);
	}
}

static void print_type(struct rust *rust)
{
	if (enter(rust))
		print_type_of(rust, take(rust));
	leave(rust);
}

/* ---- Constants. ---- */

static void print_hexadecimal(struct rust *rust, char type)
{
	const char *digits = rust->next;
	uint64_t value = 0;
	size_t length;

	while (isxdigit((unsigned char)peek(rust)))
		take(rust);
	length = (size_t)(rust->next - digits);
	if (!eat(rust, '_')) {
		fail(rust);
		return;
	}
	if (length > 16) {
		put_text(rust, "0x");
		put(rust, digits, length);
		return;
	}
	for (size_t i = 0; i < length; i++)
		value = value * 16 + base_62_digit(digits[i]);
	if (type == 'b')
		put_text(rust, value ? "true" : "false");
	else
		put_number(rust, value);
}

static void print_const_of(struct rust *rust)
{
	const char *back;
	char type = take(rust);

	if (type == 'p') {
		put_text(rust, "_");
	} else if (type == 'B') {
		back = follow(rust);
		print_const(rust);
		come_back(rust, back);
	} else if (type && strchr("abchijlmnostxy", type)) {
		if (eat(rust, 'n'))
			put_text(rust, "-");
		print_hexadecimal(rust, type);
	} else {
		fail(rust); /* strings and structures as constants are not stable Rust yet */
	}
}

static void print_const(struct rust *rust)
{
	if (enter(rust))
		print_const_of(rust);
	leave(rust);
}

bool demangle_rust(const char *symbol, char *out, size_t capacity)
{
	size_t length = strcspn(symbol, "."); /* behind it: what the compiler's back end added */
	struct rust rust = { .out = out, .capacity = capacity };

	if (strncmp(symbol, "_R", 2) != 0 || capacity == 0 || !isupper((unsigned char)symbol[2]))
		return false;
	rust.begin = rust.next = symbol + 2;
	rust.end = symbol + length;
	print_path(&rust, true);
	out[rust.used] = '\0';
	if (rust.failed || rust.used == 0)
		return false;
	if (rust.next < rust.end) { /* the crate that asked for this instance */
		size_t used = rust.used;

		print_path(&rust, false);
		out[used] = '\0';
	}
	return !rust.failed && rust.next == rust.end;
}

/* ---- The older mangling. ---- */

#define HASH_DIGITS 16u

static const struct {
	const char *escape;
	const char *text;
} escapes[] = {
	{ "$SP$", "@" },
	{ "$BP$", "*" },
	{ "$RF$", "&" },
	{ "$LT$", "<" },
	{ "$GT$", ">" },
	{ "$LP$", "(" },
	{ "$RP$", ")" },
	{ "$C$", "," },
};

/* "::h" and 16 hexadecimal digits at the end: no other language writes that. */
static char *find_hash(char *name)
{
	size_t length = strlen(name);
	char *hash = name + length - HASH_DIGITS - 3;

	if (length <= HASH_DIGITS + 3 || strncmp(hash, "::h", 3) != 0 ||
			strspn(hash + 3, "0123456789abcdef") != HASH_DIGITS)
		return NULL;
	return hash;
}

/* "$u7b$" is a character by its number. Returns the length of the escape, 0 if it is none. */
static size_t character_escape(const char *at, char *character)
{
	unsigned value = 0;
	int taken = 0;

	if (sscanf(at, "$u%2x$%n", &value, &taken) < 1 || taken == 0 || value < 0x20 ||
			value > 0x7e)
		return 0;
	*character = (char)value;
	return (size_t)taken;
}

static size_t replace_one(const char *from, char *to, size_t *stored)
{
	size_t taken = from[0] == '$' ? character_escape(from, to) : 0;

	*stored = 1;
	if (taken > 0)
		return taken;
	for (size_t i = 0; i < LO_COUNT_OF(escapes); i++) {
		size_t length = strlen(escapes[i].escape);

		if (strncmp(from, escapes[i].escape, length) == 0) {
			*to = escapes[i].text[0];
			return length;
		}
	}
	if (from[0] == '.' && from[1] == '.') {
		to[0] = to[1] = ':';
		*stored = 2;
		return 2;
	}
	*to = from[0];
	return 1;
}

void demangle_rust_legacy(char *name)
{
	char *hash = find_hash(name);
	char *from = name;
	char *to = name;

	if (!hash)
		return;
	*hash = '\0';
	while (*from) {
		size_t stored;

		/* A part that begins with an escape has "_" in front of it. */
		if (from[0] == '_' && from[1] == '$' &&
				(from == name || (from[-1] == ':' && from[-2] == ':')))
			from++;
		from += replace_one(from, to, &stored);
		to += stored;
	}
	*to = '\0';
}
