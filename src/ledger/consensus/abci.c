#include "ledger/consensus/abci.h"

#include "codec/protobuf.h"

/* An answer's number is its request's and one more; 1 is the exception. */
enum { RESPONSE_EXCEPTION = 1, RESULT_GAS = 1 };
enum { PROPOSAL_ACCEPT = 1, PROPOSAL_REJECT = 2 };
enum { VOTE_ABSENT = 1 };

/* --- requests --- */

/* Timestamp {1: seconds, 2: nanoseconds}. Nothing here is older than 1970. */
static uint64_t read_time_ms(struct protobuf_cursor *parent, struct bytes message) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	int64_t seconds = 0, nanoseconds = 0;
	while (protobuf_next(&cursor, &field)) {
		if (field.number == 1) seconds = protobuf_i64(&cursor, &field);
		if (field.number == 2) nanoseconds = protobuf_i64(&cursor, &field);
	}
	const int64_t seconds_max = (int64_t)1 << 50;
	if (cursor.fault != NULL) protobuf_fail(parent, cursor.fault);
	if (nanoseconds < 0 || nanoseconds >= 1000000000 || seconds > seconds_max)
		protobuf_fail(parent, "a time is out of range");
	if (parent->fault != NULL || seconds < 0) return 0; /* Go's zero time is long before */
	return (uint64_t)seconds * 1000 + (uint64_t)nanoseconds / 1000000;
}

static uint64_t read_height(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	const int64_t height = protobuf_i64(cursor, field);
	if (height >= 0) return (uint64_t)height;
	protobuf_fail(cursor, "a negative number where none may be");
	return 0;
}

/* PublicKey {1: ed25519}. */
static void read_key(struct protobuf_cursor *parent, uint8_t out[ABCI_KEY_BYTES], struct bytes message) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	struct bytes key = {0};
	while (protobuf_next(&cursor, &field))
		if (field.number == 1) key = protobuf_bytes(&cursor, &field);
	if (cursor.fault != NULL) protobuf_fail(parent, cursor.fault);
	if (key.len != ABCI_KEY_BYTES) {
		protobuf_fail(parent, "a validator's key is not an Ed25519 key");
		return;
	}
	memcpy(out, key.data, ABCI_KEY_BYTES);
}

/* ValidatorUpdate {1: key, 2: power}. */
static void read_validator(struct protobuf_cursor *parent, struct abci_validator *out, struct bytes message) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	struct bytes key = {0};
	*out = (struct abci_validator){0};
	while (protobuf_next(&cursor, &field)) {
		if (field.number == 1) key = protobuf_bytes(&cursor, &field);
		if (field.number == 2) out->power = read_height(&cursor, &field);
	}
	if (cursor.fault != NULL) protobuf_fail(parent, cursor.fault);
	read_key(parent, out->key, key);
}

static void read_init(struct protobuf_cursor *cursor, struct abci_init *out, struct arena *arena) {
	struct protobuf_field field;
	struct abci_validator *validators = arena_alloc(arena, ABCI_VALIDATORS_MAX * sizeof *validators);
	*out = (struct abci_init){.validators = validators};
	while (protobuf_next(cursor, &field)) {
		if (field.number == 2) out->chain_id = protobuf_bytes(cursor, &field);
		if (field.number == 6) out->initial_height = read_height(cursor, &field);
		if (field.number != 4) continue;
		if (out->validator_count == ABCI_VALIDATORS_MAX)
			protobuf_fail(cursor, "too many validators");
		else
			read_validator(cursor, &validators[out->validator_count++], protobuf_bytes(cursor, &field));
	}
}

static void read_query(struct protobuf_cursor *cursor, struct abci_query *out) {
	struct protobuf_field field;
	*out = (struct abci_query){0};
	while (protobuf_next(cursor, &field)) {
		if (field.number == 1) out->data = protobuf_bytes(cursor, &field);
		if (field.number == 2) out->path = protobuf_bytes(cursor, &field);
	}
}

