#include "rows.h"

#include "crypto/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define MEMORY_PER_CACHE 4 /* as app/serve/node.c */

struct rows_plan rows_plan_of(double millions) {
	const uint64_t rows = (uint64_t)(millions * 1e6);
	struct rows_plan plan = {.accounts = rows / 30, .small_records = rows / 6 / (ROWS_CONTRACTS - 1) / ROWS_FIELDS};
	plan.large_records = (rows - plan.accounts) / ROWS_FIELDS - plan.small_records * (ROWS_CONTRACTS - 1);
	return plan;
}

uint64_t rows_records(const struct rows_plan *plan, uint32_t contract) {
	return contract ? plan->small_records : plan->large_records;
}

static addr20 numbered(uint8_t kind, uint64_t index) {
	addr20 address = {{kind, 0xbe, 0xec}};
	store_be64(address.b + 12, index);
	return address;
}

addr20 rows_account(uint64_t index) {
	return numbered(0xac, index);
}

addr20 rows_contract(uint32_t index) {
	return numbered(0xc0, index);
}

struct bytes rows_code(void) {
	static const uint8_t code[] = {
	    0x60, 0x00, 0x35, 0x60, 0x00, 0x52,             /* memory[0] = id; memory[32] stays 0 */
	    0x60, 0x40, 0x60, 0x00, 0x20,                   /* keccak(id || 0): the first slot */
	    0x60, 0x20, 0x35, 0x81, 0x55, 0x60, 0x01, 0x01, /* sstore(slot, calldata[32]); slot + 1 */
	    0x60, 0x40, 0x35, 0x81, 0x55, 0x60, 0x01, 0x01, /* … */
	    0x60, 0x60, 0x35, 0x81, 0x55, 0x60, 0x01, 0x01, /* … */
	    0x60, 0x80, 0x35, 0x81, 0x55, 0x60, 0x01, 0x01, /* … */
	    0x60, 0xa0, 0x35, 0x81, 0x55, 0x50,             /* the fifth */
	    0x61, 0x01, 0x00, 0x60, 0xc0, 0x60, 0x00, 0x37, /* memory[0, 256) = data */
	    0x33, 0x60, 0x00, 0x35,                         /* topics: id, caller */
	    0x61, 0x01, 0x00, 0x60, 0x00, 0xa2, 0x00,       /* log2(0, 256); stop */
	};
	return bytes_make(code, sizeof code);
}

u256 rows_slot(uint64_t record, uint32_t field) {
	uint8_t message[64] = {0};
	store_be64(message + 24, record);
	const hash32 base = keccak256(bytes_make(message, sizeof message));
	u256 slot = u256_from_be(BYTES_OF(base)), offset = u256_from(field);
	u256_add_overflow(&slot, &slot, &offset);
	return slot;
}

void rows_check(const struct rows_ledger *ledger, enum status status) {
	if (status == STATUS_OK) return;
	fprintf(stderr, "%s: %s\n", status_text(status), ledger->err.message);
	exit(1);
}

void rows_open(struct rows_ledger *out, const char *data, uint64_t memory_mib) {
	char path[4096];
	const size_t memory = (size_t)memory_mib << 20, cache = memory / MEMORY_PER_CACHE;
	const struct store_options store = {.memory_bytes = memory - cache};
	const struct chain_options chain = {.cache_bytes = cache};
	*out = (struct rows_ledger){0};
	mem_bound_heap();
	snprintf(path, sizeof path, "%s/chaindata", data);
	rows_check(out, store_open(&out->store, path, &store, &out->err));
	rows_check(out, chain_open(&out->chain, out->store, &chain, &out->err));
}

void rows_close(struct rows_ledger *ledger) {
	chain_close(ledger->chain);
	store_close(ledger->store);
}

static double seconds(struct timespec time) {
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double rows_now_s(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return seconds(time);
}

double rows_thread_cpu_s(void) {
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return seconds(time);
}

double rows_process_cpu_s(void) {
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return seconds(time);
}

uint64_t rows_proc(const char *path, const char *name) {
	char line[256];
	unsigned long long value = 0;
	FILE *file = fopen(path, "re");
	if (!file) return 0;
	while (fgets(line, sizeof line, file))
		if (strncmp(line, name, strlen(name)) == 0 && sscanf(line + strlen(name), ": %llu", &value) == 1) break;
	fclose(file);
	return value;
}
