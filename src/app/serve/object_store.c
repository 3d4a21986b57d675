#include "app/serve/object_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/system.h"
#include "base/files.h"
#include "net/http_client.h"

#define CREDENTIALS_MAX ((size_t)64 << 10)
#define KEY_MAX 2048u /* a session token is long */
#define URL_BYTES 1024u
#define CONNECT_MS 3000u
#define ANSWER_MS 60000u

struct object_store {
	struct blob_s3_options options;
	char url[URL_BYTES], prefix[S3_PREFIX_MAX];
	char *region, *bucket, *ca_file;
	char access_key[KEY_MAX], secret_key[KEY_MAX], token_header[KEY_MAX + 32];
};

struct object_store_settings object_store_settings(const struct settings *settings) {
	const bool takes_puts = strcmp(settings_text(settings, "blob-store"), "s3") == 0;
	return (struct object_store_settings){.is_used = takes_puts || settings_text(settings, "blob-s3-bucket"),
	    .takes_puts = takes_puts,
	    .endpoint = settings_text(settings, "blob-s3-endpoint"),
	    .region = settings_text(settings, "blob-s3-region"),
	    .bucket = settings_text(settings, "blob-s3-bucket"),
	    .prefix = settings_text(settings, "blob-s3-prefix"),
	    .credentials = settings_text(settings, "blob-s3-credentials"),
	    .ca_file = settings_text(settings, "blob-s3-ca"),
	    .path_style = settings_is_on(settings, "blob-s3-path-style"),
	    .begins_anew = settings_is_on(settings, "blob-s3-anew")};
}

/* --- what is malformed --- */

static bool has_only(const char *text, const char *also) {
	for (; *text; text++) {
		const bool is_plain = (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') || *text == '-';
		if (!is_plain && !strchr(also, *text)) return false;
	}
	return true;
}

/* The host of "https://host:port", or of "http://" if that is this machine; NULL: it is none. */
static const char *host_of(const char *endpoint) {
	static const char *const own[] = {"127.0.0.1", "localhost", "[::1]"};
	if (strncmp(endpoint, "https://", 8) == 0) return endpoint + 8;
	if (strncmp(endpoint, "http://", 7) != 0) return NULL;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		const char *rest = endpoint + 7 + strlen(own[i]);
		if (strncmp(endpoint + 7, own[i], strlen(own[i])) == 0 && (!*rest || *rest == ':')) return endpoint + 7;
	}
	return NULL;
}

static bool is_endpoint(const char *endpoint) {
	const char *host = host_of(endpoint);
	return host && *host && strlen(endpoint) < 512 &&
	       strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789-.:[]") == strlen(host);
}

static bool is_prefix(const char *prefix) {
	return strlen(prefix) < S3_PREFIX_MAX - 2 && prefix[0] != '/' && !strstr(prefix, "//") &&
	       !strstr(prefix, "..") && has_only(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ._/");
}

void object_store_check(const struct settings *settings, struct problems *problems) {
	const struct object_store_settings store = object_store_settings(settings);
	if (!store.is_used) return;
	const char *where = settings_place(settings, "blob-store").text;
	if (!store.endpoint || !store.bucket)
		problems_add(problems, where, "an object store needs blob-s3-endpoint and blob-s3-bucket");
	if (store.endpoint && !is_endpoint(store.endpoint))
		problems_add(problems, settings_place(settings, "blob-s3-endpoint").text,
		    "\"%s\" is not https://HOST or https://HOST:PORT; http:// only leads to this machine",
		    store.endpoint);
	if (store.bucket && (strlen(store.bucket) < 3 || strlen(store.bucket) > 63 || !has_only(store.bucket, ".")))
		problems_add(problems, settings_place(settings, "blob-s3-bucket").text,
		    "a bucket's name has 3 to 63 of a-z, 0-9, '-' and '.'");
	if (!has_only(store.region, "") || strlen(store.region) > 64)
		problems_add(
		    problems, settings_place(settings, "blob-s3-region").text, "a region has a-z, 0-9 and '-'");
	if (store.prefix && !is_prefix(store.prefix))
		problems_add(problems, settings_place(settings, "blob-s3-prefix").text,
		    "a prefix has letters, digits, '.', '_', '-' and single '/', but not at its begin, and at most %u",
		    S3_PREFIX_MAX - 3);
}

/* --- keys --- */

/* A value has neither blanks nor control characters, so that no line of a request can be broken by it. */
static bool take_key(char out[KEY_MAX], const char *value) {
	const size_t len = strlen(value);
	if (len == 0 || len >= KEY_MAX) return false;
	for (size_t i = 0; i < len; i++)
		if (value[i] <= ' ' || value[i] > '~') return false;
	memcpy(out, value, len + 1);
	return true;
}

struct keys {
	char access[KEY_MAX], secret[KEY_MAX], token[KEY_MAX];
};

static char *trim(char *text) {
	while (*text == ' ' || *text == '\t') text++;
	for (size_t len = strlen(text); len > 0 && strchr(" \t\r", text[len - 1]); len--) text[len - 1] = 0;
	return text;
}

/* False: the line is none that is known. */
static bool read_line(struct keys *keys, char *line) {
	line = trim(line);
	if (!*line || *line == '#' || *line == ';' || strcmp(line, "[default]") == 0) return true;
	char *equals = strchr(line, '=');
	if (!equals) return false;
	*equals = 0;
	const char *name = trim(line), *value = trim(equals + 1);
	if (strcmp(name, "aws_access_key_id") == 0) return take_key(keys->access, value);
	if (strcmp(name, "aws_secret_access_key") == 0) return take_key(keys->secret, value);
	if (strcmp(name, "aws_session_token") == 0) return take_key(keys->token, value);
	return false;
}

static enum status read_file(struct keys *keys, const char *path, struct err *err) {
	struct buf text;
	unsigned number = 0;
	buf_init(&text, CREDENTIALS_MAX);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK && memchr(text.data, 0, text.len)) status = STATUS_INVALID;
	if (status == STATUS_OK) buf_byte(&text, 0);
	for (char *line = (char *)text.data, *next; status == STATUS_OK && line; line = next) {
		next = strchr(line, '\n');
		if (next) *next++ = 0;
		number++;
		if (!read_line(keys, line)) status = STATUS_INVALID;
	}
	if (status == STATUS_INVALID)
		err_set(err, status,
		    "%s:%u: neither [default] nor aws_access_key_id, aws_secret_access_key or aws_session_token with '=' and "
		    "a value",
		    path, number);
	buf_wipe(&text);
	return status;
}

