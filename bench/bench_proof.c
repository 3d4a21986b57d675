/*
 * A client that believes no node: it asks for the slots that say who may open a folder (its head, its key and its
 * grant, eight slots of three contracts) with their proofs, three eth_getProof in one batch, and verifies them against
 * a state root. One keep-alive connection, one batch at a time; each asks for other records, at random, of the state
 * that bench_populate made (rows.h).
 *
 * Usage: bench_proof PORT MILLIONS [SECONDS [BEHIND]]. BEHIND: of a block so far behind the newest (0).
 * Prints one line of JSON: batches, servedP50ms (from the request to the whole answer), p50ms, p99ms, maxMs (until all
 * is verified), verifyP50us, and bytes an answer.
 */
#include "codec/hex.h"
#include "codec/json.h"
#include "eth/proof.h"
#include "rows.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONTRACTS = 3, SLOTS_MAX = 4, ANSWER_MAX = 1 << 20, REQUEST_MAX = 4096 };
static const size_t slots_of[CONTRACTS] = {4, 2, 2};
#define SAMPLES_MAX ((size_t)1 << 20)

struct bench {
	int fd;
	double seconds;
	struct rows_plan plan;
	uint64_t random, block;
	hash32 root;
	u256 slots[CONTRACTS][SLOTS_MAX];
	char answer[ANSWER_MAX];
	float *served_ms, *all_ms, *verify_us;
	size_t done, bytes;
};

_Noreturn static void stop(const char *what, const char *detail) {
	fprintf(stderr, "bench_proof: %s: %.300s\n", what, detail);
	exit(1);
}

