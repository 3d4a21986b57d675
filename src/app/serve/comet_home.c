#include "app/serve/comet_home.h"

#include <stdio.h>
#include <time.h>

#include "base/files.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "comet/light.h"
#include "crypto/hash.h"

#define FILE_MAX ((size_t)64 << 10)
#define BLOCK_MAX_BYTES "4194304"
#define EVIDENCE_MAX_BLOCKS "100000"
#define EVIDENCE_MAX_NS "172800000000000" /* 48 hours */

enum status comet_key_make(struct comet_key *out, const struct random_source *random, struct err *err) {
	random_fill(random, out->secret.seed, sizeof out->secret.seed);
	if (ed25519_public_of(&out->key, &out->secret) != STATUS_OK)
		return err_set(err, STATUS_INTERNAL, "an Ed25519 key could not be made");
	const hash32 hash = sha256(BYTES_OF(out->key));
	memcpy(out->address.b, hash.b, sizeof out->address.b);
	return STATUS_OK;
}

/* --- JSON as CometBFT's amino wrote it: numbers of 64 bits are texts, hashes are in capitals --- */

static void put_capitals(struct json_writer *w, const char *name, struct bytes data) {
	struct buf text;
	buf_init(&text, 128);
	hex_put(&text, data, false);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 'a') text.data[i] = (uint8_t)(text.data[i] - 'a' + 'A');
	json_put_string(w, name, buf_view(&text));
	buf_fini(&text);
}

static void put_key(struct json_writer *w, const char *name, const char *type, struct bytes key) {
	struct buf text;
	buf_init(&text, 256);
	base64_put(&text, key);
	json_object_begin(w, name);
	json_put_text(w, "type", type);
	json_put_string(w, "value", buf_view(&text));
	json_object_end(w);
	buf_wipe(&text);
}

static void put_public(struct json_writer *w, const hash32 *key) {
	put_key(w, "pub_key", "tendermint/PubKeyEd25519", BYTES_OF(*key));
}

/* Go's form of a secret: the seed, then the public key. */
static void put_secret(struct json_writer *w, const struct comet_key *key) {
	uint8_t both[64];
	memcpy(both, key->secret.seed, 32);
	memcpy(both + 32, key->key.b, 32);
	put_key(w, "priv_key", "tendermint/PrivKeyEd25519", bytes_make(both, sizeof both));
	mem_wipe(both, sizeof both);
}

static void put_params(struct json_writer *w) {
	json_object_begin(w, "consensus_params");
	json_object_begin(w, "block");
	json_put_text(w, "max_bytes", BLOCK_MAX_BYTES);
	json_put_text(w, "max_gas", "-1");
	json_object_end(w);
	json_object_begin(w, "evidence");
	json_put_text(w, "max_age_num_blocks", EVIDENCE_MAX_BLOCKS);
	json_put_text(w, "max_age_duration", EVIDENCE_MAX_NS);
	json_put_text(w, "max_bytes", "1048576");
	json_object_end(w);
	json_object_begin(w, "validator");
	json_array_begin(w, "pub_key_types");
	json_put_text(w, NULL, "ed25519");
	json_array_end(w);
	json_object_end(w);
	json_object_begin(w, "version");
	json_put_text(w, "app", "0");
	json_object_end(w);
	json_object_begin(w, "abci");
	json_put_text(w, "vote_extensions_enable_height", "0");
	json_object_end(w);
	json_object_end(w);
}

static void put_validator(struct json_writer *w, const struct comet_genesis_validator *validator) {
	const hash32 hash = sha256(BYTES_OF(validator->key));
	char power[24];
	snprintf(power, sizeof power, "%llu", (unsigned long long)validator->power);
	json_object_begin(w, NULL);
	put_capitals(w, "address", bytes_make(hash.b, 20));
	put_public(w, &validator->key);
	json_put_text(w, "power", power);
	json_put_text(w, "name", validator->name);
	json_object_end(w);
}

