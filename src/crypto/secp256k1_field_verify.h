/*
 * Inside crypto/: the invariant of settled elements, lane by lane, in a build with -Dverify=true. Included by the two
 * headers of fields behind their types and bounds; `wide` holds LANES numbers of 64 bits.
 */
#include "base/status.h"

#include <string.h>

#ifdef VERIFY
static inline void fe_verify(const fe *a) {
	for (int i = 0; i < FE_LIMBS; i++) {
		uint64_t lanes[LANES];
		memcpy(lanes, &a->n[i], sizeof lanes);
		const uint64_t max = (uint64_t)(i == FE_LIMBS - 1 ? FE_TOP_MAX : FE_LIMB_MAX);
		for (int lane = 0; lane < LANES; lane++) VERIFY_CHECK(lanes[lane] <= max);
	}
}
#else
#define fe_verify(a) ((void)0)
#endif
