#include "ledger/blob/blob_peers.h"

#include <stdio.h>

#include "base/log.h"
#include "codec/hex.h"

#define CLIENTS_MAX 32u
#define THREADS_MAX 128u /* that ask, over all readers: two of the largest consortium's wishes */
#define PAUSE_FIRST_MS 500u
#define PAUSE_MAX_MS (60u * 1000)
#define LIAR_PAUSE_MS (10u * 60 * 1000)
#define URL_MAX 2048u
#define HEX_NODE 43u

struct blob_peer {
	char *url;
	char name[HEX_NODE]; /* of the node, for people */
	bool is_named;       /* by the newest places */
	struct blob_peer_counts counts;
	uint32_t pause_ms; /* 0: it answers */
	uint64_t rests_until_ms;
};

struct blob_peers {
	struct blob_members members;
	addr20 self;
	hash32 key;
	struct blob_peer list[BLOB_PEERS_MAX];
	atomic_size_t count; /* never falls: who is asked now is pointed at */
	atomic_size_t turn;
	pthread_mutex_t lock; /* of the peers' URLs, counts and rests, and of what follows */
	struct http_client free_clients[CLIENTS_MAX];
	size_t free_count;
	size_t threads;
	pthread_cond_t no_threads;
};

static void hex_node(char out[HEX_NODE], const addr20 *node) {
	for (size_t i = 0; i < sizeof node->b; i++) snprintf(out + 2 * i, HEX_NODE - 2 * i, "%02x", node->b[i]);
}

enum status blob_peers_open(struct blob_room *room, struct err *err) {
	const struct blob_members *members = room->options.members;
	if (members == NULL) return STATUS_OK;
	if (members->count > BLOB_PEERS_MAX)
		return err_set(err, STATUS_INVALID, "at most %u other members are named", BLOB_PEERS_MAX);
	struct blob_peers *peers = room->peers = mem_zalloc(1, sizeof *peers);
	peers->members = *members;
	pthread_mutex_init(&peers->lock, NULL);
	pthread_cond_init(&peers->no_threads, NULL);
	if (ed25519_public_of(&peers->key, &members->secret) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "the key of this member's node is not valid");
	peers->self = held_node_of(&peers->key);
	uint32_t first;
	random_fill(room->options.random, &first, sizeof first);
	atomic_store(&peers->turn, first);
	return blob_members_move(room, members->places, members->count, err);
}

/* The lock is held. NULL: there is no room for one more. */
static struct blob_peer *peer_of(struct blob_peers *peers, const addr20 *node) {
	const size_t count = atomic_load(&peers->count);
	for (size_t i = 0; i < count; i++)
		if (addr20_equal(&peers->list[i].counts.node, node)) return &peers->list[i];
	if (count == BLOB_PEERS_MAX) return NULL;
	struct blob_peer *peer = &peers->list[count];
	peer->counts.node = *node;
	hex_node(peer->name, node);
	peer->url = mem_strdup("");
	atomic_store(&peers->count, count + 1);
	return peer;
}

/* The lock is held. Whoever moved is asked again at once. */
static void place(struct blob_peer *peer, const char *url) {
	peer->is_named = true;
	if (strcmp(peer->url, url) == 0) return;
	mem_free(peer->url);
	peer->url = mem_strdup(url);
	peer->pause_ms = 0;
	peer->rests_until_ms = 0;
}

enum status blob_members_move(struct blob_room *room, const struct blob_place *places, size_t count, struct err *err) {
	struct blob_peers *peers = room->peers;
	enum status status = STATUS_OK;
	pthread_mutex_lock(&peers->lock);
	for (size_t i = 0; i < BLOB_PEERS_MAX; i++) peers->list[i].is_named = false;
	for (size_t i = 0; i < count; i++) {
		if (addr20_equal(&places[i].node, &peers->self)) continue;
		struct blob_peer *peer = peer_of(peers, &places[i].node);
		if (peer != NULL)
			place(peer, places[i].url);
		else
			status = err_set(err, STATUS_LIMIT,
			    "at most %u other members are known until the node starts again", BLOB_PEERS_MAX);
	}
	pthread_mutex_unlock(&peers->lock);
	return status;
}

void blob_peers_close(struct blob_room *room) {
	struct blob_peers *peers = room->peers;
	if (peers == NULL) return;
	pthread_mutex_lock(&peers->lock);
	while (peers->threads > 0) pthread_cond_wait(&peers->no_threads, &peers->lock);
	pthread_mutex_unlock(&peers->lock);
	for (size_t i = 0; i < peers->count; i++) mem_free(peers->list[i].url);
	for (size_t i = 0; i < peers->free_count; i++)
		peers->members.close(peers->members.context, &peers->free_clients[i]);
	pthread_cond_destroy(&peers->no_threads);
	pthread_mutex_destroy(&peers->lock);
	mem_wipe(peers, sizeof *peers);
	mem_free(peers);
	room->peers = NULL;
}

addr20 blob_peers_self(const struct blob_room *room) {
	return room->peers->self;
}

const struct ed25519_secret *blob_peers_secret(const struct blob_room *room) {
	return &room->peers->members.secret;
}

