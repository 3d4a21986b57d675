/*
 * What a test of verified reads stands on: a home in memory and a client of a fake chain. Header only; include after
 * tests/unit.h.
 */
#ifndef TESTS_FAKE_HOME_H
#define TESTS_FAKE_HOME_H

#include "tests/fake_chain.h"
#include "tests/scripted_random.h"

#define TEXTS_MAX 4u

struct memory {
	char names[TEXTS_MAX][64];
	char texts[TEXTS_MAX][8192];
	size_t lens[TEXTS_MAX];
	size_t count;
	unsigned writes;
	bool is_full;
	const struct head *overtakes; /* another program keeps this head before the next write */
};

static inline size_t find(const struct memory *memory, const char *name) {
	size_t at = 0;
	while (at < memory->count && strcmp(memory->names[at], name) != 0) at++;
	return at;
}

static inline enum status memory_get(void *context, struct buf *out, const char *name, struct err *err) {
	struct memory *memory = context;
	const size_t at = find(memory, name);
	if (at == memory->count) return err_set(err, STATUS_NOTFOUND, "nothing is kept");
	buf_append(out, bytes_make(memory->texts[at], memory->lens[at]));
	return buf_status(out, err);
}

static inline void memory_put(struct memory *memory, const char *name, struct bytes text) {
	const size_t at = find(memory, name);
	assert_true(at < TEXTS_MAX && text.len < sizeof memory->texts[at]);
	if (at == memory->count) memory->count++;
	snprintf(memory->names[at], sizeof memory->names[at], "%s", name);
	memcpy(memory->texts[at], text.data, text.len);
	memory->lens[at] = text.len;
}

static inline void keep_head(struct memory *memory, const struct head *head) {
	struct buf text;
	buf_init(&text, 8192);
	head_write(&text, head);
	memory_put(memory, "head.json", buf_view(&text));
	buf_fini(&text);
}

static inline enum status memory_update(void *context, const char *name,
    enum status (*change)(void *change_context, struct buf *text, bool *changed, struct err *err), void *change_context,
    struct err *err) {
	struct memory *memory = context;
	struct buf text;
	bool changed = false;
	if (memory->overtakes) keep_head(memory, memory->overtakes);
	memory->overtakes = NULL;
	buf_init(&text, 8192);
	enum status status = memory_get(memory, &text, name, NULL);
	if (status == STATUS_NOTFOUND) status = STATUS_OK;
	if (status == STATUS_OK) status = change(change_context, &text, &changed, err);
	if (status == STATUS_OK && changed && memory->is_full) status = err_set(err, STATUS_IO, "the disk is full");
	if (status == STATUS_OK && changed) {
		memory_put(memory, name, buf_view(&text));
		memory->writes++;
	}
	buf_fini(&text);
	return status;
}

/* --- a world --- */

struct world {
	struct fake_chain *chain;
	struct memory memory;
	struct head_store store;
	struct clock_source clock;
	struct http_client http;
	struct scripted_random script;
	struct random_source random;
	struct client *client;
	struct heads_options options;
	struct heads *heads;
	struct head head;
	struct err err;
};

static inline void sleep_no_time(void *context, uint32_t ms) {
	((struct fake_chain *)context)->now_ms += ms;
}

static inline void reopen(struct world *world) {
	heads_close(world->heads);
	world->heads = NULL;
	assert_int_equal(heads_open(&world->heads, &world->options, &world->err), STATUS_OK);
}

static inline int setup(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	struct client_options client = {.url = "http://fake", .http = &world->http, .clock = &world->clock};
	world->chain = fake_chain_new();
	world->store = (struct head_store){memory_get, memory_update, &world->memory};
	world->clock = (struct clock_source){fake_chain_now, fake_chain_now, world->chain};
	world->http = (struct http_client){.exchange = fake_chain_exchange, .context = world->chain};
	world->random = scripted_random(&world->script);
	world->options = (struct heads_options){.anchor = &world->chain->anchor,
	    .store = &world->store,
	    .clock = &world->clock,
	    .random = &world->random,
	    .sleep_ms = sleep_no_time,
	    .sleep_context = world->chain};
	assert_int_equal(client_open(&world->client, &client, &world->err), STATUS_OK);
	world->chain->keeps_history = true;
	for (unsigned i = 1; i <= 3; i++) fake_mine(world->chain, FAKE_START_S + i);
	world->chain->now_ms = (FAKE_START_S + 100) * 1000;
	reopen(world);
	*state = world;
	return 0;
}

static inline int teardown(void **state) {
	struct world *world = *state;
	heads_close(world->heads);
	client_close(world->client);
	fake_chain_free(world->chain);
	mem_free(world);
	return 0;
}

#endif
