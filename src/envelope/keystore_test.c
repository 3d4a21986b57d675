#include "envelope/keystore.h"

#include "tests/unit.h"

#include "tests/scripted_random.h"

static const struct bytes password = BYTES_LITERAL("correct horse");

/* `text` with the first `from` in it replaced; the two are of one length. */
static void edit(struct buf *text, const char *from, const char *to) {
	assert_int_equal(strlen(from), strlen(to));
	char *at = strstr(buf_cstr(text), from);
	assert_non_null(at);
	memcpy(at, to, strlen(to));
}

static enum status open_edited(const struct buf *file, const char *from, const char *to) {
	struct buf text;
	struct err err;
	hash32 secret = {{0x55}};
	buf_init(&text, 10000);
	buf_append(&text, buf_view(file));
	edit(&text, from, to);
	enum status status = keystore_open(&secret, buf_view(&text), password, &err);
	if (status != STATUS_OK) assert_int_equal(secret.b[0], 0x55);
	buf_fini(&text);
	return status;
}

static void seals_and_opens(void **state) {
	(void)state;
	struct scripted_random script = {0};
	struct random_source random = scripted_random(&script);
	struct buf file;
	struct err err;
	hash32 secret, opened;
	memset(secret.b, 0x46, 32);
	buf_init(&file, 10000);
	assert_int_equal(keystore_seal(&file, &secret, password, &keystore_cost_light, &random, &err), STATUS_OK);
	assert_non_null(strstr(buf_cstr(&file), "\"address\":\"9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f\""));
	assert_int_equal(keystore_open(&opened, buf_view(&file), password, &err), STATUS_OK);
	assert_true(hash32_equal(&opened, &secret));
	assert_int_equal(keystore_open(&opened, buf_view(&file), BYTES_LITERAL("wrong"), &err), STATUS_DENIED);
	assert_int_equal(open_edited(&file, "\"version\":3", "\"version\":1"), STATUS_UNSUPPORTED);
	assert_int_equal(open_edited(&file, "aes-128-ctr", "aes-256-ctr"), STATUS_UNSUPPORTED);
	assert_int_equal(open_edited(&file, "\"scrypt\"", "\"bcrypt\""), STATUS_UNSUPPORTED);
	assert_int_equal(open_edited(&file, "\"address\":\"9d", "\"address\":\"9e"), STATUS_INVALID);
	assert_int_equal(open_edited(&file, "\"address\":\"9d", "\"address\":\"9x"), STATUS_INVALID);
	assert_int_equal(open_edited(&file, "\"n\":4096", "\"n\":4095"), STATUS_INVALID);
	assert_int_equal(open_edited(&file, "\"n\":4096", "\"n\":8192"), STATUS_DENIED);
	assert_int_equal(open_edited(&file, "\"p\":6", "\"p\":0"), STATUS_INVALID);
	assert_int_equal(open_edited(&file, "\"dklen\":32", "\"dklen\":16"), STATUS_UNSUPPORTED);
	assert_int_equal(open_edited(&file, "\"mac\":\"", "\"cam\":\""), STATUS_INVALID);
	buf_fini(&file);
}

static void refuses_what_is_no_key_file(void **state) {
	(void)state;
	static const char *const bad[] = {"", "{}", "[]", "{\"version\":3}", "{\"version\":3,\"crypto\":{}}",
	    "{\"version\":3,\"crypto\":{\"cipher\":\"aes-128-ctr\"}}", "{\"version\":3,\"crypto\":1,\"Crypto\":1}"};
	hash32 secret;
	struct err err;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_not_equal(keystore_open(&secret, bytes_text(bad[i]), password, &err), STATUS_OK);
	struct scripted_random script = {0};
	struct random_source random = scripted_random(&script);
	struct buf file;
	buf_init(&file, 10000);
	hash32 zero = {0};
	assert_int_equal(keystore_seal(&file, &zero, password, &keystore_cost_light, &random, &err), STATUS_INVALID);
	struct keystore_cost odd = {.n = 3, .r = 8, .p = 1};
	zero.b[0] = 1;
	assert_int_equal(keystore_seal(&file, &zero, password, &odd, &random, &err), STATUS_INVALID);
	assert_int_equal(file.len, 0);
	buf_fini(&file);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(seals_and_opens),
	    cmocka_unit_test(refuses_what_is_no_key_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
