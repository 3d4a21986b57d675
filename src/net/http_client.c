#include "net/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_MS_DEFAULT 10000u
#define TIMEOUT_MS_DEFAULT 60000u
#define CONTENT_TYPE_BYTES 128
#define SIGNER_BYTES 128
#define CONTINUE_MS 1L /* a body does not wait for "100 Continue" */

struct curl_client {
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	char content_type[CONTENT_TYPE_BYTES];
	long timeout_ms;                /* of an exchange, as it was made */
	struct http_response *response; /* of the exchange that runs */
	enum http_reach reach;
	bool signs;
};

void http_client_global_init(void) {
	BUG_ON(curl_global_init(CURL_GLOBAL_DEFAULT) != 0);
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
	struct curl_client *client = context;
	buf_append(&client->response->body, bytes_make(data, size * count));
	return client->response->body.overflow ? 0 : size * count;
}

/* One line of the answer's header; a status line begins a new header (after "100 Continue"). */
static size_t on_header(char *data, size_t size, size_t count, void *context) {
	struct curl_client *client = context;
	struct buf *headers = &client->response->headers;
	size_t len = size * count;
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
		buf_clear(headers);
	else if (len > 2)
		buf_append(headers, bytes_make(data, len));
	return headers->overflow ? 0 : len;
}

static enum status status_of(CURLcode code, const struct http_response *response) {
	if (response->body.overflow || response->headers.overflow) return STATUS_LIMIT;
	if (code == CURLE_OPERATION_TIMEDOUT) return STATUS_TIMEOUT;
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) return STATUS_INVALID;
	return STATUS_IO;
}

static void set_method(CURL *curl, enum http_method method, struct bytes body) {
	BUG_ON(method == HTTP_METHOD_OTHER);
	curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L); /* forgets the last exchange's body */
	if (method == HTTP_HEAD) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (method == HTTP_POST || method == HTTP_PUT || method == HTTP_PATCH || body.len) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.len ? (const char *)body.data : "");
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method == HTTP_HEAD ? NULL : http_method_name(method));
}

/* The caller's lines, and an empty Expect so that bodies go out at once; but if requests are signed, it would be. */
static struct curl_slist *header_list(const struct curl_client *client, const char *const *headers) {
	struct curl_slist *list = client->signs ? NULL : curl_slist_append(NULL, "Expect:");
	for (; headers && *headers; headers++) list = curl_slist_append(list, *headers);
	return list;
}

static enum status exchange(void *context, struct http_response *response, enum http_method method, const char *url,
    const char *const *headers, struct bytes body, struct err *err) {
	struct curl_client *client = context;
	CURL *curl = client->curl;
	client->response = response;
	client->error[0] = 0;
	buf_clear(&response->body);
	buf_clear(&response->headers);
	struct curl_slist *list = header_list(client, headers);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	set_method(curl, method, body);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(list);
	client->response = NULL;
	if (code != CURLE_OK) {
		enum status status = status_of(code, response);
		const char *why = status == STATUS_LIMIT ? "the answer is too large"
				  : client->error[0]     ? client->error
							 : curl_easy_strerror(code);
		return err_set(err, status, "%s: %s", url, why);
	}
	long http_status = 0;
	const char *type = NULL;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	snprintf(client->content_type, sizeof client->content_type, "%s", type ? type : "");
	response->status = (int)http_status;
	response->content_type = type ? client->content_type : NULL;
	return STATUS_OK;
}

static void limit(void *context, uint32_t timeout_ms) {
	struct curl_client *client = context;
	long most = client->timeout_ms;
	curl_easy_setopt(
	    client->curl, CURLOPT_TIMEOUT_MS, timeout_ms && (long)timeout_ms < most ? (long)timeout_ms : most);
}

/* libcurl copies the texts. */
static void set_tls(CURL *curl, const struct http_client_options *options) {
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (options->ca_file) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (options->cert_file) curl_easy_setopt(curl, CURLOPT_SSLCERT, options->cert_file);
	if (options->key_file) curl_easy_setopt(curl, CURLOPT_SSLKEY, options->key_file);
}

/* The address that is about to be connected to. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
	const struct curl_client *client = context;
	(void)purpose;
	if (!http_reach_admits(client->reach, &address->addr)) return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_reach(struct curl_client *client, enum http_reach reach) {
	client->reach = reach;
	if (reach == HTTP_REACH_ANY) return;
	curl_easy_setopt(client->curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(client->curl, CURLOPT_OPENSOCKETDATA, client);
}

static enum status set_sigv4(struct curl_client *client, const struct http_sigv4 *sigv4, struct err *err) {
	char signer[SIGNER_BYTES];
	if (!sigv4) return STATUS_OK;
	const int len = snprintf(signer, sizeof signer, "aws:amz:%s:s3", sigv4->region);
	if (len >= (int)sizeof signer) return err_set(err, STATUS_LIMIT, "the region's name is too long");
	client->signs = true;
	curl_easy_setopt(client->curl, CURLOPT_AWS_SIGV4, signer);
	curl_easy_setopt(client->curl, CURLOPT_USERNAME, sigv4->access_key);
	curl_easy_setopt(client->curl, CURLOPT_PASSWORD, sigv4->secret_key);
	curl_easy_setopt(client->curl, CURLOPT_EXPECT_100_TIMEOUT_MS, CONTINUE_MS);
	return STATUS_OK;
}

enum status http_client_open(struct http_client *out, const struct http_client_options *options, struct err *err) {
	*out = (struct http_client){0};
	struct curl_client *client = mem_zalloc(1, sizeof *client);
	CURL *curl = client->curl = curl_easy_init();
	if (!curl) {
		mem_free(client);
		return err_set(err, STATUS_INTERNAL, "libcurl does not start");
	}
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "xinglin");
	set_tls(curl, options);
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	set_reach(client, options->reach);
	if (options->unix_socket) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS_DEFAULT));
	client->timeout_ms = (long)(options->timeout_ms ? options->timeout_ms : TIMEOUT_MS_DEFAULT);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, client->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, client);
	*out = (struct http_client){exchange, client, limit};
	const enum status status = set_sigv4(client, options->sigv4, err);
	if (status != STATUS_OK) http_client_close(out);
	return status;
}

void http_client_close(struct http_client *client) {
	if (!client->context) return;
	struct curl_client *owned = client->context;
	curl_easy_cleanup(owned->curl);
	mem_free(owned);
	*client = (struct http_client){0};
}
