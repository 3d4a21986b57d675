#include "app/serve/node_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "app/serve/system_contracts.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "contracts/contracts_data.h"
#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "envelope/hd_wallet.h"
#include "ledger/chain/genesis.h"
#include "ledger/state/commitment.h"

static const char dev_phrase[] = "test test test test test test test test test test test junk";

enum status dev_accounts_make(struct dev_accounts *out, struct err *err) {
	struct hd_seed seed;
	struct hd_key root;
	TRY(hd_seed_of(&seed, bytes_text(dev_phrase), (struct bytes){NULL, 0}, err));
	TRY(hd_root(&root, bytes_make(seed.bytes, sizeof seed.bytes), err));
	for (uint32_t i = 0; i < DEV_ACCOUNT_COUNT; i++) {
		TRY(hd_account(&out->secrets[i], &root, i, err));
		TRY(address_of_secret(&out->addresses[i], &out->secrets[i]));
	}
	return STATUS_OK;
}

/* --- the sealer's key --- */

#define KEY_TEXT_BYTES 64

enum status node_key_read(hash32 *secret, const char *path, struct err *err) {
	char text[KEY_TEXT_BYTES + 3] = "0x";
	FILE *file = fopen(path, "re");
	if (!file) return err_set(err, STATUS_NOTFOUND, "cannot read %s: %s", path, strerror(errno));
	size_t got = fread(text + 2, 1, KEY_TEXT_BYTES, file);
	fclose(file);
	bool good = got == KEY_TEXT_BYTES && hex_fixed(secret->b, 32, bytes_make(text, sizeof text - 1)) == STATUS_OK &&
		    secp_secret_is_valid(secret);
	mem_wipe(text, sizeof text);
	return good ? STATUS_OK
		    : err_set(err, STATUS_CORRUPT, "%s holds no key: 64 hexadecimal digits are expected", path);
}

static enum status write_key(const hash32 *secret, const char *path, struct err *err) {
	struct buf text;
	buf_init(&text, KEY_TEXT_BYTES + 1);
	hex_put(&text, BYTES_OF(*secret), false);
	buf_byte(&text, '\n');
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len && fsync(fd) == 0;
	int saved = errno;
	if (fd >= 0) close(fd);
	buf_wipe(&text);
	return written ? STATUS_OK : err_set(err, STATUS_IO, "cannot write %s: %s", path, strerror(saved));
}

enum status node_key(hash32 *secret, const char *data, const struct random_source *random, struct err *err) {
	char path[4096];
	snprintf(path, sizeof path, "%s/node.key", data);
	if (access(path, F_OK) == 0) return node_key_read(secret, path, err);
	do random_fill(random, secret->b, sizeof secret->b);
	while (!secp_secret_is_valid(secret));
	return write_key(secret, path, err);
}

/* --- genesis --- */

const addr20 genesis_members_address = {{[17] = 0xc0, [18] = 0x45, [19] = 0x37}};

static void put_forks(struct json_writer *w) {
	static const char *const by_block[] = {"homesteadBlock", "eip150Block", "eip155Block", "eip158Block",
	    "byzantiumBlock", "constantinopleBlock", "petersburgBlock", "istanbulBlock", "berlinBlock", "londonBlock",
	    "mergeNetsplitBlock"};
	static const char *const by_time[] = {"shanghaiTime", "cancunTime", "pragueTime", "osakaTime"};
	for (size_t i = 0; i < sizeof by_block / sizeof *by_block; i++) json_put_u64(w, by_block[i], 0);
	json_put_u64(w, "terminalTotalDifficulty", 0);
	for (size_t i = 0; i < sizeof by_time / sizeof *by_time; i++) json_put_u64(w, by_time[i], 0);
}

static void put_blob_schedule(struct json_writer *w) {
	static const struct {
		const char *fork;
		unsigned target, max, fraction;
	} schedule[] = {{"cancun", 3, 6, 3338477}, {"prague", 6, 9, 5007716}, {"osaka", 6, 9, 5007716}};
	json_object_begin(w, "blobSchedule");
	for (size_t i = 0; i < sizeof schedule / sizeof *schedule; i++) {
		json_object_begin(w, schedule[i].fork);
		json_put_u64(w, "target", schedule[i].target);
		json_put_u64(w, "max", schedule[i].max);
		json_put_u64(w, "baseFeeUpdateFraction", schedule[i].fraction);
		json_object_end(w);
	}
	json_object_end(w);
}

static void put_xinglin(struct json_writer *w, const struct genesis_plan *plan) {
	json_object_begin(w, "xinglin");
	json_put_bool(w, "zeroBaseFee", plan->zero_base_fee);
	json_put_bool(w, "equalTimestamps", plan->member_count || !addr20_is_zero(&plan->sealer));
	if (plan->member_count)
		json_put_hex(w, "members", BYTES_OF(genesis_members_address));
	else if (!addr20_is_zero(&plan->sealer))
		json_put_hex(w, "sealer", BYTES_OF(plan->sealer));
	json_array_begin(w, "blobGates");
	for (uint64_t nonce = 1; nonce <= 3; nonce++) {
		addr20 gate = address_of_create(&plan->deployer, nonce);
		json_put_hex(w, NULL, BYTES_OF(gate));
	}
	json_array_end(w);
	if (plan->listed_only) {
		const addr20 directory = address_of_create(&plan->deployer, 0);
		json_put_hex(w, "admission", BYTES_OF(directory));
	}
	json_object_end(w);
}