/* The one field that a message is read for; an absent one is empty. */
static struct bytes read_only(struct protobuf_cursor *cursor, uint32_t number) {
	struct protobuf_field field;
	struct bytes found = {0};
	while (protobuf_next(cursor, &field))
		if (field.number == number) found = protobuf_bytes(cursor, &field);
	return found;
}

/* Misbehavior {2: Validator {1: address}}. */
static void read_misbehaviour(struct protobuf_cursor *parent, struct abci_block *out, struct bytes message) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_cursor validator = protobuf_cursor(read_only(&cursor, 2));
	const struct bytes address = read_only(&validator, 1);
	if (cursor.fault != NULL) protobuf_fail(parent, cursor.fault);
	if (validator.fault != NULL) protobuf_fail(parent, validator.fault);
	const size_t kept = sizeof out->misbehaved / sizeof *out->misbehaved;
	if (out->misbehaviour_count < kept) out->misbehaved[out->misbehaviour_count] = address;
	out->misbehaviour_count++;
}

static size_t count_of(struct bytes message, uint32_t number) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	size_t count = 0;
	while (protobuf_next(&cursor, &field)) count += field.number == number;
	return count;
}

/* CommitInfo {2: VoteInfo {1: Validator {1: address}, 3: flag}}, of those who voted, for the block or for none. */
static void read_voters(
    struct protobuf_cursor *parent, struct abci_block *out, struct arena *arena, struct bytes message) {
	const size_t count = count_of(message, 2);
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	if (count > ABCI_VALIDATORS_MAX) {
		protobuf_fail(parent, "too many votes");
		return;
	}
	struct bytes *voters = arena_alloc(arena, count * sizeof *voters);
	out->voters = voters;
	out->voter_count = 0;
	while (protobuf_next(&cursor, &field)) {
		if (field.number != 2) continue;
		struct protobuf_cursor vote = protobuf_cursor(protobuf_bytes(&cursor, &field));
		struct bytes validator = {0};
		uint64_t flag = 0;
		while (protobuf_next(&vote, &field)) {
			if (field.number == 1) validator = protobuf_bytes(&vote, &field);
			if (field.number == 3) flag = protobuf_u64(&vote, &field);
		}
		struct protobuf_cursor of = protobuf_cursor(validator);
		const struct bytes address = read_only(&of, 1);
		if (vote.fault != NULL || of.fault != NULL) protobuf_fail(parent, "a vote is malformed");
		if (flag > VOTE_ABSENT && out->voter_count < count) voters[out->voter_count++] = address;
	}
	if (cursor.fault != NULL) protobuf_fail(parent, cursor.fault);
}

/* Which field of a request has what; 0: the request has no such thing. */
struct block_fields {
	uint32_t txs, voters, misbehaviour, hash, max_tx_bytes;
};

static void read_block(struct protobuf_cursor *cursor, struct abci_block *out, struct arena *arena,
    const struct block_fields *fields, struct bytes message) {
	struct protobuf_field field;
	const size_t count = count_of(message, fields->txs);
	*out = (struct abci_block){0};
	if (count > ABCI_TXS_MAX) {
		protobuf_fail(cursor, "too many transactions");
		return;
	}
	struct bytes *txs = arena_alloc(arena, count * sizeof *txs);
	out->txs = txs;
	while (protobuf_next(cursor, &field)) {
		if (field.number == fields->txs)
			txs[out->tx_count++] = protobuf_bytes(cursor, &field);
		else if (field.number == fields->voters)
			read_voters(cursor, out, arena, protobuf_bytes(cursor, &field));
		else if (field.number == fields->misbehaviour)
			read_misbehaviour(cursor, out, protobuf_bytes(cursor, &field));
		else if (field.number == fields->hash)
			out->hash = protobuf_bytes(cursor, &field);
		else if (field.number == fields->max_tx_bytes)
			out->max_tx_bytes = read_height(cursor, &field);
		else if (field.number == 5)
			out->height = read_height(cursor, &field);
		else if (field.number == 6)
			out->time_ms = read_time_ms(cursor, protobuf_bytes(cursor, &field));
		else if (field.number == 8)
			out->proposer = protobuf_bytes(cursor, &field);
	}
}

