#include "ledger/chain/genesis.h"

#include "codec/hex.h"
#include "ledger/chain/alloc.h"

enum { BLOB_SCHEDULES_MAX = 16 };

/* When a fork's rules begin: a block number, or for those after the merge a time. */
struct activation {
	bool is_set;
	uint64_t at;
};

struct genesis {
	struct arena arena;
	struct bytes json;
	const struct json *alloc;
	struct header header;
	u256 chain_id;
	struct activation forks[FORK_COUNT];
	struct {
		uint64_t time;
		struct blob_schedule blob;
	} schedules[BLOB_SCHEDULES_MAX]; /* by time */
	size_t schedule_count;
	bool has_terminal;
	u256 terminal_total_difficulty;
	u256 fixed_difficulty;         /* Besu's test chains; 0: by the formula */
	struct activation glaciers[3]; /* muir, arrow, gray: they only put the difficulty bomb off */
	struct activation dao;
	bool dao_support;
	addr20 deposit_contract;
	bool zero_base_fee, equal_timestamps;
	bool has_sealer, has_admission, has_members;
	addr20 sealer, admission, members;
	addr20 gates[BLOB_GATES_MAX];
	size_t gate_count;
};

/* The members of config that start a fork; "constantinopleFixBlock" is Besu's name. Those without rules of their own
 * are absent. */
static const struct {
	const char *name;
	enum fork fork;
} fork_members[] = {
    {"homesteadBlock", FORK_HOMESTEAD},
    {"eip150Block", FORK_TANGERINE},
    {"eip155Block", FORK_SPURIOUS},
    {"eip158Block", FORK_SPURIOUS},
    {"byzantiumBlock", FORK_BYZANTIUM},
    {"constantinopleBlock", FORK_CONSTANTINOPLE},
    {"petersburgBlock", FORK_PETERSBURG},
    {"constantinopleFixBlock", FORK_PETERSBURG},
    {"istanbulBlock", FORK_ISTANBUL},
    {"berlinBlock", FORK_BERLIN},
    {"londonBlock", FORK_LONDON},
    {"shanghaiTime", FORK_SHANGHAI},
    {"cancunTime", FORK_CANCUN},
    {"pragueTime", FORK_PRAGUE},
    {"osakaTime", FORK_OSAKA},
};

static enum status bad_member(struct err *err, const char *name) {
	return err_set(err, STATUS_INVALID, "genesis: \"%s\" is malformed", name);
}

static enum status read_u64(uint64_t *out, const struct json *object, const char *name, struct err *err) {
	const struct json *value = json_get(object, name);
	if (value == NULL || json_is(value, JSON_NULL) || loose_u64(out, value)) return STATUS_OK;
	return bad_member(err, name);
}

static enum status read_u256(u256 *out, const struct json *object, const char *name, struct err *err) {
	const struct json *value = json_get(object, name);
	if (value == NULL || json_is(value, JSON_NULL) || loose_u256(out, value)) return STATUS_OK;
	return bad_member(err, name);
}

static enum status read_word(hash32 *out, const struct json *object, const char *name, struct err *err) {
	const struct json *value = json_get(object, name);
	if (value == NULL || json_is(value, JSON_NULL)) return STATUS_OK;
	const struct bytes text = json_string(value);
	return text.data != NULL && loose_word(out, text) ? STATUS_OK : bad_member(err, name);
}

static enum status read_address(
    addr20 *out, bool *is_set, const struct json *object, const char *name, struct err *err) {
	const struct json *value = json_get(object, name);
	if (value == NULL || json_is(value, JSON_NULL)) return STATUS_OK;
	const struct bytes text = json_string(value);
	if (text.data == NULL || !loose_address(out, text)) return bad_member(err, name);
	if (is_set != NULL) *is_set = true;
	return STATUS_OK;
}

