/*
 * A small chain in memory behind `struct http_client`: real headers, real tries, real signatures, so that what it
 * answers can be verified; and the ways in which a node can lie about it. For tests of what verifies. Header only; one
 * test program, one chain.
 */
#ifndef TESTS_FAKE_CHAIN_H
#define TESTS_FAKE_CHAIN_H

#include <stdio.h>
#include <stdlib.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "eth/hash_builder.h"
#include "eth/rlp_u256.h"
#include "eth/trie_twin.h"
#include "health/chain/heads.h"

#define FAKE_BLOCKS_MAX 20000u
#define FAKE_SLOTS_MAX 20000u
#define FAKE_EVENTS_MAX 4096u
#define FAKE_START_S UINT64_C(1800000000)

struct fake_slot {
	addr20 contract;
	hash32 slot, word;
	uint64_t from; /* block */
};

struct fake_event {
	uint64_t block;
	uint32_t index;
	struct log log;
	struct bytes input; /* of its transaction, if anybody asks */
};

struct fake_chain;
/* More methods (tests/fake_sent.h). False: it is none of them. */
typedef bool fake_method(
    struct fake_chain *chain, struct json_writer *writer, const struct json *name, const struct json *params);

struct fake_chain {
	struct deployment anchor;
	hash32 sealer_secret, witness_secrets[DEPLOYMENT_WITNESSES_MAX];
	struct head *blocks; /* signed by nobody */
	uint64_t head;       /* its number */
	struct fake_slot *slots;
	size_t slot_count;
	struct fake_event *events;
	size_t event_count;
	uint64_t now_ms; /* of the checker's clock */
	bool keeps_history;
	fake_method *method; /* NULL: none more */
	/* A consortium's: what it puts into xinglin_head's answer in place of a signature; NULL: a sealer signs. */
	void (*put_commit)(struct fake_chain *chain, struct json_writer *writer, const struct head *head);
	void *consortium;
	void (*fill)(struct fake_chain *chain, struct header *header); /* the roots of a block; NULL: it is empty */
	const addr20 *sender;                                          /* an account that sends; NULL: none does */
	uint64_t *sender_nonces;                                       /* after each block */
	bool skips_state;                                              /* blocks that are made have an empty state */

	/* The lies; zero: it is honest. */
	uint64_t shows_head;        /* this block as the newest */
	const hash32 *signs_with;   /* another key */
	bool repeats_challenge;     /* signs the challenge of somebody else */
	bool signs_no_head;         /* knows no xinglin_head */
	bool signs_nothing;         /* knows no seal either */
	bool signs_bare_hash;       /* as the first version did */
	bool shows_time;            /* signs a head with another time than its block's */
	uint64_t proves_at;         /* states of this block instead */
	bool swaps_slots;           /* the first slot's proof for every slot */
	bool swaps_contracts;       /* every contract's proof is that of the directory */
	unsigned cuts_nodes;        /* of each storage proof, from its end */
	bool adds_node;             /* a needless one */
	bool changes_bit;           /* in the last node of each storage proof */
	bool hides_history;         /* refuses proofs of EIP-2935's contract */
	bool changes_header;        /* debug_getRawHeader of an older block gives another */
	const char *refuses_proofs; /* with this text */
	bool misses_answer;         /* of a batch */
	bool repeats_answer;        /* the first one in the place of the second */
	bool reverses_batch;        /* which is allowed */
	size_t hides_event;         /* from 1 */
	bool swaps_events, repeats_event, hides_times;
	bool hides_transactions;
	uint64_t logs_blocks_max;  /* of one eth_getLogs; 0: any */
	unsigned witnesses_silent; /* so many of the first ones */
	bool witness_lags;         /* the first question to one is refused */

	void (*before)(void *context); /* NULL, or what happens once, before the next exchange is answered */
	void *before_context;

	/* What was asked. */
	unsigned exchanges, proofs, slots_proved, headers, witness_questions;
};

/* --- tries --- */

struct fake_trie {
	struct twin_entry *entries;
	size_t count;
};

