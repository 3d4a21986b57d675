#include "app/serve/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/serve/folders.h"
#include "app/serve/ops.h"
#include "app/serve/signer_key.h"
#include "app/serve/signing_guard.h"
#include "app/system.h"
#include "base/log.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/protobuf.h"

#define FILE_BYTES_MAX ((size_t)64 << 10)
#define DIAL_EVERY_MS 200u
#define LOOK_MS 200
#define REFUSALS_MAX 5u /* of a socket that nobody listens on */
#define LENGTH_BYTES_MAX 10u

static const char *const state_names[] = {"data/priv_validator_state.json", "data/signer_state.json"};
#define STATE_COUNT (sizeof state_names / sizeof *state_names)

struct signer {
	struct privval privval;
	struct folder_path home;
	struct sockaddr_un address;
	struct signer_key key;
	int lock;
	atomic_bool is_stopping, is_connected;
	atomic_ullong height, refused; /* for the operator */
	struct ops ops;
	struct ops_server *ops_server; /* NULL: nobody asks */
};

/* --- what the key signed last --- */

static void put_state(struct buf *out, const struct privval_state *state) {
	struct json_writer writer = json_writer(out);
	char height[24];
	struct buf text;
	buf_init(&text, 4 * sizeof state->sign_bytes);
	snprintf(height, sizeof height, "%llu", (unsigned long long)state->height);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "height", height);
	json_put_u64(&writer, "round", state->round);
	json_put_u64(&writer, "step", state->step);
	if (state->sign_len) {
		base64_put(&text, bytes_make(state->signature, sizeof state->signature));
		json_put_string(&writer, "signature", buf_view(&text));
		buf_clear(&text);
		hex_put(&text, bytes_make(state->sign_bytes, state->sign_len), false);
		for (size_t i = 0; i < text.len; i++)
			if (text.data[i] >= 'a') text.data[i] = (uint8_t)(text.data[i] - 'a' + 'A');
		json_put_string(&writer, "signbytes", buf_view(&text));
	}
	json_object_end(&writer);
	buf_byte(out, '\n');
	buf_fini(&text);
}

static enum status save(void *context, const struct privval_state *state, struct err *err) {
	struct signer *signer = context;
	struct folder_path path;
	struct buf text;
	enum status status = STATUS_OK;
	buf_init(&text, FILE_BYTES_MAX);
	put_state(&text, state);
	for (size_t i = 0; status == STATUS_OK && i < STATE_COUNT; i++) {
		status = folders_join(&path, signer->home.text, state_names[i], err);
		if (status == STATUS_OK) status = files_write(path.text, buf_view(&text), err);
	}
	buf_fini(&text);
	if (status != STATUS_OK && err) log_error("signer", "nothing is signed: %s", err->message);
	return status;
}

static bool take_number(uint64_t *out, const struct json *value, uint64_t max) {
	const struct json number = {.type = JSON_NUMBER, .text = value ? value->text : (struct bytes){NULL, 0}};
	return (json_is(value, JSON_STRING) || json_is(value, JSON_NUMBER)) && json_u64(out, &number) && *out <= max;
}

/* "0801…" in any case. */
static bool take_sign_bytes(struct privval_state *out, struct bytes digits) {
	char text[2 + 2 * PRIVVAL_SIGN_BYTES_MAX + 1] = "0x";
	if (digits.len % 2 || digits.len > 2 * PRIVVAL_SIGN_BYTES_MAX) return false;
	for (size_t i = 0; i < digits.len; i++) {
		const uint8_t c = digits.data[i];
		text[2 + i] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
	}
	out->sign_len = digits.len / 2;
	return hex_fixed(out->sign_bytes, out->sign_len, bytes_text(text)) == STATUS_OK;
}

static bool take_signature(struct privval_state *out, struct bytes text) {
	struct buf signature;
	buf_init(&signature, sizeof out->signature);
	const bool is_one = base64_data(&signature, text) == STATUS_OK && signature.len == sizeof out->signature;
	if (is_one) memcpy(out->signature, signature.data, sizeof out->signature);
	buf_fini(&signature);
	return is_one;
}

