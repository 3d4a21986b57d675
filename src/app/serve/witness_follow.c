/*
 * Following a node: fetch the next block, check who sealed it, execute it. Nothing that the node says is believed; what
 * it shows is checked to the letter by the ledger's own import.
 */
#include <stdio.h>

#include "app/serve/witness_private.h"
#include "app/system.h"
#include "codec/hex.h"
#include "health/chain/client.h"
#include "net/http_client.h"

#define BLOCK_MAX ((size_t)64 << 20)
#define STEP_MS 50u

struct follower {
	struct witness *witness;
	struct http_client http;
	struct client *client; /* NULL: the node was not reached yet */
	bool is_broken;        /* our own disk or database failed, not the node */
};

/* --- what it says of itself --- */

static void note(struct witness *witness, bool is_following, const char *why) {
	pthread_mutex_lock(&witness->lock);
	const bool is_news = witness->is_following != is_following || strcmp(witness->why, why) != 0;
	witness->is_following = is_following;
	snprintf(witness->why, sizeof witness->why, "%s", why);
	pthread_mutex_unlock(&witness->lock);
	if (is_news && is_following) log_info("witness", "follows %s", witness->options.node);
	if (is_news && !is_following) log_warn("witness", "signs nothing: %s", why);
}

static void note_answer(struct witness *witness, uint64_t node_head) {
	pthread_mutex_lock(&witness->lock);
	witness->seen_ms = clock_now_ms(&world_clock);
	witness->node_head = node_head;
	pthread_mutex_unlock(&witness->lock);
}

/* --- asking --- */

static enum status open_client(struct follower *follower, struct err *err) {
	if (!follower->http.exchange) TRY(http_client_open(&follower->http, &(struct http_client_options){0}, err));
	const struct client_options options = {
	    .url = follower->witness->options.node, .http = &follower->http, .clock = &world_clock};
	return client_open(&follower->client, &options, err);
}

/* The bytes that a method answers for block `number`; STATUS_DENIED: it has none. */
static enum status ask_block(struct follower *follower, struct buf *out, uint64_t number, struct err *err) {
	struct arena arena;
	const struct json *answer;
	arena_init(&arena);
	const char *params = arena_printf(&arena, "[\"0x%llx\"]", (unsigned long long)number);
	enum status status =
	    client_rpc(follower->client, &answer, NULL, &arena, "debug_getRawBlock", bytes_text(params), err);
	if (status == STATUS_OK && (hex_data(out, json_string(answer)) != STATUS_OK || buf_status(out, NULL)))
		status = err_set(err, STATUS_INTERNAL, "the node's block %llu is not one", (unsigned long long)number);
	arena_fini(&arena);
	return status;
}

static enum status ask_seal(
    struct follower *follower, addr20 *signer, const struct header *header, const hash32 *hash, struct err *err) {
	struct arena arena;
	struct buf params;
	const struct json *answer;
	struct eth_signature seal;
	const hash32 digest = seal_digest(&follower->witness->domain, header->number, hash);
	arena_init(&arena);
	buf_init(&params, 128);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, BYTES_OF(*hash));
	json_array_end(&writer);
	enum status status =
	    client_rpc(follower->client, &answer, NULL, &arena, "xinglin_sealOf", buf_view(&params), err);
	if (status == STATUS_OK && (hex_fixed(seal.b, 65, json_string(json_get(answer, "signature"))) != STATUS_OK ||
				       eth_signer(signer, &seal, &digest) != STATUS_OK))
		*signer = (addr20){{0}};
	buf_fini(&params);
	arena_fini(&arena);
	return status;
}

/* --- following --- */

static enum status check_seal(struct follower *follower, struct bytes rlp, struct err *err) {
	struct arena arena;
	struct block block;
	addr20 signer;
	arena_init(&arena);
	enum status status = block_decode(&block, &arena, rlp, err);
	if (status == STATUS_OK && follower->witness->has_sealer) {
		const hash32 hash = header_hash(&block.header);
		status = ask_seal(follower, &signer, &block.header, &hash, err);
		if (status == STATUS_OK && !addr20_equal(&signer, &follower->witness->sealer))
			status = err_set(err, STATUS_INVALID, "the chain's sealer did not seal it");
	}
	arena_fini(&arena);
	return status;
}

/* STATUS_INVALID: the block is not valid, or of another branch. */
static enum status take_block(struct follower *follower, uint64_t number, struct err *err) {
	struct buf rlp;
	buf_init(&rlp, BLOCK_MAX);
	enum status status = ask_block(follower, &rlp, number, err);
	if (status == STATUS_OK) status = check_seal(follower, buf_view(&rlp), err);
	if (status == STATUS_OK) {
		status = chain_import(follower->witness->ledger.chain, buf_view(&rlp), err);
		follower->is_broken = status != STATUS_OK && status != STATUS_INVALID;
	}
	buf_fini(&rlp);
	if (status == STATUS_INVALID)
		err_prefix(err, status, "the node's block %llu is not taken", (unsigned long long)number);
	return status;
}

/* Does the node still show our newest block? */
static enum status check_branch(struct follower *follower, struct err *err) {
	struct chain_head *head = chain_head(follower->witness->ledger.chain);
	const uint64_t number = head->header.number;
	const hash32 own = head->hash;
	struct arena arena;
	const struct json *block;
	hash32 theirs;
	chain_head_release(head);
	arena_init(&arena);
	const char *params = arena_printf(&arena, "[\"0x%llx\",false]", (unsigned long long)number);
	enum status status =
	    client_rpc(follower->client, &block, NULL, &arena, "eth_getBlockByNumber", bytes_text(params), err);
	if (status == STATUS_OK && (hex_fixed(theirs.b, 32, json_string(json_get(block, "hash"))) != STATUS_OK ||
				       !hash32_equal(&theirs, &own)))
		status = err_set(err, STATUS_INVALID,
		    "the node shows another block %llu than this witness has executed, or none; it keeps the first",
		    (unsigned long long)number);
	arena_fini(&arena);
	return status;
}

static enum status look_once(struct follower *follower, struct err *err) {
	struct witness *witness = follower->witness;
	uint64_t node_head;
	if (!follower->client) TRY(open_client(follower, err));
	TRY(check_branch(follower, err));
	TRY(client_block_number(follower->client, &node_head, err));
	note_answer(witness, node_head);
	for (uint64_t next = witness_head_number(witness) + 1; next <= node_head; next++) {
		if (atomic_load(&witness->stopping)) return STATUS_OK;
		TRY(take_block(follower, next, err));
		note_answer(witness, node_head);
	}
	note(witness, true, "");
	return STATUS_OK;
}

static void pause_for(struct witness *witness, uint32_t ms) {
	for (uint32_t waited = 0; waited < ms && !atomic_load(&witness->stopping); waited += STEP_MS)
		world_sleep_ms(NULL, ms - waited < STEP_MS ? ms - waited : STEP_MS);
}

enum status witness_follow(struct witness *witness, struct err *err) {
	struct follower follower = {.witness = witness};
	enum status status = STATUS_OK;
	while (!atomic_load(&witness->stopping) && !follower.is_broken) {
		struct err why = {0};
		status = look_once(&follower, &why);
		if (status != STATUS_OK) note(witness, false, why.message);
		if (follower.is_broken && err) *err = why;
		if (!follower.is_broken) pause_for(witness, witness->options.poll_ms);
	}
	client_close(follower.client);
	http_client_close(&follower.http);
	return follower.is_broken ? status : STATUS_OK;
}