static enum status read_optional(struct activation *out, const struct json *config, const char *name, struct err *err) {
	const struct json *value = json_get(config, name);
	if (value == NULL || json_is(value, JSON_NULL)) return STATUS_OK;
	uint64_t at;
	if (!loose_u64(&at, value)) return bad_member(err, name);
	if (!out->is_set || at > out->at) *out = (struct activation){true, at};
	return STATUS_OK;
}

/* A fork that is not named comes with the next one that is; one that is named may not come before an earlier one. */
static enum status read_forks(struct genesis *genesis, const struct json *config, struct err *err) {
	genesis->forks[FORK_FRONTIER].is_set = true;
	for (size_t i = 0; i < sizeof fork_members / sizeof *fork_members; i++)
		TRY(read_optional(&genesis->forks[fork_members[i].fork], config, fork_members[i].name, err));
	const struct activation *constantinople = &genesis->forks[FORK_CONSTANTINOPLE];
	if (!genesis->forks[FORK_PETERSBURG].is_set) genesis->forks[FORK_PETERSBURG] = *constantinople;
	uint64_t last = 0;
	for (enum fork fork = FORK_FRONTIER; fork < FORK_COUNT; fork++) {
		if (fork == FORK_PARIS) last = 0; /* from here on times */
		if (!genesis->forks[fork].is_set) continue;
		if (genesis->forks[fork].at < last)
			return err_set(
			    err, STATUS_INVALID, "genesis: %s comes before an earlier fork", fork_name(fork));
		last = genesis->forks[fork].at;
	}
	return STATUS_OK;
}

static enum status read_schedule(
    struct blob_schedule *out, const struct json *config, const char *name, struct err *err) {
	const struct json *entry = json_get(json_get(config, "blobSchedule"), name);
	if (entry == NULL || json_is(entry, JSON_NULL)) return STATUS_OK;
	uint64_t target = out->target, max = out->max, fraction = out->base_fee_update_fraction;
	TRY(read_u64(&target, entry, "target", err));
	TRY(read_u64(&max, entry, "max", err));
	TRY(read_u64(&fraction, entry, "baseFeeUpdateFraction", err));
	if (max > 4096 || target > max || fraction == 0) return bad_member(err, "blobSchedule");
	*out = (struct blob_schedule){(uint32_t)target, (uint32_t)max, fraction};
	return STATUS_OK;
}

static void add_schedule(struct genesis *genesis, uint64_t time, const struct blob_schedule *blob) {
	BUG_ON(genesis->schedule_count == BLOB_SCHEDULES_MAX);
	size_t i = genesis->schedule_count++;
	for (; i > 0 && genesis->schedules[i - 1].time > time; i--) genesis->schedules[i] = genesis->schedules[i - 1];
	genesis->schedules[i].time = time;
	genesis->schedules[i].blob = *blob;
}

/* EIP-7840, 7892: each fork since Cancun, and bpo1 to bpo5, may bring its own; one that brings none keeps what was. */
static enum status read_schedules(struct genesis *genesis, const struct json *config, struct err *err) {
	static const struct {
		enum fork fork;
		const char *name;
	} forks[] = {{FORK_CANCUN, "cancun"}, {FORK_PRAGUE, "prague"}, {FORK_OSAKA, "osaka"}};
	struct blob_schedule blob = {0};
	for (size_t i = 0; i < 3; i++) {
		blob = exec_blob_schedule(forks[i].fork);
		TRY(read_schedule(&blob, config, forks[i].name, err));
		const struct activation *fork = &genesis->forks[forks[i].fork];
		if (fork->is_set) add_schedule(genesis, fork->at, &blob);
	}
	for (int i = 1; i <= 5; i++) {
		const char name[] = {'b', 'p', 'o', (char)('0' + i), 0};
		const char member[] = {'b', 'p', 'o', (char)('0' + i), 'T', 'i', 'm', 'e', 0};
		struct activation at = {0};
		TRY(read_optional(&at, config, member, err));
		TRY(read_schedule(&blob, config, name, err));
		if (at.is_set) add_schedule(genesis, at.at, &blob);
	}
	return STATUS_OK;
}

