/*
 * Clients that wait: each sends a transaction, asks for its receipt until it is there, and sends the next. One thread,
 * one keep-alive connection a client; a question that was answered with null is asked again after 0.25 ms,
 * and then after twice as long each time, up to 4 ms. A time counts from when the transaction was sent until its
 * receipt was read. Transactions are signed before the clock starts; once those are used up, the client signs while
 * it runs, which takes processor time from the node: signedLate counts these, and should be 0.
 *
 * Client i sends from the account of the secret 0xc11e00000000… + i, whose address `bench_wait --addresses N` prints,
 * so that a chain with fees can fund it before. The node must take type-2 transactions of the price that is named.
 *
 * With `--sync 1` a transaction and its receipt are one request, eth_sendRawTransactionSync (EIP-7966), so that
 * nobody asks again.
 *
 * Usage: bench_wait PORT --clients C --seconds S [--price WEI] [--ahead TXS A CLIENT] [--sync 1] |
 * bench_wait --addresses N
 * Prints one line of JSON: transactions, perS, p50ms, p99ms, maxMs, polls a transaction, perS of the first and the last
 * fifth of the time, which show whether it stays, and signedLate.
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

enum {
	CLIENTS_MAX = 256,
	ANSWER_MAX = 1 << 16,
	REQUEST_MAX = 1024,
	PAUSE_MIN_US = 250,
	PAUSE_MAX_US = 4000,
	TRANSFER_GAS = 21000
};
#define SAMPLES_MAX ((size_t)1 << 24)

struct client {
	int fd;
	hash32 secret;
	uint64_t nonce; /* of the next transaction to be signed */
	char **signed_; /* requests, made ahead */
	size_t signed_count, next;
	char hash[67];          /* of what is waited for; "": the answer will name it */
	double sent_us, ask_us; /* when it was sent; when to ask again, 0: an answer is awaited, -1: it is over */
	double pause_us;        /* before the next question */
	char answer[ANSWER_MAX];
	size_t len;
};

struct bench {
	struct client *clients;
	size_t client_count, ahead;
	bool is_sync; /* is the receipt the answer to the transaction? */
	uint64_t chain_id, price_wei;
	double seconds, start_us;
	float *times_ms, *ends_s;
	size_t done, polls;
	size_t signed_late; /* while the clock ran, for want of more that were signed before */
};

_Noreturn static void stop(const char *what, const char *detail) {
	fprintf(stderr, "bench_wait: %s: %s\n", what, detail);
	exit(1);
}

static double now_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static hash32 secret_of(size_t client) {
	hash32 secret = {{0xc1, 0x1e}};
	store_be32(secret.b + 28, (uint32_t)client + 1);
	return secret;
}

/* --- HTTP --- */

static void send_body(struct client *client, const char *body) {
	char text[REQUEST_MAX];
	const int len = snprintf(text, sizeof text,
	    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(body), body);
	if (len >= REQUEST_MAX || write(client->fd, text, (size_t)len) != len) stop("write", "not all of it");
	client->len = 0;
	client->ask_us = 0;
}

/* The body, once it is whole; else NULL. */
static const char *receive(struct client *client) {
	const ssize_t n = read(client->fd, client->answer + client->len, ANSWER_MAX - 1 - client->len);
	if (n <= 0) stop("read", "the server closed, or the answer is too large");
	client->len += (size_t)n;
	client->answer[client->len] = 0;
	const char *end = strstr(client->answer, "\r\n\r\n");
	const char *field = strcasestr(client->answer, "\r\nContent-Length:");
	if (end == NULL) return NULL;
	if (field == NULL || field > end) stop("an answer without its length", client->answer);
	const size_t whole = (size_t)(end + 4 - client->answer) + strtoul(field + 17, NULL, 10);
	return client->len < whole ? NULL : end + 4;
}

static uint64_t ask_number(struct client *client, const char *body) {
	const char *answer, *result;
	send_body(client, body);
	while ((answer = receive(client)) == NULL) continue;
	if ((result = strstr(answer, "\"result\":\"0x")) == NULL) stop(body, answer);
	return strtoull(result + 12, NULL, 16);
}

/* --- transactions --- */

