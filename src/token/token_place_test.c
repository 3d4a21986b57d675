/* A PKCS #11 URI names a module, a token and a key, and never a PIN. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "token/token.h"
#include "token/token_place.h"

#define MODULE "module-path=/usr/lib/m.so"
#define GOOD "pkcs11:token=member;object=consensus?" MODULE

static enum status reads(const char *text, struct err *err) {
	struct token_place place;
	const enum status status = token_place_read(&place, text, err);
	if (status == STATUS_OK) token_place_fini(&place);
	return status;
}

static void a_whole_uri_is_taken(void **state) {
	(void)state;
	struct token_place place;
	const char *good[] = {GOOD, "pkcs11:serial=12;id=%01%02?" MODULE,
	    "pkcs11:token=a%20b;type=private;id=%01?" MODULE, GOOD "&pin-source=/etc/pin",
	    GOOD "&pin-source=file:/etc/pin", GOOD "&pin-source=file:///etc/pin"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(token_place_read(&place, good[i], NULL), STATUS_OK);
		assert_string_equal(place.module, "/usr/lib/m.so");
		if (i < 3)
			assert_null(place.pin_file);
		else
			assert_string_equal(place.pin_file, "/etc/pin");
		token_place_fini(&place);
	}
	assert_true(token_is_uri(GOOD));
	assert_false(token_is_uri("/etc/pkcs11:key"));
}

static void whatever_is_missing_or_too_much_is_named(void **state) {
	(void)state;
	struct err err;
	const char *const bad[][2] = {{"", "malformed"}, {"pkcs11", "malformed"}, {"file:/etc", "malformed"},
	    {"pkcs11:token=%zz;object=a?" MODULE, "malformed"}, {"pkcs11:", "no module"},
	    {"pkcs11:token=a;object=b", "no module"}, {"pkcs11:token=a;object=b?module-path=m.so", "no module"},
	    {"pkcs11:object=b?" MODULE, "no token"}, {"pkcs11:token=a?" MODULE, "no key"},
	    {GOOD "&pin-value=1234", "never in a URI"}, {"pkcs11:token=a;object=b;type=public?" MODULE, "type=private"},
	    {"pkcs11:token=a;object=b;colour=red?" MODULE, "not known"}, {GOOD "&pin-source=pin", "absolute"},
	    {GOOD "&pin-source=file:pin", "absolute"}, {GOOD "&pin-source=file://host/pin", "absolute"},
	    {GOOD "&pin-source=|program", "absolute"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(reads(bad[i][0], &err), STATUS_INVALID);
		assert_non_null(strstr(err.message, bad[i][1]));
		assert_null(strstr(err.message, "1234"));
	}
	char long_one[TOKEN_URI_MAX + 2];
	memset(long_one, 'a', sizeof long_one);
	long_one[sizeof long_one - 1] = 0;
	assert_int_equal(reads(long_one, &err), STATUS_INVALID);
}

static void the_pin_is_the_first_line(void **state) {
	(void)state;
	const struct {
		const char *content;
		enum status status;
	} files[] = {{"1234\n", STATUS_OK}, {"1234", STATUS_OK}, {"1234\r\nmore", STATUS_OK},
	    {"\n1234", STATUS_INVALID}, {"", STATUS_INVALID}};
	char path[] = "/tmp/token_pin_XXXXXX", uri[256];
	const int fd = mkstemp(path);
	struct token_place place;
	assert_true(fd >= 0);
	snprintf(uri, sizeof uri, GOOD "&pin-source=file:%s", path);
	assert_int_equal(token_place_read(&place, uri, NULL), STATUS_OK);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct buf pin;
		buf_init(&pin, TOKEN_PIN_MAX);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, files[i].content, strlen(files[i].content), 0), strlen(files[i].content));
		assert_int_equal(token_place_pin(&pin, &place, NULL), files[i].status);
		if (files[i].status == STATUS_OK) assert_true(bytes_equal(buf_view(&pin), BYTES_LITERAL("1234")));
		buf_wipe(&pin);
	}
	unlink(path);
	close(fd);
	struct buf pin;
	buf_init(&pin, TOKEN_PIN_MAX);
	assert_int_equal(token_place_pin(&pin, &place, NULL), STATUS_NOTFOUND);
	buf_fini(&pin);
	token_place_fini(&place);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_uri_is_taken),
	    cmocka_unit_test(whatever_is_missing_or_too_much_is_named),
	    cmocka_unit_test(the_pin_is_the_first_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
