/*
 * Checking a disclosure proof with nothing but the file and an anchor: sealer or validators → header → state root →
 * account → storage → registration → root → leaf. Pure: no network, no home; the time is the caller's.
 */
#include "codec/hex.h"
#include "crypto/hash.h"
#include "eth/proof.h"
#include "eth/seal.h"
#include "eth/sign.h"
#include "eth/types.h"
#include "health/chain/validators.h"
#include "health/records/disclosure.h"
#include "health/records/registration_slots.h"

#define FILE_MEMBERS 15u
#define PROOF_NODES_MAX 128u

void registration_slots(hash32 slots[2], const hash32 *record) {
	uint8_t place[64] = {0};
	memcpy(place, record->b, 32); /* the mapping is at slot 0 */
	slots[0] = keccak256(bytes_make(place, sizeof place));
	u256 base = u256_load_be(slots[0].b), two = u256_from(2), sum;
	u256_add_overflow(&sum, &base, &two);
	u256_store_be(slots[1].b, &sum);
}

struct nodes {
	struct bytes *items;
	size_t count;
};

struct disclosure_file {
	uint64_t chain_id;
	hash32 genesis;
	addr20 records;
	hash32 record;
	struct bytes resource;
	hash32 salt;
	uint64_t index, count;
	struct nodes path;
	struct bytes header;
	struct eth_signature seal;       /* or: */
	struct validators_proof decided; /* by a consortium; empty: there is a seal */
	struct nodes account;
	hash32 slots[2];
	struct nodes storage[2];
};

/* --- reading the file --- */

static enum status bad(struct err *err, const char *member) {
	return err_set(err, STATUS_INVALID, "disclosure: \"%s\" is missing or malformed", member);
}

static enum status read_fixed(
    uint8_t *out, size_t len, const struct json *object, const char *member, struct err *err) {
	return hex_fixed(out, len, json_string(json_get(object, member))) == STATUS_OK ? STATUS_OK : bad(err, member);
}

static enum status read_number(uint64_t *out, const struct json *object, const char *member, struct err *err) {
	return json_u64(out, json_get(object, member)) ? STATUS_OK : bad(err, member);
}

typedef enum status decode_text(struct buf *out, struct bytes text);

static enum status read_bytes(struct bytes *out, struct arena *arena, const struct json *value, decode_text *decode,
    const char *member, struct err *err) {
	struct bytes text = json_string(value);
	struct buf decoded;
	buf_init(&decoded, FHIR_DOCUMENT_MAX);
	enum status status = text.data ? decode(&decoded, text) : STATUS_INVALID;
	if (status == STATUS_OK) status = buf_status(&decoded, err);
	if (status == STATUS_OK) *out = arena_dup(arena, buf_view(&decoded));
	buf_fini(&decoded);
	return status == STATUS_OK ? status : bad(err, member);
}

static enum status read_nodes(
    struct nodes *out, struct arena *arena, const struct json *list, const char *member, struct err *err) {
	if (!json_is(list, JSON_ARRAY) || list->count > PROOF_NODES_MAX) return bad(err, member);
	out->items = arena_zalloc(arena, list->count, sizeof *out->items);
	json_foreach (node, list) TRY(read_bytes(&out->items[out->count++], arena, node, hex_data, member, err));
	return STATUS_OK;
}

static enum status read_storage(
    struct disclosure_file *out, struct arena *arena, const struct json *list, struct err *err) {
	if (!json_is(list, JSON_ARRAY) || list->count != 2) return bad(err, "storageProof");
	for (size_t i = 0; i < 2; i++) {
		const struct json *entry = json_at(list, i);
		if (!json_is(entry, JSON_OBJECT) || entry->count != 2) return bad(err, "storageProof");
		TRY(read_fixed(out->slots[i].b, 32, entry, "key", err));
		TRY(read_nodes(&out->storage[i], arena, json_get(entry, "proof"), "proof", err));
	}
	return STATUS_OK;
}

/* The block's own light block stands last. */
static enum status read_decided(
    struct disclosure_file *out, struct arena *arena, const struct json *root, struct err *err) {
	const struct json *between = json_get(root, "between");
	if (!json_is(between, JSON_ARRAY) || between->count > COMET_STEPS_MAX) return bad(err, "between");
	out->decided.blocks = arena_zalloc(arena, between->count + 1u, sizeof *out->decided.blocks);
	json_foreach (block, between)
		TRY(read_bytes(&out->decided.blocks[out->decided.count++], arena, block, hex_data, "between", err));
	return read_bytes(
	    &out->decided.blocks[out->decided.count++], arena, json_get(root, "commit"), hex_data, "commit", err);
}