static char *sign_next(const struct bench *bench, struct client *client) {
	static const char digits[] = "0123456789abcdef";
	struct arena arena;
	struct transaction tx = {.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(bench->chain_id),
	    .nonce = client->nonce++,
	    .gas_limit = TRANSFER_GAS,
	    .max_fee_wei = u256_from(bench->price_wei),
	    .max_priority_fee_wei = u256_from(bench->price_wei),
	    .to = {{0xaa, 0xbb}}};
	arena_init(&arena);
	if (transaction_sign(&tx, &arena, &client->secret, NULL) != STATUS_OK) stop("signing", "failed");
	char hex[REQUEST_MAX], *request;
	if (tx.raw.len * 2 >= sizeof hex) stop("signing", "too long");
	for (size_t i = 0; i < tx.raw.len; i++) {
		hex[2 * i] = digits[tx.raw.data[i] >> 4];
		hex[2 * i + 1] = digits[tx.raw.data[i] & 15];
	}
	const int len = asprintf(&request,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction%s\",\"params\":[\"0x%.*s\"]}",
	    bench->is_sync ? "Sync" : "", (int)(2 * tx.raw.len), hex);
	if (len < 0) stop("memory", "none left");
	arena_fini(&arena);
	return request;
}

static void send_next(struct bench *bench, struct client *client) {
	const bool is_signed = client->next < client->signed_count;
	char *request = is_signed ? client->signed_[client->next++] : sign_next(bench, client);
	bench->signed_late += !is_signed;
	client->hash[0] = 0;
	client->pause_us = PAUSE_MIN_US;
	client->sent_us = now_us();
	send_body(client, request);
	free(request);
}

static void ask_receipt(struct bench *bench, struct client *client) {
	char body[256];
	snprintf(body, sizeof body,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getTransactionReceipt\",\"params\":[\"%s\"]}",
	    client->hash);
	bench->polls++;
	send_body(client, body);
}

/* --- running --- */

static void open_client(struct bench *bench, struct client *client, size_t index, unsigned port) {
	const struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int on = 1;
	char body[256], text[43];
	addr20 sender;
	client->secret = secret_of(index);
	if (address_of_secret(&sender, &client->secret) != STATUS_OK) stop("a secret", "is not a valid key");
	address_checksum(text, &sender);
	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(client->fd, (const struct sockaddr *)&address, sizeof address) != 0) stop("connect", "refused");
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	bench->chain_id = ask_number(client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]}");
	snprintf(body, sizeof body,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getTransactionCount\",\"params\":[\"%s\",\"latest\"]}",
	    text);
	client->nonce = ask_number(client, body);
	client->signed_ = calloc(bench->ahead + 1, sizeof *client->signed_);
	if (client->signed_ == NULL) stop("memory", "none left");
	while (client->signed_count < bench->ahead) client->signed_[client->signed_count++] = sign_next(bench, client);
}

static bool is_over(const struct bench *bench) {
	return now_us() - bench->start_us >= bench->seconds * 1e6;
}

static void count(struct bench *bench, const struct client *client) {
	const double now = now_us();
	if (bench->done == SAMPLES_MAX) stop("samples", "too many");
	bench->ends_s[bench->done] = (float)((now - bench->start_us) / 1e6);
	bench->times_ms[bench->done++] = (float)((now - client->sent_us) / 1e3);
}

static void on_answer(struct bench *bench, struct client *client) {
	const char *answer = receive(client);
	if (answer == NULL) return;
	if (strstr(answer, "\"error\"") != NULL) stop("the node refuses", answer);
	if (client->hash[0] == 0 && !bench->is_sync) {
		const char *result = strstr(answer, "\"result\":\"0x");
		if (result == NULL) stop("no hash", answer);
		memcpy(client->hash, result + 10, 66);
		client->hash[66] = 0;
		ask_receipt(bench, client);
	} else if (bench->is_sync && strstr(answer, "\"blockHash\":\"0x") == NULL) {
		stop("no receipt", answer);
	} else if (strstr(answer, "\"result\":null") != NULL) {
		client->ask_us = now_us() + client->pause_us;
		if (client->pause_us < PAUSE_MAX_US) client->pause_us *= 2;
	} else {
		count(bench, client);
		if (is_over(bench))
			client->ask_us = -1;
		else
			send_next(bench, client);
	}
}