static void put_named_hex(struct json_writer *w, struct bytes name, struct bytes value) {
	struct buf text;
	buf_init(&text, 80);
	hex_put(&text, name, true);
	json_put_hex(w, buf_cstr(&text), value);
	buf_fini(&text);
}

static void put_slot(struct json_writer *w, const u256 *slot, struct bytes value) {
	uint8_t word[32] = {0};
	hash32 at;
	memcpy(word + sizeof word - value.len, value.data, value.len);
	u256_store_be(at.b, slot);
	put_named_hex(w, BYTES_OF(at), bytes_make(word, sizeof word));
}

/* As contracts/src/Members.sol keeps it (docs/wire-formats.md §8). */
static void put_members_storage(struct json_writer *w, const struct genesis_plan *plan) {
	static const uint8_t zero[32];
	const u256 one = u256_from(1);
	const hash32 first = keccak256(bytes_make(zero, sizeof zero));
	u256 slot = {{0}};
	uint8_t number[8], account_and_power[28];
	store_be64(number, plan->member_count);
	put_slot(w, &slot, bytes_make(number, sizeof number));
	if (!hash32_is_zero(&plan->seal)) {
		slot = u256_from(4);
		put_slot(w, &slot, BYTES_OF(plan->seal));
		slot = u256_from(5);
		put_slot(w, &slot, bytes_make(&(uint8_t){1}, 1));
	}
	slot = u256_load_be(first.b);
	for (size_t i = 0; i < plan->member_count; i++) {
		const struct genesis_member *member = &plan->members[i];
		store_be64(account_and_power, member->power);
		memcpy(account_and_power + 8, member->account.b, 20);
		put_slot(w, &slot, bytes_make(account_and_power, sizeof account_and_power));
		(void)u256_add_overflow(&slot, &slot, &one);
		put_slot(w, &slot, BYTES_OF(member->key));
		(void)u256_add_overflow(&slot, &slot, &one);
		put_slot(w, &slot, BYTES_OF(member->node));
		(void)u256_add_overflow(&slot, &slot, &one);
	}
}

static void put_members(struct json_writer *w, const struct genesis_plan *plan, struct buf *scratch) {
	const struct contract_code *contract = contract_code_get("Members");
	buf_clear(scratch);
	hex_put(scratch, BYTES_OF(genesis_members_address), true);
	json_object_begin(w, buf_cstr(scratch));
	json_put_text(w, "balance", "0x0");
	json_put_text(w, "nonce", "0x1");
	json_put_hex(w, "code", bytes_make(contract->laid, contract->laid_len));
	json_object_begin(w, "storage");
	put_members_storage(w, plan);
	json_object_end(w);
	json_object_end(w);
}

static void put_alloc(struct json_writer *w, const struct genesis_plan *plan, struct buf *scratch) {
	json_object_begin(w, "alloc");
	for (size_t i = 0; i < SYSTEM_CONTRACT_COUNT; i++) {
		json_object_begin(w, system_contracts[i].address);
		json_put_text(w, "balance", "0x0");
		json_put_text(w, "nonce", "0x1");
		json_put_text(w, "code", system_contracts[i].code);
		json_object_end(w);
	}
	if (plan->member_count) put_members(w, plan, scratch);
	for (size_t i = 0; i < plan->funded_count; i++) {
		buf_clear(scratch);
		hex_put(scratch, BYTES_OF(plan->funded[i]), true);
		json_object_begin(w, buf_cstr(scratch));
		json_put_text(w, "balance", "0x21e19e0c9bab2400000");
		json_object_end(w);
	}
	json_object_end(w);
}

void genesis_write(struct buf *out, const struct genesis_plan *plan) {
	struct buf scratch;
	buf_init(&scratch, 64);
	struct json_writer w = json_writer(out);
	json_object_begin(&w, NULL);
	json_object_begin(&w, "config");
	json_put_u64(&w, "chainId", plan->chain_id);
	put_forks(&w);
	put_blob_schedule(&w);
	put_xinglin(&w, plan);
	json_object_end(&w);
	json_put_text(&w, "nonce", "0x0");
	json_put_quantity(&w, "timestamp", plan->timestamp);
	json_put_text(&w, "extraData", "0x");
	json_put_quantity(&w, "gasLimit", plan->gas_limit);
	json_put_text(&w, "difficulty", "0x0");
	json_put_text(&w, "mixHash", "0x0000000000000000000000000000000000000000000000000000000000000000");
	json_put_text(&w, "coinbase", "0x0000000000000000000000000000000000000000");
	put_alloc(&w, plan, &scratch);
	json_object_end(&w);
	buf_fini(&scratch);
}

static enum status hash_of_state(hash32 *out, const struct genesis *genesis, struct state *state, struct err *err) {
	struct state_diff diff;
	struct header header = genesis_header(genesis);
	TRY(genesis_fill_state(genesis, state, err));
	TRY(state_get_diff(state, &diff));
	TRY(state_root_of_diff(&header.state_root, &diff, err));
	*out = header_hash(&header);
	return STATUS_OK;
}

enum status genesis_block_hash(hash32 *out, struct bytes json, struct err *err) {
	struct genesis *genesis;
	TRY(genesis_parse(&genesis, json, err));
	struct state *state = state_new(NULL, err);
	const enum status status = hash_of_state(out, genesis, state, err);
	state_free(state);
	genesis_free(genesis);
	return status;
}
