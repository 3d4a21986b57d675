#include "crypto/secp256k1_many.h"

#include "crypto/secp256k1_lanes.h"

/* Eight lanes cost less than two signatures alone, four lanes less than three. */
enum { EIGHT_WORTH = 2, FOUR_WORTH = 3 };

const struct secp_lanes *secp_lanes(void) {
#ifdef WITH_SECP_LANES_IFMA
	if (secp_lanes_ifma.is_usable()) return &secp_lanes_ifma;
#endif
#ifdef WITH_SECP_LANES_AVX2
	if (secp_lanes_avx2.is_usable()) return &secp_lanes_avx2;
#endif
	return NULL;
}

__attribute__((constructor)) static void prepare_lanes(void) {
	const struct secp_lanes *lanes = secp_lanes();
	if (lanes != NULL) lanes->prepare();
}

bool secp_many_pays(void) {
	return secp_lanes() != NULL;
}

static size_t recover_lanes(uint8_t (*keys)[64], enum status *statuses, const struct secp_signature *signatures,
    const hash32 *digests, size_t count) {
	const struct secp_lanes *lanes = secp_lanes();
	const size_t worth = lanes != NULL && lanes->count == 4 ? FOUR_WORTH : EIGHT_WORTH;
	size_t done = 0;
	while (lanes != NULL && count - done >= worth) {
		const size_t many = count - done < lanes->count ? count - done : lanes->count;
		bool known[SECP_LANES_MAX];
		lanes->recover(keys + done, known, signatures + done, digests + done, many);
		for (size_t i = 0; i < many; i++)
			statuses[done + i] =
			    known[i] ? STATUS_OK
				     : secp_recover(keys[done + i], &signatures[done + i], &digests[done + i]);
		done += many;
	}
	return done;
}

void secp_recover_many(uint8_t (*keys)[64], enum status *statuses, const struct secp_signature *signatures,
    const hash32 *digests, size_t count) {
	for (size_t i = recover_lanes(keys, statuses, signatures, digests, count); i < count; i++)
		statuses[i] = secp_recover(keys[i], &signatures[i], &digests[i]);
}
