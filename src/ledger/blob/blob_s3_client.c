#include "ledger/blob/blob_s3_client.h"

#include <pthread.h>
#include <stdio.h>

#include "codec/xml.h"
#include "crypto/hash.h"

#define CLIENTS_MAX 16u
#define ATTEMPTS 4u
#define PAUSE_MS 200u /* after the first failure; doubles */
#define ANSWER_MS 4000u
#define BYTES_A_SECOND ((size_t)2621440) /* of a body, at least */
#define REST_MS 1000u
#define ERROR_MAX ((size_t)64 << 10)
#define LIST_MAX ((size_t)4 << 20)
#define TOKEN_MAX 3072u /* and three times as long when it is escaped */
#define URL_MAX 16384u
#define SUM_MAX 96u

struct blob_s3_client {
	struct blob_s3_options options;
	pthread_mutex_t lock; /* of what follows */
	struct http_client free_clients[CLIENTS_MAX];
	size_t free_count;
	struct blob_s3_counts counts;
	uint64_t rests_until_ms;
};

struct request {
	enum http_method method;
	const char *path; /* of the URL, behind the bucket's: "/key" or "?query" */
	const char *header;
	struct bytes body;
	size_t answer_max;
};

struct blob_s3_client *blob_s3_client_new(const struct blob_s3_options *options) {
	struct blob_s3_client *client = mem_zalloc(1, sizeof *client);
	client->options = *options;
	client->counts.is_up = true;
	pthread_mutex_init(&client->lock, NULL);
	return client;
}

void blob_s3_client_free(struct blob_s3_client *client) {
	if (!client) return;
	for (size_t i = 0; i < client->free_count; i++)
		client->options.close(client->options.context, &client->free_clients[i]);
	pthread_mutex_destroy(&client->lock);
	mem_free(client);
}

struct blob_s3_counts blob_s3_client_counts(struct blob_s3_client *client) {
	pthread_mutex_lock(&client->lock);
	const struct blob_s3_counts counts = client->counts;
	pthread_mutex_unlock(&client->lock);
	return counts;
}

/* --- what an answer means --- */

/* The code in an answer's error; empty: it has none. In the arena. */
static struct bytes error_code(struct arena *arena, struct bytes body) {
	const struct xml *root;
	if (body.len == 0 || xml_parse(&root, arena, body, NULL) != STATUS_OK || !xml_is(root, "Error"))
		return (struct bytes){NULL, 0};
	const struct xml *code = xml_child(root, "Code");
	return code ? code->text : (struct bytes){NULL, 0};
}

struct meaning {
	const char *code, *words;
};
static const struct meaning meanings[] = {
    {"RequestTimeTooSkewed", "this machine's clock differs too much from the store's: set it right"},
    {"SignatureDoesNotMatch", "the store does not accept the signature: is the secret key the one of this access key?"},
    {"InvalidAccessKeyId", "the store does not know the access key"},
    {"ExpiredToken", "the session token has expired"},
    {"InvalidToken", "the session token is not valid"},
    {"AuthorizationHeaderMalformed", "the bucket is in another region than blob-s3-region says"},
    {"PermanentRedirect", "the bucket is at another endpoint"},
    {"NoSuchBucket", "there is no such bucket"},
    {"AccessDenied",
	"the access key may not do this: it needs to get, put, delete and list objects, and to see whether "
	"the bucket keeps versions"},
};

static enum status refused(const struct blob_s3_client *client, int http_status, struct bytes code, struct err *err) {
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (bytes_equal(code, bytes_text(meanings[i].code)))
			return err_set(err, STATUS_DENIED, "bucket %s: %s (%s)", client->options.bucket,
			    meanings[i].words, meanings[i].code);
	char shown[64] = "";
	for (size_t i = 0; i < code.len && i + 1 < sizeof shown; i++)
		shown[i] = code.data[i] >= '!' && code.data[i] <= '~' ? (char)code.data[i] : '?';
	return err_set(err, STATUS_DENIED, "bucket %s: the store answers with HTTP status %d %s",
	    client->options.bucket, http_status, shown);
}