void comet_genesis_write(struct buf *out, const struct comet_genesis *genesis) {
	char when[32], chain[COMET_CHAIN_ID_SIZE];
	const time_t at = (time_t)genesis->timestamp;
	struct tm utc;
	BUG_ON(!gmtime_r(&at, &utc) || !strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc));
	comet_chain_id(chain, &genesis->block);
	struct json_writer w = json_writer(out);
	json_object_begin(&w, NULL);
	json_put_text(&w, "genesis_time", when);
	json_put_text(&w, "chain_id", chain);
	json_put_text(&w, "initial_height", "1");
	put_params(&w);
	json_array_begin(&w, "validators");
	for (size_t i = 0; i < genesis->validator_count; i++) put_validator(&w, &genesis->validators[i]);
	json_array_end(&w);
	put_capitals(&w, "app_hash", BYTES_OF(genesis->block));
	json_object_end(&w);
}

/* --- its configuration --- */

/* What is not said here is CometBFT's default. */
static const char config_format[] = "# Made by xinglin consortium. The timeouts must be the same at every member.\n"
				    "moniker = \"%s\"\n"
				    "log_level = \"error\"\n"
				    "log_format = \"plain\"\n"
				    "filter_peers = true # the node knows who is a member\n"
				    "\n"
				    "[rpc]\n"
				    "max_request_batch_size = 100\n"
				    "\n"
				    "[p2p]\n"
				    "laddr = \"tcp://%s\"\n"
				    "persistent_peers = \"%s\"\n"
				    "pex = false\n"
				    "addr_book_strict = %s\n"
				    "allow_duplicate_ip = %s\n"
				    "flush_throttle_timeout = \"1ms\"\n"
				    "send_rate = 52428800\n"
				    "recv_rate = 52428800\n"
				    "\n"
				    "[mempool]\n"
				    "recheck = false\n"
				    "max_tx_bytes = 1048576\n"
				    "\n"
				    "[consensus]\n"
				    "timeout_propose = \"400ms\"\n"
				    "timeout_propose_delta = \"100ms\"\n"
				    "timeout_prevote = \"100ms\"\n"
				    "timeout_prevote_delta = \"50ms\"\n"
				    "timeout_precommit = \"100ms\"\n"
				    "timeout_precommit_delta = \"50ms\"\n"
				    "timeout_commit = \"0s\"\n"
				    "create_empty_blocks = false\n"
				    "create_empty_blocks_interval = \"60s\"\n"
				    "peer_gossip_sleep_duration = \"10ms\"\n"
				    "\n"
				    "[storage]\n"
				    "discard_abci_responses = true\n"
				    "\n"
				    "[tx_index]\n"
				    "indexer = \"null\"\n";

static void put_state_sync(struct buf *out, const struct comet_state_sync *sync) {
	char text[256];
	buf_text(out, "\n[statesync]\nenable = true # once it has a height, this is ignored\nrpc_servers = \"");
	buf_text(out, sync->servers);
	snprintf(text, sizeof text, "\"\ntrust_height = %llu\ntrust_hash = \"", (unsigned long long)sync->height);
	buf_text(out, text);
	hex_put(out, BYTES_OF(sync->hash), false);
	snprintf(text, sizeof text,
	    "\"\ntrust_period = \"%llus\"\ndiscovery_time = \"5s\"\nchunk_request_timeout = \"10s\"\nchunk_fetchers = \"4\"\n",
	    (unsigned long long)sync->trust_s);
	buf_text(out, text);
}

static void put_config(struct buf *out, const struct comet_home *home) {
	char text[FILE_MAX / 2]; /* the peers are the most of it (MEMBER_PEERS_MAX) */
	snprintf(text, sizeof text, config_format, home->name, home->listen, home->peers,
	    home->is_local ? "false" : "true", home->is_local ? "true" : "false");
	buf_text(out, text);
	if (home->state_sync != NULL) put_state_sync(out, home->state_sync);
}

static void put_node_key(struct buf *out, const struct comet_home *home) {
	struct json_writer w = json_writer(out);
	json_object_begin(&w, NULL);
	put_secret(&w, home->node);
	json_object_end(&w);
}

