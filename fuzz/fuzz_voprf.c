/*
 * Any bytes as an element, as a holder's part, and as the parts that holders send. What is read is written back as it
 * was; whatever parts come, they give the whole key's value or nothing. The first byte chooses.
 */
#include "crypto/threshold/voprf.h"
#include "fuzz/target.h"
#include "tests/scripted_random.h"

#define HOLDERS 4u
#define THRESHOLD 2u

static void read_element(struct bytes data) {
	struct p256_public element;
	uint8_t written[VOPRF_ELEMENT_BYTES];
	if (voprf_element_read(&element, data) != STATUS_OK) return;
	voprf_element_write(written, &element);
	BUG_ON(!bytes_equal(bytes_make(written, sizeof written), data));
}

static void read_part(struct bytes data) {
	struct voprf_part part;
	uint8_t written[VOPRF_PART_BYTES];
	if (voprf_part_read(&part, data) != STATUS_OK) return;
	voprf_part_write(written, &part);
	BUG_ON(!bytes_equal(bytes_make(written, sizeof written), data));
}

/* The input's records, each a holder's part that it may change: whose, which byte, by what. */
static void combine(struct bytes data) {
	static const struct p256_secret key = {{7}}, blind = {{9}};
	struct scripted_random script = {1};
	const struct random_source random = scripted_random(&script);
	struct vss_commitments commitments;
	struct vss_share shares[HOLDERS];
	struct voprf_part parts[VSS_SHARES_MAX], whole;
	struct p256_public blinded, evaluated;
	uint64_t false_parts;
	size_t count = 0;
	BUG_ON(vss_deal(&commitments, shares, &key, THRESHOLD, HOLDERS, &random) != STATUS_OK);
	BUG_ON(voprf_blind(&blinded, &blind, BYTES_LITERAL("04012345678901")) != STATUS_OK);
	const struct vss_share undivided = {.index = 1, .value = key};
	BUG_ON(voprf_evaluate(&whole, &undivided, &blinded, &random) != STATUS_OK);
	for (; count < VSS_SHARES_MAX && data.len >= 3; data = bytes_slice(data, 3, data.len)) {
		uint8_t written[VOPRF_PART_BYTES];
		BUG_ON(voprf_evaluate(&parts[count], &shares[data.data[0] % HOLDERS], &blinded, &random) != STATUS_OK);
		voprf_part_write(written, &parts[count]);
		written[data.data[1] % VOPRF_PART_BYTES] ^= data.data[2];
		count += voprf_part_read(&parts[count], bytes_make(written, sizeof written)) == STATUS_OK;
	}
	if (voprf_combine(&evaluated, &false_parts, parts, count, &commitments, &blinded) == STATUS_OK)
		BUG_ON(memcmp(evaluated.xy, whole.evaluated.xy, sizeof evaluated.xy) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) return 0;
	const struct bytes rest = bytes_make(data + 1, size - 1);
	switch (data[0] % 3) {
	case 0: read_element(rest); break;
	case 1: read_part(rest); break;
	case 2: combine(rest); break;
	}
	return 0;
}