static inline void fake_trie_put(struct fake_trie *trie, const hash32 *key, struct bytes value) {
	struct twin_entry *entry = &trie->entries[trie->count++];
	*entry = (struct twin_entry){.path_len = NIBBLES_MAX, .value_len = value.len};
	nibbles_of(entry->path, BYTES_OF(*key));
	memcpy(entry->value, value.data, value.len);
}

struct fake_nodes {
	uint8_t key[NIBBLES_MAX];
	struct arena *arena;
	struct bytes nodes[70];
	size_t count; /* from the leaf up */
};

static inline void fake_collect(void *context, struct bytes path, struct bytes rlp) {
	struct fake_nodes *nodes = context;
	const bool is_on_the_way = path.len == 0 || memcmp(path.data, nodes->key, path.len) == 0;
	if (is_on_the_way && (rlp.len >= 32 || path.len == 0))
		nodes->nodes[nodes->count++] = arena_dup(nodes->arena, rlp);
}

/* The root; and the nodes to a key, if `nodes` is given. */
static inline hash32 fake_trie_root(struct fake_trie *trie, struct fake_nodes *nodes, const hash32 *key) {
	struct hash_builder_watch watch = {.node = fake_collect, .context = nodes};
	if (nodes) nibbles_of(nodes->key, BYTES_OF(*key));
	qsort(trie->entries, trie->count, sizeof *trie->entries, twin_compare);
	struct hash_builder *builder = hash_builder_new(nodes ? &watch : NULL);
	for (size_t i = 0; i < trie->count; i++)
		hash_builder_leaf(builder, bytes_make(trie->entries[i].path, NIBBLES_MAX),
		    bytes_make(trie->entries[i].value, trie->entries[i].value_len));
	const hash32 root = hash_builder_root(builder);
	hash_builder_free(builder);
	return root;
}

/* The newest value at a block wins. */
static inline struct fake_trie fake_storage(const struct fake_chain *chain, const addr20 *contract, uint64_t block) {
	struct fake_trie trie = {mem_zalloc(chain->slot_count + 1, sizeof *trie.entries), 0};
	for (size_t i = chain->slot_count; i > 0; i--) {
		const struct fake_slot *slot = &chain->slots[i - 1];
		if (slot->from > block || !addr20_equal(&slot->contract, contract)) continue;
		bool is_newest = true;
		for (size_t n = i; n < chain->slot_count && is_newest; n++)
			is_newest = chain->slots[n].from > block || !hash32_equal(&chain->slots[n].slot, &slot->slot) ||
				    !addr20_equal(&chain->slots[n].contract, contract);
		if (!is_newest || hash32_is_zero(&slot->word)) continue;
		struct buf value;
		const u256 number = u256_load_be(slot->word.b);
		const hash32 key = keccak256(BYTES_OF(slot->slot));
		buf_init(&value, 64);
		rlp_put_u256(&value, &number);
		fake_trie_put(&trie, &key, buf_view(&value));
		buf_fini(&value);
	}
	return trie;
}

static inline struct fake_trie fake_accounts(const struct fake_chain *chain, uint64_t block) {
	const struct deployment *anchor = &chain->anchor;
	const addr20 contracts[] = {anchor->directory, anchor->folders, anchor->records, anchor->consent,
	    anchor->medicines,
	    {{0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb, 0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20,
		0x00, 0x29, 0x35}}};
	struct fake_trie trie = {mem_zalloc(8, sizeof *trie.entries), 0};
	for (size_t i = 0; i < 5u + chain->keeps_history; i++) {
		struct fake_trie storage = fake_storage(chain, &contracts[i], block);
		const hash32 root = fake_trie_root(&storage, NULL, NULL), key = keccak256(BYTES_OF(contracts[i]));
		const hash32 *code = deployment_code_of(anchor, &contracts[i]);
		const u256 zero = u256_from(0);
		struct buf account;
		buf_init(&account, 256);
		const size_t list = rlp_list_begin(&account);
		rlp_put_u64(&account, 1);
		rlp_put_u256(&account, &zero);
		rlp_put_string(&account, BYTES_OF(root));
		rlp_put_string(&account, code ? BYTES_OF(*code) : BYTES_OF(root));
		rlp_list_end(&account, list);
		fake_trie_put(&trie, &key, buf_view(&account));
		buf_fini(&account);
		mem_free(storage.entries);
	}
	if (chain->sender && chain->sender_nonces[block]) {
		const hash32 key = keccak256(BYTES_OF(*chain->sender));
		struct buf account;
		buf_init(&account, 256);
		const size_t list = rlp_list_begin(&account);
		rlp_put_u64(&account, chain->sender_nonces[block]);
		rlp_put_u64(&account, 0);
		rlp_put_string(&account, BYTES_OF(empty_trie_root));
		rlp_put_string(&account, BYTES_OF(empty_code_hash));
		rlp_list_end(&account, list);
		fake_trie_put(&trie, &key, buf_view(&account));
		buf_fini(&account);
	}
	return trie;
}