static bool take_variable(char out[KEY_MAX], const char *name) {
	const char *value = getenv(name);
	return value && take_key(out, value);
}

static enum status read_keys(struct keys *keys, const char *path, struct err *err) {
	if (path) {
		TRY(read_file(keys, path, err));
	} else {
		(void)!take_variable(keys->access, "AWS_ACCESS_KEY_ID");
		(void)!take_variable(keys->secret, "AWS_SECRET_ACCESS_KEY");
		(void)!take_variable(keys->token, "AWS_SESSION_TOKEN");
	}
	if (keys->access[0] && keys->secret[0]) return STATUS_OK;
	if (path) return err_set(err, STATUS_INVALID, "%s does not have both an access key and a secret key", path);
	return err_set(err, STATUS_INVALID,
	    "the object store needs keys: blob-s3-credentials, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

/* --- clients --- */

static enum status open_client(void *context, struct http_client *out, struct err *err) {
	const struct object_store *store = context;
	const struct http_sigv4 sigv4 = {store->region, store->access_key, store->secret_key};
	const struct http_client_options options = {
	    .connect_timeout_ms = CONNECT_MS, .timeout_ms = ANSWER_MS, .ca_file = store->ca_file, .sigv4 = &sigv4};
	return http_client_open(out, &options, err);
}

static void close_client(void *context, struct http_client *client) {
	(void)context;
	http_client_close(client);
}

static void sleep_ms(void *context, uint32_t ms) {
	(void)context;
	world_sleep_ms(NULL, ms);
}

static void set_place(struct object_store *store, const struct object_store_settings *settings) {
	const char *host = host_of(settings->endpoint);
	const char *prefix = settings->prefix ? settings->prefix : "";
	const size_t len = strlen(prefix);
	const int scheme = (int)(host - settings->endpoint);
	snprintf(store->prefix, sizeof store->prefix, "%s%s", prefix, len > 0 && prefix[len - 1] != '/' ? "/" : "");
	if (settings->path_style)
		snprintf(store->url, sizeof store->url, "%s/%s", settings->endpoint, settings->bucket);
	else
		snprintf(
		    store->url, sizeof store->url, "%.*s%s.%s", scheme, settings->endpoint, settings->bucket, host);
	store->region = mem_strdup(settings->region);
	store->bucket = mem_strdup(settings->bucket);
	store->ca_file = settings->ca_file ? mem_strdup(settings->ca_file) : NULL;
}

static enum status set_keys(struct object_store *store, const char *path, struct err *err) {
	struct keys keys = {.access = ""};
	const enum status status = read_keys(&keys, path, err);
	memcpy(store->access_key, keys.access, sizeof store->access_key);
	memcpy(store->secret_key, keys.secret, sizeof store->secret_key);
	if (keys.token[0])
		snprintf(store->token_header, sizeof store->token_header, "x-amz-security-token: %s", keys.token);
	mem_wipe(&keys, sizeof keys);
	return status;
}

enum status object_store_open(
    struct object_store **out, const struct object_store_settings *settings, struct err *err) {
	*out = NULL;
	if (!settings->is_used) return STATUS_OK;
	struct object_store *store = mem_zalloc(1, sizeof *store);
	set_place(store, settings);
	const enum status status = set_keys(store, settings->credentials, err);
	if (status != STATUS_OK) {
		object_store_close(store);
		return status;
	}
	store->options = (struct blob_s3_options){.url = store->url,
	    .bucket = store->bucket,
	    .prefix = store->prefix,
	    .header = store->token_header[0] ? store->token_header : NULL,
	    .takes_puts = settings->takes_puts,
	    .begins_anew = settings->begins_anew,
	    .open = open_client,
	    .close = close_client,
	    .sleep_ms = sleep_ms,
	    .context = store,
	    .clock = &world_clock};
	*out = store;
	return STATUS_OK;
}

void object_store_close(struct object_store *store) {
	if (!store) return;
	mem_free(store->region);
	mem_free(store->bucket);
	mem_free(store->ca_file);
	mem_wipe(store, sizeof *store);
	mem_free(store);
}

const struct blob_s3_options *object_store_options(const struct object_store *store) {
	return store ? &store->options : NULL;
}