/* `*again`: it may be another answer in a moment. */
static enum status judge(
    const struct blob_s3_client *client, bool *again, const struct http_response *response, struct err *err) {
	const int status = response->status;
	struct arena arena;
	if (status >= 200 && status < 300) return STATUS_OK;
	arena_init(&arena);
	const struct bytes code = error_code(&arena, buf_view(&response->body));
	*again = status >= 500 || status == 429 || bytes_equal(code, BYTES_LITERAL("RequestTimeout"));
	enum status judged = refused(client, status, code, err);
	if (status == 404 && bytes_equal(code, BYTES_LITERAL("NoSuchKey"))) judged = STATUS_NOTFOUND;
	if (status == 501) judged = STATUS_UNSUPPORTED;
	arena_fini(&arena);
	*again &= judged == STATUS_DENIED;
	return *again ? STATUS_IO : judged;
}

/* --- one request --- */

static enum status borrow(struct blob_s3_client *client, struct http_client *out, struct err *err) {
	pthread_mutex_lock(&client->lock);
	const bool has = client->free_count > 0;
	if (has) *out = client->free_clients[--client->free_count];
	pthread_mutex_unlock(&client->lock);
	return has ? STATUS_OK : client->options.open(client->options.context, out, err);
}

static void give_back(struct blob_s3_client *client, struct http_client *http) {
	pthread_mutex_lock(&client->lock);
	const bool is_kept = client->free_count < CLIENTS_MAX;
	if (is_kept) client->free_clients[client->free_count++] = *http;
	pthread_mutex_unlock(&client->lock);
	if (!is_kept) client->options.close(client->options.context, http);
}

static void write_sum(char out[SUM_MAX], struct bytes body) {
	const hash32 hash = sha256(body);
	int len = snprintf(out, SUM_MAX, "x-amz-content-sha256: ");
	for (size_t i = 0; i < 32; i++) len += snprintf(out + len, SUM_MAX - (size_t)len, "%02x", hash.b[i]);
}

static enum status attempt(struct blob_s3_client *client, struct http_client *http, struct http_response *response,
    const struct request *request, bool *again, struct err *err) {
	char url[URL_MAX], sum[SUM_MAX];
	*again = false;
	write_sum(sum, request->body);
	if ((size_t)snprintf(url, sizeof url, "%s%s", client->options.url, request->path) >= sizeof url)
		return err_set(err, STATUS_DENIED, "the URL of the object store is too long");
	const char *headers[] = {sum, request->header ? request->header : "Content-Type: application/octet-stream",
	    client->options.header, NULL};
	if (http->limit)
		http->limit(http->context,
		    ANSWER_MS + (uint32_t)((request->body.len + request->answer_max) * 1000 / BYTES_A_SECOND));
	const enum status status =
	    http->exchange(http->context, response, request->method, url, headers, request->body, err);
	if (status == STATUS_OK) return judge(client, again, response, err);
	if (status == STATUS_LIMIT) return STATUS_CORRUPT;
	*again = status != STATUS_INVALID;
	return *again ? STATUS_IO : STATUS_DENIED;
}

static enum status is_resting(struct blob_s3_client *client, struct err *err) {
	pthread_mutex_lock(&client->lock);
	const bool rests = clock_now_ms(client->options.clock) < client->rests_until_ms;
	if (rests) err_set(err, STATUS_IO, "%s", client->counts.why);
	pthread_mutex_unlock(&client->lock);
	return rests ? STATUS_IO : STATUS_OK;
}

static void note(struct blob_s3_client *client, enum status status, uint32_t attempts, const struct err *err) {
	const bool is_up = status != STATUS_IO && status != STATUS_DENIED;
	pthread_mutex_lock(&client->lock);
	struct blob_s3_counts *counts = &client->counts;
	counts->requests++;
	counts->retries += attempts - 1;
	counts->failures += !is_up;
	counts->is_up = is_up;
	snprintf(counts->why, sizeof counts->why, "%.255s", is_up ? "" : err->message);
	client->rests_until_ms = status == STATUS_IO ? clock_now_ms(client->options.clock) + REST_MS : 0;
	pthread_mutex_unlock(&client->lock);
}