static bool take_state(struct privval_state *out, const struct json *root) {
	uint64_t round, step;
	const struct json *signature = json_get(root, "signature"), *text = json_get(root, "signbytes");
	if (!take_number(&out->height, json_get(root, "height"), INT64_MAX) ||
	    !take_number(&round, json_get(root, "round"), INT32_MAX) ||
	    !take_number(&step, json_get(root, "step"), PRIVVAL_PRECOMMIT))
		return false;
	out->round = (uint32_t)round;
	out->step = (enum privval_step)step;
	if (!signature || !text) return !signature && !text;
	return take_signature(out, json_string(signature)) && take_sign_bytes(out, json_string(text));
}

/* STATUS_NOTFOUND: there is no such file. */
static enum status read_json(
    const struct json **root, struct arena *arena, struct buf *text, const char *path, struct err *err) {
	TRY(files_read(text, path, err));
	const enum status status = json_parse(root, arena, buf_view(text), NULL, err);
	return status == STATUS_OK ? status : err_prefix(err, status, "%s", path);
}

static enum status load_state(struct privval_state *out, const char *path, struct err *err) {
	struct arena arena;
	struct buf text;
	const struct json *root = NULL;
	arena_init(&arena);
	buf_init(&text, FILE_BYTES_MAX);
	enum status status = read_json(&root, &arena, &text, path, err);
	if (status == STATUS_OK && !take_state(out, root))
		status = err_set(err, STATUS_INVALID, "%s does not say what the key signed last", path);
	buf_fini(&text);
	arena_fini(&arena);
	return status;
}

/* The newer one of both. The first has to be there: without it, nobody knows what the key has signed. */
static enum status load(struct signer *signer, struct err *err) {
	struct privval_state *state = &signer->privval.state;
	struct folder_path path;
	for (size_t i = 0; i < STATE_COUNT; i++) {
		struct privval_state found = {.height = 0};
		TRY(folders_join(&path, signer->home.text, state_names[i], err));
		const enum status status = load_state(&found, path.text, err);
		if (status == STATUS_NOTFOUND && i > 0) continue;
		TRY(status);
		const int order = privval_compare(&found, state);
		if (i > 0 && order == 0 && found.sign_len && state->sign_len &&
		    (found.sign_len != state->sign_len ||
			memcmp(found.sign_bytes, state->sign_bytes, found.sign_len) != 0))
			return err_set(err, STATUS_CORRUPT, "%s and %s say that two things were signed at one place",
			    state_names[0], state_names[1]);
		if (order > 0 || i == 0) *state = found;
	}
	return STATUS_OK;
}

/* --- life --- */

static enum status guard(struct signer *signer, uint64_t above, struct err *err) {
	const char *home = signer->home.text;
	bool is_copy;
	TRY(signing_guard_check(home, &is_copy, err));
	TRY(load(signer, err));
	if (above) {
		if (above < signer->privval.state.height)
			return err_set(err, STATUS_DENIED, "the key signed at height %llu: --above cannot be lower",
			    (unsigned long long)signer->privval.state.height);
		signer->privval.state =
		    (struct privval_state){.height = above, .round = INT32_MAX, .step = PRIVVAL_PRECOMMIT};
		TRY(save(signer, &signer->privval.state, err));
		return signing_guard_release(home, above, err);
	}
	if (!is_copy) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "%s is a copy, and the original's key may have signed since: stop the original, and give --above the height "
	    "that the chain has, plus 2",
	    home);
}

static bool is_socket(const char *path) {
	struct stat info;
	return lstat(path, &info) == 0 && S_ISSOCK(info.st_mode);
}

static enum status take_address(struct signer *signer, const char *path, struct err *err) {
	struct stat info;
	if (strlen(path) >= sizeof signer->address.sun_path)
		return err_set(err, STATUS_INVALID, "the socket's path is too long");
	memcpy(signer->address.sun_path, path, strlen(path) + 1);
	if (lstat(path, &info) != 0 || S_ISSOCK(info.st_mode)) return STATUS_OK; /* CometBFT makes it */
	return err_set(err, STATUS_INVALID, "%s is there, and is not a socket", path);
}

