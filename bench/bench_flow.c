/*
 * A steady flow of transactions to one node, or to several of one chain: signed before the clock starts, sent in
 * JSON-RPC batches, as fast as a window of so many that are in no block yet allows, or at a rate. What is in blocks is
 * counted from outside, by asking for every block's number of transactions; at the end every receipt of those blocks
 * must say that it succeeded.
 *
 * Account i sends from the secret of bench_wait's client i, whose address `bench_flow --addresses N` prints. A transfer
 * costs 21,000 gas. Storage is a call that writes 5 fresh slots and an event of 256 bytes, about 140,000 gas, to a
 * contract that the first account creates.
 *
 * Usage: bench_flow PORT[,PORT…] [--kind transfer|storage] [--seconds S] [--rate TX/S (0: by the window)] [--window
 * TXS]
 *   [--accounts N] [--first ACCOUNT] [--batch B] [--connections C] [--most TXS (signed ahead)] [--price WEI]
 * Prints one line of JSON: sent, minedPerS (while it was sent), refused, bad (receipts), gapMs (the longest time
 * without a new transaction in a block while it was sent, and when, gapAtS), and perS: what each second mined.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/secp256k1_keys.h"
#include "eth/types.h"

enum { CONNECTIONS_MAX = 64, SECONDS_MAX = 3600, TRANSFER_GAS = 21000, STORAGE_GAS = 180000, LOOK_MS = 10 };
#define ANSWER_MAX ((size_t)64 << 20)

struct connection {
	int fd;
	char *answer;
	size_t len;
	size_t in_batch; /* transactions under way on it; 0: it is free */
};

struct bench {
	const char *kind;
	double seconds, rate, start_s;
	size_t window, accounts, first, batch, connection_count, most;
	uint64_t chain_id, price_wei;
	addr20 contract;
	char **batches; /* whole HTTP requests, in order */
	size_t batch_count, next;
	struct connection connections[CONNECTIONS_MAX], control;
	size_t sent, refused, mined, bad;
	uint64_t first_block, last_block;
	double last_mined_s, gap_s, gap_at_s;
	size_t per_second[SECONDS_MAX];
};

_Noreturn static void stop(const char *what, const char *detail) {
	fprintf(stderr, "bench_flow: %s: %.300s\n", what, detail);
	exit(1);
}

