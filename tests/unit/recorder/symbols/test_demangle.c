#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/symbols/demangle.h"
#include "recorder/symbols/demangle_rust.h"

struct example {
	const char *symbol;
	const char *name;
};

static void assert_names(const struct example *examples, size_t count)
{
	char out[DEMANGLED_MAX];

	for (size_t i = 0; i < count; i++)
		assert_string_equal(demangle(examples[i].symbol, out), examples[i].name);
}

#define ASSERT_NAMES(examples) assert_names(examples, sizeof(examples) / sizeof((examples)[0]))

/* Made by rustc 1.95 from a program of a crate "shop", and read back against its source. */
static void current_rust_names_are_paths_with_their_arguments(void **state)
{
	static const struct example examples[] = {
		{ "_RNvCsbxQjNsTKZZh_4shop4main", "shop::main" },
		{ "_RINvCsbxQjNsTKZZh_4shop5applyNCNCNvB2_4mains0_00EB2_",
				"shop::apply::<shop::main::{closure#2}::{closure#0}>" },
		{ "_RINvNtCsbxQjNsTKZZh_4shop5stock4flagKb1_Kc78_Kan5_EB4_",
				"shop::stock::flag::<true, 120, -5>" },
		{ "_RINvNtCsbxQjNsTKZZh_4shop5stock5tupleThETRecEEB4_",
				"shop::stock::tuple::<(u8,), (&str, char)>" },
		{ "_RNvMNtCsbxQjNsTKZZh_4shop5stockINtB2_5ShelftKj7_E5firstB4_",
				"<shop::stock::Shelf<u16, 7>>::first" },
		{ "_RNvXs_NtCsbxQjNsTKZZh_4shop5stockINtB4_5ShelftKj7_ENtB4_5Count5countB6_",
				"<shop::stock::Shelf<u16, 7> as shop::stock::Count>::count" },
		{ "_RNvNtCsbxQjNsTKZZh_4shop5stock4call.llvm.875717835123376294",
				"shop::stock::call" },
		/* Written by hand, for what that program did not hold. */
		{ "_RINvC1a1fDG0_INtC1b1TL0_L1_EEL_E", "a::f::<dyn for<'a, 'b> b::T<'b, 'a>>" },
		{ "_RINvC1a1fDINtC1b2FnTRmEEp6OutputxEL_E",
				"a::f::<dyn b::Fn<(&u32,), Output = i64>>" },
		{ "_RINvC1a1fFUKCSaOeEzE", "a::f::<unsafe extern \"C\" fn([i8], *mut str) -> !>" },
		{ "_RINvC1a1fAyj4_E", "a::f::<[u64; 4]>" },
		{ "_RNvC1a3__1b", "a::_1b" },
		{ "_RNvC1au3fdi", "a::punycode{fdi}" },
	};

	(void)state;
	ASSERT_NAMES(examples);
}

static void older_rust_names_lose_hash_and_escapes(void **state)
{
	char plain[] = "shop::run::h0123456789abcdef";
	char escaped[] =
			"_$LT$shop..Shelf$LT$T$GT$$u20$as$u20$shop..Count$GT$::count::h0123456789abcdef";
	char other[] = "operator::h012345678";
	char hash_only[] = "::h0123456789abcdef";

	(void)state;
	demangle_rust_legacy(plain);
	assert_string_equal(plain, "shop::run");
	demangle_rust_legacy(escaped);
	assert_string_equal(escaped, "<shop::Shelf<T> as shop::Count>::count");
	demangle_rust_legacy(other);
	assert_string_equal(other, "operator::h012345678");
	demangle_rust_legacy(hash_only);
	assert_string_equal(hash_only, "::h0123456789abcdef");
}

static void names_of_c_stay_as_they_are(void **state)
{
	static const struct example examples[] = {
		{ "", "" },
		{ "main", "main" },
		{ "_Rest", "_Rest" },
		{ "_R", "_R" },
		{ "_ZNothing", "_ZNothing" },
		{ "__libc_start_main", "__libc_start_main" },
	};

	(void)state;
	ASSERT_NAMES(examples);
}

static void cxx_names_are_demangled_where_there_is_a_cxx_library(void **state)
{
	char out[DEMANGLED_MAX];
	const char *name = demangle("_ZN4shop5queueIiE4waitEi", out);

	(void)state;
	if (strcmp(name, "_ZN4shop5queueIiE4waitEi") == 0)
		skip();
	assert_string_equal(name, "shop::queue<int>::wait(int)");
	assert_string_equal(demangle("_ZN4shop3runEv.llvm.12345", out), "shop::run()");
	assert_string_equal(demangle("_ZN4shop3run17h0123456789abcdefE", out), "shop::run");
}

/* Nesting, references to references, numbers beyond all bounds: refused or cut, never slow. */
static void hostile_names_are_refused_or_cut(void **state)
{
	static const char *const hostile[] = { "_RNvC999999999999999999999999a", "_RB_", "_RNB_",
		"_RNvB0_1a", "_RINvC1a1fB_E", "_RINvC1a1fKjzzzz", "_RNvC1a99b", "_RINvC1a1f",
		"_RNvC1a1bs", "_RINvC1a1fRL9999999999999_hE" };
	char deep[3000] = "_R";
	char wide[3000] = "_RINvC1a1f";
	char out[DEMANGLED_MAX];
	char small[8];

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		assert_false(demangle_rust(hostile[i], out, sizeof(out)));
	for (size_t i = 2; i < sizeof(deep) - 1; i++)
		deep[i] = i % 2 ? 'v' : 'N';
	assert_false(demangle_rust(deep, out, sizeof(out)));
	/* Each tuple holds the one before twice: 2^n names from n references. */
	strcat(wide, "ThhE");
	for (size_t i = 0; i < 60; i++)
		strcat(wide, "TB8_B8_E");
	strcat(wide, "E");
	demangle_rust(wide, out, sizeof(out));
	assert_true(demangle_rust("_RNvC1a4main", small, sizeof(small)));
	assert_string_equal(small, "a::main");
	assert_true(demangle_rust("_RNvC1a9very_long", small, sizeof(small)));
	assert_string_equal(small, "a::very");
}

static void changed_bytes_never_break_the_reader(void **state)
{
	static const char sound[] =
			"_RINvMs_NtC4shop5stockINtB4_5ShelfRDG0_NtB4_1TL0_EKj7_ENtB4_5Count5countFKCTNtB4_1AhEEuEB6_";
	char symbol[sizeof(sound)];
	char out[DEMANGLED_MAX];

	(void)state;
	srand(5);
	for (int i = 0; i < 200000; i++) {
		memcpy(symbol, sound, sizeof(sound));
		for (int k = 1 + rand() % 4; k > 0; k--)
			symbol[2 + (size_t)rand() % (sizeof(sound) - 3)] =
					sound[(size_t)rand() % (sizeof(sound) - 1)];
		if (demangle_rust(symbol, out, sizeof(out)))
			assert_in_range(strlen(out), 1, sizeof(out) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(current_rust_names_are_paths_with_their_arguments),
		cmocka_unit_test(older_rust_names_lose_hash_and_escapes),
		cmocka_unit_test(names_of_c_stay_as_they_are),
		cmocka_unit_test(cxx_names_are_demangled_where_there_is_a_cxx_library),
		cmocka_unit_test(hostile_names_are_refused_or_cut),
		cmocka_unit_test(changed_bytes_never_break_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