static enum status read_chain_part(
    struct disclosure_file *out, struct arena *arena, const struct json *root, struct err *err) {
	TRY(read_bytes(&out->header, arena, json_get(root, "header"), hex_data, "header", err));
	if (json_get(root, "commit"))
		TRY(read_decided(out, arena, root, err));
	else
		TRY(read_fixed(out->seal.b, sizeof out->seal.b, root, "seal", err));
	TRY(read_nodes(&out->account, arena, json_get(root, "accountProof"), "accountProof", err));
	return read_storage(out, arena, json_get(root, "storageProof"), err);
}

/* Nothing may stand in the file beside what is checked: what is shown and not proved misleads. */
static enum status read_file(struct disclosure_file *out, struct arena *arena, struct bytes file, struct err *err) {
	struct json_limits limits = json_limits_default;
	const struct json *root;
	uint64_t version;
	limits.bytes_max = 2 * FHIR_DOCUMENT_MAX;
	*out = (struct disclosure_file){0};
	TRY(json_parse(&root, arena, file, &limits, err));
	if (!json_string_is(json_get(root, "type"), "xinglin-disclosure"))
		return err_set(err, STATUS_INVALID, "this is no disclosure: its type is not \"xinglin-disclosure\"");
	TRY(read_number(&version, root, "v", err));
	if (version != 1) return err_set(err, STATUS_UNSUPPORTED, "disclosure of another version than 1");
	TRY(read_number(&out->chain_id, root, "chainId", err));
	TRY(read_fixed(out->genesis.b, 32, root, "genesis", err));
	TRY(read_fixed(out->records.b, 20, root, "records", err));
	TRY(read_fixed(out->record.b, 32, root, "record", err));
	TRY(read_bytes(&out->resource, arena, json_get(root, "resource"), base64url_data, "resource", err));
	TRY(read_fixed(out->salt.b, 32, root, "salt", err));
	TRY(read_number(&out->index, root, "index", err));
	TRY(read_number(&out->count, root, "count", err));
	TRY(read_nodes(&out->path, arena, json_get(root, "path"), "path", err));
	TRY(read_chain_part(out, arena, root, err));
	if (root->count != FILE_MEMBERS + (out->decided.count ? 1 : 0))
		return err_set(err, STATUS_INVALID, "disclosure: members that no proof speaks of");
	return STATUS_OK;
}

/* --- the links --- */

struct trust {
	const struct deployment *anchor;
	uint64_t now_ms;
};

static enum status broken(struct err *err, const char *link) {
	return err_set(err, STATUS_DENIED, "not proven: %s", link);
}

static enum status check_anchor(const struct disclosure_file *file, const struct deployment *anchor, struct err *err) {
	if (file->chain_id != anchor->chain_id || !hash32_equal(&file->genesis, &anchor->genesis))
		return err_set(err, STATUS_INVALID, "the proof is of another chain than the anchor");
	if (!addr20_equal(&file->records, &anchor->records))
		return err_set(err, STATUS_INVALID, "the proof is of another contract than the anchor's Records");
	return STATUS_OK;
}

static enum status check_seal(
    const struct disclosure_file *file, const struct deployment *anchor, uint64_t number, const hash32 *hash) {
	const u256 chain_id = u256_from(anchor->chain_id);
	const hash32 domain = seal_domain(&chain_id, &anchor->genesis);
	const hash32 digest = seal_digest(&domain, number, hash);
	addr20 signer;
	if (file->decided.count || eth_signer(&signer, &file->seal, &digest) != STATUS_OK) return STATUS_DENIED;
	return deployment_is_sealed_by(anchor, &signer) ? STATUS_OK : STATUS_DENIED;
}

