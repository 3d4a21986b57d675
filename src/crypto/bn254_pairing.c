#include "crypto/bn254_pairing.h"

/*
 * Signed binary digits (non-adjacent form) of 6u + 2 = 29793968203157093288, from the top; and of u. About a third of
 * them are not zero, and subtracting costs no more than adding.
 */
static const char loop_digits[] = "+0-0+000-0-000-0+0-00-00000+00-0+00-0000-0+000-0-00+000-00-0+0+000";
static const char u_digits[] = "+000+0+00-0+0+0-00+0+0-0-0-0+000+00+0+0+0-0+00+0000+0+0000-000+";

/* x = X/Z, y = Y/Z: plain projective coordinates give the cheapest lines. */
struct g2_projective {
	struct fp2 x, y, z;
};

/*
 * One step of a Miller loop. A point of E' stands for (x·w², y·w³) on E, so a line of slope m through (x, y) of E' is,
 * at the point (xP, yP) of G1,
 *
 *     yP - m·xP·w + (m·x - y)·w³
 *
 * Factors from Fp2 do not matter, because the final exponentiation maps them to one; so denominators are multiplied
 * away. The steps leave a line that is still to be taken at P: a is to be multiplied by yP, and b by xP.
 */

/*
 * t = 2t. The tangent's slope is 3x²/2y. Times -2YZ the line is -2YZ·yP + 3X²·xP·w + (3b'Z² - Y²)·w³, where
 * X³ = Y²Z - b'Z³ was put in.
 */
static void double_step(struct sparse_line *line, struct g2_projective *t) {
	struct fp2 half_xy, yy, zz, e, f, g, yz2;
	fp2_mul(&half_xy, &t->x, &t->y);
	fp2_half(&half_xy, &half_xy);
	fp2_sqr(&yy, &t->y);
	fp2_sqr(&zz, &t->z);
	fp2_double(&e, &zz);
	fp2_add(&e, &e, &zz);
	fp2_mul(&e, &e, &bn254_twist_b); /* 3b'Z² */
	fp2_double(&f, &e);
	fp2_add(&f, &f, &e); /* 9b'Z² */
	fp2_add(&g, &yy, &f);
	fp2_half(&g, &g);
	fp2_add(&yz2, &t->y, &t->z);
	fp2_sqr(&yz2, &yz2);
	fp2_sub(&yz2, &yz2, &yy);
	fp2_sub(&yz2, &yz2, &zz); /* 2YZ */

	fp2_neg(&line->a, &yz2);
	fp2_sqr(&line->b, &t->x);
	fp2_double(&line->c, &line->b);
	fp2_add(&line->b, &line->b, &line->c);
	fp2_sub(&line->c, &e, &yy);

	/* X' = XY/2·(Y² - 9b'Z²)   Y' = ((Y² + 9b'Z²)/2)² - 3·(3b'Z²)²   Z' = Y²·2YZ */
	fp2_sub(&f, &yy, &f);
	fp2_mul(&t->x, &half_xy, &f);
	fp2_sqr(&e, &e);
	fp2_double(&f, &e);
	fp2_add(&f, &f, &e);
	fp2_sqr(&g, &g);
	fp2_sub(&t->y, &g, &f);
	fp2_mul(&t->z, &yy, &yz2);
}

/*
 * t = t + q. With d = X - x·Z and n = Y - y·Z the slope is n/d; times d the line is d·yP - n·xP·w + (n·x - d·y)·w³.
 *
 * Where t = ±q, or t is infinity, the result has Z = 0, and Z stays 0 from then on, through both kinds of step. So a Z
 * that is not 0 in the end proves that no step met a special case.
 */
