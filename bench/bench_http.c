/*
 * Asks a JSON-RPC server what stands on standard input, a body a line: as fast as it answers, or at a rate. One request
 * a connection at a time; a latency counts from when the request was due, so that a server that falls behind shows.
 *
 * Usage: bench_http PORT [--connections N] [--seconds S | --once] [--rate PER_SECOND] [--pid NODE] < BODIES
 * Prints one line of JSON: answers, perS, p50ms, p99ms, maxMs, bad (errors, null results), bytes an answer, and with
 * --pid nodeCpuUs an answer.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define ANSWER_MAX ((size_t)64 << 20)
#define SAMPLES_MAX ((size_t)1 << 24)

struct request {
	char *text;
	size_t len;
};

struct connection {
	int fd;
	bool busy;
	double due_us;
	char *answer;
	size_t len, cap;
};

struct bench {
	struct request *requests;
	size_t request_count, next;
	struct connection connections[CONNECTIONS_MAX];
	size_t connection_count;
	double rate, seconds, start_us;
	bool once;
	const char *pid;
	float *latencies_ms;
	size_t answered, bad, bytes;
};

_Noreturn static void stop(const char *what) {
	perror(what);
	exit(1);
}

static double now_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void read_requests(struct bench *bench) {
	char *line = NULL;
	size_t line_cap = 0, cap = 0;
	for (ssize_t len; (len = getline(&line, &line_cap, stdin)) > 0;) {
		if (line[len - 1] == '\n') len--;
		if (bench->request_count == cap) {
			cap = cap ? 2 * cap : 1024;
			bench->requests = realloc(bench->requests, cap * sizeof *bench->requests);
			if (bench->requests == NULL) stop("memory");
		}
		struct request *request = &bench->requests[bench->request_count++];
		const int made = asprintf(&request->text,
		    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
		    "%zd\r\n\r\n%.*s",
		    len, (int)len, line);
		if (made < 0) stop("memory");
		request->len = (size_t)made;
	}
	free(line);
	if (bench->request_count == 0) stop("nothing to ask");
}

static void open_connections(struct bench *bench, unsigned port) {
	const struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int on = 1;
	for (size_t i = 0; i < bench->connection_count; i++) {
		struct connection *connection = &bench->connections[i];
		connection->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(connection->fd, (const struct sockaddr *)&address, sizeof address) != 0) stop("connect");
		setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		connection->cap = 1 << 16;
		connection->answer = malloc(connection->cap + 1);
		if (connection->answer == NULL) stop("memory");
	}
}

static void send_next(struct bench *bench, struct connection *connection, double due_us) {
	const struct request *request = &bench->requests[bench->next++ % bench->request_count];
	for (size_t sent = 0; sent < request->len;) {
		const ssize_t n = write(connection->fd, request->text + sent, request->len - sent);
		if (n <= 0) stop("write");
		sent += (size_t)n;
	}
	connection->busy = true;
	connection->due_us = due_us;
	connection->len = 0;
}

/* The answer's length with its headers; 0 while that is not known. */
static size_t whole_length(const struct connection *connection) {
	const char *end = strstr(connection->answer, "\r\n\r\n");
	if (end == NULL) return 0;
	const char *field = strcasestr(connection->answer, "\r\nContent-Length:");
	if (field == NULL || field > end) stop("an answer without its length");
	return (size_t)(end + 4 - connection->answer) + strtoul(field + 17, NULL, 10);
}

static void receive(struct bench *bench, struct connection *connection) {
	if (connection->cap - connection->len < 1 << 15) {
		connection->cap *= 2;
		connection->answer = realloc(connection->answer, connection->cap + 1);
		if (connection->answer == NULL || connection->cap > ANSWER_MAX) stop("an answer too large");
	}
	const ssize_t n = read(connection->fd, connection->answer + connection->len, connection->cap - connection->len);
	if (n <= 0) stop("the server closed");
	connection->len += (size_t)n;
	connection->answer[connection->len] = 0;
	const size_t whole = whole_length(connection);
	if (whole == 0 || connection->len < whole) return;
	connection->busy = false;
	bench->bytes += whole;
	if (bench->answered == SAMPLES_MAX) stop("too many samples");
	bench->latencies_ms[bench->answered++] = (float)((now_us() - connection->due_us) / 1e3);
	bench->bad +=
	    strstr(connection->answer, "\"error\"") != NULL || strstr(connection->answer, "\"result\":null") != NULL;
}

