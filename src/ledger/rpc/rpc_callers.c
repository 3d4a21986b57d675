#include "ledger/rpc/rpc_callers.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <strings.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "envelope/jwt.h"

#define WAYS 4u
#define SETS (CALLERS_MAX / WAYS)
#define MICRO ((int64_t)1000000) /* buckets count millionths, so that nothing is lost between two looks */
#define BURST_US (CALLERS_BURST_SECONDS * (uint64_t)1000000)
#define VERIFIED_MAX 256u
#define NAME_MAX_BYTES 255u

struct bucket {
	uint64_t id;           /* 0: free */
	uint64_t at_us;        /* until then it was filled */
	int64_t requests, gas; /* in millionths; below 0: it is owed */
};

struct rpc_callers {
	struct rpc_callers_options options;
	hash32 salt;          /* so that nobody chooses whose place a name takes */
	pthread_mutex_t lock; /* of all that follows */
	struct jwk_set *set;  /* NULL: none */
	bool has_secret;
	hash32 secret;
	char *issuer, *audience;
	/* Hashes of tokens that the set's keys signed, each at the place that its bytes name. */
	hash32 verified[VERIFIED_MAX];
	struct rpc_caller_counts counts;
	struct bucket buckets[SETS][WAYS];
};

struct rpc_callers *rpc_callers_new(const struct rpc_callers_options *options) {
	struct rpc_callers *callers = mem_zalloc(1, sizeof *callers);
	BUG_ON(options->requests_a_second > CALLERS_RATE_MAX || options->gas_a_second > CALLERS_RATE_MAX);
	callers->options = *options;
	random_fill(options->random, callers->salt.b, sizeof callers->salt.b);
	BUG_ON(pthread_mutex_init(&callers->lock, NULL) != 0);
	return callers;
}

static void forget_keys(struct rpc_callers *callers) {
	jwk_set_free(callers->set);
	mem_free(callers->issuer);
	mem_free(callers->audience);
	mem_wipe(&callers->secret, sizeof callers->secret);
	memset(callers->verified, 0, sizeof callers->verified);
	callers->set = NULL;
	callers->issuer = callers->audience = NULL;
	callers->has_secret = false;
}

void rpc_callers_free(struct rpc_callers *callers) {
	if (!callers) return;
	forget_keys(callers);
	pthread_mutex_destroy(&callers->lock);
	mem_free(callers);
}

/* --- keys --- */

static struct bytes trim(struct bytes text) {
	while (text.len && strchr(" \t\r\n", text.data[text.len - 1])) text.len--;
	while (text.len && strchr(" \t\r\n", text.data[0])) text = bytes_slice(text, 1, text.len);
	return text;
}

static enum status take_secret(hash32 *out, struct bytes text, struct err *err) {
	char digits[2 + 2 * sizeof out->b + 1] = "0x";
	if (text.len >= 2 && text.data[0] == '0' && text.data[1] == 'x') text = bytes_slice(text, 2, text.len);
	enum status status = STATUS_INVALID;
	if (text.len == 2 * sizeof out->b) {
		memcpy(digits + 2, text.data, text.len);
		status = hex_fixed(out->b, sizeof out->b, bytes_text(digits));
	}
	mem_wipe(digits, sizeof digits);
	if (status == STATUS_OK) return status;
	return err_set(err, STATUS_INVALID, "keys are a JWK set, or a secret of 64 hexadecimal digits");
}

enum status rpc_callers_set_keys(struct rpc_callers *callers, const struct rpc_caller_keys *keys, struct err *err) {
	const struct bytes text = trim(keys->text);
	const bool is_set = text.len && text.data[0] == '{';
	struct jwk_set *set = NULL;
	hash32 secret = {{0}};
	if (is_set && (!keys->issuer || !keys->audience))
		return err_set(
		    err, STATUS_INVALID, "a JWK set needs its issuer, and the audience that its tokens name");
	if (is_set)
		TRY(jwk_set_parse(&set, text, err));
	else
		TRY(take_secret(&secret, text, err));
	pthread_mutex_lock(&callers->lock);
	forget_keys(callers);
	callers->set = set;
	callers->has_secret = !is_set;
	callers->secret = secret;
	callers->issuer = is_set ? mem_strdup(keys->issuer) : NULL;
	callers->audience = is_set ? mem_strdup(keys->audience) : NULL;
	pthread_mutex_unlock(&callers->lock);
	mem_wipe(&secret, sizeof secret);
	return STATUS_OK;
}

/* --- who it is --- */

static uint64_t id_of(const struct rpc_callers *callers, char kind, struct bytes name) {
	uint8_t text[sizeof callers->salt.b + 1 + NAME_MAX_BYTES];
	const size_t len = name.len < NAME_MAX_BYTES ? name.len : NAME_MAX_BYTES;
	memcpy(text, callers->salt.b, sizeof callers->salt.b);
	text[sizeof callers->salt.b] = (uint8_t)kind;
	if (len) memcpy(text + sizeof callers->salt.b + 1, name.data, len);
	const hash32 hash = sha256(bytes_make(text, sizeof callers->salt.b + 1 + len));
	return load_be64(hash.b) | 1; /* never 0 */
}