static void add_step(struct sparse_line *line, struct g2_projective *t, const struct fp2 *x, const struct fp2 *y) {
	struct fp2 n, d, dd, ddd, xdd, h, product;
	fp2_mul(&n, y, &t->z);
	fp2_sub(&n, &t->y, &n);
	fp2_mul(&d, x, &t->z);
	fp2_sub(&d, &t->x, &d);

	line->a = d;
	fp2_neg(&line->b, &n);
	fp2_mul(&line->c, &n, x);
	fp2_mul(&product, &d, y);
	fp2_sub(&line->c, &line->c, &product);

	/* h = d³ + Zn² - 2Xd²   X' = d·h   Y' = n·(Xd² - h) - d³·Y   Z' = Z·d³ */
	fp2_sqr(&dd, &d);
	fp2_mul(&ddd, &dd, &d);
	fp2_mul(&xdd, &t->x, &dd);
	fp2_sqr(&h, &n);
	fp2_mul(&h, &h, &t->z);
	fp2_add(&h, &h, &ddd);
	fp2_sub(&h, &h, &xdd);
	fp2_sub(&h, &h, &xdd);
	fp2_mul(&t->x, &d, &h);
	fp2_sub(&xdd, &xdd, &h);
	fp2_mul(&xdd, &xdd, &n);
	fp2_mul(&product, &ddd, &t->y);
	fp2_sub(&t->y, &xdd, &product);
	fp2_mul(&t->z, &t->z, &ddd);
}

/* What a pair needs while the loop runs. */
struct miller_state {
	struct point_pair pair;
	struct fp2 y_neg;
	struct g2_projective t;
};

static void multiply_line(struct fp12 *f, struct sparse_line *line, const struct miller_state *state) {
	if (state->pair.p.infinity) return; /* q is still checked */
	fp2_mul_fp(&line->a, &line->a, &state->pair.p.y);
	fp2_mul_fp(&line->b, &line->b, &state->pair.p.x);
	fp12_mul_line(f, f, line);
}

/*
 * ψ = (twist)⁻¹ ∘ Frobenius ∘ twist, an endomorphism of E': ψ(x, y) = (xᵖ·γ², yᵖ·γ³). On G2 it is multiplication by p.
 * ψ²(x, y) = (x·δ², y·δ³) = (x·δ², -y) and ψ³(x, y) = (xᵖ·γ²·δ², -yᵖ·γ³).
 *
 * The last two lines of the loop make t = [6u+2]q + ψ(q) - ψ²(q). As 6u + 2 + p - p² + p³ = 0 (mod r), every q of G2
 * has t = -ψ³(q). The reverse holds too, so that this is the whole check of the subgroup: on E', ψ solves X² - (6u² +
 * 1)·X + p = 0, as Frobenius does on E. Let F(X) = 6u + 2 + X - X² + X³. If F(ψ)q = 0, then q is also killed by the
 * resultant of the two polynomials, an integer; and its greatest common divisor with the order r·(2p - r) of E'(Fp2) is
 * exactly r. The unit test reckons that again.
 */
static bool finish_pair(struct fp12 *f, struct miller_state *state) {
	const struct g2_point *q = &state->pair.q;
	struct sparse_line line;
	struct fp2 x, y, expected;
	fp2_conj(&x, &q->x);
	fp2_mul(&x, &x, &frobenius_gamma[2]);
	fp2_conj(&y, &q->y);
	fp2_mul(&y, &y, &frobenius_gamma[3]);
	add_step(&line, &state->t, &x, &y); /* + ψ(q) */
	multiply_line(f, &line, state);

	struct fp2 x2;
	fp2_mul_fp(&x2, &q->x, &frobenius_delta[2]);
	add_step(&line, &state->t, &x2, &q->y); /* - ψ²(q) */
	multiply_line(f, &line, state);

	/* t = -ψ³(q) = (x·δ², y), with x and y those of ψ(q)? */
	if (fp2_is_zero(&state->t.z)) return false;
	fp2_mul_fp(&expected, &x, &frobenius_delta[2]);
	fp2_mul(&expected, &expected, &state->t.z);
	if (!fp2_equal(&expected, &state->t.x)) return false;
	fp2_mul(&expected, &y, &state->t.z);
	return fp2_equal(&expected, &state->t.y);
}

