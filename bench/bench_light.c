/* What a consortium's light block costs who checks it, by the number of its validators: its bytes, decoding it, and its
 * votes, from the block before and from one far below; and a signature by OpenSSL and by ZIP 215's plain rules.
 *
 *	bench_light [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/ed25519_zip215.h"
#include "tests/light_blocks.h"

#define ROUNDS_DEFAULT 200u
#define CHAIN "xinglin-0123456789012345678901234567890123456789"

static double microseconds(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct comet_trusted trusted_at(struct light_made *made, uint64_t height, struct light_members members) {
	static const hash32 app = {{7}};
	light_make(made, CHAIN, height, members, members, &app);
	return comet_trusted_of(&made->block);
}

static void measure(unsigned count, unsigned rounds) {
	static struct light_made made;
	static struct comet_light_block block;
	const struct light_members members = {0, count};
	const struct comet_trusted far = trusted_at(&made, 1, members), before = trusted_at(&made, 99, members);
	const struct comet_rules rules = {
	    .chain_id = BYTES_LITERAL(CHAIN), .now = {LIGHT_START_S + 6000, 0}, .trust_s = 86400, .ahead_s = 60};
	double took[3] = {0};
	struct buf bytes;
	(void)trusted_at(&made, 100, members);
	buf_init(&bytes, COMET_LIGHT_BLOCK_MAX);
	comet_light_block_encode(&bytes, &made.block);
	for (unsigned i = 0; i < rounds; i++) {
		const double start = microseconds();
		BUG_ON(comet_light_block_decode(&block, buf_view(&bytes), NULL) != STATUS_OK);
		const double decoded = microseconds();
		BUG_ON(comet_light_verify(&before, &block, &rules, NULL) != COMET_BELIEVED);
		const double next = microseconds();
		BUG_ON(comet_light_verify(&far, &block, &rules, NULL) != COMET_BELIEVED);
		took[0] += decoded - start;
		took[1] += next - decoded;
		took[2] += microseconds() - next;
	}
	printf("%3u validators  %5zu bytes  decode %5.0f us  next height %6.0f us  later height %6.0f us\n", count,
	    bytes.len, took[0] / rounds, took[1] / rounds, took[2] / rounds);
	buf_fini(&bytes);
}

static void measure_signature(unsigned rounds) {
	const struct ed25519_secret secret = light_secret(0);
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	hash32 key;
	BUG_ON(ed25519_public_of(&key, &secret) != STATUS_OK);
	BUG_ON(ed25519_sign(signature, &secret, BYTES_LITERAL(CHAIN)) != STATUS_OK);
	const double start = microseconds();
	for (unsigned i = 0; i < rounds; i++) BUG_ON(!ed25519_verify(signature, &key, BYTES_LITERAL(CHAIN)));
	const double plain = microseconds();
	for (unsigned i = 0; i < rounds; i++) BUG_ON(!ed25519_verify_zip215(signature, &key, BYTES_LITERAL(CHAIN)));
	printf("a signature: OpenSSL %.0f us, ZIP 215 %.0f us\n", (plain - start) / rounds,
	    (microseconds() - plain) / rounds);
}

int main(int argc, char **argv) {
	static const unsigned counts[] = {4, 7, 20, COMET_VALIDATORS_MAX};
	const unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
	if (rounds == 0) return 2;
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) measure(counts[i], rounds);
	measure_signature(rounds);
	return 0;
}
