#include "comet/light_json.h"

#include "codec/hex.h"

#define TEXT_MAX 256u

/* What is being read, and the first fault. */
struct reading {
	struct arena *arena;
	const char *fault;
};

static void fail(struct reading *in, const char *fault) {
	if (!in->fault) in->fault = fault;
}

/* --- texts --- */

/* Digits [from, from + len) as a number; -1: they are not digits. */
static int64_t digits(struct bytes text, size_t from, size_t len) {
	int64_t value = 0;
	if (from + len > text.len) return -1;
	for (size_t i = from; i < from + len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') return -1;
		value = value * 10 + (text.data[i] - '0');
	}
	return value;
}

/* Days since 1970-01-01 of the Gregorian calendar; years begin with March, so that the leap day is the last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
	const int64_t y = month > 2 ? year : year - 1, since_march = (month + 9) % 12;
	return y * 365 + y / 4 - y / 100 + y / 400 + (since_march * 153 + 2) / 5 + day - 1 - 719468;
}

static int64_t days_in(int64_t year, int64_t month) {
	const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (month == 2) return is_leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static bool parse_fraction(uint32_t *out, struct bytes text) {
	if (text.len < 1 || text.len > 9) return false;
	int64_t value = digits(text, 0, text.len);
	if (value < 0) return false;
	for (size_t i = text.len; i < 9; i++) value *= 10;
	*out = (uint32_t)value;
	return true;
}

bool comet_time_parse(struct comet_time *out, struct bytes text) {
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	const size_t len = sizeof form - 1;
	if (text.len < len + 1 || text.data[text.len - 1] != 'Z') return false;
	for (size_t i = 0; i < len; i++)
		if (form[i] != 'd' && text.data[i] != (uint8_t)form[i]) return false;
	const int64_t year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
	const int64_t hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return false;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
	*out = (struct comet_time){days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second, 0};
	if (text.len == len + 1) return true;
	return text.data[len] == '.' && parse_fraction(&out->ns, bytes_slice(text, len + 1, text.len - len - 2));
}

static struct bytes decoded(struct reading *in, enum status (*decode)(struct buf *, struct bytes), struct bytes text) {
	struct buf out;
	struct bytes bytes = {0};
	buf_init(&out, TEXT_MAX);
	if (decode(&out, text) == STATUS_OK && !out.overflow)
		bytes = arena_dup(in->arena, buf_view(&out));
	else
		fail(in, "a hash, a key or a signature is not spelled as it must be");
	buf_fini(&out);
	return bytes;
}

/* Empty, or `len` bytes, in hexadecimal digits without a prefix. */
static struct bytes read_hex(struct reading *in, const struct json *object, const char *name, size_t len) {
	const struct bytes text = json_string(json_get(object, name));
	if (text.len == 0) return (struct bytes){0};
	if (text.len != 2 * len) {
		fail(in, "a hash or an address has a wrong length");
		return (struct bytes){0};
	}
	const char *prefixed = arena_printf(in->arena, "0x%.*s", (int)text.len, (const char *)text.data);
	return decoded(in, hex_data, bytes_text(prefixed));
}

/* Exactly `len` bytes, in base64 with padding. */
static void read_base64(struct reading *in, uint8_t *out, size_t len, const struct json *object, const char *name) {
	const struct bytes text = json_string(json_get(object, name));
	size_t used = text.len <= TEXT_MAX ? text.len : 0;
	char *url = arena_alloc(in->arena, TEXT_MAX);
	while (used > 0 && text.len - used < 2 && text.data[used - 1] == '=') used--;
	for (size_t i = 0; i < used; i++)
		url[i] = text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : (char)text.data[i];
	const struct bytes bytes = decoded(in, base64url_data, bytes_make(url, used));
	if (bytes.len == len && text.len % 4 == 0)
		memcpy(out, bytes.data, len);
	else
		fail(in, "a key or a signature has a wrong length");
}

/* A number, also one that is spelled as a string. */
static uint64_t read_number(struct reading *in, const struct json *object, const char *name, uint64_t max) {
	const struct json *value = json_get(object, name);
	const struct bytes text = json_is(value, JSON_NUMBER) ? value->text : json_string(value);
	const int64_t number = text.len >= 1 && text.len <= 18 ? digits(text, 0, text.len) : -1;
	if (number >= 0 && (uint64_t)number <= max) return (uint64_t)number;
	fail(in, "a number is missing, negative or too large");
	return 0;
}

static struct comet_time read_time(struct reading *in, const struct json *object, const char *name) {
	struct comet_time time = {0, 0};
	if (!comet_time_parse(&time, json_string(json_get(object, name)))) fail(in, "a time is not one");
	return time;
}

/* --- parts --- */

