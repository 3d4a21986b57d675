/* From an exchange to an entry of the trail. */
#include <stdio.h>

#include "base/route.h"
#include "health/gateway/fhir_looks.h"
#include "health/gateway/gateway_private.h"
#include "health/gateway/who.h"

#define WHAT_MAX 500u
#define FORM "application/x-www-form-urlencoded"

static bool begins(struct bytes text, const char *with) {
	return bytes_equal(bytes_slice(text, 0, strlen(with)), bytes_text(with));
}

static bool is_about_data(const struct http_exchange *exchange) {
	struct bytes path = exchange->request.path;
	return (begins(path, "/fhir") || begins(path, "/records") || begins(path, "/epcis")) && !who_is_open(path);
}

/* The names of parameters: "?code&date". Their values may say what somebody has. */
static void put_names(struct buf *out, struct bytes query, const char *before) {
	while (query.len) {
		size_t len = 0, name_len = 0;
		while (len < query.len && query.data[len] != '&') len++;
		while (name_len < len && query.data[name_len] != '=') name_len++;
		if (name_len) {
			buf_text(out, before);
			buf_append(out, bytes_slice(query, 0, name_len));
			before = "&";
		}
		query = bytes_slice(query, len + 1, query.len);
	}
}

static void put_what(struct buf *out, const struct http_request *request) {
	buf_append(out, bytes_slice(request->path, 0, WHAT_MAX));
	put_names(out, request->query, "?");
	if (request->body.len && route_accepts(FORM, http_header_get(request, "content-type")))
		put_names(out, request->body, request->query.len ? "&" : "?");
}

static void put_part(struct buf *out, struct bytes url) {
	const uint8_t *mark = url.len ? memchr(url.data, '?', url.len) : NULL;
	const size_t len = mark ? (size_t)(mark - url.data) : url.len;
	if (!begins(url, "http")) buf_text(out, "/fhir/");
	buf_append(out, bytes_slice(url, 0, len < WHAT_MAX / 2 ? len : WHAT_MAX / 2));
	put_names(out, bytes_slice(url, len + 1, url.len), "?");
}

/* A field's value among lines of an answer's header; empty: none. */
static struct bytes field_of(struct bytes lines, const char *name) {
	while (lines.len) {
		const uint8_t *end = memchr(lines.data, '\r', lines.len);
		size_t len = end ? (size_t)(end - lines.data) : lines.len;
		const struct bytes line = bytes_slice(lines, 0, len);
		if (begins(line, name)) return bytes_slice(line, strlen(name), len);
		lines = bytes_slice(lines, len + 2, lines.len);
	}
	return (struct bytes){NULL, 0};
}

/* One entry for so many folders as it may have. */
static void add(struct gateway *gateway, struct trail_entry *entry, const struct fhir_looks *looks) {
	const size_t count = looks ? looks->count : 0;
	size_t done = 0;
	do {
		entry->folders = count ? looks->folders + done : NULL;
		entry->folder_count = count - done < TRAIL_FOLDERS_MAX ? count - done : TRAIL_FOLDERS_MAX;
		entry->names_first = count && looks->names_first && done == 0;
		trail_add(gateway->options.trail, entry);
		done += entry->folder_count;
	} while (done < count);
}

void gateway_note_looks(struct gateway *gateway, const struct http_exchange *exchange, const struct asker *asker,
    const struct fhir_looks *looks) {
	struct buf what;
	if (!gateway->options.trail) return;
	buf_init(&what, WHAT_MAX);
	put_what(&what, &exchange->request);
	struct trail_entry entry = {.at_ms = clock_now_ms(gateway->options.clock),
	    .asker = asker,
	    .request = gateway_request_id(exchange),
	    .method = http_method_name(exchange->request.method),
	    .what = buf_view(&what),
	    .made = field_of(buf_view(&exchange->response.headers), "Location: "),
	    .status = exchange->response.status};
	add(gateway, &entry, looks);
	buf_fini(&what);
}

void gateway_note_part(struct gateway *gateway, const struct http_exchange *exchange, const struct asker *asker,
    const struct gateway_part *part) {
	struct buf what;
	if (!gateway->options.trail) return;
	buf_init(&what, WHAT_MAX);
	put_part(&what, part->url);
	struct trail_entry entry = {.at_ms = clock_now_ms(gateway->options.clock),
	    .asker = asker,
	    .request = gateway_request_id(exchange),
	    .method = part->method,
	    .what = buf_view(&what),
	    .made = part->made,
	    .status = part->status};
	add(gateway, &entry, part->looks);
	buf_fini(&what);
}

/* Who is not known gets no place in the trail: a stranger could fill it. */
void gateway_note(struct gateway *gateway, const struct http_exchange *exchange, char name[ASKER_NAME_BYTES]) {
	struct arena arena;
	struct asker asker;
	arena_init(&arena);
	name[0] = 0;
	if (who_identify(gateway, &asker, &arena, &exchange->request, NULL) == STATUS_OK) {
		memcpy(name, asker.name, sizeof asker.name);
		if (is_about_data(exchange) && !exchange->is_noted) gateway_note_looks(gateway, exchange, &asker, NULL);
	}
	arena_fini(&arena);
}