static bool is_over(const struct bench *bench, double now) {
	return bench->once ? bench->next >= bench->request_count : now - bench->start_us >= bench->seconds * 1e6;
}

/* Sends what is due on what is free; the time until the next is due, or -1 where an answer must come first. */
static double send_due_us(struct bench *bench) {
	for (size_t i = 0; i < bench->connection_count; i++) {
		if (bench->connections[i].busy) continue;
		const double now = now_us();
		if (is_over(bench, now)) return -1;
		const double due = bench->rate > 0 ? bench->start_us + (double)bench->next / bench->rate * 1e6 : now;
		if (due > now) return due - now;
		send_next(bench, &bench->connections[i], due);
	}
	return -1;
}

static bool any_busy(const struct bench *bench) {
	for (size_t i = 0; i < bench->connection_count; i++)
		if (bench->connections[i].busy) return true;
	return false;
}

static void run(struct bench *bench) {
	struct pollfd fds[CONNECTIONS_MAX];
	bench->start_us = now_us();
	for (;;) {
		const double wait_us = send_due_us(bench);
		const struct timespec wait = {(time_t)(wait_us / 1e6), (long)(wait_us * 1e3) % 1000000000};
		if (!any_busy(bench) && is_over(bench, now_us())) return;
		for (size_t i = 0; i < bench->connection_count; i++)
			fds[i] = (struct pollfd){.fd = bench->connections[i].fd, .events = POLLIN};
		if (ppoll(fds, bench->connection_count, wait_us < 0 ? NULL : &wait, NULL) < 0) stop("poll");
		for (size_t i = 0; i < bench->connection_count; i++)
			if (fds[i].revents != 0) receive(bench, &bench->connections[i]);
	}
}

static int compare(const void *a, const void *b) {
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* What the node's threads have used; 0 without a pid. */
static double node_cpu_us(const struct bench *bench) {
	char path[64];
	unsigned long user = 0, system = 0;
	if (bench->pid == NULL) return 0;
	snprintf(path, sizeof path, "/proc/%s/stat", bench->pid);
	FILE *file = fopen(path, "r");
	if (file == NULL) stop("the node's process");
	if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		stop("stat");
	fclose(file);
	return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static void report(struct bench *bench, double cpu_us) {
	const double seconds = (now_us() - bench->start_us) / 1e6;
	const size_t n = bench->answered;
	qsort(bench->latencies_ms, n, sizeof *bench->latencies_ms, compare);
	printf("{\"answers\":%zu,\"perS\":%.1f,\"p50ms\":%.3f,\"p99ms\":%.3f,\"maxMs\":%.3f,\"bad\":%zu,\"bytes\":%zu",
	    n, (double)n / seconds, (double)bench->latencies_ms[n / 2], (double)bench->latencies_ms[n * 99 / 100],
	    (double)bench->latencies_ms[n - 1], bench->bad, bench->bytes / n);
	if (bench->pid != NULL) printf(",\"nodeCpuUs\":%.1f", cpu_us / (double)n);
	printf("}\n");
}

int main(int argc, char **argv) {
	struct bench bench = {.connection_count = 4, .seconds = 3};
	if (argc < 2) return fprintf(stderr, "usage: bench_http PORT [options] < BODIES\n"), 2;
	for (int i = 2; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "0";
		if (strcmp(argv[i], "--once") == 0)
			bench.once = true;
		else if (strcmp(argv[i], "--connections") == 0)
			bench.connection_count = (size_t)atoi(value), i++;
		else if (strcmp(argv[i], "--seconds") == 0)
			bench.seconds = atof(value), i++;
		else if (strcmp(argv[i], "--rate") == 0)
			bench.rate = atof(value), i++;
		else if (strcmp(argv[i], "--pid") == 0)
			bench.pid = value, i++;
		else
			return fprintf(stderr, "bench_http: what is %s?\n", argv[i]), 2;
	}
	if (bench.connection_count < 1 || bench.connection_count > CONNECTIONS_MAX) return 2;
	bench.latencies_ms = malloc(SAMPLES_MAX * sizeof *bench.latencies_ms);
	if (bench.latencies_ms == NULL) stop("memory");
	read_requests(&bench);
	open_connections(&bench, (unsigned)atoi(argv[1]));
	const double cpu_us = node_cpu_us(&bench);
	run(&bench);
	report(&bench, node_cpu_us(&bench) - cpu_us);
	return 0;
}
