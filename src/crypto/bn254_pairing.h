/*
 * The optimal ate pairing of BN254. Internal to crypto/bn254*.c. Threads: pure.
 *
 * Source: F. Vercauteren, Optimal pairings (2010); D. Aranha et al., Faster explicit formulas for computing pairings
 * over ordinary curves (EUROCRYPT 2011) for the line formulas; L. Fuentes-Castañeda et al., Faster hashing to G2 (SAC
 * 2011) for the last exponent.
 */
#ifndef CRYPTO_BN254_PAIRING_H
#define CRYPTO_BN254_PAIRING_H

#include "base/status.h"
#include "crypto/bn254_curve.h"
#include "crypto/bn254_tower.h"

#define PAIRING_BATCH_MAX 16

struct point_pair {
	struct g1_point p;
	struct g2_point q;
};

/*
 * The product of the Miller functions f(q, p), still to be raised to the last exponent; pairs with a point at infinity
 * count as one. `count` is at most PAIRING_BATCH_MAX. False if a q, which is on the twist, is not in G2.
 */
MUST_USE bool bn254_miller_loop(struct fp12 *out, const struct point_pair *pairs, size_t count);

/* f to the power of m·(p¹² - 1)/r, for the fixed m = 2u(6u² + 3u + 1), which r does not divide. `f` is not zero. */
void bn254_final_exponentiation(struct fp12 *out, const struct fp12 *f);

#endif
