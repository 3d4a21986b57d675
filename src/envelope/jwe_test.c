#include "envelope/jwe.h"

#include "tests/unit.h"

#include "codec/hex.h"
#include "crypto/aead.h"
#include "envelope/deflate.h"
#include "tests/scripted_random.h"

static const struct bytes plain = BYTES_LITERAL("{\"resourceType\":\"Patient\",\"id\":\"example\"}");
static const struct bytes members = BYTES_LITERAL("{\"cty\":\"application/fhir+json\", \"folder\":\"0x01\"}");
static const uint8_t shared_key[32] = {1, 2, 3};

/* What every test starts with, and what it leaves. */
struct scene {
	struct scripted_random script;
	struct random_source random;
	struct p256_secret secret;
	struct p256_public public_key;
	struct arena arena;
	struct buf text, opened;
	struct jwe_header header;
	struct err err;
};

static int scene_init(void **state) {
	struct scene *scene = mem_zalloc(1, sizeof *scene);
	scene->random = scripted_random(&scene->script);
	scene->secret.d[0] = 7;
	assert_int_equal(p256_public_of(&scene->public_key, &scene->secret), STATUS_OK);
	arena_init(&scene->arena);
	buf_init(&scene->text, 1 << 20);
	buf_init(&scene->opened, 1 << 16);
	*state = scene;
	return 0;
}

static int scene_fini(void **state) {
	struct scene *scene = *state;
	buf_fini(&scene->text);
	buf_fini(&scene->opened);
	arena_fini(&scene->arena);
	mem_free(scene);
	return 0;
}

static enum status open_ecdh(struct scene *scene, struct bytes text) {
	buf_clear(&scene->opened);
	return jwe_ecdh_open(&scene->opened, &scene->header, &scene->arena, text, &scene->secret, &scene->err);
}

static enum status open_dir(struct scene *scene, struct bytes text) {
	buf_clear(&scene->opened);
	return jwe_dir_open(&scene->opened, &scene->header, &scene->arena, text, shared_key, &scene->err);
}

static void seal_ecdh(struct scene *scene) {
	assert_int_equal(
	    jwe_ecdh_seal(&scene->text, &scene->public_key, members, plain, &scene->random, &scene->err), STATUS_OK);
}

static void seal_dir(struct scene *scene, struct bytes text, size_t bucket_bytes) {
	assert_int_equal(
	    jwe_dir_seal(&scene->text, shared_key, members, text, bucket_bytes, &scene->random, &scene->err),
	    STATUS_OK);
}

static void ecdh_goes_both_ways(void **state) {
	struct scene *scene = *state;
	seal_ecdh(scene);
	assert_int_equal(open_ecdh(scene, buf_view(&scene->text)), STATUS_OK);
	assert_true(bytes_equal(buf_view(&scene->opened), plain));
	assert_int_equal(scene->header.alg, JWE_ECDH_ES_A256KW);
	assert_true(json_string_is(json_get(scene->header.members, "folder"), "0x01"));
	struct jwe_header read;
	assert_int_equal(jwe_read_header(&read, &scene->arena, buf_view(&scene->text), &scene->err), STATUS_OK);
	assert_memory_equal(read.epk.xy, scene->header.epk.xy, 64);
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_UNSUPPORTED);
	scene->secret.d[0] = 8;
	assert_int_equal(open_ecdh(scene, buf_view(&scene->text)), STATUS_DENIED);
	assert_int_equal(scene->opened.len, 0);
}

static void dir_goes_both_ways(void **state) {
	struct scene *scene = *state;
	seal_dir(scene, plain, 0);
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_OK);
	assert_true(bytes_equal(buf_view(&scene->opened), plain));
	assert_true(scene->header.deflated);
	assert_true(json_string_is(json_get(scene->header.members, "cty"), "application/fhir+json"));
	assert_int_equal(open_ecdh(scene, buf_view(&scene->text)), STATUS_UNSUPPORTED);
	uint8_t other[32] = {1};
	assert_int_equal(jwe_dir_open(&scene->opened, NULL, &scene->arena, buf_view(&scene->text), other, &scene->err),
	    STATUS_DENIED);
}