bool bn254_miller_loop(struct fp12 *out, const struct point_pair *pairs, size_t count) {
	BUG_ON(count > PAIRING_BATCH_MAX);
	struct miller_state states[PAIRING_BATCH_MAX];
	size_t active = 0;
	for (size_t i = 0; i < count; i++) {
		if (pairs[i].q.infinity) continue;
		struct miller_state *state = &states[active++];
		state->pair = pairs[i];
		fp2_neg(&state->y_neg, &pairs[i].q.y);
		state->t = (struct g2_projective){pairs[i].q.x, pairs[i].q.y, fp2_one};
	}

	/* The squarings of f serve all pairs. */
	struct fp12 f = fp12_one;
	struct sparse_line line;
	for (const char *digit = loop_digits + 1; *digit != '\0'; digit++) {
		fp12_sqr(&f, &f);
		for (size_t i = 0; i < active; i++) {
			struct miller_state *state = &states[i];
			double_step(&line, &state->t);
			multiply_line(&f, &line, state);
			if (*digit == '0') continue;
			add_step(&line, &state->t, &state->pair.q.x, *digit == '+' ? &state->pair.q.y : &state->y_neg);
			multiply_line(&f, &line, state);
		}
	}
	for (size_t i = 0; i < active; i++)
		if (!finish_pair(&f, &states[i])) return false;
	*out = f;
	return true;
}

/* aᵘ in the cyclotomic subgroup, where the conjugate is the inverse. */
static void power_u(struct fp12 *out, const struct fp12 *a) {
	struct fp12 result = *a, inverse;
	fp12_conj(&inverse, a);
	for (const char *digit = u_digits + 1; *digit != '\0'; digit++) {
		fp12_cyclotomic_sqr(&result, &result);
		if (*digit != '0') fp12_mul(&result, &result, *digit == '+' ? a : &inverse);
	}
	*out = result;
}

/*
 * (p¹² - 1)/r = (p⁶ - 1)·(p² + 1)·(p⁴ - p² + 1)/r. The first two factors cost Frobenius maps and one inversion. A
 * multiple of the third is
 *
 *     m·(p⁴ - p² + 1)/r = λ0 + λ1·p + λ2·p² + λ3·p³,  m = 2u(6u² + 3u + 1),
 *     λ0 = 12u³ + 12u² + 6u + 1    λ1 = 12u³ + 6u² + 4u    λ2 = 12u³ + 6u² + 6u    λ3 = λ1 - 1
 *
 * r does not divide m, so the result is one exactly when it is with the exponent itself.
 */
void bn254_final_exponentiation(struct fp12 *out, const struct fp12 *f) {
	struct fp12 g, t, g2u, g6u, g6uu, l1, l2;
	fp12_conj(&g, f);
	fp12_inv(&t, f);
	fp12_mul(&g, &g, &t); /* ^(p⁶ - 1) */
	fp12_frobenius2(&t, &g);
	fp12_mul(&g, &g, &t); /* ^(p² + 1) */

	power_u(&g2u, &g);
	fp12_cyclotomic_sqr(&g2u, &g2u);
	fp12_cyclotomic_sqr(&t, &g2u);
	fp12_mul(&g6u, &t, &g2u);
	power_u(&g6uu, &g6u); /* g^(6u²) */
	fp12_cyclotomic_sqr(&t, &g6uu);
	power_u(&t, &t); /* g^(12u³) */
	fp12_mul(&l2, &t, &g6uu);
	fp12_mul(&l2, &l2, &g6u);
	fp12_conj(&t, &g2u);
	fp12_mul(&l1, &l2, &t);

	fp12_mul(out, &l2, &g6uu); /* λ0 = λ2 + 6u² + 1 */
	fp12_mul(out, out, &g);
	fp12_conj(&t, &g);
	fp12_mul(&t, &t, &l1); /* λ3 = λ1 - 1 */
	fp12_frobenius2(&t, &t);
	fp12_mul(&t, &t, &l1); /* λ1 + λ3·p², then ^p */
	fp12_frobenius(&t, &t);
	fp12_mul(out, out, &t);
	fp12_frobenius2(&t, &l2);
	fp12_mul(out, out, &t);
}