/* Asks where it is time to; the time until the next has to, or -1. */
static double ask_due_us(struct bench *bench, bool *any) {
	double least = -1;
	*any = false;
	for (size_t i = 0; i < bench->client_count; i++) {
		struct client *client = &bench->clients[i];
		*any |= client->ask_us >= 0;
		if (client->ask_us <= 0) continue;
		const double left = client->ask_us - now_us();
		if (left <= 0)
			ask_receipt(bench, client);
		else if (least < 0 || left < least)
			least = left;
	}
	return least;
}

static void run(struct bench *bench) {
	struct pollfd fds[CLIENTS_MAX];
	bool any;
	bench->start_us = now_us();
	for (size_t i = 0; i < bench->client_count; i++) send_next(bench, &bench->clients[i]);
	for (;;) {
		const double wait_us = ask_due_us(bench, &any);
		const struct timespec wait = {(time_t)(wait_us / 1e6), (long)(wait_us * 1e3) % 1000000000};
		if (!any) return;
		for (size_t i = 0; i < bench->client_count; i++)
			fds[i] = (struct pollfd){.fd = bench->clients[i].fd, .events = POLLIN};
		if (ppoll(fds, bench->client_count, wait_us < 0 ? NULL : &wait, NULL) < 0) stop("poll", "failed");
		for (size_t i = 0; i < bench->client_count; i++)
			if (fds[i].revents != 0) on_answer(bench, &bench->clients[i]);
	}
}

static int compare(const void *a, const void *b) {
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static double rate_between(const struct bench *bench, double from_s, double to_s) {
	size_t count = 0;
	for (size_t i = 0; i < bench->done; i++) count += bench->ends_s[i] >= from_s && bench->ends_s[i] < to_s;
	return (double)count / (to_s - from_s);
}

static void report(struct bench *bench) {
	const size_t n = bench->done;
	const double all = bench->seconds, fifth = all / 5;
	const double first = rate_between(bench, 0, fifth), last = rate_between(bench, all - fifth, all);
	qsort(bench->times_ms, n, sizeof *bench->times_ms, compare);
	printf("{\"transactions\":%zu,\"perS\":%.1f,\"p50ms\":%.3f,\"p99ms\":%.3f,\"maxMs\":%.3f,\"polls\":%.2f,"
	       "\"firstPerS\":%.1f,\"lastPerS\":%.1f,\"signedLate\":%zu}\n",
	    n, (double)n / all, (double)bench->times_ms[n / 2], (double)bench->times_ms[n * 99 / 100],
	    (double)bench->times_ms[n - 1], (double)bench->polls / (double)n, first, last, bench->signed_late);
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

int main(int argc, char **argv) {
	struct bench bench = {.client_count = 1, .seconds = 3};
	if (argc == 3 && strcmp(argv[1], "--addresses") == 0) return print_addresses((size_t)atoi(argv[2])), 0;
	for (int i = 2; i + 1 < argc; i += 2) {
		const char *name = argv[i], *value = argv[i + 1];
		if (strcmp(name, "--clients") == 0)
			bench.client_count = (size_t)atoi(value);
		else if (strcmp(name, "--seconds") == 0)
			bench.seconds = atof(value);
		else if (strcmp(name, "--price") == 0)
			bench.price_wei = strtoull(value, NULL, 10);
		else if (strcmp(name, "--ahead") == 0)
			bench.ahead = strtoull(value, NULL, 10);
		else if (strcmp(name, "--sync") == 0)
			bench.is_sync = atoi(value) != 0;
		else
			return fprintf(stderr, "bench_wait: what is %s?\n", name), 2;
	}
	if (argc < 2 || argc % 2 != 0 || bench.client_count < 1 || bench.client_count > CLIENTS_MAX)
		return fprintf(stderr, "usage: bench_wait PORT [options] | bench_wait --addresses N\n"), 2;
	bench.times_ms = malloc(SAMPLES_MAX * sizeof *bench.times_ms);
	bench.ends_s = malloc(SAMPLES_MAX * sizeof *bench.ends_s);
	bench.clients = calloc(bench.client_count, sizeof *bench.clients);
	if (bench.times_ms == NULL || bench.ends_s == NULL || bench.clients == NULL) stop("memory", "none left");
	for (size_t i = 0; i < bench.client_count; i++)
		open_client(&bench, &bench.clients[i], i, (unsigned)atoi(argv[1]));
	run(&bench);
	report(&bench);
	return 0;
}
