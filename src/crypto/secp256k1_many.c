#include "crypto/secp256k1_many.h"

#include "crypto/secp256k1_lanes.h"

/* Eight lanes cost less than two signatures alone. */
enum { LANES_WORTH = 2 };

#ifdef WITH_SECP_LANES
bool secp_many_pays(void) {
	return secp_lanes_usable();
}

static size_t recover_lanes(uint8_t (*keys)[64], enum status *statuses, const struct secp_signature *signatures,
    const hash32 *digests, size_t count) {
	size_t done = 0;
	if (!secp_lanes_usable()) return 0;
	while (count - done >= LANES_WORTH) {
		const size_t many = count - done < SECP_LANES ? count - done : SECP_LANES;
		bool known[SECP_LANES];
		secp_lanes_recover(keys + done, known, signatures + done, digests + done, many);
		for (size_t i = 0; i < many; i++)
			statuses[done + i] =
			    known[i] ? STATUS_OK
				     : secp_recover(keys[done + i], &signatures[done + i], &digests[done + i]);
		done += many;
	}
	return done;
}
#else
bool secp_many_pays(void) {
	return false;
}

static size_t recover_lanes(uint8_t (*keys)[64], enum status *statuses, const struct secp_signature *signatures,
    const hash32 *digests, size_t count) {
	(void)keys, (void)statuses, (void)signatures, (void)digests, (void)count;
	return 0;
}
#endif

void secp_recover_many(uint8_t (*keys)[64], enum status *statuses, const struct secp_signature *signatures,
    const hash32 *digests, size_t count) {
	for (size_t i = recover_lanes(keys, statuses, signatures, digests, count); i < count; i++)
		statuses[i] = secp_recover(keys[i], &signatures[i], &digests[i]);
}