/* --- requests about snapshots --- */

static uint32_t read_u32(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	const uint64_t value = protobuf_u64(cursor, field);
	if (value > UINT32_MAX) protobuf_fail(cursor, "a number of more than 32 bits");
	return (uint32_t)value;
}

/* Snapshot {1: height, 2: format, 3: chunks, 4: hash, 5: metadata}. */
static void read_snapshot(struct protobuf_cursor *parent, struct abci_snapshot *out, struct bytes message) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	*out = (struct abci_snapshot){0};
	while (protobuf_next(&cursor, &field)) {
		if (field.number == 1) out->height = protobuf_u64(&cursor, &field);
		if (field.number == 2) out->format = read_u32(&cursor, &field);
		if (field.number == 3) out->chunk_count = read_u32(&cursor, &field);
		if (field.number == 4) out->hash = protobuf_bytes(&cursor, &field);
		if (field.number == 5) out->manifest = protobuf_bytes(&cursor, &field);
	}
	if (cursor.fault != NULL) protobuf_fail(parent, cursor.fault);
}

static void read_offer(struct protobuf_cursor *cursor, struct abci_offer *out) {
	struct protobuf_field field;
	*out = (struct abci_offer){0};
	while (protobuf_next(cursor, &field)) {
		if (field.number == 1) read_snapshot(cursor, &out->snapshot, protobuf_bytes(cursor, &field));
		if (field.number == 2) out->app_hash = protobuf_bytes(cursor, &field);
	}
}

static void read_wanted_chunk(struct protobuf_cursor *cursor, struct abci_chunk *out) {
	struct protobuf_field field;
	*out = (struct abci_chunk){0};
	while (protobuf_next(cursor, &field)) {
		if (field.number == 1) out->height = protobuf_u64(cursor, &field);
		if (field.number == 2) out->format = read_u32(cursor, &field);
		if (field.number == 3) out->index = read_u32(cursor, &field);
	}
}

static void read_given_chunk(struct protobuf_cursor *cursor, struct abci_chunk *out) {
	struct protobuf_field field;
	*out = (struct abci_chunk){0};
	while (protobuf_next(cursor, &field)) {
		if (field.number == 1) out->index = read_u32(cursor, &field);
		if (field.number == 2) out->content = protobuf_bytes(cursor, &field);
		if (field.number == 3) out->sender = protobuf_bytes(cursor, &field);
	}
}

static enum status read_body(struct abci_request *out, struct arena *arena, struct bytes body, struct err *err) {
	static const struct block_fields prepare = {.txs = 2, .misbehaviour = 4, .max_tx_bytes = 1};
	static const struct block_fields other = {.txs = 1, .voters = 2, .misbehaviour = 3, .hash = 4};
	struct protobuf_cursor cursor = protobuf_cursor(body);
	switch (out->kind) {
	case ABCI_ECHO: out->echo = read_only(&cursor, 1); break;
	case ABCI_INFO: out->version = read_only(&cursor, 1); break;
	case ABCI_INIT_CHAIN: read_init(&cursor, &out->init, arena); break;
	case ABCI_QUERY: read_query(&cursor, &out->query); break;
	case ABCI_CHECK_TX: out->check_tx = read_only(&cursor, 1); break;
	case ABCI_PREPARE_PROPOSAL: read_block(&cursor, &out->block, arena, &prepare, body); break;
	case ABCI_PROCESS_PROPOSAL:
	case ABCI_FINALIZE_BLOCK: read_block(&cursor, &out->block, arena, &other, body); break;
	case ABCI_OFFER_SNAPSHOT: read_offer(&cursor, &out->offer); break;
	case ABCI_LOAD_SNAPSHOT_CHUNK: read_wanted_chunk(&cursor, &out->chunk); break;
	case ABCI_APPLY_SNAPSHOT_CHUNK: read_given_chunk(&cursor, &out->chunk); break;
	case ABCI_FLUSH:
	case ABCI_COMMIT:
	case ABCI_LIST_SNAPSHOTS: return STATUS_OK; /* what is in them is not asked */
	}
	return protobuf_finish(&cursor, err);
}

