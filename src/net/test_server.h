/* For tests of net/: a server in this process, and clients of it that say bytes. */
#ifndef NET_TEST_SERVER_H
#define NET_TEST_SERVER_H

#include "net/http_server.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_BYTES 65536

struct served {
	struct http_server *server;
	pthread_t thread;
	atomic_uint calls;
	uint16_t port;
};

static inline void *run(void *context) {
	struct err err;
	if (http_server_run(context, &err) != STATUS_OK) abort();
	return NULL;
}

static inline void start_options(
    struct served *served, struct http_server_options options, struct http_service service) {
	struct err err;
	if (!options.response_max) options.response_max = 200000;
	assert_int_equal(http_server_open(&served->server, &options, &service, &err), STATUS_OK);
	served->port = http_server_port(served->server);
	assert_int_not_equal(served->port, 0);
	assert_int_equal(pthread_create(&served->thread, NULL, run, served->server), 0);
}

static inline void start_router(struct served *served, struct http_service service) {
	start_options(served, (struct http_server_options){0}, service);
}

/* The service's context counts the calls. */
static inline void start_service(
    struct served *served, struct http_server_options options, struct http_service service) {
	served->calls = 0;
	service.context = &served->calls;
	start_options(served, options, service);
}

static inline void stop(struct served *served) {
	http_server_stop(served->server);
	pthread_join(served->thread, NULL);
	http_server_close(served->server);
}

static inline int dial(uint16_t port) {
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static inline void put(int fd, const char *text, size_t len) {
	while (len) {
		ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
		if (sent <= 0) return; /* the server may close early; the answer tells */
		text += sent;
		len -= (size_t)sent;
	}
}

/* Reads until `until` occurs `times`, the end, or `ms` without a byte. True where the other side closed. */
static inline bool hear(int fd, char *answer, const char *until, int times, int ms) {
	size_t len = 0;
	answer[0] = 0;
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	while (len < ANSWER_BYTES - 1 && poll(&readable, 1, ms) > 0) {
		ssize_t got = recv(fd, answer + len, ANSWER_BYTES - 1 - len, 0);
		if (got <= 0) return true;
		len += (size_t)got;
		answer[len] = 0;
		int seen = 0;
		for (const char *at = answer; until && (at = strstr(at, until)); at++) seen++;
		if (until && seen >= times) return false;
	}
	return false;
}

/* One connection, one text; what came back, and whether the server closed. */
static inline bool ask(uint16_t port, char *answer, const char *text, const char *until) {
	int fd = dial(port);
	put(fd, text, strlen(text));
	bool closed = hear(fd, answer, until, 1, 2000);
	close(fd);
	return closed;
}

#define HEAD_OF(method, target) method " " target " HTTP/1.1\r\nHost: localhost\r\n"

#endif
