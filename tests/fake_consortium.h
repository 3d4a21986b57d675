/*
 * The fake chain as a consortium's: its members sign a light block for each head, and the ways in which a node can lie
 * about that. Header only; include after tests/unit.h.
 */
#ifndef TESTS_FAKE_CONSORTIUM_H
#define TESTS_FAKE_CONSORTIUM_H

#include "tests/fake_home.h"
#include "tests/light_blocks.h"

/* The light block that stands for each head, and how it lies. */
struct net {
	uint64_t height; /* of the newest */
	uint64_t time_s;
	struct light_members members, next;
	uint64_t changed_at; /* before this height others decided: */
	struct light_members before;
	uint64_t each;        /* or one member changes each so many heights */
	const char *chain_id; /* NULL: the anchor's */
	size_t votes;         /* 0: all */
	const hash32 *app;    /* NULL: the head's */
	bool spoils_vote;
	bool shows_none, shows_nonsense;
	bool hides_between;
	unsigned between;
	struct light_made made;
};

static inline struct light_members net_members_at(const struct net *net, uint64_t height) {
	if (net->each) return (struct light_members){(unsigned)(height / net->each), 4};
	return height < net->changed_at ? net->before : net->members;
}

static inline void net_make(struct fake_chain *chain, uint64_t height, uint64_t time_s, const hash32 *app) {
	struct net *net = chain->consortium;
	char chain_id[COMET_CHAIN_ID_SIZE];
	comet_chain_id(chain_id, &chain->anchor.genesis);
	const struct light_members next =
	    net->next.count && height == net->height ? net->next : net_members_at(net, height + 1);
	light_make(
	    &net->made, net->chain_id ? net->chain_id : chain_id, height, net_members_at(net, height), next, app);
	net->made.block.header.time = (struct comet_time){(int64_t)time_s, 0};
	light_sign(&net->made, net->votes ? net->votes : 100);
	if (net->spoils_vote) net->made.block.commit.signatures[0].signature[9] ^= 1;
}

static inline void net_put_block(struct json_writer *writer, const char *name, const struct net *net) {
	struct buf bytes;
	buf_init(&bytes, COMET_LIGHT_BLOCK_MAX);
	comet_light_block_encode(&bytes, &net->made.block);
	json_put_hex(writer, name, buf_view(&bytes));
	buf_fini(&bytes);
}

static inline void net_put_commit(struct fake_chain *chain, struct json_writer *writer, const struct head *head) {
	struct net *net = chain->consortium;
	if (net->shows_none) return;
	if (net->shows_nonsense) {
		json_put_text(writer, "commit", "0x0a00");
		return;
	}
	net_make(chain, net->height, net->time_s, net->app ? net->app : &head->hash);
	net_put_block(writer, "commit", net);
}

static inline bool net_between(
    struct fake_chain *chain, struct json_writer *writer, const struct json *name, const struct json *params) {
	struct net *net = chain->consortium;
	static const hash32 app = {{0xaa}};
	uint64_t height;
	if (!json_string_is(name, "xinglin_lightBlock")) return false;
	if (hex_quantity(&height, json_string(json_at(params, 0))) != STATUS_OK) abort();
	net->between++;
	if (net->hides_between) {
		json_put_null(writer, "result");
		return true;
	}
	net_make(chain, height, FAKE_START_S + height, &app);
	net_put_block(writer, "result", net);
	return true;
}

/* Ten seconds of head 3, by four members whom the anchor names as of genesis. */
static inline int setup_net(void **state) {
	setup(state);
	struct world *world = *state;
	struct net *net = mem_zalloc(1, sizeof *net);
	struct comet_trusted *trusted = &world->chain->anchor.validators;
	unsigned who[COMET_VALIDATORS_MAX];
	net->members = (struct light_members){0, 4};
	net->height = 9;
	net->time_s = FAKE_START_S + 90;
	world->chain->consortium = net;
	world->chain->put_commit = net_put_commit;
	world->chain->method = net_between;
	world->chain->anchor.sealer = (addr20){{0}};
	world->chain->anchor.trust_days = 14;
	*trusted = (struct comet_trusted){.time = {FAKE_START_S, 0}};
	light_set(&trusted->validators, who, net->members);
	trusted->next_validators = trusted->validators.hash;
	reopen(world);
	return 0;
}

static inline int teardown_net(void **state) {
	struct world *world = *state;
	mem_free(world->chain->consortium);
	return teardown(state);
}

static inline struct net *net_of(struct world *world) {
	return world->chain->consortium;
}

#endif