static enum status take_lock(struct signer *signer, struct err *err) {
	struct folder_path path;
	TRY(folders_join(&path, signer->home.text, "data/signer.lock", err));
	signer->lock = open(path.text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (signer->lock < 0) return err_set(err, STATUS_IO, "cannot make %s: %s", path.text, strerror(errno));
	if (flock(signer->lock, LOCK_EX | LOCK_NB) == 0) return STATUS_OK;
	return err_set(err, STATUS_BUSY, "another signer has %s", signer->home.text);
}

/* --- for the operator --- */

static void check(void *context, struct readiness *out) {
	struct signer *signer = context;
	char detail[TOKEN_DETAIL_BYTES];
	const bool is_connected = atomic_load(&signer->is_connected);
	readiness_add(out, "cometbft", is_connected, is_connected ? "asks at %s" : "does not listen at %s",
	    signer->address.sun_path);
	if (signer->key.token) readiness_add(out, "token", token_look(signer->key.token, detail), "%s", detail);
}

static void write_metrics(void *context, struct buf *out) {
	struct signer *signer = context;
	metric_put(
	    out, METRIC_GAUGE, "signer_height", "The newest height that was signed.", atomic_load(&signer->height));
	metric_put(out, METRIC_COUNTER, "signer_refused_total",
	    "Requests that would have been a second signature, or an older one.", atomic_load(&signer->refused));
}

static void count(struct signer *signer) {
	atomic_store(&signer->height, signer->privval.state.height);
	atomic_store(&signer->refused, signer->privval.refused);
}

static enum status open_ops(struct signer *signer, uint16_t port, struct err *err) {
	signer->ops = (struct ops){.check = check, .metrics = write_metrics, .context = signer};
	return port ? ops_server_open(&signer->ops_server, &signer->ops, "127.0.0.1", port, err) : STATUS_OK;
}

enum status signer_open(struct signer **out, const struct signer_options *options, struct err *err) {
	struct signer *signer = mem_zalloc(1, sizeof *signer);
	signer->lock = -1;
	signer->privval.save = save;
	signer->privval.context = signer;
	signer->address.sun_family = AF_UNIX;
	snprintf(signer->home.text, sizeof signer->home.text, "%s", options->home);
	enum status status = STATUS_OK;
	if (options->above > INT64_MAX || strlen(options->home) >= sizeof signer->home.text)
		status = err_set(err, STATUS_INVALID, "a path is too long, or a height too high");
	if (status == STATUS_OK) status = take_address(signer, options->socket, err);
	if (status == STATUS_OK) status = take_lock(signer, err);
	if (status == STATUS_OK) status = signer_key_open(&signer->key, signer->home.text, options->key, err);
	signer->privval.key = signer->key.key;
	if (status == STATUS_OK) status = guard(signer, options->above, err);
	count(signer);
	if (status == STATUS_OK) status = open_ops(signer, options->ops_port, err);
	*out = status == STATUS_OK ? signer : NULL;
	if (status != STATUS_OK) signer_close(signer);
	return status;
}

hash32 signer_validator_key(const struct signer *signer) {
	return signer_key_public(&signer->key);
}

uint64_t signer_height(const struct signer *signer) {
	return signer->privval.state.height;
}

void signer_stop(struct signer *signer) {
	atomic_store(&signer->is_stopping, true);
}

void signer_close(struct signer *signer) {
	if (!signer) return;
	ops_server_close(signer->ops_server);
	signer_key_close(&signer->key);
	if (signer->lock >= 0) close(signer->lock);
	mem_wipe(signer, sizeof *signer);
	mem_free(signer);
}

/* --- one connection --- */

/* False: it is over, or the signer stops. */
static bool read_some(struct signer *signer, int fd, struct buf *in) {
	uint8_t piece[4096];
	struct pollfd waits = {.fd = fd, .events = POLLIN};
	while (!atomic_load(&signer->is_stopping)) {
		if (poll(&waits, 1, LOOK_MS) <= 0) continue;
		const ssize_t got = read(fd, piece, sizeof piece);
		if (got <= 0) return false;
		buf_append(in, bytes_make(piece, (size_t)got));
		return !in->overflow;
	}
	return false;
}

static bool write_all(int fd, struct bytes text) {
	while (text.len) {
		const ssize_t done = send(fd, text.data, text.len, MSG_NOSIGNAL);
		if (done <= 0) return false;
		text = bytes_slice(text, (size_t)done, text.len);
	}
	return true;
}

/* False: the connection is of no use any more. */
static bool answer(struct signer *signer, int fd, struct bytes message) {
	struct buf out, framed;
	struct err err = {0};
	buf_init(&out, 2 * PRIVVAL_MESSAGE_MAX);
	buf_init(&framed, 2 * PRIVVAL_MESSAGE_MAX + LENGTH_BYTES_MAX);
	const enum status status = privval_answer(&signer->privval, &out, message, &err);
	if (err.message[0]) log_warn("signer", "not signed: %s", err.message);
	count(signer);
	protobuf_put_uvarint(&framed, out.len);
	buf_append(&framed, buf_view(&out));
	const bool is_sent = status == STATUS_OK && !framed.overflow && write_all(fd, buf_view(&framed));
	buf_fini(&out);
	buf_fini(&framed);
	return is_sent;
}

/* Whole messages at the front of what came, each behind its length. */
static bool answer_all(struct signer *signer, int fd, struct buf *in) {
	for (;;) {
		struct bytes rest = buf_view(in);
		uint64_t len;
		if (!protobuf_uvarint(&len, &rest)) return rest.len < LENGTH_BYTES_MAX;
		if (len > PRIVVAL_MESSAGE_MAX) return false;
		if (rest.len < len) return true;
		if (!answer(signer, fd, bytes_slice(rest, 0, len))) return false;
		rest = bytes_slice(rest, len, rest.len);
		memmove(in->data, rest.data, rest.len);
		in->len = rest.len;
	}
}

static void serve(struct signer *signer, int fd) {
	struct buf in;
	buf_init(&in, PRIVVAL_MESSAGE_MAX + 2 * LENGTH_BYTES_MAX + 4096);
	log_info("signer", "CometBFT is at %s", signer->address.sun_path);
	atomic_store(&signer->is_connected, true);
	while (read_some(signer, fd, &in) && answer_all(signer, fd, &in)) continue;
	atomic_store(&signer->is_connected, false);
	buf_fini(&in);
	log_info("signer", "the connection to CometBFT is over");
}

/* A CometBFT that was killed leaves its socket, and the next one cannot bind it. Linux refuses a connection to a file
 * of any other kind in the same way: such a file is somebody's. */
static void remove_stale(struct signer *signer, unsigned *refusals, bool is_refused) {
	*refusals = is_refused ? *refusals + 1 : 0;
	if (*refusals < REFUSALS_MAX) return;
	*refusals = 0;
	if (is_socket(signer->address.sun_path) && unlink(signer->address.sun_path) == 0)
		log_info("signer", "%s was removed: nobody listens there", signer->address.sun_path);
}

enum status signer_run(struct signer *signer, struct err *err) {
	unsigned refusals = 0;
	while (!atomic_load(&signer->is_stopping)) {
		const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0) return err_set(err, STATUS_IO, "cannot make a socket: %s", strerror(errno));
		if (connect(fd, (struct sockaddr *)&signer->address, sizeof signer->address) == 0)
			serve(signer, fd);
		else
			remove_stale(signer, &refusals, errno == ECONNREFUSED);
		close(fd);
		if (!atomic_load(&signer->is_stopping)) world_sleep_ms(NULL, DIAL_EVERY_MS);
	}
	return STATUS_OK;
}