enum status blob_peers_power(
    struct blob_room *room, uint64_t *power, uint64_t *all, const addr20 *node, struct err *err) {
	const struct blob_members *members = &room->peers->members;
	return members->power(members->context, power, all, node, err);
}

bool blob_peers_is_guest(const struct blob_room *room, const addr20 *node) {
	const struct blob_members *members = &room->peers->members;
	return members->is_guest != NULL && members->is_guest(members->context, node);
}

enum status blob_peers_share(struct blob_room *room, struct vss_share *out, uint64_t *number, struct err *err) {
	const struct blob_members *members = &room->peers->members;
	return members->share(members->context, out, number, err);
}

enum status blob_peers_statement(struct blob_room *room, struct buf *out, struct err *err) {
	const struct blob_members *members = &room->peers->members;
	return members->statement(members->context, out, err);
}

bool blob_peers_is_current(struct blob_room *room) {
	return room->peers == NULL || (atomic_load(&room->current.is_current) && !blob_names_are_due(room));
}

size_t blob_peers_count(const struct blob_room *room) {
	return room->peers != NULL ? room->peers->count : 0;
}

size_t blob_peers_turn(struct blob_room *room) {
	return atomic_fetch_add(&room->peers->turn, 1);
}

struct blob_peer *blob_peers_at(struct blob_room *room, size_t index) {
	struct blob_peers *peers = room->peers;
	struct blob_peer *peer = &peers->list[index % peers->count];
	pthread_mutex_lock(&peers->lock);
	const bool rests = !peer->is_named || peer->rests_until_ms > clock_now_ms(room->options.clock);
	pthread_mutex_unlock(&peers->lock);
	return rests ? NULL : peer;
}

size_t blob_peers_in_turn(struct blob_room *room, struct blob_peer *out[BLOB_PEERS_MAX]) {
	struct blob_peer *doubted[BLOB_PEERS_MAX];
	const size_t all = blob_peers_count(room), first = blob_peers_turn(room);
	size_t count = 0, doubted_count = 0;
	for (size_t i = 0; i < all; i++) {
		struct blob_peer *peer = blob_peers_at(room, first + i);
		if (peer == NULL) continue;
		pthread_mutex_lock(&room->peers->lock);
		const bool is_doubted = peer->pause_ms != 0;
		pthread_mutex_unlock(&room->peers->lock);
		if (is_doubted)
			doubted[doubted_count++] = peer;
		else
			out[count++] = peer;
	}
	for (size_t i = 0; i < doubted_count; i++) out[count++] = doubted[i];
	return count;
}

addr20 blob_peer_node(const struct blob_peer *peer) {
	return peer->counts.node;
}

bool blob_peer_counts(struct blob_room *room, size_t index, struct blob_peer_counts *out) {
	struct blob_peers *peers = room->peers;
	if (index >= blob_peers_count(room)) return false;
	pthread_mutex_lock(&peers->lock);
	*out = peers->list[index].counts;
	pthread_mutex_unlock(&peers->lock);
	return true;
}

bool blob_peers_thread_begins(struct blob_room *room) {
	struct blob_peers *peers = room->peers;
	pthread_mutex_lock(&peers->lock);
	const bool may = peers->threads < THREADS_MAX;
	peers->threads += may;
	pthread_mutex_unlock(&peers->lock);
	return may;
}

void blob_peers_thread_ends(struct blob_room *room) {
	struct blob_peers *peers = room->peers;
	pthread_mutex_lock(&peers->lock);
	if (--peers->threads == 0) pthread_cond_signal(&peers->no_threads);
	pthread_mutex_unlock(&peers->lock);
}

/* --- what is known of a peer --- */

static bool put_url(char out[URL_MAX], const struct blob_room *room, const struct blob_peer *peer, const char *path) {
	pthread_mutex_lock(&room->peers->lock);
	const int len = snprintf(out, URL_MAX, "%s%s", peer->url, path);
	pthread_mutex_unlock(&room->peers->lock);
	return (size_t)len < URL_MAX;
}

static void say(const struct blob_room *room, const struct blob_peer *peer, const char *message, const char *why) {
	char url[URL_MAX];
	put_url(url, room, peer, "");
	const struct log_field fields[] = {LOG_TEXT("member", peer->name), LOG_TEXT("url", url), LOG_TEXT("why", why)};
	log_event(&(struct log_event){LOG_WARN, "blob", message, fields, 3});
}

void blob_peer_failed(struct blob_room *room, struct blob_peer *peer, const char *why) {
	pthread_mutex_lock(&room->peers->lock);
	const bool is_news = peer->pause_ms == 0;
	peer->counts.failed++;
	peer->pause_ms = is_news ? PAUSE_FIRST_MS : 2 * peer->pause_ms;
	if (peer->pause_ms > PAUSE_MAX_MS) peer->pause_ms = PAUSE_MAX_MS;
	peer->rests_until_ms = clock_now_ms(room->options.clock) + peer->pause_ms;
	pthread_mutex_unlock(&room->peers->lock);
	if (is_news) say(room, peer, "a member does not answer for blobs", why);
}

