#include "health/consent/confirmed.h"

#include <stdlib.h>

#include "health/actors/certified.h"
#include "health/actors/roles.h"
#include "health/chain/settled.h"
#include "health/contracts/cause.h"
#include "health/contracts/consent.h"
#include "health/contracts/records.h"

/* What the node shows as a confirmation. */
struct claim {
	struct client_log log;
	size_t item; /* 0: the container; from 1: a wrap */
	addr20 node;
	bool is_proved;
};
struct claims {
	struct actor_request *request;
	struct claim *all;
	size_t count, cap;
};

/* --- what is shown --- */

static void add(struct claims *claims, const struct claim *claim) {
	if (claims->count == claims->cap) {
		claims->cap = claims->cap ? 2 * claims->cap : 16;
		struct claim *grown = arena_zalloc(claims->request->arena, claims->cap, sizeof *grown);
		if (claims->count) memcpy(grown, claims->all, claims->count * sizeof *grown);
		claims->all = grown;
	}
	claims->all[claims->count++] = *claim;
}

static enum status read_container(struct claims *claims, const hash32 *record, struct err *err) {
	const struct contract_topics topics = records_erasure_confirmed_event_topics(record, NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(claims->request, &logs, &count, &claims->request->home->deployment.records, 0, &topics, err));
	for (size_t i = 0; i < count; i++) {
		struct records_erasure_confirmed_event event;
		TRY(records_erasure_confirmed_event_read(&event, &logs[i].log, err));
		add(claims, &(struct claim){.log = logs[i], .node = event.node});
	}
	return STATUS_OK;
}

static enum status read_wrap(struct claims *claims, const hash32 *wrap, size_t item, struct err *err) {
	const struct contract_topics topics = consent_erasure_confirmed_event_topics(wrap, NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(claims->request, &logs, &count, &claims->request->home->deployment.consent, 0, &topics, err));
	for (size_t i = 0; i < count; i++) {
		struct consent_erasure_confirmed_event event;
		TRY(consent_erasure_confirmed_event_read(&event, &logs[i].log, err));
		add(claims, &(struct claim){.log = logs[i], .item = item, .node = event.node});
	}
	return STATUS_OK;
}

/* --- what is proved of it --- */

static int by_block(const void *a, const void *b) {
	return logs_compare(&((const struct claim *)a)->log, &((const struct claim *)b)->log);
}

/* Each in the receipt of the transaction that it names. */
static enum status prove_claims(
    struct claim *claims, size_t count, const struct verified *verified, struct arena *arena, struct err *err) {
	struct settled_block block;
	TRY(settled_read(&block, verified->client, arena, &verified->head, claims->log.block_number, err));
	for (size_t i = 0; i < count; i++) {
		const size_t place = settled_place(&block, &claims[i].log.tx_hash);
		struct client_receipt receipt;
		if (place == block.count) continue;
		TRY(settled_receipts(&receipt, verified->client, arena, &block, &place, 1, err));
		claims[i].is_proved = settled_holds(&receipt, &claims[i].log);
	}
	return STATUS_OK;
}

/* A block that the node does not prove holds nothing. */
static enum status prove_block(struct claims *claims, size_t first, size_t count, struct err *err) {
	const struct verified *verified = &claims->request->verified;
	struct arena arena;
	struct err why = {0};
	if (claims->all[first].log.block_number > verified->head.number) return STATUS_OK;
	arena_init(&arena);
	enum status status = prove_claims(&claims->all[first], count, verified, &arena, &why);
	arena_fini(&arena);
	if (status == STATUS_OK || why.cause == CAUSE_NOT_PROVED) return STATUS_OK;
	return err_because(err, why.cause, err_set(err, status, "%s", why.message));
}

/* Each block is read once. A confirmation may be younger than the head that was taken. */
static enum status prove(struct claims *claims, struct err *err) {
	struct verified *verified;
	size_t count;
	if (!claims->count) return STATUS_OK;
	qsort(claims->all, claims->count, sizeof *claims->all, by_block);
	TRY(request_verified(claims->request, &verified, HEADS_FRESH, err));
	if (claims->all[claims->count - 1].log.block_number > verified->head.number)
		TRY(verified_head(verified, HEADS_FRESH, err));
	for (size_t at = 0; at < claims->count; at += count) {
		const uint64_t number = claims->all[at].log.block_number;
		for (count = 1; at + count < claims->count; count++)
			if (claims->all[at + count].log.block_number != number) break;
		TRY(prove_block(claims, at, count, err));
	}
	return STATUS_OK;
}

/* --- who confirmed all --- */

static bool is_listed(const addr20 *nodes, size_t count, const addr20 *node) {
	for (size_t i = 0; i < count; i++)
		if (addr20_equal(&nodes[i], node)) return true;
	return false;
}

static bool has_confirmed(const struct claims *claims, size_t item, const addr20 *node) {
	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *claim = &claims->all[i];
		if (claim->is_proved && claim->item == item && addr20_equal(&claim->node, node)) return true;
	}
	return false;
}

static enum status is_node(struct actor_request *request, bool *out, const addr20 *address, struct err *err) {
	struct certified_actor listed;
	enum status status = certified_find(&request->verified, request->home, &listed, address, err);
	*out = status == STATUS_OK && listed.said.roles & ROLE_NODE;
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

enum status confirmed_find(struct actor_request *request, struct confirmed *out, const hash32 *record,
    const hash32 *wraps, size_t wrap_count, struct err *err) {
	struct claims claims = {.request = request};
	*out = (struct confirmed){0};
	TRY(read_container(&claims, record, err));
	for (size_t i = 0; i < wrap_count; i++) TRY(read_wrap(&claims, &wraps[i], i + 1, err));
	TRY(prove(&claims, err));
	addr20 *nodes = arena_zalloc(request->arena, claims.count + 1, sizeof *nodes);
	for (size_t i = 0; i < claims.count; i++) {
		const addr20 *node = &claims.all[i].node;
		bool confirms = claims.all[i].is_proved && !is_listed(nodes, out->count, node);
		out->unproved += !claims.all[i].is_proved;
		for (size_t item = 0; item <= wrap_count && confirms; item++)
			confirms = has_confirmed(&claims, item, node);
		if (confirms) TRY(is_node(request, &confirms, node, err));
		if (confirms) nodes[out->count++] = *node;
	}
	out->nodes = nodes;
	return STATUS_OK;
}