static struct comet_block_id read_block_id(struct reading *in, const struct json *object, const char *name) {
	const struct json *id = json_get(object, name), *parts = json_get(id, "parts");
	return (struct comet_block_id){.hash = read_hex(in, id, "hash", 32),
	    .total = (uint32_t)read_number(in, parts, "total", UINT32_MAX),
	    .parts = read_hex(in, parts, "hash", 32)};
}

static void read_header(struct reading *in, struct comet_header *out, const struct json *header) {
	const struct json *version = json_get(header, "version");
	if (read_number(in, version, "block", UINT32_MAX) != COMET_BLOCK_PROTOCOL)
		fail(in, "the header is of another version");
	*out = (struct comet_header){
	    .version_app = json_get(version, "app") ? read_number(in, version, "app", INT64_MAX) : 0,
	    .chain_id = json_string(json_get(header, "chain_id")),
	    .height = read_number(in, header, "height", COMET_HEIGHT_MAX),
	    .time = read_time(in, header, "time"),
	    .last_block = read_block_id(in, header, "last_block_id"),
	    .last_commit = read_hex(in, header, "last_commit_hash", 32),
	    .data = read_hex(in, header, "data_hash", 32),
	    .validators = read_hex(in, header, "validators_hash", 32),
	    .next_validators = read_hex(in, header, "next_validators_hash", 32),
	    .consensus = read_hex(in, header, "consensus_hash", 32),
	    .app = read_hex(in, header, "app_hash", 32),
	    .last_results = read_hex(in, header, "last_results_hash", 32),
	    .evidence = read_hex(in, header, "evidence_hash", 32),
	    .proposer = read_hex(in, header, "proposer_address", sizeof(addr20))};
	comet_header_hash(out);
}

static void read_signature(struct reading *in, struct comet_signature *out, const struct json *signature) {
	const uint64_t vote = read_number(in, signature, "block_id_flag", COMET_VOTE_NIL);
	const struct bytes address = read_hex(in, signature, "validator_address", sizeof(addr20));
	*out = (struct comet_signature){.vote = (enum comet_vote)vote, .time = read_time(in, signature, "timestamp")};
	if (vote == COMET_VOTE_ABSENT) {
		const bool has_signature = json_string(json_get(signature, "signature")).len > 0;
		if (address.len || has_signature || out->time.s != COMET_NO_TIME || out->time.ns)
			fail(in, "an absent vote has an address, a time or a signature");
		return;
	}
	if (address.len && vote != 0)
		memcpy(out->address.b, address.data, sizeof out->address.b);
	else
		fail(in, "a vote has no kind or no address");
	read_base64(in, out->signature, sizeof out->signature, signature, "signature");
}

static size_t read_commit(struct reading *in, struct comet_light_block *out, const struct json *commit) {
	const struct json *signatures = json_get(commit, "signatures");
	size_t count = 0;
	if (read_number(in, commit, "height", COMET_HEIGHT_MAX) != out->header.height)
		fail(in, "the commit is of another height");
	out->commit.round = (uint32_t)read_number(in, commit, "round", INT32_MAX);
	out->commit.id = read_block_id(in, commit, "block_id");
	if (signatures && signatures->count > COMET_VALIDATORS_MAX) fail(in, "there are too many votes");
	json_foreach (signature, signatures)
		if (count < COMET_VALIDATORS_MAX) read_signature(in, &out->commit.signatures[count++], signature);
	return count;
}

static void read_validators(struct reading *in, struct comet_validators *out, const struct json *answer) {
	const struct json *list = json_get(answer, "validators");
	if (!list || list->count > COMET_VALIDATORS_MAX ||
	    read_number(in, answer, "total", COMET_VALIDATORS_MAX) != list->count)
		fail(in, "the validators are not all there, or are too many");
	json_foreach (validator, list) {
		const struct json *key = json_get(validator, "pub_key");
		if (out->count == COMET_VALIDATORS_MAX) return;
		struct comet_validator *next = &out->list[out->count++];
		if (!json_string_is(json_get(key, "type"), "tendermint/PubKeyEd25519"))
			fail(in, "a validator's key is not an Ed25519 key");
		read_base64(in, next->key.b, sizeof next->key.b, key, "value");
		next->power = read_number(in, validator, "voting_power", COMET_POWER_MAX);
	}
}

enum status comet_light_block_of_json(struct comet_light_block *out, struct arena *arena, const struct json *commit,
    const struct json *validators, struct err *err) {
	struct reading in = {.arena = arena};
	const struct json *shown = json_get(commit, "signed_header");
	*out = (struct comet_light_block){0};
	read_header(&in, &out->header, json_get(shown, "header"));
	const size_t count = read_commit(&in, out, json_get(shown, "commit"));
	read_validators(&in, &out->validators, validators);
	if (in.fault) return err_set(err, STATUS_INVALID, "CometBFT's answer is no light block: %s", in.fault);
	enum status status = comet_validators_make(&out->validators, err);
	if (status != STATUS_OK) return err_prefix(err, status, "CometBFT's answer is no light block");
	return comet_light_block_check(out, count, err);
}
