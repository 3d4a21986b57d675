/* Calls that the protocol itself makes (EIP-4788, 2935, 7002, 7251) and the requests that follow from a block
 * (EIP-6110, 7685). */
#include "crypto/hash.h"
#include "ledger/exec/executor.h"

static const uint64_t SYSTEM_CALL_GAS = 30000000;
static const addr20 system_address = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}};
static const addr20 beacon_roots = {{0x00, 0x0f, 0x3d, 0xf6, 0xd7, 0x32, 0x80, 0x7e, 0xf1, 0x31, 0x9f, 0xb7, 0xb8, 0xbb,
    0x85, 0x22, 0xd0, 0xbe, 0xac, 0x02}};
static const addr20 history_storage = {{0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb, 0x7a, 0x02, 0x33,
    0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35}};
static const addr20 withdrawal_requests = {{0x00, 0x00, 0x09, 0x61, 0xef, 0x48, 0x0e, 0xb5, 0x5e, 0x80, 0xd1, 0x9a,
    0xd8, 0x35, 0x79, 0xa6, 0x4c, 0x00, 0x70, 0x02}};
static const addr20 consolidation_requests = {{0x00, 0x00, 0xbb, 0xdd, 0xc7, 0xce, 0x48, 0x86, 0x42, 0xfb, 0x57, 0x9f,
    0x8b, 0x00, 0xf3, 0xa5, 0x90, 0x00, 0x72, 0x51}};

const struct exec_system_contract exec_system_contracts[EXEC_SYSTEM_CONTRACTS] = {
    {"BEACON_ROOTS_ADDRESS", &beacon_roots, FORK_CANCUN},
    {"CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS", &consolidation_requests, FORK_PRAGUE},
    {"HISTORY_STORAGE_ADDRESS", &history_storage, FORK_PRAGUE},
    {"WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", &withdrawal_requests, FORK_PRAGUE},
};

enum status exec_system_call(struct executor *executor, bool *missing, bool *success, struct bytes *output,
    const addr20 *address, struct bytes input) {
	struct state_code code;
	*success = false;
	*output = (struct bytes){0};
	TRY(state_get_code(executor->state, &code, address));
	*missing = code.bytes.len == 0;
	if (*missing) return STATUS_OK;
	const struct evm_tx_env env = {.origin = system_address};
	evm_set_tx(executor->evm, &env);
	const struct evm_message message = {.kind = EVM_CALL,
	    .gas = SYSTEM_CALL_GAS,
	    .sender = system_address,
	    .recipient = *address,
	    .code_address = *address,
	    .input = input};
	struct evm_result result;
	state_warm_account(executor->state, address);
	TRY(evm_execute(executor->evm, &result, &message));
	*success = result.outcome == EVM_SUCCESS;
	*output = result.output;
	return state_end_transaction(executor->state, true);
}

enum status exec_open_block(struct executor *executor, const struct header *header) {
	const enum fork fork = executor->rules.fork;
	bool missing, success;
	struct bytes output;
	if (header->number == 0) return STATUS_OK;
	if (fork >= FORK_CANCUN)
		TRY(exec_system_call(
		    executor, &missing, &success, &output, &beacon_roots, BYTES_OF(header->parent_beacon_root)));
	if (fork >= FORK_PRAGUE)
		TRY(exec_system_call(
		    executor, &missing, &success, &output, &history_storage, BYTES_OF(header->parent_hash)));
	return STATUS_OK;
}

/* --- deposits --- */

/* keccak("DepositEvent(bytes,bytes,bytes,bytes,bytes)") */
static const hash32 deposit_topic = {{0x64, 0x9b, 0xbc, 0x62, 0xd0, 0xe3, 0x13, 0x42, 0xaf, 0xea, 0x4e, 0x5c, 0xd8,
    0x2d, 0x40, 0x49, 0xe7, 0xe1, 0xee, 0x91, 0x2f, 0xc0, 0x88, 0x9a, 0xa7, 0x90, 0x80, 0x3b, 0xe3, 0x90, 0x38, 0xc5}};

