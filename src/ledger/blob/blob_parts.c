/*
 * Other members' parts of a lock: as many members are asked at once as parts are wanted, one more for each that
 * refuses, and others beside those that do not answer soon. Not all of them from the start: each part costs its member,
 * and stands in its audit as a read.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "ledger/blob/blob_peers.h"

#define ANSWER_WITHIN_MS 4000u
#define SOON_MS 250u
#define STACK_BYTES ((size_t)512 << 10)

/* Of the thread that waits, and of those that ask: whoever is last frees it, since nobody waits for who is slow. */
struct asking {
	struct blob_room *room;
	struct buf path, header, body;
	uint64_t number; /* of the statement */
	struct blob_peer *peers[BLOB_PEERS_MAX];
	size_t peer_count;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	size_t next;    /* peers before it are asked */
	size_t running; /* threads that ask */
	bool is_over;   /* nobody waits any more */
	uint8_t wanted, count;
	uint8_t parts[OUTER_HOLDERS_MAX][OUTER_PART_BYTES];
};

static void copy(struct buf *out, struct bytes bytes) {
	buf_init(out, bytes.len);
	buf_append(out, bytes);
}

static struct asking *asking_new(struct blob_room *room, uint8_t wanted, const struct blob_parts_wish *wish) {
	struct asking *asking = mem_zalloc(1, sizeof *asking);
	pthread_condattr_t monotonic;
	asking->room = room;
	asking->number = wish->number;
	asking->wanted = wanted;
	asking->peer_count = blob_peers_in_turn(room, asking->peers);
	copy(&asking->path, bytes_text(wish->path));
	copy(&asking->header, bytes_text(wish->authorization));
	copy(&asking->body, wish->body);
	pthread_mutex_init(&asking->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&asking->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return asking;
}

static void asking_free(struct asking *asking) {
	pthread_cond_destroy(&asking->changed);
	pthread_mutex_destroy(&asking->lock);
	buf_fini(&asking->path);
	buf_fini(&asking->header);
	buf_fini(&asking->body);
	mem_free(asking);
}

/* False: it is no part, though the member says so. What is of another statement than the reader's is no use to it. */
static bool take_answer(struct asking *asking, const struct http_response *response) {
	const struct bytes body = buf_view(&response->body);
	if (response->status != 200)
		return true; /* its gate or its share says otherwise: that is the reader's affair */
	if (body.len != OUTER_PARTS_HEAD_BYTES + OUTER_PART_BYTES || body.data[8] != 1) return false;
	if (load_be64(body.data) != asking->number) return false;
	pthread_mutex_lock(&asking->lock);
	if (!asking->is_over && asking->count < asking->wanted)
		memcpy(asking->parts[asking->count++], body.data + OUTER_PARTS_HEAD_BYTES, OUTER_PART_BYTES);
	pthread_mutex_unlock(&asking->lock);
	return true;
}

static void ask_one(struct asking *asking, struct blob_peer *peer) {
	const struct blob_peer_request request = {
	    HTTP_POST, buf_cstr(&asking->path), buf_cstr(&asking->header), buf_view(&asking->body), ANSWER_WITHIN_MS};
	struct http_response response;
	http_response_init(&response, OUTER_PARTS_MAX);
	if (blob_peer_ask(asking->room, peer, &response, &request, NULL) == STATUS_OK) {
		if (take_answer(asking, &response))
			blob_peer_answered(asking->room, peer);
		else
			blob_peer_failed(asking->room, peer, "what it gives is no part of the outer seal's key");
	}
	http_response_fini(&response);
}

/* One after the other, until there are enough. The lock is held before and after. */
static void ask_some(struct asking *asking) {
	while (!asking->is_over && asking->count < asking->wanted && asking->next < asking->peer_count) {
		struct blob_peer *peer = asking->peers[asking->next++];
		pthread_mutex_unlock(&asking->lock);
		ask_one(asking, peer);
		pthread_mutex_lock(&asking->lock);
	}
}

static void *run(void *context) {
	struct asking *asking = context;
	struct blob_room *room = asking->room;
	pthread_mutex_lock(&asking->lock);
	ask_some(asking);
	asking->running--;
	const bool is_last = asking->is_over && asking->running == 0;
	pthread_cond_signal(&asking->changed);
	pthread_mutex_unlock(&asking->lock);
	if (is_last) asking_free(asking);
	blob_peers_thread_ends(room);
	return NULL;
}

/* One more thread, if there is room. The lock is held. */
static bool start(struct asking *asking) {
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;
	if (!blob_peers_thread_begins(asking->room)) return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	const bool is_started = pthread_create(&thread, &attributes, run, asking) == 0;
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (is_started)
		asking->running++;
	else
		blob_peers_thread_ends(asking->room);
	return is_started;
}

/* As many threads more as parts are missing, as far as there are members for them. The lock is held. */
static void start_some(struct asking *asking) {
	size_t more = asking->wanted - asking->count;
	if (more > asking->peer_count - asking->next) more = asking->peer_count - asking->next;
	while (more > 0 && start(asking)) more--;
}

static void await_soon(struct asking *asking) {
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)SOON_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	int woken = 0;
	while (woken == 0 && asking->running > 0 && asking->count < asking->wanted)
		woken = pthread_cond_timedwait(&asking->changed, &asking->lock, &until);
}

uint8_t blob_parts_ask(
    struct blob_room *room, uint8_t (*out)[OUTER_PART_BYTES], uint8_t wanted, const struct blob_parts_wish *wish) {
	if (wanted == 0) return 0;
	struct asking *asking = asking_new(room, wanted, wish);
	pthread_mutex_lock(&asking->lock);
	do {
		start_some(asking);
		if (asking->running == 0) ask_some(asking); /* no thread is to be had */
		await_soon(asking);
	} while (asking->running > 0 && asking->count < asking->wanted);
	asking->is_over = true;
	const uint8_t count = asking->count;
	memcpy(out, asking->parts, count * sizeof *asking->parts);
	const bool is_last = asking->running == 0;
	pthread_mutex_unlock(&asking->lock);
	if (is_last) asking_free(asking);
	return count;
}