static enum status ask(
    struct blob_s3_client *client, struct http_response *response, const struct request *request, struct err *err) {
	struct http_client http;
	struct err why = {0};
	enum status status;
	bool again = true;
	uint32_t attempts = 0;
	TRY(is_resting(client, err));
	TRY(borrow(client, &http, err));
	http_response_init(response, request->answer_max + ERROR_MAX);
	do {
		if (attempts > 0) client->options.sleep_ms(client->options.context, PAUSE_MS << (attempts - 1));
		status = attempt(client, &http, response, request, &again, &why);
		attempts++;
	} while (again && attempts < ATTEMPTS);
	give_back(client, &http);
	note(client, status, attempts, &why);
	return status == STATUS_OK ? STATUS_OK : err_set(err, status, "the object store: %s", why.message);
}

static enum status ask_of_key(struct blob_s3_client *client, struct http_response *response, const char *key,
    struct request *request, struct err *err) {
	char path[S3_PREFIX_MAX + S3_KEY_MAX];
	BUG_ON((size_t)snprintf(path, sizeof path, "/%s%s", client->options.prefix, key) >= sizeof path);
	request->path = path;
	return ask(client, response, request, err);
}

/* --- objects --- */

enum status blob_s3_put(struct blob_s3_client *client, const char *key, struct bytes content, struct err *err) {
	struct http_response response = {0};
	struct request request = {.method = HTTP_PUT, .body = content};
	const enum status status = ask_of_key(client, &response, key, &request, err);
	http_response_fini(&response);
	return status;
}

enum status blob_s3_get(struct blob_s3_client *client, struct buf *out, const char *key, size_t most, struct err *err) {
	struct http_response response = {0};
	struct request request = {.method = HTTP_GET, .answer_max = most};
	enum status status = ask_of_key(client, &response, key, &request, err);
	if (status == STATUS_OK && response.body.len > most)
		status = err_set(err, STATUS_CORRUPT, "the object store gives more bytes than were put");
	if (status == STATUS_OK) buf_append(out, buf_view(&response.body));
	http_response_fini(&response);
	return status == STATUS_OK ? buf_status(out, err) : status;
}

/* "content-range: bytes 0-0/1234" */
static bool read_range(uint64_t *size, const struct http_response *response) {
	static const char name[] = "content-range: bytes 0-0/";
	char value[32] = "";
	for (struct bytes rest = buf_view(&response->headers); rest.len > 0;) {
		const uint8_t *end = memchr(rest.data, '\n', rest.len);
		const size_t len = end ? (size_t)(end - rest.data) + 1 : rest.len;
		size_t same = 0;
		while (same < sizeof name - 1 && same < len && (rest.data[same] | 0x20) == (uint8_t)(name[same] | 0x20))
			same++;
		if (same == sizeof name - 1 && len - same < sizeof value) memcpy(value, rest.data + same, len - same);
		rest = bytes_slice(rest, len, rest.len);
	}
	int used = 0;
	unsigned long long number;
	if (sscanf(value, "%19llu%n", &number, &used) != 1 || value[0] < '0' || value[0] > '9') return false;
	*size = number;
	return value[used] == '\r' || value[used] == '\n';
}

enum status blob_s3_size(struct blob_s3_client *client, uint64_t *out, const char *key, struct err *err) {
	struct http_response response = {0};
	struct request request = {.method = HTTP_GET, .header = "Range: bytes=0-0", .answer_max = 1};
	enum status status = ask_of_key(client, &response, key, &request, err);
	if (status == STATUS_OK && !read_range(out, &response))
		status = err_set(err, STATUS_CORRUPT, "the object store does not say how large an object is");
	http_response_fini(&response);
	return status;
}