/* Every single changed character of both forms is noticed. */
static void any_change_is_refused(void **state) {
	struct scene *scene = *state;
	for (int form = 0; form < 2; form++) {
		buf_clear(&scene->text);
		if (form)
			seal_dir(scene, plain, 0);
		else
			seal_ecdh(scene);
		for (size_t i = 0; i < scene->text.len; i++) {
			uint8_t before = scene->text.data[i];
			scene->text.data[i] = before == 'A' ? 'B' : 'A';
			struct bytes text = buf_view(&scene->text);
			assert_int_not_equal(form ? open_dir(scene, text) : open_ecdh(scene, text), STATUS_OK);
			assert_int_equal(scene->opened.len, 0);
			scene->text.data[i] = before;
			if (i % 16 == 0) arena_reset(&scene->arena);
		}
		for (size_t len = 0; len < scene->text.len; len++) {
			struct bytes text = bytes_slice(buf_view(&scene->text), 0, len);
			assert_int_not_equal(form ? open_dir(scene, text) : open_ecdh(scene, text), STATUS_OK);
		}
		buf_byte(&scene->text, 'A');
		assert_int_not_equal(
		    form ? open_dir(scene, buf_view(&scene->text)) : open_ecdh(scene, buf_view(&scene->text)),
		    STATUS_OK);
	}
}

/* Text of the form dir with a header of the test's own, properly sealed. */
static void seal_raw(struct scene *scene, const char *header, struct bytes content, const char *encrypted_key) {
	uint8_t iv[12] = {5}, tag[16];
	struct buf *text = &scene->text;
	buf_clear(text);
	base64url_put(text, bytes_text(header));
	uint8_t *ciphertext = arena_alloc(&scene->arena, content.len);
	aes256gcm_seal(ciphertext, tag, shared_key, iv, arena_dup(&scene->arena, buf_view(text)), content);
	buf_printf(text, ".%s.", encrypted_key);
	base64url_put(text, bytes_make(iv, sizeof iv));
	buf_byte(text, '.');
	base64url_put(text, bytes_make(ciphertext, content.len));
	buf_byte(text, '.');
	base64url_put(text, bytes_make(tag, sizeof tag));
}

static void headers_are_held_to_the_forms(void **state) {
	struct scene *scene = *state;
	static const struct {
		const char *header;
		enum status status;
	} cases[] = {
	    {"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", STATUS_OK},
	    {"{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", STATUS_UNSUPPORTED},
	    {"{\"alg\":\"dir\"}", STATUS_UNSUPPORTED},
	    {"{\"enc\":\"A256GCM\"}", STATUS_UNSUPPORTED},
	    {"{\"alg\":\"none\",\"enc\":\"A256GCM\"}", STATUS_UNSUPPORTED},
	    {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"}", STATUS_UNSUPPORTED},
	    {"{\"alg\":[\"dir\"],\"enc\":\"A256GCM\"}", STATUS_UNSUPPORTED},
	    {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"crit\":[\"exp\"],\"exp\":1}", STATUS_UNSUPPORTED},
	    {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"crit\":[]}", STATUS_UNSUPPORTED},
	    {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"zip\":\"GZIP\"}", STATUS_UNSUPPORTED},
	    {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"zip\":null}", STATUS_UNSUPPORTED},
	    {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"alg\":\"dir\"}", STATUS_INVALID},
	    {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"\\u0061lg\":\"dir\"}", STATUS_INVALID},
	    {"{\"alg\":\"dir\",\"enc\":\"A256GCM\"} ", STATUS_OK},
	    {"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}{}", STATUS_INVALID},
	    {"[]", STATUS_INVALID},
	    {"", STATUS_INVALID},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		seal_raw(scene, cases[i].header, plain, "");
		assert_int_equal(open_dir(scene, buf_view(&scene->text)), cases[i].status);
	}
	seal_raw(scene, cases[0].header, plain, "AAAA");
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_INVALID);
}