static enum status read_bool(bool *out, const struct json *object, const char *name, struct err *err) {
	const struct json *value = json_get(object, name);
	if (value != NULL && !json_is(value, JSON_TRUE) && !json_is(value, JSON_FALSE)) return bad_member(err, name);
	*out = json_is(value, JSON_TRUE);
	return STATUS_OK;
}

static enum status read_own_settings(struct genesis *genesis, const struct json *settings, struct err *err) {
	const struct json *gates = json_get(settings, "blobGates");
	TRY(read_bool(&genesis->zero_base_fee, settings, "zeroBaseFee", err));
	TRY(read_bool(&genesis->equal_timestamps, settings, "equalTimestamps", err));
	TRY(read_address(&genesis->sealer, &genesis->has_sealer, settings, "sealer", err));
	TRY(read_address(&genesis->admission, &genesis->has_admission, settings, "admission", err));
	TRY(read_address(&genesis->members, &genesis->has_members, settings, "members", err));
	if (genesis->has_sealer && genesis->has_members)
		return err_set(err, STATUS_INVALID, "the genesis names both a sealer and members: one of them seals");
	if (gates != NULL && (gates->type != JSON_ARRAY || gates->count > BLOB_GATES_MAX))
		return bad_member(err, "blobGates");
	json_foreach (gate, gates)
		if (!loose_address(&genesis->gates[genesis->gate_count++], json_string(gate)))
			return bad_member(err, "blobGates");
	return STATUS_OK;
}

static enum status read_config(struct genesis *genesis, const struct json *config, struct err *err) {
	if (!json_is(config, JSON_OBJECT)) return bad_member(err, "config");
	static const addr20 mainnet_deposits = {{0x00, 0x00, 0x00, 0x00, 0x21, 0x9a, 0xb5, 0x40, 0x35, 0x6c, 0xbb, 0x83,
	    0x9c, 0xbe, 0x05, 0x30, 0x3d, 0x77, 0x05, 0xfa}};
	genesis->deposit_contract = mainnet_deposits;
	/* Never a default: a chain that took mainnet's id by oversight would honour mainnet's signatures. */
	if (json_get(config, "chainId") == NULL && json_get(config, "chainID") == NULL)
		return bad_member(err, "config.chainId");
	TRY(read_u256(&genesis->chain_id, config, "chainID", err)); /* Besu's spelling */
	TRY(read_u256(&genesis->chain_id, config, "chainId", err));
	TRY(read_u256(&genesis->fixed_difficulty, json_get(config, "ethash"), "fixeddifficulty", err));
	TRY(read_forks(genesis, config, err));
	TRY(read_schedules(genesis, config, err));
	genesis->has_terminal = json_get(config, "terminalTotalDifficulty") != NULL;
	TRY(read_u256(&genesis->terminal_total_difficulty, config, "terminalTotalDifficulty", err));
	TRY(read_optional(&genesis->glaciers[0], config, "muirGlacierBlock", err));
	TRY(read_optional(&genesis->glaciers[1], config, "arrowGlacierBlock", err));
	TRY(read_optional(&genesis->glaciers[2], config, "grayGlacierBlock", err));
	TRY(read_optional(&genesis->dao, config, "daoForkBlock", err));
	genesis->dao_support = json_is(json_get(config, "daoForkSupport"), JSON_TRUE);
	TRY(read_address(&genesis->deposit_contract, NULL, config, "depositContractAddress", err));
	return read_own_settings(genesis, json_get(config, "xinglin"), err);
}

