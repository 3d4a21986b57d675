/* What a home reads before it believes anything: a deployment is written back as it was read, and a head that it kept
 * is one header with its own hash. */
#include "crypto/hash.h"
#include "fuzz/target.h"
#include "health/chain/deployment.h"
#include "health/chain/heads.h"

static void check_deployment(struct bytes input) {
	static struct deployment anchor, again;
	struct buf text;
	if (deployment_parse(&anchor, input, NULL) != STATUS_OK) return;
	BUG_ON(2u * anchor.threshold <= anchor.registrar_count || anchor.threshold > anchor.registrar_count);
	BUG_ON(addr20_is_zero(&anchor.sealer) && !deployment_is_consortium(&anchor) && anchor.witness_threshold == 0);
	buf_init(&text, 1 << 16);
	deployment_write(&text, &anchor);
	BUG_ON(deployment_parse(&again, buf_view(&text), NULL) != STATUS_OK);
	BUG_ON(memcmp(&anchor, &again, sizeof anchor) != 0);
	buf_fini(&text);
}

static void check_head(struct bytes input) {
	struct head head, again;
	struct buf text;
	if (head_parse(&head, input, NULL) != STATUS_OK) return;
	const hash32 hash = keccak256(bytes_make(head.rlp, head.rlp_len));
	BUG_ON(!hash32_equal(&hash, &head.hash));
	buf_init(&text, 1 << 16);
	head_write(&text, &head);
	BUG_ON(head_parse(&again, buf_view(&text), NULL) != STATUS_OK);
	BUG_ON(!hash32_equal(&again.hash, &head.hash));
	buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	check_deployment(bytes_make(data, size));
	check_head(bytes_make(data, size));
	return 0;
}