/* One holder of an IPv6 network has all its 2^64 addresses. */
static uint64_t id_of_address(const struct rpc_callers *callers, const struct http_peer *peer) {
	struct in6_addr six;
	const char *text = peer ? peer->address : "";
	if (inet_pton(AF_INET6, text, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six))
		return id_of(callers, '6', bytes_make(six.s6_addr, 8));
	return id_of(callers, '4', bytes_text(text));
}

/* The claim `methods` as names with spaces between. */
static enum status take_methods(
    struct rpc_caller *out, struct arena *arena, const struct json *claims, struct err *err) {
	const struct json *methods = json_get(claims, "methods");
	struct buf names;
	if (!methods) return STATUS_OK;
	buf_init(&names, CALLER_METHODS_BYTES);
	bool is_right = json_is(methods, JSON_ARRAY);
	json_foreach (name, methods) {
		const struct bytes text = json_string(name);
		is_right &= json_is(name, JSON_STRING) && text.len && !memchr(text.data, ' ', text.len);
		buf_append(&names, text);
		buf_byte(&names, ' ');
	}
	is_right &= !names.overflow;
	out->is_narrow = true;
	out->methods = arena_dup(arena, buf_view(&names));
	buf_fini(&names);
	return is_right ? STATUS_OK : err_set(err, STATUS_DENIED, "the token's methods are not a list of names");
}

/* With the lock. */
static enum status verify(struct rpc_callers *callers, const struct jwt *token, struct bytes text, struct err *err) {
	const uint64_t now_s = clock_now_ms(callers->options.clock) / 1000;
	if (callers->has_secret) return jwt_shared_check(token, &callers->secret, now_s, err);
	const hash32 name = sha256(text);
	hash32 *known = &callers->verified[load_be32(name.b) % VERIFIED_MAX];
	if (!hash32_equal(known, &name)) TRY(jwt_verify(token, callers->set, err));
	*known = name;
	const struct jwt_expected expected = {
	    .issuer = bytes_text(callers->issuer), .audience = bytes_text(callers->audience), .now_s = now_s};
	return jwt_check(token, &expected, err);
}

static enum status read_token(struct rpc_callers *callers, struct jwt *out, struct arena *arena,
    const struct http_request *request, struct err *err) {
	static const char scheme[] = "Bearer ";
	const struct bytes header = http_header_get(request, "authorization");
	if (header.len <= strlen(scheme) || strncasecmp((const char *)header.data, scheme, strlen(scheme)) != 0)
		return err_set(err, STATUS_DENIED, "a bearer token is needed");
	const struct bytes text = bytes_slice(header, strlen(scheme), header.len);
	const enum status status =
	    callers->has_secret ? jwt_shared_parse(out, arena, text, err) : jwt_parse(out, arena, text, err);
	return status == STATUS_OK ? verify(callers, out, text, err) : status;
}

/* A verified token has not come to its end. An issuer's is taken a little longer (envelope/jwt.h). */
static uint64_t rest_of(const struct rpc_callers *callers, const struct jwt *token) {
	const uint64_t now_ms = clock_now_ms(callers->options.clock),
		       skew_s = callers->has_secret ? 0 : JWT_SKEW_SECONDS;
	uint64_t end_s;
	if (!jwt_time(&end_s, token, "exp") || end_s > UINT64_MAX / 1000 - skew_s) return 0;
	const uint64_t end_ms = (end_s + skew_s) * 1000;
	return end_ms > now_ms ? end_ms - now_ms : 1;
}

static enum status find(struct rpc_callers *callers, struct rpc_caller *out, struct arena *arena,
    const struct http_request *request, struct err *err) {
	struct jwt token;
	out->id = id_of_address(callers, request->peer);
	if (!callers->set && !callers->has_secret) return STATUS_OK;
	TRY(read_token(callers, &token, arena, request, err));
	const struct bytes subject = json_string(json_get(token.claims, "sub"));
	if (subject.len > NAME_MAX_BYTES) return err_set(err, STATUS_DENIED, "the token's subject is too long");
	if (subject.len) out->id = id_of(callers, 's', subject);
	out->lasts_ms = rest_of(callers, &token);
	return take_methods(out, arena, token.claims, err);
}

enum status rpc_callers_find(struct rpc_callers *callers, struct rpc_caller *out, struct arena *arena,
    const struct http_request *request, struct err *err) {
	*out = (struct rpc_caller){0};
	pthread_mutex_lock(&callers->lock);
	const enum status status = find(callers, out, arena, request, err);
	callers->counts.unknown += status != STATUS_OK;
	pthread_mutex_unlock(&callers->lock);
	return status == STATUS_OK ? status : STATUS_DENIED;
}