/* SplitMix64. */
static uint64_t next_random(struct bench *bench) {
	uint64_t z = bench->random += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* --- HTTP --- */

static void connect_to(struct bench *bench, unsigned port) {
	const struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int on = 1;
	bench->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(bench->fd, (const struct sockaddr *)&address, sizeof address) != 0) stop("connect", "refused");
	setsockopt(bench->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* The body of the answer. */
static struct bytes ask(struct bench *bench, const char *body) {
	char text[REQUEST_MAX];
	size_t len = 0, whole = SIZE_MAX, head = 0;
	const int sent = snprintf(text, sizeof text,
	    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(body), body);
	if (sent >= REQUEST_MAX || write(bench->fd, text, (size_t)sent) != sent) stop("write", "not all of it");
	while (len < whole) {
		const ssize_t n = read(bench->fd, bench->answer + len, ANSWER_MAX - 1 - len);
		if (n <= 0) stop("read", "the server closed, or the answer is too large");
		len += (size_t)n;
		bench->answer[len] = 0;
		const char *end = strstr(bench->answer, "\r\n\r\n");
		const char *field = strcasestr(bench->answer, "\r\nContent-Length:");
		if (end == NULL) continue;
		if (field == NULL || field > end) stop("an answer without its length", bench->answer);
		head = (size_t)(end + 4 - bench->answer);
		whole = head + strtoul(field + 17, NULL, 10);
	}
	return bytes_make(bench->answer + head, whole - head);
}

/* --- JSON --- */

static const struct json *parse(struct arena *arena, struct bytes text) {
	const struct json *root;
	struct err err;
	if (json_parse(&root, arena, text, &json_limits_default, &err) != STATUS_OK) stop("JSON", err.message);
	return root;
}

static hash32 hash_of(const struct json *value) {
	hash32 hash;
	if (hex_fixed(hash.b, 32, json_string(value)) != STATUS_OK) stop("a hash", "is not 32 bytes");
	return hash;
}

/* The nodes of a proof, in the arena. */
static struct bytes *nodes_of(struct arena *arena, const struct json *array) {
	struct bytes *nodes = arena_alloc(arena, (array->count + 1) * sizeof *nodes);
	size_t count = 0;
	struct buf data;
	buf_init(&data, ANSWER_MAX);
	json_foreach (node, array) {
		buf_clear(&data);
		if (hex_data(&data, json_string(node)) != STATUS_OK) stop("a node", "is not hexadecimal");
		nodes[count++] = arena_dup(arena, buf_view(&data));
	}
	buf_fini(&data);
	return nodes;
}

/* --- proofs --- */

static void learn_root(struct bench *bench, uint64_t behind) {
	char body[256];
	struct arena arena;
	arena_init(&arena);
	const struct json *head =
	    parse(&arena, ask(bench, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_blockNumber\",\"params\":[]}"));
	const struct bytes number = json_string(json_get(head, "result"));
	if (number.len < 3) stop("no number", bench->answer);
	bench->block = strtoull((const char *)number.data + 2, NULL, 16) - behind;
	snprintf(body, sizeof body,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBlockByNumber\",\"params\":[\"0x%llx\",false]}",
	    (unsigned long long)bench->block);
	bench->root = hash_of(json_get(json_get(parse(&arena, ask(bench, body)), "result"), "stateRoot"));
	arena_fini(&arena);
}

static void write_batch(struct bench *bench, char *out) {
	char *at = out;
	for (uint32_t c = 0; c < CONTRACTS; c++) {
		char address[41];
		const uint64_t record = next_random(bench) % rows_records(&bench->plan, c);
		const addr20 contract = rows_contract(c);
		for (size_t i = 0; i < 20; i++) sprintf(address + 2 * i, "%02x", contract.b[i]);
		at += sprintf(at, "%c{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"eth_getProof\",\"params\":[\"0x%s\",[",
		    c == 0 ? '[' : ',', c, address);
		for (uint32_t i = 0; i < slots_of[c]; i++) {
			uint8_t word[32];
			bench->slots[c][i] = rows_slot(record, i);
			u256_store_be(word, &bench->slots[c][i]);
			at += sprintf(at, i == 0 ? "\"0x" : ",\"0x");
			for (size_t k = 0; k < 32; k++) at += sprintf(at, "%02x", word[k]);
			at += sprintf(at, "\"");
		}
		at += sprintf(at, "],\"0x%llx\"]}", (unsigned long long)bench->block);
	}
	sprintf(at, "]");
}

static void verify_one(struct bench *bench, struct arena *arena, uint32_t c, const struct json *proof) {
	struct proof_account account;
	struct err err;
	bool exists;
	const addr20 address = rows_contract(c);
	const struct json *nodes = json_get(proof, "accountProof"), *slots = json_get(proof, "storageProof");
	if (nodes == NULL || slots == NULL || slots->count != slots_of[c]) stop("no proof", bench->answer);
	const struct bytes *way = nodes_of(arena, nodes);
	if (proof_account(&exists, &account, &bench->root, &address, way, nodes->count, &err) != STATUS_OK || !exists)
		stop("an account's proof", err.message);
	for (uint32_t i = 0; i < slots_of[c]; i++) {
		u256 value;
		hash32 slot;
		const struct json *slot_nodes = json_get(json_at(slots, i), "proof");
		u256_store_be(slot.b, &bench->slots[c][i]);
		way = nodes_of(arena, slot_nodes);
		const enum status status =
		    proof_storage(&value, &account.storage_root, &slot, way, slot_nodes->count, &err);
		if (status != STATUS_OK) stop("a slot's proof", err.message);
		if (u256_is_zero(&value)) stop("a slot", "is empty");
	}
}

static void run(struct bench *bench) {
	char body[REQUEST_MAX];
	const double start = rows_now_s();
	while (rows_now_s() - start < bench->seconds && bench->done < SAMPLES_MAX) {
		struct arena arena;
		arena_init(&arena);
		write_batch(bench, body);
		const double sent = rows_now_s();
		const struct bytes text = ask(bench, body);
		const double served = rows_now_s();
		const struct json *answers = parse(&arena, text);
		for (uint32_t c = 0; c < CONTRACTS; c++)
			verify_one(bench, &arena, c, json_get(json_at(answers, c), "result"));
		const double verified = rows_now_s();
		bench->served_ms[bench->done] = (float)((served - sent) * 1e3);
		bench->verify_us[bench->done] = (float)((verified - served) * 1e6);
		bench->all_ms[bench->done++] = (float)((verified - sent) * 1e3);
		bench->bytes += text.len;
		arena_fini(&arena);
	}
}

static int compare(const void *a, const void *b) {
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static double part_of(float *samples, size_t count, double part) {
	qsort(samples, count, sizeof *samples, compare);
	return (double)samples[(size_t)((double)(count - 1) * part)];
}

int main(int argc, char **argv) {
	if (argc < 3) return fprintf(stderr, "usage: bench_proof PORT MILLIONS [SECONDS [BEHIND]]\n"), 2;
	struct bench *bench = mem_zalloc(1, sizeof *bench);
	bench->plan = rows_plan_of(strtod(argv[2], NULL));
	bench->seconds = argc > 3 ? strtod(argv[3], NULL) : 3;
	bench->served_ms = mem_alloc(SAMPLES_MAX * sizeof(float));
	bench->all_ms = mem_alloc(SAMPLES_MAX * sizeof(float));
	bench->verify_us = mem_alloc(SAMPLES_MAX * sizeof(float));
	connect_to(bench, (unsigned)atoi(argv[1]));
	learn_root(bench, argc > 4 ? strtoull(argv[4], NULL, 10) : 0);
	run(bench);
	const size_t n = bench->done;
	printf("{\"batches\":%zu,\"servedP50ms\":%.3f,\"p50ms\":%.3f,\"p99ms\":%.3f,\"maxMs\":%.3f,"
	       "\"verifyP50us\":%.1f,\"bytes\":%zu}\n",
	    n, part_of(bench->served_ms, n, 0.5), part_of(bench->all_ms, n, 0.5), part_of(bench->all_ms, n, 0.99),
	    part_of(bench->all_ms, n, 1), part_of(bench->verify_us, n, 0.5), bench->bytes / n);
	return 0;
}
