/* A light block that is decoded is written and read again as the same one; and nobody without the members' keys makes
 * one that is believed: the members here have keys that nobody knows the secrets of, and none of the small orders. */
#include "comet/light.h"
#include "crypto/hash.h"
#include "fuzz/target.h"

static struct comet_trusted trusted_four(void) {
	struct comet_trusted trusted = {.height = 5, .time = {1800000000, 0}, .validators = {.count = 1}};
	trusted.validators.list[0] = (struct comet_validator){.key = sha256(BYTES_LITERAL("nobody's key")), .power = 1};
	BUG_ON(comet_validators_make(&trusted.validators, NULL) != STATUS_OK);
	trusted.next_validators = trusted.validators.hash;
	return trusted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct comet_light_block block, again;
	struct buf text;
	if (comet_light_block_decode(&block, bytes_make(data, size), NULL) != STATUS_OK) return 0;
	buf_init(&text, COMET_LIGHT_BLOCK_MAX);
	comet_light_block_encode(&text, &block);
	BUG_ON(comet_light_block_decode(&again, buf_view(&text), NULL) != STATUS_OK);
	BUG_ON(!hash32_equal(&again.header.hash, &block.header.hash));
	const struct comet_trusted trusted = trusted_four();
	const struct comet_rules rules = {
	    block.header.chain_id, {block.header.time.s, block.header.time.ns}, UINT64_MAX, 60};
	BUG_ON(comet_light_verify(&trusted, &block, &rules, NULL) == COMET_BELIEVED);
	buf_fini(&text);
	return 0;
}