/* --- making it --- */

static inline void fake_set(struct fake_chain *chain, const addr20 *contract, const hash32 *slot, const hash32 *word) {
	if (chain->slot_count == FAKE_SLOTS_MAX) abort();
	chain->slots[chain->slot_count++] = (struct fake_slot){*contract, *slot, *word, chain->head + 1};
}

/* The next block, at this time. */
static inline void fake_mine(struct fake_chain *chain, uint64_t time_s) {
	struct header header = {
	    .number = chain->head + 1, .timestamp = time_s, .gas_limit = 30000000, .field_count = 21};
	const hash32 parent = chain->blocks[chain->head].hash;
	struct buf rlp;
	header.parent_hash = parent;
	if (chain->keeps_history) {
		const addr20 history = {{0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb, 0x7a, 0x02, 0x33,
		    0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35}};
		hash32 slot = {{0}};
		store_be64(slot.b + 24, chain->head % 8191);
		fake_set(chain, &history, &slot, &parent);
	}
	if (chain->fill) chain->fill(chain, &header);
	header.state_root = empty_trie_root;
	if (!chain->skips_state) {
		struct fake_trie accounts = fake_accounts(chain, header.number);
		header.state_root = fake_trie_root(&accounts, NULL, NULL);
		mem_free(accounts.entries);
	}
	buf_init(&rlp, 2048);
	header_encode(&rlp, &header);
	if (++chain->head == FAKE_BLOCKS_MAX ||
	    head_decode(&chain->blocks[chain->head], buf_view(&rlp), NULL) != STATUS_OK)
		abort();
	buf_fini(&rlp);
}

static inline void fake_make_contract(addr20 *address, hash32 *code, uint8_t number) {
	*address = (addr20){{0xc0, number}};
	*code = (hash32){{0xcd, number}};
}

static inline struct fake_chain *fake_chain_new(void) {
	struct fake_chain *chain = mem_zalloc(1, sizeof *chain);
	struct deployment *anchor = &chain->anchor;
	struct header genesis = {.timestamp = FAKE_START_S, .field_count = 21, .state_root = empty_trie_root};
	struct buf rlp;
	chain->blocks = mem_zalloc(FAKE_BLOCKS_MAX, sizeof *chain->blocks);
	chain->slots = mem_zalloc(FAKE_SLOTS_MAX, sizeof *chain->slots);
	chain->events = mem_zalloc(FAKE_EVENTS_MAX, sizeof *chain->events);
	chain->now_ms = FAKE_START_S * 1000;
	buf_init(&rlp, 2048);
	header_encode(&rlp, &genesis);
	if (head_decode(&chain->blocks[0], buf_view(&rlp), NULL) != STATUS_OK) abort();
	buf_fini(&rlp);
	*anchor = (struct deployment){.chain_id = 7, .registrar_count = 1, .threshold = 1, .registrars = {{{1}}}};
	anchor->genesis = chain->blocks[0].hash;
	snprintf(anchor->rpc_url, sizeof anchor->rpc_url, "http://fake");
	chain->sealer_secret.b[31] = 1;
	if (address_of_secret(&anchor->sealer, &chain->sealer_secret) != STATUS_OK) abort();
	fake_make_contract(&anchor->directory, &anchor->code.directory, 1);
	fake_make_contract(&anchor->folders, &anchor->code.folders, 2);
	fake_make_contract(&anchor->records, &anchor->code.records, 3);
	fake_make_contract(&anchor->consent, &anchor->code.consent, 4);
	fake_make_contract(&anchor->medicines, &anchor->code.medicines, 5);
	return chain;
}