static enum status check_header(struct disclosure *out, hash32 *state_root, const struct disclosure_file *file,
    const struct trust *trust, struct err *err) {
	const struct deployment *anchor = trust->anchor;
	struct header header;
	struct err why = {0};
	if (header_decode(&header, file->header, NULL) != STATUS_OK)
		return broken(err, "the header is not a valid block header");
	out->block_hash = keccak256(file->header);
	if (!deployment_is_consortium(anchor)) {
		if (check_seal(file, anchor, header.number, &out->block_hash) != STATUS_OK)
			return broken(err, "the block is not sealed by the anchor's sealer, or its one witness");
	} else if (validators_proof_check(&file->decided, &out->block_hash, anchor, trust->now_ms, &why) != STATUS_OK) {
		return err_set(err, STATUS_DENIED,
		    "not proven: the block was not decided by the anchor's validators: %s", why.message);
	}
	out->block_number = header.number;
	out->block_timestamp = header.timestamp;
	*state_root = header.state_root;
	return STATUS_OK;
}

/* The two slots of the registration, in the state of that block. */
static enum status check_storage(u256 values[2], const struct disclosure_file *file, const struct deployment *anchor,
    const hash32 *state_root, struct err *err) {
	struct proof_account account;
	hash32 slots[2];
	bool exists;
	if (proof_account(
		&exists, &account, state_root, &file->records, file->account.items, file->account.count, NULL) ||
	    !exists)
		return broken(err, "the contract is not in the block's state");
	if (!hash32_equal(&account.code_hash, &anchor->code.records))
		return broken(err, "the contract has other code than the anchor says");
	registration_slots(slots, &file->record);
	for (size_t i = 0; i < 2; i++) {
		if (!hash32_equal(&slots[i], &file->slots[i]))
			return broken(err, "the storage is not that of this record");
		if (proof_storage(&values[i], &account.storage_root, &slots[i], file->storage[i].items,
			file->storage[i].count, NULL))
			return broken(err, "the registration is not in the contract's storage");
	}
	return STATUS_OK;
}

/* Packed from the low end: author 160, epoch 32, state 8, addedAt 40. */
static enum status read_registration(struct disclosure *out, const u256 *packed, struct err *err) {
	uint8_t word[32];
	u256_store_be(word, packed);
	memcpy(out->author.b, word + 12, 20);
	out->epoch = load_be32(word + 8);
	uint8_t state = word[7];
	out->added_at = load_be64(word) >> 8 & UINT64_C(0xffffffffff);
	if (state != RECORD_REGISTERED && state != RECORD_ERASED)
		return broken(err, "no record of this id is registered");
	out->erased = state == RECORD_ERASED;
	return STATUS_OK;
}

static enum status check_inclusion(const struct disclosure_file *file, const u256 *root, struct err *err) {
	static const uint8_t leaf_domain = 0; /* RFC 6962 §2.1 */
	struct bytes parts[] = {bytes_make(&leaf_domain, 1), BYTES_OF(file->salt), file->resource};
	hash32 leaf = sha256_parts(parts, 3), commitment, path[MERKLE_DEPTH_MAX];
	u256_store_be(commitment.b, root);
	if (file->path.count > MERKLE_DEPTH_MAX || file->count > RECORD_RESOURCES_MAX)
		return broken(err, "the path to the commitment is too long");
	for (size_t i = 0; i < file->path.count; i++) {
		if (file->path.items[i].len != 32) return broken(err, "the path to the commitment is malformed");
		memcpy(path[i].b, file->path.items[i].data, 32);
	}
	if (file->index >= file->count ||
	    !merkle_verify(&commitment, &leaf, (size_t)file->index, (size_t)file->count, path, file->path.count))
		return broken(err, "the resource is not in the record's commitment");
	return STATUS_OK;
}

enum status disclosure_verify(struct disclosure *out, struct arena *arena, struct bytes file, struct bytes anchor,
    uint64_t now_ms, struct err *err) {
	struct deployment deployment;
	const struct trust trust = {&deployment, now_ms};
	struct disclosure_file read;
	hash32 state_root;
	u256 values[2];
	*out = (struct disclosure){0};
	TRY(deployment_parse(&deployment, anchor, err));
	TRY(read_file(&read, arena, file, err));
	TRY(check_anchor(&read, &deployment, err));
	TRY(check_header(out, &state_root, &read, &trust, err));
	TRY(check_storage(values, &read, &deployment, &state_root, err));
	TRY(read_registration(out, &values[1], err));
	TRY(check_inclusion(&read, &values[0], err));
	out->record = read.record;
	out->resource = read.resource;
	return STATUS_OK;
}