static void members_cannot_change_the_form(void **state) {
	struct scene *scene = *state;
	static const char *const bad[] = {"[]", "1", "{", "{\"a\":1}x", "{\"alg\":\"dir\"}", "{\"enc\":\"A256GCM\"}",
	    "{\"zip\":\"DEF\"}", "{\"epk\":{}}", "{\"a\":1,\"a\":2}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(jwe_ecdh_seal(&scene->text, &scene->public_key, bytes_text(bad[i]), plain,
				     &scene->random, &scene->err),
		    STATUS_INVALID);
	assert_int_equal(jwe_ecdh_seal(&scene->text, &scene->public_key, BYTES_LITERAL("{\"crit\":[\"a\"],\"a\":1}"),
			     plain, &scene->random, &scene->err),
	    STATUS_UNSUPPORTED);
	assert_int_equal(scene->text.len, 0);
	struct bytes none[] = {{0}, BYTES_LITERAL("{}"), BYTES_LITERAL(" { } ")};
	for (size_t i = 0; i < 3; i++) {
		buf_clear(&scene->text);
		assert_int_equal(
		    jwe_ecdh_seal(&scene->text, &scene->public_key, none[i], plain, &scene->random, &scene->err),
		    STATUS_OK);
		assert_int_equal(open_ecdh(scene, buf_view(&scene->text)), STATUS_OK);
	}
	struct p256_public off_curve = scene->public_key;
	off_curve.xy[3] ^= 1;
	assert_int_equal(
	    jwe_ecdh_seal(&scene->text, &off_curve, members, plain, &scene->random, &scene->err), STATUS_INVALID);
}

/* epk off the curve, of another curve, short, or not there. */
static void points_are_checked(void **state) {
	struct scene *scene = *state;
	static const char x[] = "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
			  y[] = "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps";
	static const struct {
		const char *crv, *x, *y;
		enum status status;
	} cases[] = {
	    {"P-256", x, y, STATUS_OK}, {"P-384", x, y, STATUS_UNSUPPORTED}, {"P-256", y, x, STATUS_INVALID},
	    {"P-256", x, "AAAA", STATUS_INVALID},
	    {"P-256", x, "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFppt", STATUS_INVALID}, /* bits behind the last byte */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *header = arena_printf(&scene->arena,
		    "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%"
		    "s\",\"y\":\"%s\"}}",
		    cases[i].crv, cases[i].x, cases[i].y);
		seal_raw(scene, header, plain, "AAAA");
		assert_int_equal(jwe_read_header(&scene->header, &scene->arena, buf_view(&scene->text), &scene->err),
		    cases[i].status);
	}
	seal_raw(scene, "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\"}", plain, "AAAA");
	assert_int_equal(
	    jwe_read_header(&scene->header, &scene->arena, buf_view(&scene->text), &scene->err), STATUS_INVALID);
}

static void inflating_is_bounded(void **state) {
	struct scene *scene = *state;
	size_t len = scene->opened.max;
	uint8_t *zeros = mem_zalloc(len + 1, 1);
	seal_dir(scene, bytes_make(zeros, len), 0);
	assert_true(scene->text.len < 1000);
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_OK);
	assert_int_equal(scene->opened.len, len);
	buf_clear(&scene->text);
	seal_dir(scene, bytes_make(zeros, len + 1), 0);
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_LIMIT);
	assert_int_equal(scene->opened.len, 0);
	seal_raw(scene, "{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", bytes_make(zeros, len + 1), "");
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_LIMIT);
	mem_free(zeros);
}