/* The event's five byte strings stand at fixed places (EIP-6110, is_valid_deposit_event_data). */
static const struct {
	uint16_t offset, size;
} deposit_fields[5] = {{160, 48}, {256, 32}, {320, 8}, {384, 96}, {512, 8}};
enum { DEPOSIT_EVENT_BYTES = 576 };

static bool word_is(const uint8_t *word, uint64_t value) {
	static const uint8_t zeros[24];
	return memcmp(word, zeros, sizeof zeros) == 0 && load_be64(word + 24) == value;
}

static bool put_deposit(struct buf *out, struct bytes data) {
	if (data.len != DEPOSIT_EVENT_BYTES) return false;
	for (size_t i = 0; i < 5; i++) {
		if (!word_is(data.data + 32 * i, deposit_fields[i].offset)) return false;
		if (!word_is(data.data + deposit_fields[i].offset, deposit_fields[i].size)) return false;
	}
	for (size_t i = 0; i < 5; i++)
		buf_append(out, bytes_slice(data, deposit_fields[i].offset + 32u, deposit_fields[i].size));
	return true;
}

static enum status collect_deposits(struct executor *executor, struct buf *out) {
	for (size_t i = 0; i < executor->receipt_count; i++) {
		const struct receipt *receipt = &executor->receipts[i];
		for (size_t k = 0; k < receipt->log_count; k++) {
			const struct log *log = &receipt->logs[k];
			if (!addr20_equal(&log->address, &executor->rules.deposit_contract)) continue;
			if (log->topic_count == 0 || !hash32_equal(&log->topics[0], &deposit_topic)) continue;
			if (!put_deposit(out, log->data))
				return err_set(executor->err, STATUS_INVALID, "a deposit event has an invalid layout");
		}
	}
	return STATUS_OK;
}

/* --- requests --- */

static enum status call_for_requests(
    struct executor *executor, struct buf *out, const addr20 *address, const char *name) {
	bool missing, success;
	struct bytes output;
	TRY(exec_system_call(executor, &missing, &success, &output, address, (struct bytes){0}));
	if (missing) return err_set(executor->err, STATUS_INVALID, "the %s contract is not deployed", name);
	if (!success) return err_set(executor->err, STATUS_INVALID, "the call to the %s contract failed", name);
	buf_append(out, output);
	return STATUS_OK;
}

typedef enum status collector(struct executor *executor, struct buf *out);

static enum status collect_withdrawals(struct executor *executor, struct buf *out) {
	return call_for_requests(executor, out, &withdrawal_requests, "withdrawal requests (EIP-7002)");
}

static enum status collect_consolidations(struct executor *executor, struct buf *out) {
	return call_for_requests(executor, out, &consolidation_requests, "consolidation requests (EIP-7251)");
}

enum status exec_collect_requests(struct executor *executor, hash32 *requests_hash) {
	static collector *const collectors[EXEC_REQUEST_TYPES] = {
	    collect_deposits, collect_withdrawals, collect_consolidations};
	struct buf request, hashes;
	enum status status = STATUS_OK;
	buf_init(&request, BUF_MAX_DEFAULT);
	buf_init(&hashes, BUF_MAX_DEFAULT);
	executor->request_count = 0;
	for (uint8_t type = 0; type < EXEC_REQUEST_TYPES && status == STATUS_OK; type++) {
		buf_clear(&request);
		buf_byte(&request, type);
		status = collectors[type](executor, &request);
		if (request.len == 1) continue; /* empty requests do not count */
		executor->requests[executor->request_count++] = arena_dup(&executor->arena, buf_view(&request));
		const hash32 hash = sha256(buf_view(&request));
		buf_append(&hashes, BYTES_OF(hash));
	}
	*requests_hash = sha256(buf_view(&hashes));
	buf_fini(&request);
	buf_fini(&hashes);
	return status;
}
