#include "health/actors/request.h"

#include "codec/hex.h"
#include "health/actors/actor.h"
#include "health/contracts/cause.h"

#define SEND_WAIT_MS 30000u

struct blob_asker request_asker(const struct actor_request *request) {
	const struct deployment *deployment = &request->home->deployment;
	return (struct blob_asker){.client = request->client,
	    .secret = &request->home->account_secret,
	    .node = &deployment->sealer,
	    .genesis = &deployment->genesis,
	    .random = request->random,
	    .others = deployment->nodes,
	    .other_count = deployment_is_consortium(deployment) ? deployment->node_count : 0};
}

enum status request_refused(struct actor_request *request, const struct client_verdict *verdict, struct err *err) {
	request->refused_with = verdict->refusal.error;
	return err_because(
	    err, CAUSE_CONTRACT + verdict->refusal.error, err_set(err, STATUS_DENIED, "refused: %s", verdict->reason));
}

enum status request_blob_refused(
    struct actor_request *request, const struct blob_verdict *verdict, const char *what, struct err *err) {
	request->refused_with = CONTRACT_ERROR_NONE;
	unsigned cause = blob_verdict_cause(verdict);
	return err_because(err, cause ? cause : CAUSE_BLOB_NOT_TAKEN,
	    err_set(err, STATUS_DENIED, "the node did not take %s: %s (%s)", what, verdict->detail, verdict->code));
}

enum status request_put(struct actor_request *request, hash32 *blob, const addr20 *gate, struct bytes container,
    const char *what, struct err *err) {
	const struct blob_asker asker = request_asker(request);
	struct blob_verdict verdict;
	struct holders holders;
	struct verified *verified;
	bool enough;
	TRY(blobs_put(&asker, &holders, &verdict, gate, container, err));
	if (!verdict.ok) return request_blob_refused(request, &verdict, what, err);
	*blob = holders.blob.blob;
	if (!deployment_is_consortium(&request->home->deployment)) return STATUS_OK;
	TRY(request_verified(request, &verified, REQUEST_SHOWN_AGE_S, err));
	TRY(holders_are_enough(verified, &enough, &holders, err));
	if (enough) return STATUS_OK;
	return err_because(err, CAUSE_TOO_FEW_HOLD,
	    err_set(err, STATUS_IO,
		"%s is held by too few members: those who signed for it have less than a third of the power", what));
}

enum status request_send_all(struct actor_request *request, struct outbox_result *results, struct outbox_entry *entries,
    size_t count, struct err *err) {
	struct outbox *outbox;
	TRY(actor_outbox(request->actor, &outbox, err));
	const uint64_t wait_ms = SEND_WAIT_MS * (uint64_t)count;
	for (size_t i = 0; i < count; i++)
		entries[i].deadline_ms =
		    request->deadline_ms ? request->deadline_ms : clock_now_ms(request->clock) + wait_ms;
	progress_at(request->progress, "waiting for a block", 0, 0);
	request->has_sent = true;
	request->refused_with = CONTRACT_ERROR_NONE;
	return outbox_send_all(outbox, results, request->arena, entries, count, err);
}

enum status request_send(
    struct actor_request *request, struct outbox_result *result, const struct outbox_entry *entry, struct err *err) {
	struct outbox_entry timed = *entry;
	return request_send_all(request, result, &timed, 1, err);
}

enum status request_transact(struct actor_request *request, struct client_receipt *receipt, const addr20 *to,
    struct bytes data, struct err *err) {
	struct outbox_result result;
	const struct outbox_entry entry = {.to = to, .data = data};
	TRY(request_send(request, &result, &entry, err));
	*receipt = result.receipt;
	if (result.end == OUTBOX_DONE) return STATUS_OK;
	return request_refused(request, &result.verdict, err);
}

enum status request_call(
    struct actor_request *request, struct bytes *output, const addr20 *to, struct bytes data, struct err *err) {
	struct client_verdict verdict;
	TRY(client_call(request->client, output, &verdict, request->arena, &request->home->account, to, data, err));
	if (verdict.ok) return STATUS_OK;
	return request_refused(request, &verdict, err);
}

enum status request_logs(struct actor_request *request, struct client_log **logs, size_t *count, const addr20 *contract,
    uint64_t from_block, const struct contract_topics *topics, struct err *err) {
	struct client_log_filter filter = {.from_block = from_block, .address = contract};
	memcpy(filter.topics, topics->topics, sizeof filter.topics);
	memcpy(filter.has_topic, topics->has_topic, sizeof filter.has_topic);
	return client_logs(request->client, logs, count, request->arena, &filter, err);
}

enum status request_verified(
    struct actor_request *request, struct verified **out, uint32_t max_age_s, struct err *err) {
	struct verified *verified = &request->verified;
	struct heads *heads = verified->heads;
	if (!heads) TRY(actor_heads(request->actor, &heads, err));
	if (!request->client)
		return err_because(err, CAUSE_NO_NODE, err_set(err, STATUS_IO, "there is no node to ask"));
	if (!verified->heads) verified_begin(verified, heads, request->client, request->arena);
	/* A head that answered a challenge of this request is new enough, unless the request is a long one. */
	const uint64_t oldest_ms = clock_now_ms(request->clock) - HEADS_QUIET_S * 1000u;
	const bool is_long_ago = max_age_s == HEADS_FRESH && verified->head.known_ms < oldest_ms;
	if (!verified->has_head || request->has_sent || is_long_ago) TRY(verified_head(verified, max_age_s, err));
	request->has_sent = false;
	*out = verified;
	return STATUS_OK;
}

enum status request_check_chain(struct actor_request *request, struct err *err) {
	const struct home *home = request->home;
	if (!home->has_deployment)
		return err_because(
		    err, CAUSE_NO_DEPLOYMENT, err_set(err, STATUS_DENIED, "this home trusts no deployment yet"));
	if (!request->client)
		return err_because(err, CAUSE_NO_NODE, err_set(err, STATUS_IO, "there is no node to ask"));
	if (client_chain_id(request->client) != home->deployment.chain_id)
		return err_set(err, STATUS_DENIED, "the node at %s runs chain %llu; this home trusts chain %llu",
		    client_url(request->client), (unsigned long long)client_chain_id(request->client),
		    (unsigned long long)home->deployment.chain_id);
	struct verified *verified;
	return request_verified(request, &verified, REQUEST_SHOWN_AGE_S, err); /* its signature names the genesis */
}