static void put_validator_key(struct buf *out, const struct comet_home *home) {
	struct json_writer w = json_writer(out);
	json_object_begin(&w, NULL);
	put_capitals(&w, "address", BYTES_OF(home->validator->address));
	put_public(&w, &home->validator->key);
	put_secret(&w, home->validator);
	json_object_end(&w);
}

static void put_nothing_signed(struct buf *out, const struct comet_home *home) {
	(void)home;
	buf_text(out, "{\"height\":\"0\",\"round\":0,\"step\":0}");
}

static void put_genesis(struct buf *out, const struct comet_home *home) {
	buf_append(out, home->genesis);
}

static enum status write_one(const char *path, const char *name, void (*put)(struct buf *, const struct comet_home *),
    const struct comet_home *home, struct err *err) {
	char file[FILES_PATH_BYTES];
	struct buf text;
	snprintf(file, sizeof file, "%s/%s", path, name);
	buf_init(&text, FILE_MAX);
	put(&text, home);
	enum status status = buf_status(&text, err);
	if (status == STATUS_OK) status = files_write(file, buf_view(&text), err);
	buf_wipe(&text);
	return status;
}

/* Go's base64 of seed and public key, with padding. */
static bool read_secret(struct comet_key *out, struct bytes text) {
	struct buf url, both;
	buf_init(&url, FILE_MAX);
	buf_init(&both, FILE_MAX);
	for (size_t i = 0; i < text.len && text.data[i] != '='; i++)
		buf_byte(&url, text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i]);
	bool is_read = base64url_data(&both, buf_view(&url)) == STATUS_OK && both.len == 64;
	if (is_read) memcpy(out->secret.seed, both.data, 32);
	is_read = is_read && ed25519_public_of(&out->key, &out->secret) == STATUS_OK &&
		  memcmp(out->key.b, both.data + 32, 32) == 0;
	const hash32 hash = sha256(BYTES_OF(out->key));
	memcpy(out->address.b, hash.b, sizeof out->address.b);
	buf_wipe(&url);
	buf_wipe(&both);
	return is_read;
}

enum status comet_home_node_key(struct comet_key *out, const char *path, struct err *err) {
	char file[FILES_PATH_BYTES];
	struct buf text;
	struct arena arena;
	const struct json *root;
	if ((size_t)snprintf(file, sizeof file, "%s/config/node_key.json", path) >= sizeof file)
		return err_set(err, STATUS_INVALID, "the path of CometBFT is too long");
	buf_init(&text, FILE_MAX);
	arena_init(&arena);
	enum status status = files_read(&text, file, err);
	if (status == STATUS_OK && (json_parse(&root, &arena, buf_view(&text), NULL, NULL) != STATUS_OK ||
				       !read_secret(out, json_string(json_get(json_get(root, "priv_key"), "value")))))
		status = err_set(err, STATUS_CORRUPT, "%s is no node key of CometBFT", file);
	arena_fini(&arena);
	buf_wipe(&text);
	return status;
}

enum status comet_home_write(const char *path, const struct comet_home *home, struct err *err) {
	static const struct {
		const char *name;
		void (*put)(struct buf *out, const struct comet_home *home);
	} files[] = {{"config/genesis.json", put_genesis}, {"config/config.toml", put_config},
	    {"config/node_key.json", put_node_key}, {"data/priv_validator_state.json", put_nothing_signed},
	    {"config/priv_validator_key.json", put_validator_key}};
	char name[FILES_PATH_BYTES];
	if (strlen(path) + 64 > sizeof name) return err_set(err, STATUS_INVALID, "the path of CometBFT is too long");
	snprintf(name, sizeof name, "%s/config/priv_validator_key.json", path);
	if (files_exists(name))
		return err_set(err, STATUS_EXISTS, "%s is there already: a member keeps its keys", name);
	TRY(files_make_folder(path, err));
	snprintf(name, sizeof name, "%s/config", path);
	TRY(files_make_folder(name, err));
	snprintf(name, sizeof name, "%s/data", path);
	TRY(files_make_folder(name, err));
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		TRY(write_one(path, files[i].name, files[i].put, home, err));
	return STATUS_OK;
}