enum status blob_s3_delete(struct blob_s3_client *client, const char *key, struct err *err) {
	struct http_response response = {0};
	struct request request = {.method = HTTP_DELETE};
	const enum status status = ask_of_key(client, &response, key, &request, err);
	http_response_fini(&response);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

/* --- the bucket --- */

static enum status malformed(struct err *err) {
	return err_set(err, STATUS_IO, "the object store's answer is not what S3 answers");
}

/* '=' stands behind the name: libcurl signs the query as it is. */
enum status blob_s3_keeps_versions(struct blob_s3_client *client, bool *keeps, struct err *err) {
	struct http_response response = {0};
	const struct request request = {.method = HTTP_GET, .path = "/?versioning="};
	struct arena arena;
	const struct xml *root;
	arena_init(&arena);
	*keeps = false;
	enum status status = ask(client, &response, &request, err);
	if (status == STATUS_UNSUPPORTED) {
		status = STATUS_OK;
	} else if (status == STATUS_OK) {
		if (xml_parse(&root, &arena, buf_view(&response.body), NULL) != STATUS_OK ||
		    !xml_is(root, "VersioningConfiguration"))
			status = malformed(err);
		else
			*keeps = xml_child(root, "Status") != NULL;
	}
	http_response_fini(&response);
	arena_fini(&arena);
	return status;
}

static void escape(struct buf *out, struct bytes text) {
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = text.data[i];
		const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				      c == '-' || c == '.' || c == '_' || c == '~';
		if (is_plain)
			buf_byte(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static bool read_size(uint64_t *out, struct bytes text) {
	*out = 0;
	if (text.len == 0 || text.len > 18) return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') return false;
		*out = *out * 10 + (uint64_t)(text.data[i] - '0');
	}
	return true;
}

/* What is under the prefix; a store that lists anything else, or goes round in circles, is none. */
static bool read_page(struct blob_s3_page *out, const struct xml *root, struct bytes prefix, struct bytes token) {
	if (!xml_is(root, "ListBucketResult")) return false;
	out->count = 0;
	xml_foreach(entry, root) {
		if (!xml_is(entry, "Contents")) continue;
		const struct xml *key = xml_child(entry, "Key"), *size = xml_child(entry, "Size");
		if (out->count == S3_PAGE_MAX || !key || !size || key->text.len > S3_KEY_MAX) return false;
		if (!bytes_equal(bytes_slice(key->text, 0, prefix.len), prefix)) return false;
		struct blob_s3_object *object = &out->objects[out->count++];
		object->key = bytes_slice(key->text, prefix.len, key->text.len);
		if (!read_size(&object->size_bytes, size->text)) return false;
	}
	const struct xml *more = xml_child(root, "IsTruncated"), *next = xml_child(root, "NextContinuationToken");
	const bool has_more = more && bytes_equal(more->text, BYTES_LITERAL("true"));
	out->next = has_more && next ? next->text : (struct bytes){NULL, 0};
	if (!more || out->next.len > TOKEN_MAX) return false;
	return !has_more || (out->next.len > 0 && !bytes_equal(out->next, token));
}

enum status blob_s3_list(
    struct blob_s3_client *client, struct blob_s3_page *out, struct arena *arena, struct bytes token, struct err *err) {
	struct http_response response = {0};
	struct request request = {.method = HTTP_GET, .answer_max = LIST_MAX};
	struct buf path;
	const struct xml *root;
	buf_init(&path, URL_MAX);
	buf_text(&path, "/?");
	if (token.len > 0) {
		buf_text(&path, "continuation-token=");
		escape(&path, token);
		buf_byte(&path, '&');
	}
	buf_printf(&path, "list-type=2&max-keys=%u&prefix=", S3_PAGE_MAX);
	escape(&path, bytes_text(client->options.prefix));
	request.path = buf_cstr(&path);
	enum status status = ask(client, &response, &request, err);
	if (status == STATUS_OK) {
		const struct bytes text = arena_dup(arena, buf_view(&response.body));
		if (xml_parse(&root, arena, text, NULL) != STATUS_OK ||
		    !read_page(out, root, bytes_text(client->options.prefix), token))
			status = malformed(err);
	}
	http_response_fini(&response);
	buf_fini(&path);
	return status;
}
