/* What a Subscription asks for, and what of that this server does. */
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "health/fhir/search_query.h"
#include "health/gateway/fhir_hook_private.h"

#define TEXT(view) (int)((view).len < 120 ? (view).len : 120), (view).len ? (const char *)(view).data : ""

struct reading {
	struct fhir_hook_terms *out;
	struct arena *arena;
	struct fhir_issues *issues; /* or NULL */
	bool is_good;
};

static void refuse(struct reading *r, enum fhir_issue_code code, const char *where, const char *format, ...)
    PRINTF_LIKE(4, 5);
static void refuse(struct reading *r, enum fhir_issue_code code, const char *where, const char *format, ...) {
	char why[300];
	va_list arguments;
	r->is_good = false;
	if (!r->issues) return;
	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	fhir_issues_add(r->issues, FHIR_ERROR, code, where, why);
}

/* --- criteria --- */

static void check_search(struct reading *r, struct bytes text) {
	struct http_query query;
	struct fhir_search *search;
	struct fhir_issues *found = arena_zalloc(r->arena, 1, sizeof *found);
	struct err err;
	const struct fhir_search_settings settings = {
	    .defs = &fhir_r4, .type = r->out->type, .is_strict = true, .compartment = FHIR_NONE};
	fhir_issues_init(found, r->arena);
	if (http_query_parse(&query, r->arena, text, &err) != STATUS_OK) {
		refuse(r, FHIR_ISSUE_INVALID, "Subscription.criteria", "the criteria cannot be read: %s", err.message);
	} else if (fhir_search_read(&search, r->arena, &settings, &query, found) != STATUS_OK) {
		for (size_t i = 0; i < found->count; i++)
			refuse(r, found->list[i].code, "Subscription.criteria", "%s", found->list[i].diagnostics);
	} else if (!search->criteria || search->sort_count || search->include_count || search->cursor.len) {
		refuse(r, FHIR_ISSUE_NOT_SUPPORTED, "Subscription.criteria",
		    "criteria are search parameters that choose: _sort, _include and the like have no meaning here");
	}
}

static void read_criteria(struct reading *r, const struct json *subscription) {
	const struct bytes text = json_string(json_get(subscription, "criteria"));
	const uint8_t *mark = text.len ? memchr(text.data, '?', text.len) : NULL;
	const size_t len = mark ? (size_t)(mark - text.data) : text.len;
	r->out->type = fhir_definitions_resource(&fhir_r4, bytes_slice(text, 0, len));
	r->out->search = arena_dup(r->arena, bytes_slice(text, len + 1, text.len));
	if (r->out->type == FHIR_NONE)
		refuse(r, FHIR_ISSUE_VALUE, "Subscription.criteria",
		    "the criteria are \"%.*s\"; they begin with a resource type, as Observation?code=85354-9",
		    TEXT(text));
	else if (r->out->search.len)
		check_search(r, r->out->search);
}

/* --- channel --- */

static bool begins(struct bytes text, const char *word) {
	const size_t len = strlen(word);
	return text.len >= len && strncasecmp((const char *)text.data, word, len) == 0;
}

static bool is_printable(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f) return false;
	return text.len > 0;
}

static void read_endpoint(struct reading *r, const struct json *channel, bool may_be_plain) {
	const struct bytes text = json_string(json_get(channel, "endpoint"));
	const bool is_tls = begins(text, "https://"), is_plain = begins(text, "http://");
	const size_t start = is_tls ? 8 : 7;
	size_t host = start;
	while (host < text.len && !strchr("/?#", text.data[host])) host++;
	const bool has_user = host > start && memchr(text.data + start, '@', host - start);
	r->out->endpoint = arena_strdup(r->arena, text);
	if (!text.len)
		refuse(r, FHIR_ISSUE_REQUIRED, "Subscription.channel.endpoint", "a rest-hook needs an endpoint");
	else if ((!is_tls && !is_plain) || !is_printable(text) || text.len > FHIR_HOOK_ENDPOINT_MAX || host == start)
		refuse(r, FHIR_ISSUE_VALUE, "Subscription.channel.endpoint",
		    "the endpoint is a URL of https with at most %u characters", FHIR_HOOK_ENDPOINT_MAX);
	else if (is_plain && !may_be_plain)
		refuse(r, FHIR_ISSUE_VALUE, "Subscription.channel.endpoint", "notifications go over https alone");
	else if (has_user || memchr(text.data, '#', text.len) || memchr(text.data, '?', text.len))
		refuse(r, FHIR_ISSUE_VALUE, "Subscription.channel.endpoint",
		    "the endpoint has no user, query or fragment: what it has to know stands in channel.header");
}