/* Damaged, cut, or followed by something: sealed all the same, so only inflating can tell. */
static void deflate_streams_are_whole(void **state) {
	struct scene *scene = *state;
	static const char header[] = "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"zip\":\"DEF\"}";
	struct buf deflated;
	buf_init(&deflated, 10000);
	deflate_raw(&deflated, plain, 0);
	seal_raw(scene, header, buf_view(&deflated), "");
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_OK);
	for (size_t len = 0; len < deflated.len; len++) {
		seal_raw(scene, header, bytes_slice(buf_view(&deflated), 0, len), "");
		assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_INVALID);
		assert_int_equal(scene->opened.len, 0);
	}
	buf_byte(&deflated, 0);
	seal_raw(scene, header, buf_view(&deflated), "");
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_INVALID);
	seal_raw(scene, header, BYTES_LITERAL("\x07"), ""); /* a block type that is not defined */
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_INVALID);
	buf_fini(&deflated);
}

/* Every length of text and bucket: a multiple of the bucket, and the same text again. */
static void buckets_are_filled(void **state) {
	struct scene *scene = *state;
	uint8_t text[300];
	for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * i * 31 + i / 3);
	static const size_t buckets[] = {2, 3, 5, 7, 16, 24, 64, 1024};
	for (size_t len = 0; len < sizeof text; len += 1 + len / 40) {
		for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++) {
			struct buf deflated;
			buf_init(&deflated, 10000);
			deflate_raw(&deflated, bytes_make(text, len), buckets[i]);
			assert_false(deflated.overflow);
			assert_int_equal(deflated.len % buckets[i], 0);
			assert_true(deflated.len > 0);
			buf_clear(&scene->opened);
			assert_int_equal(inflate_raw(&scene->opened, buf_view(&deflated), &scene->err), STATUS_OK);
			assert_true(bytes_equal(buf_view(&scene->opened), bytes_make(text, len)));
			buf_fini(&deflated);
		}
	}
	seal_dir(scene, plain, 4096);
	assert_true(scene->text.len > 4096 * 4 / 3);
	assert_int_equal(open_dir(scene, buf_view(&scene->text)), STATUS_OK);
	assert_true(bytes_equal(buf_view(&scene->opened), plain));
}

/* Around every size of zlib's window, what does not compress also fits its bound. */
static void windows_of_all_sizes(void **state) {
	struct scene *scene = *state;
	size_t max = 40000;
	uint8_t *noise = mem_alloc(max);
	random_fill(&scene->random, noise, max);
	for (size_t middle = 250; middle <= 32768; middle *= 2) {
		for (size_t len = middle - 3; len <= middle + 300; len += 151) {
			for (size_t bucket = 0; bucket <= 512; bucket += 512) {
				struct buf deflated;
				buf_init(&deflated, 1 << 20);
				deflate_raw(&deflated, bytes_make(noise, len), bucket);
				buf_clear(&scene->opened);
				assert_int_equal(
				    inflate_raw(&scene->opened, buf_view(&deflated), &scene->err), STATUS_OK);
				assert_true(bytes_equal(buf_view(&scene->opened), bytes_make(noise, len)));
				buf_fini(&deflated);
			}
		}
	}
	mem_free(noise);
}

static void output_is_bounded(void **state) {
	struct scene *scene = *state;
	struct buf small;
	buf_init(&small, 100);
	assert_int_equal(
	    jwe_ecdh_seal(&small, &scene->public_key, members, plain, &scene->random, &scene->err), STATUS_LIMIT);
	assert_int_equal(small.len, 0);
	buf_fini(&small);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_init, scene_fini)

int main(void) {
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(ecdh_goes_both_ways),
	    SCENE_TEST(dir_goes_both_ways),
	    SCENE_TEST(any_change_is_refused),
	    SCENE_TEST(headers_are_held_to_the_forms),
	    SCENE_TEST(members_cannot_change_the_form),
	    SCENE_TEST(points_are_checked),
	    SCENE_TEST(inflating_is_bounded),
	    SCENE_TEST(deflate_streams_are_whole),
	    SCENE_TEST(buckets_are_filled),
	    SCENE_TEST(windows_of_all_sizes),
	    SCENE_TEST(output_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