static inline void fake_chain_free(struct fake_chain *chain) {
	mem_free(chain->blocks);
	mem_free(chain->slots);
	mem_free(chain->events);
	mem_free(chain);
}

/* --- answering --- */

static inline void fake_put_error(struct json_writer *writer, const char *text) {
	json_object_begin(writer, "error");
	json_put_raw(writer, "code", BYTES_LITERAL("-32601"));
	json_put_text(writer, "message", text);
	json_object_end(writer);
}

static inline const struct head *fake_newest(const struct fake_chain *chain) {
	return &chain->blocks[chain->shows_head ? chain->shows_head : chain->head];
}

static inline const struct head *fake_named(const struct fake_chain *chain, const struct json *name) {
	hash32 hash;
	uint64_t number;
	if (json_string_is(name, "latest") || json_string_is(name, "finalized")) return fake_newest(chain);
	if (hex_fixed(hash.b, 32, json_string(name)) == STATUS_OK) {
		for (uint64_t i = chain->head + 1; i > 0; i--)
			if (hash32_equal(&chain->blocks[i - 1].hash, &hash)) return &chain->blocks[i - 1];
		return NULL;
	}
	if (hex_quantity(&number, json_string(name)) != STATUS_OK || number > chain->head) return NULL;
	return &chain->blocks[number];
}

static inline void fake_put_signature(
    struct fake_chain *chain, struct json_writer *writer, const hash32 *digest, const hash32 *secret) {
	struct eth_signature signature;
	if (eth_sign_digest(&signature, chain->signs_with ? chain->signs_with : secret, digest) != STATUS_OK) abort();
	json_put_hex(writer, "signature", BYTES_OF(signature));
}

static inline hash32 fake_domain(const struct fake_chain *chain) {
	const u256 chain_id = u256_from(chain->anchor.chain_id);
	return seal_domain(&chain_id, &chain->anchor.genesis);
}

static inline void fake_put_head(
    struct fake_chain *chain, struct json_writer *writer, const struct json *params, const hash32 *secret) {
	const struct head *head = json_at(params, 1) ? fake_named(chain, json_at(params, 1)) : fake_newest(chain);
	const hash32 domain = fake_domain(chain);
	if ((chain->signs_no_head && secret == &chain->sealer_secret) || !head) {
		fake_put_error(writer, "no such method");
		return;
	}
	struct head_statement statement = {head->number, head->hash, head->time_s + chain->shows_time, {{0}}};
	if (hex_fixed(statement.challenge.b, 32, json_string(json_at(params, 0))) != STATUS_OK) abort();
	if (chain->repeats_challenge) statement.challenge.b[0] ^= 1;
	const hash32 digest = head_digest(&domain, &statement);
	json_object_begin(writer, "result");
	json_put_quantity(writer, "number", head->number);
	json_put_hex(writer, "header", bytes_make(head->rlp, head->rlp_len));
	if (chain->put_commit)
		chain->put_commit(chain, writer, head);
	else
		fake_put_signature(chain, writer, &digest, secret);
	json_object_end(writer);
}

static inline void fake_put_seal(struct fake_chain *chain, struct json_writer *writer, const struct json *params) {
	const struct head *head = fake_named(chain, json_at(params, 0));
	const hash32 domain = fake_domain(chain);
	if (chain->signs_nothing || !head) {
		json_put_null(writer, "result");
		return;
	}
	const hash32 digest = chain->signs_bare_hash ? head->hash : seal_digest(&domain, head->number, &head->hash);
	json_object_begin(writer, "result");
	fake_put_signature(chain, writer, &digest, &chain->sealer_secret);
	json_object_end(writer);
}