bool rpc_caller_may(const struct rpc_caller *caller, const char *method) {
	if (!caller->is_narrow) return true;
	const size_t len = strlen(method);
	for (size_t at = 0; at < caller->methods.len;) {
		const uint8_t *name = caller->methods.data + at;
		size_t name_len = 0;
		while (name[name_len] != ' ') name_len++;
		at += name_len + 1;
		const bool begins = name[name_len - 1] == '*';
		if (begins ? len >= name_len - 1 && memcmp(name, method, name_len - 1) == 0
			   : len == name_len && memcmp(name, method, len) == 0)
			return true;
	}
	return false;
}

/* --- its buckets --- */

static int64_t full(uint64_t rate) {
	return (int64_t)(rate * CALLERS_BURST_SECONDS) * MICRO;
}

static void fill(int64_t *level, uint64_t rate, uint64_t elapsed_us) {
	const int64_t room = full(rate) - *level;
	const uint64_t most_us = rate ? (uint64_t)(room / (int64_t)rate) + 1 : 0;
	*level = elapsed_us >= most_us ? full(rate) : *level + (int64_t)(rate * elapsed_us);
}

/* The caller's place, filled up to now; if there is none, the one that was not looked at for longest. With the lock. */
static struct bucket *bucket_of(struct rpc_callers *callers, uint64_t id) {
	const struct rpc_callers_options *options = &callers->options;
	struct bucket *set = callers->buckets[(id >> 1) % SETS], *at = set;
	const uint64_t now_us = clock_monotonic_ns(options->clock) / 1000;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].id == id) {
			at = &set[i];
			break;
		}
		if (set[i].at_us < at->at_us) at = &set[i];
	}
	if (at->id != id)
		*at = (struct bucket){id, now_us, full(options->requests_a_second), full(options->gas_a_second)};
	fill(&at->requests, options->requests_a_second, now_us - at->at_us);
	fill(&at->gas, options->gas_a_second, now_us - at->at_us);
	at->at_us = now_us;
	return at;
}

/* In whole seconds, until the level is at least `wanted`; 0: it is. */
static uint32_t wait_s(int64_t level, int64_t wanted, uint64_t rate) {
	if (!rate || level >= wanted) return 0;
	const int64_t a_second = (int64_t)rate * MICRO, seconds = (wanted - level + a_second - 1) / a_second;
	return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

static uint32_t take(struct rpc_callers *callers, const struct rpc_caller *caller, size_t requests) {
	const struct rpc_callers_options *options = &callers->options;
	pthread_mutex_lock(&callers->lock);
	struct bucket *bucket = bucket_of(callers, caller->id);
	const uint32_t for_requests = wait_s(bucket->requests, MICRO, options->requests_a_second);
	const uint32_t for_gas = wait_s(bucket->gas, 1, options->gas_a_second);
	const uint32_t wait = for_requests > for_gas ? for_requests : for_gas;
	if (wait == 0 && options->requests_a_second) bucket->requests -= (int64_t)requests * MICRO;
	callers->counts.limited += wait != 0;
	pthread_mutex_unlock(&callers->lock);
	return wait;
}

uint32_t rpc_callers_take(struct rpc_callers *callers, const struct rpc_caller *caller, size_t requests) {
	return take(callers, caller, requests);
}

uint32_t rpc_callers_wait(struct rpc_callers *callers, const struct rpc_caller *caller) {
	return take(callers, caller, 0);
}

bool rpc_callers_have_gas(struct rpc_callers *callers, const struct rpc_caller *caller) {
	pthread_mutex_lock(&callers->lock);
	const bool has = !callers->options.gas_a_second || bucket_of(callers, caller->id)->gas > 0;
	callers->counts.gas_limited += !has;
	pthread_mutex_unlock(&callers->lock);
	return has;
}

void rpc_callers_spend_gas(struct rpc_callers *callers, const struct rpc_caller *caller, uint64_t gas) {
	if (!callers->options.gas_a_second || !gas) return;
	if (gas > CALLERS_RATE_MAX) gas = CALLERS_RATE_MAX;
	pthread_mutex_lock(&callers->lock);
	struct bucket *bucket = bucket_of(callers, caller->id);
	/* Nobody owes more than a minute, so that the sum stays in its bounds. */
	const int64_t least = -(int64_t)callers->options.gas_a_second * MICRO * 60;
	bucket->gas -= (int64_t)gas * MICRO;
	if (bucket->gas < least) bucket->gas = least;
	pthread_mutex_unlock(&callers->lock);
}

struct rpc_caller_counts rpc_callers_count(struct rpc_callers *callers) {
	pthread_mutex_lock(&callers->lock);
	const struct rpc_caller_counts counts = callers->counts;
	pthread_mutex_unlock(&callers->lock);
	return counts;
}
