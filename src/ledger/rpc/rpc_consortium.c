#include "ledger/rpc/rpc_consortium.h"

#include <time.h>

#include "comet/light_block.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_params.h"
#include "ledger/rpc/rpc_write.h"

/* The newest block is proved by the height after its own, which comes at once while the members agree: who has just
 * seen a receipt is not shown the head before it. */
enum { PROOF_WAIT_MS = 500, PROOF_LOOK_MS = 10 };

bool rpc_is_consortium(const struct rpc_call *call) {
	const struct engine *engine = call->rpc->options.engine;
	return engine != NULL && engine_has_light_blocks(engine);
}

/* The light block of a height, 0: of the newest, as protobuf; and the hash of the block that it proves. */
static enum status read_light_block(struct rpc_call *call, struct buf *out, hash32 *proved, uint64_t height) {
	struct comet_light_block block;
	buf_clear(out);
	TRY(engine_light_block(call->rpc->options.engine, out, height, &call->err));
	TRY(comet_light_block_decode(&block, buf_view(out), &call->err));
	if (block.header.app.len != sizeof proved->b)
		return err_set(&call->err, STATUS_CORRUPT, "CometBFT's header has no application hash");
	memcpy(proved->b, block.header.app.data, sizeof proved->b);
	return STATUS_OK;
}

static void wait_a_moment(void) {
	const struct timespec moment = {.tv_nsec = PROOF_LOOK_MS * 1000000};
	nanosleep(&moment, NULL);
}

/* Was it waited for in vain already? While the members do not agree, nobody waits for the same proof twice. */
static bool was_in_vain(struct rpc *rpc, const hash32 *hash, bool now_in_vain) {
	pthread_mutex_lock(&rpc->lock);
	if (now_in_vain) rpc->unproved = *hash;
	const bool was = hash32_equal(&rpc->unproved, hash);
	pthread_mutex_unlock(&rpc->lock);
	return was;
}

/* The newest light block, waiting for the one that proves the head. */
static enum status newest_light_block(struct rpc_call *call, struct buf *out, hash32 *proved) {
	struct chain_head *head = chain_head(call->rpc->options.chain);
	const hash32 newest = head->hash;
	chain_head_release(head);
	TRY(read_light_block(call, out, proved, 0));
	for (unsigned ms = 0; !hash32_equal(proved, &newest) && ms < PROOF_WAIT_MS; ms += PROOF_LOOK_MS) {
		if (was_in_vain(call->rpc, &newest, false)) return STATUS_OK;
		wait_a_moment();
		TRY(read_light_block(call, out, proved, 0));
	}
	if (!hash32_equal(proved, &newest)) was_in_vain(call->rpc, &newest, true);
	return STATUS_OK;
}

enum status rpc_consortium_head(struct rpc_call *call) {
	struct buf *commit = &call->worker->scratch;
	struct header header;
	struct buf rlp;
	hash32 hash;
	TRY(newest_light_block(call, commit, &hash));
	TRY(chain_header_by_hash(call->rpc->options.chain, &header, &hash, &call->err));
	buf_init(&rlp, BUF_MAX_DEFAULT);
	header_encode(&rlp, &header);
	json_object_begin(&call->out, NULL);
	json_put_quantity(&call->out, "number", header.number);
	json_put_hex(&call->out, "hash", BYTES_OF(hash));
	json_put_quantity(&call->out, "time", header.timestamp);
	json_put_hex(&call->out, "header", buf_view(&rlp));
	json_put_hex(&call->out, "commit", buf_view(commit));
	json_object_end(&call->out);
	buf_fini(&rlp);
	return STATUS_OK;
}

/* The light block of the height after the one that decided this block, once it is there. */
static enum status proof_of(struct rpc_call *call, struct buf *out, const hash32 *hash) {
	struct header header;
	uint64_t height = 0;
	hash32 proved;
	TRY(chain_header_by_hash(call->rpc->options.chain, &header, hash, &call->err));
	if (header.number != 0) TRY(engine_decided_at(call->rpc->options.engine, &height, header.number, &call->err));
	TRY(read_light_block(call, out, &proved, height + 1));
	if (hash32_equal(&proved, hash)) return STATUS_OK;
	return err_set(
	    &call->err, STATUS_CORRUPT, "CometBFT's height %llu is not of this chain", (unsigned long long)height + 1);
}

enum status rpc_consortium_seal_of(struct rpc_call *call, const hash32 *hash) {
	struct buf *commit = &call->worker->scratch;
	const enum status status = proof_of(call, commit, hash);
	if (status == STATUS_NOTFOUND) {
		json_put_null(&call->out, NULL);
		return STATUS_OK;
	}
	TRY(status);
	json_object_begin(&call->out, NULL);
	json_put_hex(&call->out, "commit", buf_view(commit));
	TRY(rpc_put_time_ms(call, hash));
	json_object_end(&call->out);
	return STATUS_OK;
}

enum status rpc_xinglin_light_block(struct rpc_call *call) {
	struct buf *out = &call->worker->scratch;
	uint64_t height;
	hash32 proved;
	TRY(rpc_param_quantity(call, &height, 0));
	enum status status = STATUS_NOTFOUND;
	if (rpc_is_consortium(call) && height != 0 && height <= COMET_HEIGHT_MAX)
		status = read_light_block(call, out, &proved, height);
	if (status == STATUS_NOTFOUND)
		json_put_null(&call->out, NULL);
	else if (status == STATUS_OK)
		json_put_hex(&call->out, NULL, buf_view(out));
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

enum status rpc_xinglin_snapshots(struct rpc_call *call) {
	struct snapshot_info infos[SNAPSHOTS_KEPT_MAX];
	struct snapshots *snapshots = call->rpc->options.snapshots;
	const size_t count = snapshots != NULL ? snapshots_list(snapshots, infos, call->arena, UINT64_MAX) : 0;
	json_array_begin(&call->out, NULL);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(&call->out, NULL);
		json_put_quantity(&call->out, "height", infos[i].height);
		json_put_quantity(&call->out, "number", infos[i].number);
		json_put_quantity(&call->out, "chunks", infos[i].chunk_count);
		json_put_hex(&call->out, "hash", BYTES_OF(infos[i].hash));
		json_object_end(&call->out);
	}
	json_array_end(&call->out);
	return STATUS_OK;
}
