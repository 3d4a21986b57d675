/*
 * Any text as a compact JWE, and any bytes as a deflate stream. Opening must never crash, and a text that is sealed
 * here from the input must open to it. The first byte chooses.
 */
#include "codec/hex.h"
#include "envelope/deflate.h"
#include "envelope/jwe.h"
#include "fuzz/target.h"
#include "tests/scripted_random.h"

#define OPENED_BYTES_MAX 65536u

static const uint8_t shared_key[32] = {1};
static const struct p256_secret secret = {{7}};

static void open_both(struct bytes text) {
	struct arena arena;
	struct buf opened;
	arena_init(&arena);
	buf_init(&opened, OPENED_BYTES_MAX);
	BUG_ON(jwe_dir_open(&opened, NULL, &arena, text, shared_key, NULL) == STATUS_INTERNAL);
	BUG_ON(jwe_ecdh_open(&opened, NULL, &arena, text, &secret, NULL) == STATUS_INTERNAL);
	buf_fini(&opened);
	arena_fini(&arena);
}

/* The input as a protected header in front of parts of the right lengths. */
static void open_header(struct bytes header) {
	struct buf text;
	buf_init(&text, 1 << 20);
	base64url_put(&text, header);
	buf_text(&text, "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA");
	open_both(buf_view(&text));
	buf_fini(&text);
}

static void inflate_any(struct bytes deflated) {
	struct buf out;
	buf_init(&out, OPENED_BYTES_MAX);
	enum status status = inflate_raw(&out, deflated, NULL);
	BUG_ON(status != STATUS_OK && out.len);
	buf_fini(&out);
}

static void seal_and_open(struct bytes plain, size_t bucket_bytes) {
	struct scripted_random script = {0};
	struct random_source random = scripted_random(&script);
	struct arena arena;
	struct buf text, opened;
	arena_init(&arena);
	buf_init(&text, 1 << 24);
	buf_init(&opened, 1 << 24);
	BUG_ON(jwe_dir_seal(&text, shared_key, (struct bytes){0}, plain, bucket_bytes, &random, NULL) != STATUS_OK);
	BUG_ON(jwe_dir_open(&opened, NULL, &arena, buf_view(&text), shared_key, NULL) != STATUS_OK);
	BUG_ON(!bytes_equal(buf_view(&opened), plain));
	buf_fini(&opened);
	buf_fini(&text);
	arena_fini(&arena);
}

/* The input as extra members: refused, or a text that opens. */
static void seal_members(struct bytes members) {
	struct scripted_random script = {0};
	struct random_source random = scripted_random(&script);
	struct p256_public point;
	struct arena arena;
	struct buf text, opened;
	arena_init(&arena);
	buf_init(&text, 1 << 20);
	buf_init(&opened, 100);
	BUG_ON(p256_public_of(&point, &secret) != STATUS_OK);
	if (jwe_ecdh_seal(&text, &point, members, BYTES_LITERAL("x"), &random, NULL) == STATUS_OK)
		BUG_ON(jwe_ecdh_open(&opened, NULL, &arena, buf_view(&text), &secret, NULL) != STATUS_OK);
	buf_fini(&opened);
	buf_fini(&text);
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) return 0;
	struct bytes rest = bytes_make(data + 1, size - 1);
	switch (data[0] % 5) {
	case 0: open_both(rest); break;
	case 1: open_header(rest); break;
	case 2: inflate_any(rest); break;
	case 3: seal_and_open(rest, data[0]); break;
	case 4: seal_members(rest); break;
	}
	return 0;
}