static enum status read_extra_data(struct header *header, const struct json *root, struct err *err) {
	const struct json *value = json_get(root, "extraData");
	if (value == NULL || json_is(value, JSON_NULL)) return STATUS_OK;
	struct buf extra;
	buf_init(&extra, sizeof header->extra_data);
	const struct bytes text = json_string(value);
	enum status status = text.len == 0 ? STATUS_OK : hex_data(&extra, text);
	if (status == STATUS_OK) status = buf_status(&extra, NULL);
	if (status == STATUS_OK && extra.len > 0) memcpy(header->extra_data, extra.data, extra.len);
	header->extra_data_len = (uint8_t)extra.len;
	buf_fini(&extra);
	return status == STATUS_OK ? status : bad_member(err, "extraData");
}

/* Everything but the state root; which fields there are follows from the forks in force at block 0. */
static enum status read_header(struct genesis *genesis, const struct json *root, struct err *err) {
	struct header *header = &genesis->header;
	uint64_t nonce = 0;
	*header = (struct header){.ommers_hash = empty_ommers_hash,
	    .transactions_root = empty_trie_root,
	    .receipts_root = empty_trie_root,
	    .withdrawals_root = empty_trie_root,
	    .requests_hash = empty_requests_hash,
	    .difficulty = u256_from(131072),
	    .base_fee_wei = u256_from(genesis->zero_base_fee ? 0 : 1000000000)};
	TRY(read_u64(&nonce, root, "nonce", err));
	store_be64(header->nonce, nonce);
	TRY(read_u64(&header->timestamp, root, "timestamp", err));
	if (json_get(root, "gasLimit") == NULL) return bad_member(err, "gasLimit");
	TRY(read_u64(&header->gas_limit, root, "gasLimit", err));
	TRY(read_u64(&header->gas_used, root, "gasUsed", err));
	TRY(read_u256(&header->difficulty, root, "difficulty", err));
	TRY(read_word(&header->mix_hash, root, "mixHash", err));
	TRY(read_word(&header->parent_hash, root, "parentHash", err));
	TRY(read_address(&header->beneficiary, NULL, root, "coinbase", err));
	TRY(read_u256(&header->base_fee_wei, root, "baseFeePerGas", err));
	TRY(read_u64(&header->excess_blob_gas, root, "excessBlobGas", err));
	TRY(read_u64(&header->blob_gas_used, root, "blobGasUsed", err));
	TRY(read_extra_data(header, root, err));
	/* A chain that never had a difficulty has no merge to wait for. */
	genesis->has_terminal |= u256_is_zero(&header->difficulty);
	const bool merged = genesis->has_terminal && u256_is_zero(&genesis->terminal_total_difficulty);
	header->field_count = header_field_count(genesis_rules(genesis, 0, header->timestamp, merged).fork);
	if (genesis->zero_base_fee && !u256_is_zero(&header->base_fee_wei)) return bad_member(err, "baseFeePerGas");
	return STATUS_OK;
}

enum status genesis_parse(struct genesis **out, struct bytes json, struct err *err) {
	struct genesis *genesis = mem_zalloc(1, sizeof *genesis);
	arena_init(&genesis->arena);
	genesis->json = arena_dup(&genesis->arena, json);
	const struct json *root;
	enum status status = json_parse(&root, &genesis->arena, genesis->json, &json_limits_default, err);
	if (status == STATUS_OK && !json_is(root, JSON_OBJECT))
		status = err_set(err, STATUS_INVALID, "genesis: not an object");
	if (status == STATUS_OK) status = read_config(genesis, json_get(root, "config"), err);
	if (status == STATUS_OK) status = read_header(genesis, root, err);
	if (status == STATUS_OK) {
		genesis->alloc = json_get(root, "alloc");
		if (genesis->alloc != NULL && genesis->alloc->type != JSON_OBJECT) status = bad_member(err, "alloc");
	}
	if (status != STATUS_OK) {
		genesis_free(genesis);
		return status;
	}
	*out = genesis;
	return STATUS_OK;
}

void genesis_free(struct genesis *genesis) {
	if (genesis == NULL) return;
	arena_fini(&genesis->arena);
	mem_free(genesis);
}

enum status genesis_fill_state(const struct genesis *genesis, struct state *state, struct err *err) {
	return alloc_fill_state(state, genesis->alloc, err);
}