static bool is_known(uint32_t number) {
	switch ((enum abci_kind)number) {
	case ABCI_ECHO:
	case ABCI_FLUSH:
	case ABCI_INFO:
	case ABCI_INIT_CHAIN:
	case ABCI_QUERY:
	case ABCI_CHECK_TX:
	case ABCI_COMMIT:
	case ABCI_LIST_SNAPSHOTS:
	case ABCI_OFFER_SNAPSHOT:
	case ABCI_LOAD_SNAPSHOT_CHUNK:
	case ABCI_APPLY_SNAPSHOT_CHUNK:
	case ABCI_PREPARE_PROPOSAL:
	case ABCI_PROCESS_PROPOSAL:
	case ABCI_FINALIZE_BLOCK: return true;
	}
	return false;
}

enum status abci_request_decode(struct abci_request *out, struct arena *arena, struct bytes message, struct err *err) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field, last = {0};
	while (protobuf_next(&cursor, &field)) last = field; /* of one choice, the last one counts */
	TRY(protobuf_finish(&cursor, err));
	if (last.number == 0 || last.type != PROTOBUF_BYTES)
		return err_set(err, STATUS_INVALID, "an ABCI request without content");
	if (!is_known(last.number))
		return err_set(err, STATUS_UNSUPPORTED, "ABCI request %u is not known here", (unsigned)last.number);
	*out = (struct abci_request){.kind = (enum abci_kind)last.number};
	const enum status status = read_body(out, arena, last.bytes, err);
	return status == STATUS_OK ? status : err_prefix(err, status, "ABCI request %u", (unsigned)last.number);
}

/* --- answers --- */

static size_t begin_answer(struct buf *out, enum abci_kind kind) {
	return protobuf_begin(out, (uint32_t)kind + 1);
}

void abci_put_exception(struct buf *out, const char *text) {
	const size_t answer = protobuf_begin(out, RESPONSE_EXCEPTION);
	protobuf_put_bytes(out, 1, bytes_text(text));
	protobuf_end(out, answer);
}

void abci_put_echo(struct buf *out, struct bytes text) {
	const size_t answer = begin_answer(out, ABCI_ECHO);
	protobuf_put_bytes(out, 1, text);
	protobuf_end(out, answer);
}

void abci_put_flush(struct buf *out) {
	protobuf_end(out, begin_answer(out, ABCI_FLUSH));
}

void abci_put_info(struct buf *out, const char *name, uint64_t height, struct bytes app_hash) {
	const size_t answer = begin_answer(out, ABCI_INFO);
	protobuf_put_bytes(out, 1, bytes_text(name));
	protobuf_put_u64(out, 4, height);
	protobuf_put_bytes(out, 5, app_hash);
	protobuf_end(out, answer);
}

static void put_validators(struct buf *out, uint32_t number, const struct abci_validator *validators, size_t count) {
	for (size_t i = 0; i < count; i++) {
		const size_t update = protobuf_begin(out, number), key = protobuf_begin(out, 1);
		protobuf_put_bytes(out, 1, bytes_make(validators[i].key, ABCI_KEY_BYTES));
		protobuf_end(out, key);
		protobuf_put_u64(out, 2, validators[i].power);
		protobuf_end(out, update);
	}
}

void abci_put_init_chain(
    struct buf *out, const struct abci_validator *validators, size_t count, struct bytes app_hash) {
	const size_t answer = begin_answer(out, ABCI_INIT_CHAIN);
	put_validators(out, 2, validators, count);
	protobuf_put_bytes(out, 3, app_hash);
	protobuf_end(out, answer);
}

void abci_put_query(struct buf *out, uint32_t code, const char *log, struct bytes value) {
	const size_t answer = begin_answer(out, ABCI_QUERY);
	protobuf_put_u64(out, 1, code);
	protobuf_put_bytes(out, 3, bytes_text(log));
	protobuf_put_bytes(out, 7, value);
	protobuf_end(out, answer);
}

