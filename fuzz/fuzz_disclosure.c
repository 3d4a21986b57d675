/* No file proves anything against an anchor whose sealer, or whose only validator, never signed. */
#include "fuzz/target.h"
#include "health/chain/deployment.h"
#include "health/records/disclosure.h"

#define NOW_MS UINT64_C(1800000060000)

/* Chain 1 with a genesis of zeros. */
static struct bytes anchor_text(struct buf *out, bool is_consortium) {
	struct deployment anchor = {.chain_id = 1,
	    .rpc_url = "http://127.0.0.1:8545",
	    .registrars = {{{7}}},
	    .registrar_count = 1,
	    .threshold = 1,
	    .directory = {{2}},
	    .folders = {{3}},
	    .records = {{4}},
	    .consent = {{5}},
	    .products = {{8}},
	    .medicines = {{6}}};
	if (is_consortium) {
		struct comet_validators *set = &anchor.validators.validators;
		anchor.validators.time = (struct comet_time){1800000000, 0};
		anchor.trust_days = 14;
		set->count = 1;
		set->list[0] = (struct comet_validator){.key = {{0x5f, 0x1d}}, .power = 1};
		BUG_ON(comet_validators_make(set, NULL) != STATUS_OK);
	} else {
		anchor.sealer = (addr20){{1}};
	}
	deployment_write(out, &anchor);
	return buf_view(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	for (unsigned i = 0; i < 2; i++) {
		struct disclosure disclosure;
		struct deployment parsed;
		struct arena arena;
		struct buf text;
		arena_init(&arena);
		buf_init(&text, 1 << 16);
		const struct bytes anchor = anchor_text(&text, i == 1);
		BUG_ON(deployment_parse(&parsed, anchor, NULL) != STATUS_OK);
		BUG_ON(
		    disclosure_verify(&disclosure, &arena, bytes_make(data, size), anchor, NOW_MS, NULL) == STATUS_OK);
		buf_fini(&text);
		arena_fini(&arena);
	}
	return 0;
}