/* Those that this server sets, or that would change where a request ends. */
static bool is_reserved(struct bytes name) {
	static const char *const names[] = {"host", "content-length", "content-type", "transfer-encoding", "connection",
	    "expect", "te", "trailer", "upgrade", "keep-alive", "proxy-connection", "x-hook-delivery",
	    "x-hook-signature", "x-hook-subscription"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (name.len == strlen(names[i]) && begins(name, names[i])) return true;
	return false;
}

static bool is_header(struct bytes line) {
	const uint8_t *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
	const struct bytes name = bytes_slice(line, 0, colon ? (size_t)(colon - line.data) : 0);
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] >= 0x7f || strchr("\"(),/;<=>?@[\\]{}", name.data[i]))
			return false;
	for (size_t i = name.len; i < line.len; i++)
		if (line.data[i] < ' ' || line.data[i] >= 0x7f) return false;
	return name.len > 0 && line.len > name.len + 1 && !is_reserved(name);
}

static void read_headers(struct reading *r, const struct json *channel) {
	size_t count = 0, bytes = 0;
	json_foreach (item, json_get(channel, "header")) {
		const struct bytes line = json_string(item);
		bytes += line.len;
		if (count == FHIR_HOOK_HEADERS_MAX || bytes > FHIR_HOOK_HEADERS_BYTES || !is_header(line)) {
			refuse(r, FHIR_ISSUE_VALUE, "Subscription.channel.header",
			    "a header is \"Name: value\", none that the sender sets himself; at most %u of them, %u bytes",
			    FHIR_HOOK_HEADERS_MAX, FHIR_HOOK_HEADERS_BYTES);
			return;
		}
		r->out->headers[count++] = arena_strdup(r->arena, line);
	}
}

static void read_channel(struct reading *r, const struct json *channel, bool may_be_plain) {
	const struct bytes type = json_string(json_get(channel, "type"));
	const struct bytes payload = json_string(json_get(channel, "payload"));
	r->out->has_payload = payload.len > 0;
	if (!bytes_equal(type, BYTES_LITERAL("rest-hook"))) {
		refuse(r, FHIR_ISSUE_NOT_SUPPORTED, "Subscription.channel.type",
		    "the channel \"%.*s\" is not served: use rest-hook", TEXT(type));
		return;
	}
	if (payload.len && !bytes_equal(payload, BYTES_LITERAL("application/fhir+json")) &&
	    !bytes_equal(payload, BYTES_LITERAL("application/json")))
		refuse(r, FHIR_ISSUE_NOT_SUPPORTED, "Subscription.channel.payload",
		    "the payload is application/fhir+json, or is left out for a notification without content");
	read_endpoint(r, channel, may_be_plain);
	read_headers(r, channel);
}

static void read_end(struct reading *r, const struct json *subscription) {
	const struct bytes text = json_string(json_get(subscription, "end"));
	struct fhir_temporal moment;
	r->out->end_ms = INT64_MAX;
	if (text.len && fhir_temporal_read(&moment, text, false))
		r->out->end_ms = fhir_temporal_moments(&moment).last_ms;
}

bool fhir_hook_terms_read(struct fhir_hook_terms *out, struct arena *arena, struct fhir_issues *issues,
    const struct json *subscription, bool may_be_plain) {
	struct reading r = {out, arena, issues, true};
	*out = (struct fhir_hook_terms){0};
	read_criteria(&r, subscription);
	read_channel(&r, json_get(subscription, "channel"), may_be_plain);
	read_end(&r, subscription);
	return r.is_good;
}

/* --- checking one that is written --- */

bool fhir_hook_check(struct fhir_server *server, struct fhir_issues *issues, const struct asker *asker,
    const struct json *subscription) {
	const struct gateway_options *options = &server->gateway->options;
	const struct bytes status = json_string(json_get(subscription, "status"));
	struct fhir_hook_terms terms;
	struct resource_scope scope;
	struct arena arena;
	if (bytes_equal(status, BYTES_LITERAL("off"))) return true;
	arena_init(&arena);
	struct reading r = {&terms, &arena, issues, true};
	if (bytes_equal(status, BYTES_LITERAL("error")))
		refuse(&r, FHIR_ISSUE_VALUE, "Subscription.status",
		    "error is what the server says: write requested, or off");
	if (!options->hooks)
		refuse(&r, FHIR_ISSUE_NOT_SUPPORTED, "Subscription", "this server sends nothing to subscribers");
	r.is_good &= fhir_hook_terms_read(&terms, &arena, issues, subscription, options->hooks_are_plain);
	if (r.is_good && terms.end_ms <= (int64_t)clock_now_ms(options->clock))
		refuse(&r, FHIR_ISSUE_VALUE, "Subscription.end", "the end is over already");
	if (r.is_good && asker_scope(&scope, &arena, asker, ASKER_READ, terms.type, NULL) != STATUS_OK)
		refuse(&r, FHIR_ISSUE_FORBIDDEN, "Subscription.criteria", "no scope of the token allows to read %s",
		    fhir_type_name(&fhir_r4, terms.type));
	arena_fini(&arena);
	return r.is_good;
}

void fhir_hook_activate(struct json_edit *edit, const struct json *subscription) {
	const struct json *status = json_get(subscription, "status"), *error = json_get(subscription, "error");
	if (!json_string_is(status, "requested")) return;
	json_edit_replace(edit, status, BYTES_LITERAL("\"active\""));
	if (error) json_edit_remove(edit, error);
}
