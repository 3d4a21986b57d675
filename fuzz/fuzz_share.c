/*
 * A trustee's share out of any bytes: as a sealed text, and as whatever a dealer or a trustee may seal, under any
 * header members. What opens is a share of its place; it is written back as it was. The first byte chooses.
 */
#include "crypto/p256.h"
#include "envelope/jwe.h"
#include "fuzz/target.h"
#include "health/records/share.h"
#include "tests/scripted_random.h"

#define SEALED_MAX ((size_t)1 << 20)

static const struct p256_secret secret = {{[31] = 7}};
static const hash32 genesis = {{1}}, folder = {{2}};
static const struct share_release terms = {3, 4, 5};

static void open_one(const struct share_place *place, struct bytes sealed, struct bytes plaintext) {
	struct vss_share share;
	uint8_t written[VSS_SHARE_BYTES];
	const enum status status = share_open(&share, place, &secret, sealed, NULL);
	BUG_ON(status != STATUS_OK && status != STATUS_DENIED && status != STATUS_INVALID);
	if (status != STATUS_OK) return;
	BUG_ON(share.index != place->index);
	vss_share_write(written, &share);
	BUG_ON(plaintext.len && !bytes_equal(bytes_make(written, sizeof written), plaintext));
}

/* A length of the members in two bytes, the members, the plaintext. */
static void open_what_was_sealed(const struct share_place *place, struct bytes data) {
	struct scripted_random script = {1};
	const struct random_source random = scripted_random(&script);
	struct p256_public key;
	struct buf sealed;
	if (data.len < 2) return;
	const size_t len = (size_t)data.data[0] << 8 | data.data[1];
	const struct bytes members = bytes_slice(data, 2, 2 + len), plaintext = bytes_slice(data, 2 + len, data.len);
	BUG_ON(p256_public_of(&key, &secret) != STATUS_OK);
	buf_init(&sealed, SEALED_MAX);
	if (jwe_ecdh_seal(&sealed, &key, members, plaintext, &random, NULL) == STATUS_OK)
		open_one(place, buf_view(&sealed), plaintext);
	buf_fini(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) return 0;
	const struct bytes rest = bytes_make(data + 1, size - 1);
	const struct share_place place = {&genesis, &folder, 9, 2, data[0] & 2 ? &terms : NULL};
	if (data[0] & 1)
		open_what_was_sealed(&place, rest);
	else
		open_one(&place, rest, (struct bytes){0});
	return 0;
}
