/* An S3 store in memory behind `struct http_client`: what a test puts is kept, and what the test says goes wrong. */
#ifndef TESTS_MEMORY_S3_H
#define TESTS_MEMORY_S3_H

#include <stdlib.h>

#include "ledger/blob/blob_s3_client.h"
#include "tests/unit.h"

#define MEMORY_S3_URL "http://memory/bucket"
#define MEMORY_S3_OBJECTS 4096u

struct memory_s3_object {
	char key[160];
	struct buf content;
};
struct memory_s3 {
	struct memory_s3_object *objects;
	size_t count;
	bool keeps_versions, is_down;
	size_t fails; /* so many of the next requests are answered with `failure` */
	int failure;
	const char *code; /* of its error */
	bool cuts;        /* the next requests end without an answer, `fails` times */
	bool flips;       /* a bit of each content that is read, but of "owner" */
	bool loses;       /* what is put */
	size_t page;      /* of a list; 0: 1,000 */
	size_t requests, slept_ms;
	struct blob_s3_options options;
	const struct clock_source *clock;
};

static inline struct memory_s3_object *memory_s3_find(struct memory_s3 *s3, const char *key) {
	for (size_t i = 0; i < s3->count; i++)
		if (strcmp(s3->objects[i].key, key) == 0) return &s3->objects[i];
	return NULL;
}

static inline void memory_s3_put(struct memory_s3 *s3, const char *key, struct bytes content) {
	struct memory_s3_object *object = memory_s3_find(s3, key);
	if (!object) {
		assert_true(s3->count < MEMORY_S3_OBJECTS);
		object = &s3->objects[s3->count++];
		snprintf(object->key, sizeof object->key, "%s", key);
		buf_init(&object->content, 1 << 20);
	}
	buf_clear(&object->content);
	buf_append(&object->content, content);
}

static inline void memory_s3_remove(struct memory_s3 *s3, const char *key) {
	struct memory_s3_object *object = memory_s3_find(s3, key);
	if (!object) return;
	buf_fini(&object->content);
	*object = s3->objects[--s3->count];
}

static inline void memory_s3_error(struct http_response *response, int status, const char *code) {
	response->status = status;
	buf_printf(&response->body, "<Error><Code>%s</Code></Error>", code);
}

static inline int memory_s3_compare(const void *a, const void *b) {
	return strcmp(((const struct memory_s3_object *)a)->key, ((const struct memory_s3_object *)b)->key);
}

/* The token is the last key of the page before. */
static inline void memory_s3_list(struct memory_s3 *s3, struct http_response *response, const char *query) {
	char token[256] = "";
	const char *from = strstr(query, "continuation-token=");
	if (from) sscanf(from, "continuation-token=%255[^&]", token);
	qsort(s3->objects, s3->count, sizeof *s3->objects, memory_s3_compare);
	const size_t most = s3->page ? s3->page : 1000;
	size_t given = 0, i = 0;
	response->status = 200;
	buf_text(&response->body, "<ListBucketResult>");
	for (; i < s3->count && given < most; i++) {
		if (strcmp(s3->objects[i].key, token) <= 0) continue;
		buf_printf(&response->body, "<Contents><Key>%s</Key><Size>%zu</Size></Contents>", s3->objects[i].key,
		    s3->objects[i].content.len);
		given++;
	}
	buf_printf(&response->body, "<IsTruncated>%s</IsTruncated>", i < s3->count ? "true" : "false");
	if (i < s3->count)
		buf_printf(
		    &response->body, "<NextContinuationToken>%s</NextContinuationToken>", s3->objects[i - 1].key);
	buf_text(&response->body, "</ListBucketResult>");
}

static inline void memory_s3_get(
    struct memory_s3 *s3, struct http_response *response, const char *key, bool is_ranged) {
	const struct memory_s3_object *object = memory_s3_find(s3, key);
	if (!object) return memory_s3_error(response, 404, "NoSuchKey");
	response->status = is_ranged ? 206 : 200;
	buf_append(&response->body, bytes_slice(buf_view(&object->content), 0, is_ranged ? 1 : object->content.len));
	if (is_ranged) buf_printf(&response->headers, "Content-Range: bytes 0-0/%zu\r\n", object->content.len);
	if (s3->flips && strcmp(key, "owner") != 0) response->body.data[response->body.len - 1] ^= 1;
}

static inline enum status memory_s3_exchange(void *context, struct http_response *response, enum http_method method,
    const char *url, const char *const *headers, struct bytes body, struct err *err) {
	struct memory_s3 *s3 = context;
	s3->requests++;
	buf_clear(&response->body);
	buf_clear(&response->headers);
	if (s3->is_down) return err_set(err, STATUS_IO, "connection refused");
	if (s3->fails > 0) {
		s3->fails--;
		if (s3->cuts) return err_set(err, STATUS_TIMEOUT, "the connection was cut");
		memory_s3_error(response, s3->failure, s3->code);
		return STATUS_OK;
	}
	assert_memory_equal(url, MEMORY_S3_URL "/", sizeof MEMORY_S3_URL);
	assert_memory_equal(headers[0], "x-amz-content-sha256: ", 22);
	const char *key = url + sizeof MEMORY_S3_URL;
	response->status = 200;
	if (strcmp(key, "?versioning=") == 0)
		buf_printf(&response->body, "<VersioningConfiguration>%s</VersioningConfiguration>",
		    s3->keeps_versions ? "<Status>Suspended</Status>" : "");
	else if (*key == '?')
		memory_s3_list(s3, response, key);
	else if (method == HTTP_PUT && !s3->loses)
		memory_s3_put(s3, key, body);
	else if (method == HTTP_DELETE)
		memory_s3_remove(s3, key);
	else if (method == HTTP_GET)
		memory_s3_get(s3, response, key, strcmp(headers[1], "Range: bytes=0-0") == 0);
	return STATUS_OK;
}

static inline enum status memory_s3_open(void *context, struct http_client *out, struct err *err) {
	(void)err;
	*out = (struct http_client){.exchange = memory_s3_exchange, .context = context};
	return STATUS_OK;
}
static inline void memory_s3_close(void *context, struct http_client *client) {
	(void)context;
	(void)client;
}
static inline void memory_s3_sleep(void *context, uint32_t ms) {
	((struct memory_s3 *)context)->slept_ms += ms;
}

static inline void memory_s3_init(struct memory_s3 *s3, const struct clock_source *clock) {
	*s3 = (struct memory_s3){.objects = mem_zalloc(MEMORY_S3_OBJECTS, sizeof *s3->objects)};
	s3->options = (struct blob_s3_options){.url = MEMORY_S3_URL,
	    .bucket = "bucket",
	    .prefix = "",
	    .takes_puts = true,
	    .open = memory_s3_open,
	    .close = memory_s3_close,
	    .sleep_ms = memory_s3_sleep,
	    .context = s3,
	    .clock = clock};
}
static inline void memory_s3_fini(struct memory_s3 *s3) {
	for (size_t i = 0; i < s3->count; i++) buf_fini(&s3->objects[i].content);
	mem_free(s3->objects);
}

#endif