void abci_put_check_tx(struct buf *out, uint32_t code, const char *log) {
	const size_t answer = begin_answer(out, ABCI_CHECK_TX);
	protobuf_put_u64(out, 1, code);
	protobuf_put_bytes(out, 3, bytes_text(log));
	protobuf_put_u64(out, 5, RESULT_GAS);
	protobuf_end(out, answer);
}

void abci_put_prepared(struct buf *out, const struct bytes *txs, size_t count) {
	const size_t answer = begin_answer(out, ABCI_PREPARE_PROPOSAL);
	for (size_t i = 0; i < count; i++) protobuf_put_message(out, 1, txs[i]);
	protobuf_end(out, answer);
}

void abci_put_processed(struct buf *out, bool accepted) {
	const size_t answer = begin_answer(out, ABCI_PROCESS_PROPOSAL);
	protobuf_put_u64(out, 1, accepted ? PROPOSAL_ACCEPT : PROPOSAL_REJECT);
	protobuf_end(out, answer);
}

void abci_put_finalized(struct buf *out, const struct abci_decided *decided) {
	const size_t answer = begin_answer(out, ABCI_FINALIZE_BLOCK);
	for (size_t i = 0; i < decided->tx_count; i++) {
		const size_t result = protobuf_begin(out, 2);
		protobuf_put_u64(out, 1, decided->code);
		protobuf_put_u64(out, 5, RESULT_GAS);
		protobuf_put_u64(out, 6, RESULT_GAS);
		protobuf_end(out, result);
	}
	put_validators(out, 3, decided->updates, decided->update_count);
	protobuf_put_bytes(out, 5, decided->app_hash);
	protobuf_end(out, answer);
}

void abci_put_commit(struct buf *out, uint64_t retain_height) {
	const size_t answer = begin_answer(out, ABCI_COMMIT);
	protobuf_put_u64(out, 3, retain_height);
	protobuf_end(out, answer);
}

static void put_snapshot(struct buf *out, const struct abci_snapshot *snapshot) {
	const size_t one = protobuf_begin(out, 1);
	protobuf_put_u64(out, 1, snapshot->height);
	protobuf_put_u64(out, 2, snapshot->format);
	protobuf_put_u64(out, 3, snapshot->chunk_count);
	protobuf_put_bytes(out, 4, snapshot->hash);
	protobuf_put_bytes(out, 5, snapshot->manifest);
	protobuf_end(out, one);
}

void abci_put_snapshots(struct buf *out, const struct abci_snapshot *snapshots, size_t count) {
	const size_t answer = begin_answer(out, ABCI_LIST_SNAPSHOTS);
	for (size_t i = 0; i < count; i++) put_snapshot(out, &snapshots[i]);
	protobuf_end(out, answer);
}

void abci_put_offered(struct buf *out, enum abci_offered verdict) {
	const size_t answer = begin_answer(out, ABCI_OFFER_SNAPSHOT);
	protobuf_put_u64(out, 1, verdict);
	protobuf_end(out, answer);
}

void abci_put_loaded(struct buf *out, struct bytes chunk) {
	const size_t answer = begin_answer(out, ABCI_LOAD_SNAPSHOT_CHUNK);
	protobuf_put_bytes(out, 1, chunk);
	protobuf_end(out, answer);
}

void abci_put_applied(struct buf *out, const struct abci_applying *applying) {
	const size_t answer = begin_answer(out, ABCI_APPLY_SNAPSHOT_CHUNK);
	protobuf_put_u64(out, 1, applying->verdict);
	if (applying->fetch_again) { /* a list of one number, packed: so it stands there if it is 0, too */
		const size_t list = protobuf_begin(out, 2);
		protobuf_put_uvarint(out, applying->index);
		protobuf_end(out, list);
	}
	for (size_t i = 0; i < applying->sender_count; i++) protobuf_put_bytes(out, 3, applying->senders[i]);
	protobuf_end(out, answer);
}