static inline void fake_put_header(struct fake_chain *chain, struct json_writer *writer, const struct json *params) {
	const struct head *head = fake_named(chain, json_at(params, 0));
	chain->headers++;
	if (!head) {
		fake_put_error(writer, "header not found");
		return;
	}
	struct header header;
	struct buf rlp;
	if (header_decode(&header, bytes_make(head->rlp, head->rlp_len), NULL) != STATUS_OK) abort();
	if (chain->changes_header && head->number < chain->head) header.extra_data_len = 1;
	buf_init(&rlp, 2048);
	header_encode(&rlp, &header);
	json_put_hex(writer, "result", buf_view(&rlp));
	buf_fini(&rlp);
}

static inline void fake_put_block(struct fake_chain *chain, struct json_writer *writer, const struct json *params) {
	const struct head *head = fake_named(chain, json_at(params, 0));
	if (!head) {
		json_put_null(writer, "result");
		return;
	}
	json_object_begin(writer, "result");
	json_put_quantity(writer, "number", head->number);
	json_put_hex(writer, "hash", BYTES_OF(head->hash));
	json_put_quantity(writer, "timestamp", head->time_s);
	json_object_end(writer);
}

static inline void fake_put_nodes(struct json_writer *writer, const char *name, const struct fake_nodes *nodes) {
	json_array_begin(writer, name);
	for (size_t i = nodes->count; i > 0; i--) json_put_hex(writer, NULL, nodes->nodes[i - 1]);
	json_array_end(writer);
}

static inline void fake_put_slot(
    struct fake_chain *chain, struct json_writer *writer, const addr20 *contract, const hash32 *slot, uint64_t block) {
	struct arena arena;
	arena_init(&arena);
	struct fake_nodes nodes = {.arena = &arena};
	struct fake_trie storage = fake_storage(chain, contract, block);
	const hash32 key = keccak256(BYTES_OF(*slot));
	if (storage.count) (void)fake_trie_root(&storage, &nodes, &key);
	if (nodes.count && chain->changes_bit) ((uint8_t *)nodes.nodes[0].data)[nodes.nodes[0].len - 1] ^= 1;
	if (nodes.count && chain->adds_node) {
		memmove(nodes.nodes + 1, nodes.nodes, nodes.count * sizeof *nodes.nodes);
		nodes.count++;
	}
	for (unsigned i = 0; i < chain->cuts_nodes && nodes.count; i++)
		memmove(nodes.nodes, nodes.nodes + 1, --nodes.count * sizeof *nodes.nodes);
	json_object_begin(writer, NULL);
	json_put_hex(writer, "key", BYTES_OF(*slot));
	json_put_text(writer, "value", "0x0"); /* nobody may believe it */
	fake_put_nodes(writer, "proof", &nodes);
	json_object_end(writer);
	mem_free(storage.entries);
	arena_fini(&arena);
}

static inline void fake_put_proof(struct fake_chain *chain, struct json_writer *writer, const struct json *params) {
	const struct json *at = json_at(params, 2);
	const struct head *head = fake_named(chain, json_is(at, JSON_OBJECT) ? json_get(at, "blockHash") : at);
	const struct json *slots = json_at(params, 1);
	struct arena arena;
	addr20 contract;
	hash32 first = {{0}};
	chain->proofs++;
	if (hex_fixed(contract.b, 20, json_string(json_at(params, 0))) != STATUS_OK || !head) abort();
	if (chain->refuses_proofs) {
		fake_put_error(writer, chain->refuses_proofs);
		return;
	}
	if (chain->hides_history && contract.b[2] == 0xf9) {
		fake_put_error(writer, "the state is too old");
		return;
	}
	if (chain->swaps_contracts) contract = chain->anchor.directory;
	const uint64_t block = chain->proves_at ? chain->proves_at : head->number;
	arena_init(&arena);
	struct fake_nodes nodes = {.arena = &arena};
	struct fake_trie accounts = fake_accounts(chain, block);
	const hash32 key = keccak256(BYTES_OF(contract));
	(void)fake_trie_root(&accounts, &nodes, &key);
	json_object_begin(writer, "result");
	fake_put_nodes(writer, "accountProof", &nodes);
	json_array_begin(writer, "storageProof");
	json_foreach (slot, slots) {
		hash32 name;
		if (hex_fixed(name.b, 32, json_string(slot)) != STATUS_OK) abort();
		if (slot == slots->first) first = name;
		chain->slots_proved++;
		fake_put_slot(chain, writer, &contract, chain->swaps_slots ? &first : &name, block);
	}
	json_array_end(writer);
	json_object_end(writer);
	mem_free(accounts.entries);
	arena_fini(&arena);
}

