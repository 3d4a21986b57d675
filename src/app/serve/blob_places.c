#include "app/serve/blob_places.h"

#include <stdio.h>

#include "app/serve/comet_home.h"
#include "app/serve/outer_folder.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "ledger/consensus/comet.h"
#include "ledger/consensus/members.h"
#include "net/http_client.h"

#define CONNECT_MS 2000u
#define ANSWER_MS 30000u
#define NODE_TEXT 42u /* 0x and 40 digits */

struct blob_places {
	struct blob_members members;
	struct blob_place list[BLOB_PEERS_MAX];
	char *urls[BLOB_PEERS_MAX];
	struct chain *chain;
	const struct engine *engine;
	const char *data;
	addr20 contract;
};

static enum status read_place(struct blob_places *places, const char *text, struct err *err) {
	if (places->members.count == BLOB_PEERS_MAX)
		return err_set(err, STATUS_INVALID, "blob-peers: at most %u are taken", BLOB_PEERS_MAX);
	struct blob_place *place = &places->list[places->members.count];
	const char *at = strchr(text, '@');
	const bool is_named = at != NULL && at - text == NODE_TEXT &&
			      hex_fixed(place->node.b, 20, bytes_make(text, NODE_TEXT)) == STATUS_OK;
	if (!is_named || (strncmp(at + 1, "http://", 7) != 0 && strncmp(at + 1, "https://", 8) != 0))
		return err_set(err, STATUS_INVALID,
		    "blob-peers: \"%.100s\" is not 0x, the 40 digits of a member's node, @ and the URL of its HTTP port",
		    text);
	char *url = mem_strdup(at + 1);
	size_t len = strlen(url);
	if (url[len - 1] == '/') url[len - 1] = 0;
	place->url = places->urls[places->members.count++] = url;
	return STATUS_OK;
}

/* --- what the room asks --- */

static enum status power_of(void *context, uint64_t *power, uint64_t *all, const addr20 *node, struct err *err) {
	struct blob_places *places = context;
	struct members members;
	struct chain_head *head = chain_head(places->chain);
	const struct state_source state = state_view_source(head->view);
	const enum status status = members_read(&members, &state, &places->contract, err);
	chain_head_release(head);
	TRY(status);
	const struct member *found = members_by_node(&members, node);
	*power = found != NULL ? found->validator.power : 0;
	*all = 0;
	for (size_t i = 0; i < members.count; i++) *all += members.list[i].validator.power;
	return STATUS_OK;
}

static bool is_guest(void *context, const addr20 *node) {
	const struct blob_places *places = context;
	return comet_is_follower(places->engine, node);
}

static enum status newest_seal(struct blob_places *places, struct members_seal *out, struct err *err) {
	struct chain_head *head = chain_head(places->chain);
	const struct state_source state = state_view_source(head->view);
	const enum status status = members_seal_read(out, &state, &places->contract, err);
	chain_head_release(head);
	return status;
}

static enum status share_of(void *context, struct vss_share *out, uint64_t *number, struct err *err) {
	struct blob_places *places = context;
	struct members_seal seal;
	TRY(newest_seal(places, &seal, err));
	*number = seal.number;
	if (seal.number == 0) return err_set(err, STATUS_NOTFOUND, "the chain has no outer seal");
	return outer_folder_share(out, places->data, seal.number, err);
}

/* What is in the folder counts only if the chain has its hash. */
static enum status statement_of(void *context, struct buf *out, struct err *err) {
	struct blob_places *places = context;
	struct members_seal seal;
	TRY(newest_seal(places, &seal, err));
	if (seal.number == 0) return err_set(err, STATUS_NOTFOUND, "the chain has no outer seal");
	const size_t from = out->len;
	TRY(outer_folder_statement(out, places->data, seal.number, err));
	const hash32 hash = sha256(bytes_slice(buf_view(out), from, out->len));
	if (hash32_equal(&hash, &seal.statement)) return STATUS_OK;
	out->len = from;
	return err_set(err, STATUS_NOTFOUND, "this node has another statement of that number than the chain");
}

static enum status open_client(void *context, struct http_client *out, struct err *err) {
	(void)context;
	const struct http_client_options options = {.connect_timeout_ms = CONNECT_MS, .timeout_ms = ANSWER_MS};
	return http_client_open(out, &options, err);
}

static void close_client(void *context, struct http_client *client) {
	(void)context;
	http_client_close(client);
}

/* --- opening --- */

static enum status read_places(struct blob_places *places, const char *const *peers, struct err *err) {
	for (const char *const *peer = peers; peer != NULL && *peer != NULL; peer++)
		TRY(read_place(places, *peer, err));
	return STATUS_OK;
}

enum status blob_places_open(struct blob_places **out, const struct blob_places_options *options, struct err *err) {
	struct blob_places *places = mem_zalloc(1, sizeof *places);
	struct comet_key key = {0};
	places->chain = options->chain;
	places->engine = options->engine;
	places->data = options->data;
	places->members = (struct blob_members){.places = places->list,
	    .power = power_of,
	    .is_guest = is_guest,
	    .share = share_of,
	    .statement = statement_of,
	    .open = open_client,
	    .close = close_client,
	    .context = places};
	BUG_ON(!genesis_members(chain_genesis(options->chain), &places->contract));
	enum status status = comet_home_node_key(&key, options->comet_home, err);
	places->members.secret = key.secret;
	mem_wipe(&key, sizeof key);
	if (status == STATUS_OK) status = read_places(places, options->peers, err);
	if (status != STATUS_OK) {
		blob_places_close(places);
		return status;
	}
	*out = places;
	return STATUS_OK;
}

void blob_places_close(struct blob_places *places) {
	if (places == NULL) return;
	for (size_t i = 0; i < places->members.count; i++) mem_free(places->urls[i]);
	mem_wipe(places, sizeof *places);
	mem_free(places);
}

enum status blob_places_move(
    const struct blob_places *places, struct blob_room *room, const char *const *peers, struct err *err) {
	if (places == NULL) return STATUS_OK;
	struct blob_places *moved = mem_zalloc(1, sizeof *moved);
	enum status status = read_places(moved, peers, err);
	if (status == STATUS_OK) status = blob_members_move(room, moved->list, moved->members.count, err);
	blob_places_close(moved);
	return status;
}

const struct blob_members *blob_places_members(const struct blob_places *places) {
	return places != NULL ? &places->members : NULL;
}
