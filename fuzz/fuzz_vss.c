/*
 * Any bytes as a share, as a statement's commitments, and as what trustees hand in. What is read is written back as it
 * was; whatever shares come, they give the dealer's secret or nothing. The first byte chooses.
 */
#include "crypto/threshold/vss.h"
#include "fuzz/target.h"
#include "tests/scripted_random.h"

#define DEALT 5u
#define THRESHOLD 3u

static const struct p256_secret secret = {{7}};

static void read_share(struct bytes data) {
	struct vss_share share;
	uint8_t written[VSS_SHARE_BYTES];
	if (vss_share_read(&share, data) != STATUS_OK) return;
	vss_share_write(written, &share);
	BUG_ON(!bytes_equal(bytes_make(written, sizeof written), data));
	struct p256_public point;
	BUG_ON(p256_public_of(&point, &share.value) != STATUS_OK);
}

static void read_commitments(struct bytes data) {
	struct vss_commitments read;
	struct p256_public key;
	const struct vss_share share = {.index = 2, .value = secret};
	if (data.len < 1 + sizeof key) return;
	memcpy(&key, data.data + 1, sizeof key);
	const struct bytes rest = bytes_slice(data, 1 + sizeof key, data.len);
	if (vss_commitments_read(&read, data.data[0], &key, rest) != STATUS_OK) return;
	BUG_ON(rest.len && memcmp(read.points + 1, rest.data, rest.len) != 0);
	const bool is_valid = vss_share_is_valid(&share, &read);
	(void)is_valid; /* either answer: no crash */
}

/* The input's records, each a dealt share that it may change: index, which byte, by what. */
static void combine(struct bytes data) {
	struct scripted_random script = {1};
	const struct random_source random = scripted_random(&script);
	struct vss_commitments commitments;
	struct vss_share dealt[DEALT], some[VSS_SHARES_MAX];
	struct p256_secret combined;
	BUG_ON(vss_deal(&commitments, dealt, &secret, THRESHOLD, DEALT, &random) != STATUS_OK);
	size_t count = 0;
	for (; count < VSS_SHARES_MAX && data.len >= 4; count++, data = bytes_slice(data, 4, data.len)) {
		some[count] = dealt[data.data[0] % DEALT];
		some[count].index ^= data.data[1];
		some[count].value.d[data.data[2] % 32] ^= data.data[3];
	}
	const enum status status = vss_combine(&combined, some, count, &commitments);
	BUG_ON(status == STATUS_OK && memcmp(&combined, &secret, sizeof secret) != 0);
	bool all_valid = true;
	for (size_t i = 0; i < count; i++) all_valid = all_valid && vss_share_is_valid(&some[i], &commitments);
	BUG_ON(all_valid && status == STATUS_DENIED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) return 0;
	const struct bytes rest = bytes_make(data + 1, size - 1);
	switch (data[0] % 3) {
	case 0: read_share(rest); break;
	case 1: read_commitments(rest); break;
	case 2: combine(rest); break;
	}
	return 0;
}
