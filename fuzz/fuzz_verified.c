/*
 * The input is the result of every JSON-RPC call: a node that answers anything. No head is believed that the anchor's
 * sealer did not sign, no word is proved under a root that it does not fit, and no list folds to a slot that was not
 * proved.
 */
#include "fuzz/target.h"
#include "health/chain/verified.h"

static struct bytes input;

static enum status answer(void *context, struct http_response *response, enum http_method method, const char *url,
    const char *const *headers, struct bytes body, struct err *err) {
	uint64_t *calls = context;
	struct arena arena;
	const struct json *request;
	(void)method, (void)url, (void)headers;
	if (++*calls > 8) return err_set(err, STATUS_IO, "no more answers");
	arena_init(&arena);
	BUG_ON(json_parse(&request, &arena, body, NULL, err) != STATUS_OK);
	response->status = 200;
	if (json_is(request, JSON_ARRAY)) {
		buf_byte(&response->body, '[');
		json_foreach (one, request) {
			if (one != request->first) buf_byte(&response->body, ',');
			const struct bytes id = json_get(one, "id")->text;
			buf_printf(&response->body, "{\"id\":%.*s,\"result\":", (int)id.len, (const char *)id.data);
			buf_append(&response->body, input);
			buf_byte(&response->body, '}');
		}
		buf_byte(&response->body, ']');
	} else {
		buf_text(&response->body, "{\"result\":");
		buf_append(&response->body, *calls == 1 ? BYTES_LITERAL("\"0x1\"") : input);
		buf_byte(&response->body, '}');
	}
	arena_fini(&arena);
	return buf_status(&response->body, err);
}

static uint64_t no_time(void *context) {
	(void)context;
	return 1800000000000u;
}

static void no_chance(void *context, uint8_t *out, size_t len) {
	(void)context;
	memset(out, 7, len);
}

static enum status nothing(void *context, struct buf *out, const char *name, struct err *err) {
	(void)context, (void)out, (void)name;
	return err_set(err, STATUS_NOTFOUND, "nothing is kept");
}

static enum status keep_nothing(void *context, const char *name,
    enum status (*change)(void *change_context, struct buf *text, bool *changed, struct err *err), void *change_context,
    struct err *err) {
	(void)context, (void)name, (void)change, (void)change_context;
	return err_set(err, STATUS_INTERNAL, "no head can come so far");
}

static enum status entry(
    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err) {
	(void)context, (void)err;
	*is_entry = log->log.data.len >= 8;
	if (*is_entry) out->n = load_be64(log->log.data.data);
	return STATUS_OK;
}

static enum status visit(void *context, const struct list_entry *found, const struct client_log *log, struct err *err) {
	(void)context, (void)found, (void)log, (void)err;
	BUG_ON(true); /* no entry fits a head that nobody made */
	return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct deployment anchor = {.chain_id = 1, .sealer = {{1}}, .folders = {{2}}};
	static const struct clock_source clock = {no_time, no_time, NULL};
	static const struct random_source random = {no_chance, NULL};
	static const struct head_store store = {nothing, keep_nothing, NULL};
	const struct heads_options options = {.anchor = &anchor, .store = &store, .clock = &clock, .random = &random};
	uint64_t calls = 0;
	const struct http_client http = {.exchange = answer, .context = &calls};
	const struct client_options client_options = {.url = "http://fuzz", .http = &http, .clock = &clock};
	struct client *client;
	struct heads *heads;
	struct arena arena;
	struct head head;
	struct err err;
	input = bytes_make(data, size);
	arena_init(&arena);
	BUG_ON(client_open(&client, &client_options, &err) != STATUS_OK);
	BUG_ON(heads_open(&heads, &options, &err) != STATUS_OK);
	BUG_ON(heads_take(heads, &head, client, HEADS_FRESH, &err) == STATUS_OK);

	struct verified verified;
	verified_begin(&verified, heads, client, &arena);
	verified.has_head = true;
	verified.head.number = 1000;
	const struct verified_want want = {&anchor.folders, {{0}}};
	hash32 word;
	calls = 1;
	BUG_ON(verified_words(&verified, &word, &want, 1, &err) == STATUS_OK);
	calls = 1;
	const struct verified_list list = {.contract = &anchor.folders, .entry = entry, .visit = visit};
	BUG_ON(verified_list(&verified, &list, NULL, &err) == STATUS_OK);
	heads_close(heads);
	client_close(client);
	arena_fini(&arena);
	return 0;
}