void blob_peer_answered(struct blob_room *room, struct blob_peer *peer) {
	pthread_mutex_lock(&room->peers->lock);
	const bool is_news = peer->pause_ms != 0;
	peer->pause_ms = 0;
	peer->rests_until_ms = 0;
	pthread_mutex_unlock(&room->peers->lock);
	if (is_news) log_info("blob", "member %s answers for blobs again", peer->name);
}

void blob_peer_gave(struct blob_room *room, struct blob_peer *peer) {
	pthread_mutex_lock(&room->peers->lock);
	peer->counts.fetched++;
	pthread_mutex_unlock(&room->peers->lock);
}

void blob_peer_lacked(struct blob_room *room, struct blob_peer *peer) {
	pthread_mutex_lock(&room->peers->lock);
	peer->counts.absent++;
	pthread_mutex_unlock(&room->peers->lock);
}

void blob_peer_lied(struct blob_room *room, struct blob_peer *peer, const hash32 *item, const char *how) {
	char text[160];
	int len = snprintf(text, sizeof text, "item 0x");
	for (size_t i = 0; i < sizeof item->b; i++) len += snprintf(text + len, sizeof text - len, "%02x", item->b[i]);
	snprintf(text + len, sizeof text - len, ": %s", how);
	pthread_mutex_lock(&room->peers->lock);
	peer->counts.forged++;
	peer->rests_until_ms = clock_now_ms(room->options.clock) + LIAR_PAUSE_MS;
	pthread_mutex_unlock(&room->peers->lock);
	say(room, peer, "a member serves what is not the blob that was asked for", text);
}

/* --- asking --- */

static enum status borrow(struct blob_peers *peers, struct http_client *out, struct err *err) {
	pthread_mutex_lock(&peers->lock);
	const bool has = peers->free_count > 0;
	if (has) *out = peers->free_clients[--peers->free_count];
	pthread_mutex_unlock(&peers->lock);
	return has ? STATUS_OK : peers->members.open(peers->members.context, out, err);
}

static void give_back(struct blob_peers *peers, struct http_client *client) {
	pthread_mutex_lock(&peers->lock);
	const bool is_kept = peers->free_count < CLIENTS_MAX;
	if (is_kept) peers->free_clients[peers->free_count++] = *client;
	pthread_mutex_unlock(&peers->lock);
	if (!is_kept) peers->members.close(peers->members.context, client);
}

/* "Authorization: Xinglin-Member key=0x…,expiry=N,signature=0x…" */
static enum status sign(struct blob_room *room, struct buf *out, const struct blob_peer *peer,
    const struct blob_peer_request *request, struct err *err) {
	const struct blob_peers *peers = room->peers;
	const struct held_request said = {.genesis = chain_genesis_hash(room->chain),
	    .asked = peer->counts.node,
	    .expiry_s = clock_now_ms(room->options.clock) / 1000 + BLOB_EXPIRY_AHEAD_S / 2,
	    .path = bytes_text(request->path),
	    .body = request->body};
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	struct buf text;
	buf_init(&text, 256);
	held_request_text(&text, &said);
	enum status status = ed25519_sign(signature, &peers->members.secret, buf_view(&text));
	buf_fini(&text);
	if (status != STATUS_OK) return err_set(err, status, "the node's key does not sign");
	buf_text(out, "Authorization: Xinglin-Member key=");
	hex_put(out, BYTES_OF(peers->key), true);
	buf_printf(out, ",expiry=%llu,signature=", (unsigned long long)said.expiry_s);
	hex_put(out, bytes_make(signature, sizeof signature), true);
	return buf_status(out, err);
}

static enum status exchange(struct blob_room *room, struct blob_peer *peer, struct http_response *response,
    const struct blob_peer_request *request, struct err *err) {
	char url[URL_MAX];
	struct http_client client;
	struct buf header;
	if (!put_url(url, room, peer, request->path)) return err_set(err, STATUS_LIMIT, "the member's URL is too long");
	TRY(borrow(room->peers, &client, err));
	buf_init(&header, 1024);
	enum status status = request->authorization ? STATUS_OK : sign(room, &header, peer, request, err);
	if (status == STATUS_OK) {
		const char *headers[] = {request->authorization ? request->authorization : buf_cstr(&header),
		    "Content-Type: application/octet-stream", NULL};
		if (client.limit) client.limit(client.context, request->within_ms);
		status = client.exchange(client.context, response, request->method, url, headers, request->body, err);
	}
	buf_fini(&header);
	give_back(room->peers, &client);
	return status;
}

enum status blob_peer_ask(struct blob_room *room, struct blob_peer *peer, struct http_response *response,
    const struct blob_peer_request *request, struct err *err) {
	struct err why = {0};
	pthread_mutex_lock(&room->peers->lock);
	peer->counts.asked++;
	pthread_mutex_unlock(&room->peers->lock);
	const enum status status = exchange(room, peer, response, request, &why);
	if (status == STATUS_OK) return STATUS_OK;
	blob_peer_failed(room, peer, why.message);
	return err_set(err, status, "%s", why.message);
}