static inline void fake_put_event(struct fake_chain *chain, struct json_writer *writer, size_t at) {
	const struct fake_event *event = &chain->events[at];
	const size_t data_of = chain->swaps_events && chain->event_count > 1 && at < 2 ? 1 - at : at;
	hash32 tx = {{0x7a}};
	store_be64(tx.b + 24, event->block);
	json_object_begin(writer, NULL);
	json_put_hex(writer, "address", BYTES_OF(event->log.address));
	json_array_begin(writer, "topics");
	for (unsigned i = 0; i < event->log.topic_count; i++)
		json_put_hex(writer, NULL, BYTES_OF(event->log.topics[i]));
	json_array_end(writer);
	json_put_hex(writer, "data", chain->events[data_of].log.data);
	json_put_quantity(writer, "blockNumber", event->block);
	if (!chain->hides_times) json_put_quantity(writer, "blockTimestamp", chain->blocks[event->block].time_s);
	json_put_quantity(writer, "logIndex", event->index);
	json_put_hex(writer, "transactionHash", BYTES_OF(tx));
	json_object_end(writer);
}

static inline bool fake_is_topic(const struct json *asked, const hash32 *topic) {
	hash32 wanted;
	if (json_is(asked, JSON_NULL)) return true;
	if (json_is(asked, JSON_STRING))
		return hex_fixed(wanted.b, 32, json_string(asked)) == STATUS_OK && hash32_equal(&wanted, topic);
	json_foreach (one, asked)
		if (fake_is_topic(one, topic)) return true;
	return false;
}

static inline bool fake_has_topics(const struct json *filter, const struct log *log) {
	unsigned i = 0;
	json_foreach (asked, json_get(filter, "topics"))
		if (i >= log->topic_count || !fake_is_topic(asked, &log->topics[i++])) return false;
	return true;
}

static inline void fake_put_logs(struct fake_chain *chain, struct json_writer *writer, const struct json *params) {
	const struct json *filter = json_at(params, 0);
	uint64_t from, to;
	if (hex_quantity(&from, json_string(json_get(filter, "fromBlock"))) != STATUS_OK ||
	    hex_quantity(&to, json_string(json_get(filter, "toBlock"))) != STATUS_OK)
		abort();
	if (chain->logs_blocks_max && to - from + 1 > chain->logs_blocks_max) {
		json_object_begin(writer, "error");
		json_put_raw(writer, "code", BYTES_LITERAL("-32005"));
		json_put_text(writer, "message", "ask for less");
		json_object_end(writer);
		return;
	}
	json_array_begin(writer, "result");
	for (size_t i = 0; i < chain->event_count; i++) {
		if (chain->events[i].block < from || chain->events[i].block > to || i + 1 == chain->hides_event)
			continue;
		if (!fake_has_topics(filter, &chain->events[i].log)) continue;
		fake_put_event(chain, writer, i);
		if (chain->repeats_event) fake_put_event(chain, writer, i);
	}
	json_array_end(writer);
}

