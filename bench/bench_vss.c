/* What t trustees of n cost: dealing a folder's key, checking one share, and combining t shares.
 *
 *	bench_vss [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "crypto/threshold/vss.h"

#define ROUNDS_DEFAULT 200u

static void fill(void *context, uint8_t *out, size_t len) {
	(void)context;
	if (getrandom(out, len, 0) != (ssize_t)len) abort();
}

static const struct random_source kernel_random = {fill, NULL};

static double seconds(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(uint8_t threshold, uint8_t count, unsigned rounds) {
	const struct p256_secret secret = {{1, 2, 3}};
	struct vss_commitments commitments;
	struct vss_share shares[VSS_SHARES_MAX];
	struct p256_secret combined;
	double took[3] = {0};
	for (unsigned i = 0; i < rounds; i++) {
		const double start = seconds();
		BUG_ON(vss_deal(&commitments, shares, &secret, threshold, count, &kernel_random) != STATUS_OK);
		const double dealt = seconds();
		BUG_ON(!vss_share_is_valid(&shares[i % count], &commitments));
		const double checked = seconds();
		BUG_ON(vss_combine(&combined, shares, threshold, &commitments) != STATUS_OK);
		took[0] += dealt - start;
		took[1] += checked - dealt;
		took[2] += seconds() - checked;
	}
	printf("%u of %u  deal %6.0f us  check %6.0f us  combine %6.0f us\n", threshold, count, took[0] / rounds * 1e6,
	    took[1] / rounds * 1e6, took[2] / rounds * 1e6);
}

int main(int argc, char **argv) {
	const unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
	if (rounds == 0) return 2;
	measure(1, 1, rounds);
	measure(2, 3, rounds);
	measure(3, 5, rounds);
	measure(VSS_SHARES_MAX, VSS_SHARES_MAX, rounds);
	return 0;
}