static double now_s(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static hash32 secret_of(size_t account) {
	hash32 secret = {{0xc1, 0x1e}};
	store_be32(secret.b + 28, (uint32_t)account + 1);
	return secret;
}

/* --- HTTP --- */

static void open_connection(struct connection *connection, unsigned port) {
	const struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int on = 1;
	*connection = (struct connection){.fd = socket(AF_INET, SOCK_STREAM, 0), .answer = malloc(ANSWER_MAX)};
	if (connection->answer == NULL) stop("memory", "none left");
	if (connect(connection->fd, (const struct sockaddr *)&address, sizeof address) != 0) stop("connect", "refused");
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void send_all(struct connection *connection, const char *text, size_t len) {
	connection->len = 0;
	for (size_t at = 0; at < len;) {
		const ssize_t n = write(connection->fd, text + at, len - at);
		if (n <= 0) stop("write", "the server closed");
		at += (size_t)n;
	}
}

/* The body, once it is whole; else NULL. */
static const char *receive(struct connection *connection) {
	const ssize_t n = read(connection->fd, connection->answer + connection->len, ANSWER_MAX - 1 - connection->len);
	if (n <= 0) stop("read", "the server closed, or the answer is too large");
	connection->len += (size_t)n;
	connection->answer[connection->len] = 0;
	const char *end = strstr(connection->answer, "\r\n\r\n");
	if (end == NULL) return NULL;
	const char *field = strcasestr(connection->answer, "\r\nContent-Length:");
	if (field == NULL || field > end) stop("an answer without its length", connection->answer);
	const size_t whole = (size_t)(end + 4 - connection->answer) + strtoul(field + 17, NULL, 10);
	return connection->len < whole ? NULL : end + 4;
}

static char *request_of(const char *body, size_t len) {
	char *text;
	if (asprintf(&text,
		"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s",
		len, (int)len, body) < 0)
		stop("memory", "none left");
	return text;
}

static const char *ask(struct bench *bench, const char *method, const char *params) {
	char body[4096];
	const int len = snprintf(
	    body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":[%s]}", method, params);
	char *request = request_of(body, (size_t)len);
	const char *answer;
	send_all(&bench->control, request, strlen(request));
	free(request);
	while ((answer = receive(&bench->control)) == NULL) continue;
	return answer;
}

static uint64_t ask_number(struct bench *bench, const char *method, const char *params) {
	const char *answer = ask(bench, method, params), *result = strstr(answer, "\"result\":\"0x");
	if (result == NULL) stop(method, answer);
	return strtoull(result + 12, NULL, 16);
}

/* --- transactions --- */

/* SSTORE of the first word and the four after it, each with itself, then LOG1 of 256 bytes of calldata. */
static const uint8_t storage_code[] = {0x5f, 0x35, 0x80, 0x80, 0x55, 0x60, 0x01, 0x01, 0x80, 0x80, 0x55, 0x60, 0x01,
    0x01, 0x80, 0x80, 0x55, 0x60, 0x01, 0x01, 0x80, 0x80, 0x55, 0x60, 0x01, 0x01, 0x80, 0x80, 0x55, 0x61, 0x01, 0x00,
    0x60, 0x20, 0x5f, 0x37, 0x61, 0x01, 0x00, 0x5f, 0xa1, 0x00};

static struct transaction transaction_of(const struct bench *bench, uint64_t nonce) {
	return (struct transaction){.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(bench->chain_id),
	    .nonce = nonce,
	    .gas_limit = TRANSFER_GAS,
	    .max_fee_wei = u256_from(bench->price_wei),
	    .max_priority_fee_wei = u256_from(bench->price_wei),
	    .to = {{0xaa, 0xbb}}};
}

static size_t put_hex(char *out, struct bytes bytes) {
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < bytes.len; i++) {
		out[2 * i] = digits[bytes.data[i] >> 4];
		out[2 * i + 1] = digits[bytes.data[i] & 15];
	}
	return 2 * bytes.len;
}

static size_t put_signed(const struct bench *bench, char *out, size_t account, uint64_t nonce) {
	uint8_t data[32 + 256];
	struct arena arena;
	const hash32 secret = secret_of(account);
	struct transaction tx = transaction_of(bench, nonce);
	if (strcmp(bench->kind, "storage") == 0) {
		memset(data, 0xab, sizeof data);
		memset(data, 0, 32);
		store_be64(data, account + 1); /* slots that nobody wrote before */
		store_be64(data + 16, nonce << 8);
		tx.to = bench->contract;
		tx.gas_limit = STORAGE_GAS;
		tx.data = bytes_make(data, sizeof data);
	}
	arena_init(&arena);
	if (transaction_sign(&tx, &arena, &secret, NULL) != STATUS_OK) stop("signing", "failed");
	size_t len = (size_t)sprintf(
	    out, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x");
	len += put_hex(out + len, tx.raw);
	len += (size_t)sprintf(out + len, "\"]}");
	arena_fini(&arena);
	return len;
}

static void create_contract(struct bench *bench, uint64_t *nonce) {
	uint8_t init[11 + sizeof storage_code] = {
	    0x60, sizeof storage_code, 0x60, 11, 0x5f, 0x39, 0x60, sizeof storage_code, 0x5f, 0xf3, 0x00};
	char text[1024], params[80];
	struct arena arena;
	const hash32 secret = secret_of(bench->first);
	struct transaction tx = transaction_of(bench, (*nonce)++);
	memcpy(init + 11, storage_code, sizeof storage_code);
	tx.is_create = true;
	tx.gas_limit = 200000;
	tx.data = bytes_make(init, sizeof init);
	arena_init(&arena);
	if (transaction_sign(&tx, &arena, &secret, NULL) != STATUS_OK) stop("signing", "failed");
	const size_t len = put_hex(text + 3, tx.raw);
	memcpy(text, "\"0x", 3);
	strcpy(text + 3 + len, "\"");
	arena_fini(&arena);
	const char *answer = ask(bench, "eth_sendRawTransaction", text), *hash = strstr(answer, "\"result\":\"0x");
	if (hash == NULL) stop("the contract", answer);
	snprintf(params, sizeof params, "\"%.66s\"", hash + 10);
	const char *address = NULL;
	for (int i = 0; i < 1000 && address == NULL; i++) {
		usleep(20000);
		address = strstr(ask(bench, "eth_getTransactionReceipt", params), "\"contractAddress\":\"0x");
	}
	if (address == NULL) stop("the contract", "has no receipt");
	for (size_t i = 0; i < sizeof bench->contract.b; i++)
		sscanf(address + 21 + 2 * i, "%2hhx", &bench->contract.b[i]);
}

/* Every batch has the transactions of some accounts in turn, and a connection keeps to its accounts, so that each
 * account's come in order. */
static void sign_all(struct bench *bench) {
	uint64_t *nonces = calloc(bench->accounts, sizeof *nonces);
	char *body = malloc(bench->batch * 1024 + 16);
	bench->batch_count = bench->most / bench->batch / bench->connection_count * bench->connection_count;
	bench->batches = calloc(bench->batch_count, sizeof *bench->batches);
	if (nonces == NULL || body == NULL || bench->batches == NULL) stop("memory", "none left");
	for (size_t i = 0; i < bench->accounts; i++) {
		char params[80], text[43];
		addr20 address;
		const hash32 secret = secret_of(bench->first + i);
		if (address_of_secret(&address, &secret) != STATUS_OK) stop("a secret", "is not a valid key");
		address_checksum(text, &address);
		snprintf(params, sizeof params, "\"%s\",\"latest\"", text);
		nonces[i] = ask_number(bench, "eth_getTransactionCount", params);
	}
	if (strcmp(bench->kind, "storage") == 0) create_contract(bench, &nonces[0]);
	const size_t each = bench->accounts / bench->connection_count;
	for (size_t b = 0; b < bench->batch_count; b++) {
		const size_t connection = b % bench->connection_count, turn = b / bench->connection_count;
		size_t len = 0;
		for (size_t i = 0; i < bench->batch; i++) {
			const size_t account = connection * each + (turn * bench->batch + i) % each;
			body[len++] = i == 0 ? '[' : ',';
			len += put_signed(bench, body + len, bench->first + account, nonces[account]++);
		}
		body[len++] = ']';
		bench->batches[b] = request_of(body, len);
	}
	free(nonces);
	free(body);
}

/* --- running --- */

static void look_at_blocks(struct bench *bench) {
	const uint64_t newest = ask_number(bench, "eth_blockNumber", "");
	for (; bench->last_block < newest; bench->last_block++) {
		char params[32];
		snprintf(params, sizeof params, "\"0x%llx\"", (unsigned long long)bench->last_block + 1);
		const size_t count = ask_number(bench, "eth_getBlockTransactionCountByNumber", params);
		const double at = now_s() - bench->start_s;
		if (count == 0) continue;
		if (at < bench->seconds && at - bench->last_mined_s > bench->gap_s) {
			bench->gap_s = at - bench->last_mined_s;
			bench->gap_at_s = bench->last_mined_s;
		}
		bench->last_mined_s = at;
		bench->mined += count;
		if (at < SECONDS_MAX) bench->per_second[(size_t)at] += count;
	}
}

static bool may_send(const struct bench *bench, double at) {
	if (at >= bench->seconds || bench->next == bench->batch_count) return false;
	if (bench->rate > 0) return (double)bench->sent < bench->rate * at;
	return bench->sent - bench->refused - bench->mined < bench->window;
}

static void count_refusals(struct bench *bench, const char *answer) {
	for (const char *at = answer; (at = strstr(at, "\"error\"")) != NULL; at++) {
		if (bench->refused++ == 0) fprintf(stderr, "bench_flow: refused: %.200s\n", at);
	}
}

/* A connection has every so manieth batch, in order. */
static void send_batch(struct bench *bench, size_t index) {
	struct connection *connection = &bench->connections[index];
	char *request = bench->batches[bench->next++];
	connection->in_batch = bench->batch;
	bench->sent += bench->batch;
	send_all(connection, request, strlen(request));
	free(request);
}

static void run(struct bench *bench) {
	struct pollfd fds[CONNECTIONS_MAX];
	double looked = 0;
	bench->start_s = now_s();
	bench->first_block = bench->last_block = ask_number(bench, "eth_blockNumber", "");
	for (double at = 0, quiet_since = 0;;) {
		at = now_s() - bench->start_s;
		bool is_busy = false;
		while (may_send(bench, at) && bench->connections[bench->next % bench->connection_count].in_batch == 0)
			send_batch(bench, bench->next % bench->connection_count);
		for (size_t i = 0; i < bench->connection_count; i++) {
			fds[i] = (struct pollfd){.fd = bench->connections[i].fd, .events = POLLIN};
			is_busy |= bench->connections[i].in_batch > 0;
		}
		if (poll(fds, bench->connection_count, 1) < 0) stop("poll", "failed");
		for (size_t i = 0; i < bench->connection_count; i++) {
			if (fds[i].revents == 0) continue;
			const char *answer = receive(&bench->connections[i]);
			if (answer == NULL) continue;
			count_refusals(bench, answer);
			bench->connections[i].in_batch = 0;
		}
		if ((at - looked) * 1000 >= LOOK_MS) {
			look_at_blocks(bench);
			looked = at;
		}
		if (is_busy || may_send(bench, at)) quiet_since = at;
		if (at >= bench->seconds && (bench->mined >= bench->sent - bench->refused || at - quiet_since > 30))
			return;
	}
}

static void check_receipts(struct bench *bench) {
	size_t good = 0;
	for (uint64_t number = bench->first_block + 1; number <= bench->last_block; number++) {
		char params[32];
		snprintf(params, sizeof params, "\"0x%llx\"", (unsigned long long)number);
		const char *at = ask(bench, "eth_getBlockReceipts", params);
		while ((at = strstr(at, "\"status\":\"0x1\"")) != NULL) good++, at++;
	}
	bench->bad = bench->sent - bench->refused > good ? bench->sent - bench->refused - good : 0;
}

static void report(const struct bench *bench) {
	size_t within = 0;
	const size_t seconds = (size_t)bench->seconds;
	for (size_t i = 0; i < seconds; i++) within += bench->per_second[i];
	printf(
	    "{\"sent\":%zu,\"refused\":%zu,\"mined\":%zu,\"bad\":%zu,\"minedPerS\":%.1f,\"gapMs\":%.0f,\"gapAtS\":%.1f,"
	    "\"blocks\":%llu,\"perS\":[",
	    bench->sent, bench->refused, bench->mined, bench->bad, (double)within / bench->seconds, bench->gap_s * 1000,
	    bench->gap_at_s, (unsigned long long)(bench->last_block - bench->first_block));
	for (size_t i = 0; i < seconds; i++) printf("%s%zu", i == 0 ? "" : ",", bench->per_second[i]);
	printf("]}\n");
}

static void print_addresses(size_t n) {
	for (size_t i = 0; i < n; i++) {
		char text[43];
		addr20 address;
		const hash32 secret = secret_of(i);
		if (address_of_secret(&address, &secret) != STATUS_OK) stop("a secret", "is not a valid key");
		address_checksum(text, &address);
		puts(text);
	}
}

static bool take_option(struct bench *bench, const char *name, const char *value) {
	const struct {
		const char *name;
		size_t *out;
	} counts[] = {{"--window", &bench->window}, {"--accounts", &bench->accounts}, {"--first", &bench->first},
	    {"--batch", &bench->batch}, {"--connections", &bench->connection_count}, {"--most", &bench->most}};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		if (strcmp(name, counts[i].name) == 0) return *counts[i].out = strtoull(value, NULL, 10), true;
	if (strcmp(name, "--kind") == 0) return bench->kind = value, true;
	if (strcmp(name, "--seconds") == 0) return bench->seconds = strtod(value, NULL), true;
	if (strcmp(name, "--rate") == 0) return bench->rate = strtod(value, NULL), true;
	if (strcmp(name, "--price") == 0) return bench->price_wei = strtoull(value, NULL, 10), true;
	return false;
}

/* The first port is asked about blocks; the connections are dealt out to all. */
static void open_connections(struct bench *bench, char *ports) {
	unsigned numbers[CONNECTIONS_MAX];
	size_t count = 0;
	for (char *at = ports; count < CONNECTIONS_MAX && *at != 0; at += *at == ',')
		numbers[count++] = (unsigned)strtoul(at, &at, 10);
	if (count == 0 || numbers[0] == 0) stop("a port", ports);
	open_connection(&bench->control, numbers[0]);
	for (size_t i = 0; i < bench->connection_count; i++)
		open_connection(&bench->connections[i], numbers[i % count]);
}

static void close_connections(struct bench *bench) {
	for (size_t i = 0; i <= bench->connection_count; i++) {
		struct connection *connection = i == 0 ? &bench->control : &bench->connections[i - 1];
		close(connection->fd);
		free(connection->answer);
	}
}

int main(int argc, char **argv) {
	static struct bench bench = {.kind = "transfer",
	    .seconds = 10,
	    .window = 20000,
	    .accounts = 200,
	    .batch = 50,
	    .connection_count = 4,
	    .most = 100000};
	if (argc == 3 && strcmp(argv[1], "--addresses") == 0) return print_addresses(strtoull(argv[2], NULL, 10)), 0;
	for (int i = 2; i + 1 < argc; i += 2)
		if (!take_option(&bench, argv[i], argv[i + 1])) stop("what is", argv[i]);
	if (argc < 2 || argc % 2 != 0 || bench.connection_count < 1 || bench.connection_count > CONNECTIONS_MAX ||
	    bench.accounts < bench.connection_count || bench.seconds > SECONDS_MAX)
		return fprintf(stderr, "usage: bench_flow PORT [options] | bench_flow --addresses N\n"), 2;
	open_connections(&bench, argv[1]);
	bench.chain_id = ask_number(&bench, "eth_chainId", "");
	sign_all(&bench);
	close_connections(&bench); /* while it signed, the nodes may have ended them */
	open_connections(&bench, argv[1]);
	run(&bench);
	check_receipts(&bench);
	report(&bench);
	return 0;
}