/* All events of a block are of one transaction. */
static inline void fake_put_transaction(
    struct fake_chain *chain, struct json_writer *writer, const struct json *params) {
	hash32 tx;
	if (hex_fixed(tx.b, 32, json_string(json_at(params, 0))) != STATUS_OK) abort();
	const uint64_t block = load_be64(tx.b + 24);
	for (size_t i = 0; i < chain->event_count && !chain->hides_transactions; i++) {
		if (chain->events[i].block != block) continue;
		json_object_begin(writer, "result");
		json_put_hex(writer, "input", chain->events[i].input);
		json_object_end(writer);
		return;
	}
	json_put_null(writer, "result");
}

/* The first answers at http://fake, witness i at http://witness-i. */
static inline void fake_answer_one(
    struct fake_chain *chain, struct json_writer *writer, const struct json *request, const char *url) {
	const struct json *name = json_get(request, "method"), *params = json_get(request, "params");
	uint64_t id;
	unsigned witness;
	if (!json_u64(&id, json_get(request, "id"))) abort();
	json_object_begin(writer, NULL);
	json_put_u64(writer, "id", id);
	if (sscanf(url, "http://witness-%u", &witness) == 1) {
		const bool lags = chain->witness_lags && chain->witness_questions == 0;
		chain->witness_questions++;
		if (witness < chain->witnesses_silent || lags)
			fake_put_error(writer, "header for hash not found");
		else
			fake_put_head(chain, writer, params, &chain->witness_secrets[witness]);
	} else if (json_string_is(name, "eth_chainId"))
		json_put_quantity(writer, "result", chain->anchor.chain_id);
	else if (json_string_is(name, "eth_blockNumber"))
		json_put_quantity(writer, "result", chain->head);
	else if (json_string_is(name, "xinglin_head"))
		fake_put_head(chain, writer, params, &chain->sealer_secret);
	else if (json_string_is(name, "xinglin_sealOf"))
		fake_put_seal(chain, writer, params);
	else if (json_string_is(name, "debug_getRawHeader"))
		fake_put_header(chain, writer, params);
	else if (json_string_is(name, "eth_getBlockByNumber"))
		fake_put_block(chain, writer, params);
	else if (json_string_is(name, "eth_getProof"))
		fake_put_proof(chain, writer, params);
	else if (json_string_is(name, "eth_getLogs"))
		fake_put_logs(chain, writer, params);
	else if (json_string_is(name, "eth_getTransactionByHash"))
		fake_put_transaction(chain, writer, params);
	else if (!chain->method || !chain->method(chain, writer, name, params))
		fake_put_error(writer, "no such method");
	json_object_end(writer);
}

static inline void fake_answer_batch(
    struct fake_chain *chain, struct json_writer *writer, const struct json *batch, const char *url) {
	json_array_begin(writer, NULL);
	for (uint32_t i = 0; i < batch->count; i++) {
		if (chain->misses_answer && i == 0) continue;
		if (chain->repeats_answer && i == 1) {
			fake_answer_one(chain, writer, json_at(batch, 0), url);
			continue;
		}
		fake_answer_one(chain, writer, json_at(batch, chain->reverses_batch ? batch->count - 1 - i : i), url);
	}
	json_array_end(writer);
}

static inline enum status fake_chain_exchange(void *context, struct http_response *response, enum http_method method,
    const char *url, const char *const *headers, struct bytes body, struct err *err) {
	struct fake_chain *chain = context;
	struct arena arena;
	const struct json *root;
	(void)method, (void)headers;
	void (*before)(void *) = chain->before;
	chain->before = NULL;
	if (before) before(chain->before_context);
	chain->exchanges++;
	arena_init(&arena);
	if (json_parse(&root, &arena, body, NULL, err) != STATUS_OK) abort();
	struct json_writer writer = json_writer(&response->body);
	if (json_is(root, JSON_ARRAY))
		fake_answer_batch(chain, &writer, root, url);
	else
		fake_answer_one(chain, &writer, root, url);
	response->status = 200;
	arena_fini(&arena);
	return buf_status(&response->body, err);
}

static inline uint64_t fake_chain_now(void *context) {
	return ((struct fake_chain *)context)->now_ms;
}

#endif
