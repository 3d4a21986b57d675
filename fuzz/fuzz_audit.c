/*
 * What a node answers of its audit: any bytes as a proof, as a page, as an opened entry. A proof that holds is the one
 * that the map makes, so it is found nowhere under a root that is not its own. The first byte chooses.
 */
#include "crypto/merkle_map.h"
#include "fuzz/target.h"
#include "health/chain/blob_signed.h"
#include "health/consent/audit.h"

static void read_proof(struct bytes data) {
	hash32 root, key, value, other;
	if (data.len < 64) return;
	memcpy(root.b, data.data, 32);
	memcpy(key.b, data.data + 32, 32);
	const struct bytes proof = bytes_slice(data, 64, data.len);
	if (!merkle_map_verify(&value, &root, &key, proof)) {
		BUG_ON(!hash32_is_zero(&value));
		return;
	}
	root.b[0] ^= 1;
	BUG_ON(merkle_map_verify(&other, &root, &key, proof));
}

static void read_page(struct arena *arena, struct bytes data) {
	struct audit_page page;
	struct list_fold fold;
	static const struct list_state nothing;
	if (audit_page_parse(&page, arena, data, NULL) != STATUS_OK) return;
	if (list_fold_begin(&fold, &page.state, &nothing, NULL) != STATUS_OK) return;
	for (size_t i = 0; i < page.count; i++)
		if (list_fold_step(&fold, &page.entries[i].link, NULL) != STATUS_OK) return;
}

static void read_line(struct arena *arena, struct bytes data) {
	static const struct deployment deployment = {.chain_id = 7};
	static const addr20 node = {{1}};
	struct audit_line line;
	struct audit_entry look;
	struct blob_said said = {.action = "audit", .node = &node, .gate = &node, .name = &deployment.genesis};
	addr20 who;
	if (audit_gateway_line_parse(&look, arena, data, NULL) == STATUS_OK) (void)look.served;
	(void)!blob_signed_by(&who, &said, data, &deployment, 1000, NULL);
	if (audit_line_parse(&line, arena, data, NULL) != STATUS_OK) return;
	const enum status status = audit_line_check(&line, &deployment, &node, line.entry.at_ms / 1000, NULL);
	BUG_ON(status != STATUS_OK && status != STATUS_DENIED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	if (size == 0) return 0;
	const struct bytes rest = bytes_make(data + 1, size - 1);
	arena_init(&arena);
	switch (data[0] % 3) {
	case 0: read_proof(rest); break;
	case 1: read_page(&arena, rest); break;
	case 2: read_line(&arena, rest); break;
	}
	arena_fini(&arena);
	return 0;
}