struct header genesis_header(const struct genesis *genesis) {
	return genesis->header;
}

uint8_t header_field_count(enum fork fork) {
	if (fork >= FORK_PRAGUE) return HEADER_PRAGUE;
	if (fork >= FORK_CANCUN) return HEADER_CANCUN;
	if (fork >= FORK_SHANGHAI) return HEADER_SHANGHAI;
	if (fork >= FORK_LONDON) return HEADER_LONDON;
	return HEADER_FRONTIER;
}

struct exec_rules genesis_rules(const struct genesis *genesis, uint64_t number, uint64_t timestamp, bool merged) {
	struct exec_rules rules = {.fork = merged ? FORK_PARIS : FORK_FRONTIER,
	    .chain_id = genesis->chain_id,
	    .zero_base_fee = genesis->zero_base_fee,
	    .deposit_contract = genesis->deposit_contract,
	    .blob = exec_blob_schedule(FORK_FRONTIER)};
	const enum fork first = merged ? FORK_SHANGHAI : FORK_FRONTIER, end = merged ? FORK_COUNT : FORK_PARIS;
	const uint64_t now = merged ? timestamp : number;
	for (enum fork fork = first; fork < end; fork++)
		if (genesis->forks[fork].is_set && genesis->forks[fork].at <= now) rules.fork = fork;
	if (rules.fork < FORK_CANCUN) return rules;
	for (size_t i = 0; i < genesis->schedule_count; i++)
		if (genesis->schedules[i].time <= timestamp) rules.blob = genesis->schedules[i].blob;
	return rules;
}

bool genesis_is_merged(const struct genesis *genesis, const u256 *total_difficulty) {
	return genesis->has_terminal && !u256_less(total_difficulty, &genesis->terminal_total_difficulty);
}

uint64_t genesis_bomb_delay_blocks(const struct genesis *genesis, uint64_t number) {
	const struct {
		const struct activation *since;
		uint64_t delay;
	} delays[] = {{&genesis->forks[FORK_BYZANTIUM], 3000000}, {&genesis->forks[FORK_CONSTANTINOPLE], 5000000},
	    {&genesis->glaciers[0], 9000000}, {&genesis->forks[FORK_LONDON], 9700000},
	    {&genesis->glaciers[1], 10700000}, {&genesis->glaciers[2], 11400000}};
	uint64_t delay = 0;
	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++)
		if (delays[i].since->is_set && delays[i].since->at <= number) delay = delays[i].delay;
	return delay;
}

bool genesis_dao_fork(const struct genesis *genesis, struct dao_fork *out) {
	*out = (struct dao_fork){.block = genesis->dao.at, .is_supported = genesis->dao_support};
	return genesis->dao.is_set;
}

u256 genesis_fixed_difficulty(const struct genesis *genesis) {
	return genesis->fixed_difficulty;
}

u256 genesis_chain_id(const struct genesis *genesis) {
	return genesis->chain_id;
}

bool genesis_equal_timestamps(const struct genesis *genesis) {
	return genesis->equal_timestamps;
}

bool genesis_sealer(const struct genesis *genesis, addr20 *out) {
	if (genesis->has_sealer) *out = genesis->sealer;
	return genesis->has_sealer;
}

bool genesis_members(const struct genesis *genesis, addr20 *out) {
	if (genesis->has_members) *out = genesis->members;
	return genesis->has_members;
}

bool genesis_admission(const struct genesis *genesis, addr20 *out) {
	if (genesis->has_admission) *out = genesis->admission;
	return genesis->has_admission;
}

size_t genesis_blob_gates(const struct genesis *genesis, addr20 out[BLOB_GATES_MAX]) {
	memcpy(out, genesis->gates, genesis->gate_count * sizeof *out);
	return genesis->gate_count;
}

struct bytes genesis_json(const struct genesis *genesis) {
	return genesis->json;
}
