#include "recorder/backend/go_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"

static const struct {
	const char *text;
	enum go_profile profile;
	uint32_t seconds;
	const char *url;
	const char *socket;
	const char *name;
} good[] = {
	{ "localhost:6060", GO_PROFILE_TRACE, 0,
			"http://localhost:6060/debug/pprof/trace?seconds=5", "", "localhost-6060" },
	{ "http://shop", GO_PROFILE_TRACE, 7, "http://shop/debug/pprof/trace?seconds=7", "",
			"shop-80" },
	{ "https://shop/", GO_PROFILE_TRACE, 7, "https://shop/debug/pprof/trace?seconds=7", "",
			"shop-443" },
	{ "http://shop:1/debug/pprof", GO_PROFILE_TRACE, 1,
			"http://shop:1/debug/pprof/trace?seconds=1", "", "shop-1" },
	{ "http://shop:1/debug/pprof/", GO_PROFILE_GOROUTINES, 0,
			"http://shop:1/debug/pprof/goroutine?debug=2", "", "shop-1" },
	{ "http://shop:1/debug/pprof/trace", GO_PROFILE_TRACE, 2,
			"http://shop:1/debug/pprof/trace?seconds=2", "", "shop-1" },
	{ "http://shop:1/debug/pprof/goroutine?debug=1", GO_PROFILE_TRACE, 2,
			"http://shop:1/debug/pprof/trace?seconds=2", "", "shop-1" },
	/* What the address says counts unless somebody said otherwise. */
	{ "http://shop:1/debug/pprof/trace?seconds=30", GO_PROFILE_TRACE, 0,
			"http://shop:1/debug/pprof/trace?seconds=30", "", "shop-1" },
	{ "http://shop:1/debug/pprof/trace?seconds=30", GO_PROFILE_TRACE, 3,
			"http://shop:1/debug/pprof/trace?seconds=3", "", "shop-1" },
	{ "http://shop:1/debug/pprof/trace?seconds=30", GO_PROFILE_GOROUTINES, 0,
			"http://shop:1/debug/pprof/goroutine?debug=2", "", "shop-1" },
	{ "http://shop:1/trace?token=a%26b&seconds=4&pod=2#top", GO_PROFILE_TRACE, 0,
			"http://shop:1/trace?token=a%26b&pod=2&seconds=4", "", "shop-1" },
	/* Another mount. */
	{ "http://shop:1/admin", GO_PROFILE_TRACE, 1,
			"http://shop:1/admin/debug/pprof/trace?seconds=1", "", "shop-1" },
	{ "http://shop:1/admin/pprof", GO_PROFILE_TRACE, 1,
			"http://shop:1/admin/pprof/trace?seconds=1", "", "shop-1" },
	{ "http://[::1]:6060", GO_PROFILE_TRACE, 1, "http://[::1]:6060/debug/pprof/trace?seconds=1",
			"", "___1_-6060" },
	{ "unix:/run/shop.sock", GO_PROFILE_TRACE, 1,
			"http://localhost/debug/pprof/trace?seconds=1", "/run/shop.sock",
			"shop.sock" },
	{ "unix:///run/shop.sock", GO_PROFILE_TRACE, 1,
			"http://localhost/debug/pprof/trace?seconds=1", "/run/shop.sock",
			"shop.sock" },
};

static void every_way_to_say_an_address_leads_to_the_profile(void **state)
{
	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(good); i++) {
		struct go_address address;

		assert_int_equal(go_address_parse(&address, good[i].text, good[i].profile,
						 good[i].seconds, NULL),
				LO_OK);
		assert_string_equal(address.url, good[i].url);
		assert_string_equal(address.socket, good[i].socket);
		assert_string_equal(address.name, good[i].name);
	}
}

static void what_is_no_address_is_refused_with_an_example(void **state)
{
	static const char *const bad[] = { "", "http://", "ftp://shop:21/trace",
		"file:///etc/passwd", "http://shop:port", "http://shop:66666",
		"unix:", "unix:/run/", "http://a b/" };

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(bad); i++) {
		struct go_address address;
		struct lo_error err;

		assert_int_equal(go_address_parse(&address, bad[i], GO_PROFILE_TRACE, 0, &err),
				LO_USAGE);
		assert_non_null(strstr(err.message, "localhost:6060"));
	}
}

static void texts_longer_than_any_address_are_refused(void **state)
{
	struct go_address address;
	char text[2 * GO_ADDRESS_MAX];

	(void)state;
	for (size_t length = 90; length < sizeof(text); length += 7) {
		enum lo_result result;

		memset(text, 'a', length);
		text[length] = '\0';
		memcpy(text, "http://shop/", strlen("http://shop/"));
		result = go_address_parse(&address, text, GO_PROFILE_TRACE, 0, NULL);
		assert_true(result == LO_OK || result == LO_USAGE);
		assert_true(length < GO_ADDRESS_MAX || result == LO_USAGE);
		memcpy(text, "unix:/a", strlen("unix:/a"));
		result = go_address_parse(&address, text, GO_PROFILE_TRACE, 0, NULL);
		assert_int_equal(result, length < GO_ADDRESS_SOCKET_MAX + strlen("unix:")
							 ? LO_OK
							 : LO_USAGE);
		memcpy(text, "http://shop/trace?", strlen("http://shop/trace?"));
		result = go_address_parse(&address, text, GO_PROFILE_TRACE, 0, NULL);
		assert_true(result == LO_OK || result == LO_USAGE);
	}
}

static void a_password_is_asked_with_but_not_shown(void **state)
{
	struct go_address address;

	(void)state;
	assert_int_equal(go_address_parse(&address, "http://me:secret@shop:1", GO_PROFILE_TRACE, 1,
					 NULL),
			LO_OK);
	assert_non_null(strstr(address.url, "me:secret@"));
	assert_string_equal(address.shown, "shop:1");
	assert_string_equal(address.name, "shop-1");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_say_an_address_leads_to_the_profile),
		cmocka_unit_test(what_is_no_address_is_refused_with_an_example),
		cmocka_unit_test(texts_longer_than_any_address_are_refused),
		cmocka_unit_test(a_password_is_asked_with_but_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
