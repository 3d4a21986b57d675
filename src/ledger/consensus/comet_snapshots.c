/*
 * Snapshots, as CometBFT's state sync asks for them: a member serves those that it keeps, and a node that has nothing
 * takes one in. CometBFT's light client has proved the application hash that comes with an offer, and that is the
 * block's hash: nothing else of a snapshot is believed.
 */
#include <stdio.h>

#include "base/log.h"
#include "ledger/consensus/comet_private.h"

/* CometBFT proves a snapshot by the two headers after its height. */
enum { PROVED_BEHIND = 2 };

/* --- serving --- */

static enum status list(
    void *context, const struct abci_snapshot **out, size_t *count, struct arena *arena, struct err *err) {
	(void)err;
	struct comet *comet = context;
	struct snapshot_info *infos = arena_alloc(arena, SNAPSHOTS_KEPT_MAX * sizeof *infos);
	struct abci_snapshot *listed = arena_alloc(arena, SNAPSHOTS_KEPT_MAX * sizeof *listed);
	const uint64_t height = atomic_load(&comet->height);
	*count = 0;
	if (comet->options.snapshots != NULL && height > PROVED_BEHIND)
		*count = snapshots_list(comet->options.snapshots, infos, arena, height - PROVED_BEHIND);
	for (size_t i = 0; i < *count; i++)
		listed[i] = (struct abci_snapshot){.height = infos[i].height,
		    .format = SNAPSHOT_FORMAT,
		    .chunk_count = (uint32_t)infos[i].chunk_count,
		    .hash = BYTES_OF(infos[i].hash),
		    .manifest = infos[i].manifest};
	*out = listed;
	return STATUS_OK;
}

/* A snapshot that went meanwhile, or that the disk changed, is answered with nothing: the joiner asks somebody else. */
static enum status read_chunk(void *context, struct buf *out, const struct abci_chunk *wanted, struct err *err) {
	struct comet *comet = context;
	enum status status = STATUS_NOTFOUND;
	if (comet->options.snapshots != NULL && wanted->format == SNAPSHOT_FORMAT)
		status = snapshots_read(comet->options.snapshots, out, wanted->height, wanted->index, err);
	if (status == STATUS_OK) return STATUS_OK;
	if (status != STATUS_NOTFOUND) log_warn("snapshot", "%s", err->message);
	buf_clear(out);
	return STATUS_OK;
}

/* --- taking one in --- */

enum status comet_drop_taking(struct comet *comet, struct err *err) {
	struct snapshot_load *load = comet->taking.load;
	comet->taking = (struct taking){0};
	return load != NULL ? snapshot_load_abort(load, err) : STATUS_OK;
}

/* Does what CometBFT says of the snapshot fit its manifest? CometBFT's own light client looked at the height alone. */
static bool is_as_offered(const struct snapshot_manifest *manifest, const struct abci_snapshot *snapshot) {
	const hash32 hash = snapshot_hash(snapshot->manifest);
	return manifest->height == snapshot->height && manifest->chunk_count == snapshot->chunk_count &&
	       bytes_equal(BYTES_OF(hash), snapshot->hash);
}

static enum status begin(struct comet *comet, const struct abci_offer *offer, struct err *err) {
	hash32 block;
	struct snapshot_load *load;
	if (offer->app_hash.len != sizeof block.b)
		return err_set(err, STATUS_INVALID, "CometBFT offers a snapshot without a block's hash");
	memcpy(block.b, offer->app_hash.data, sizeof block.b);
	TRY(snapshot_load_begin(&load, comet->chain, comet->store, offer->snapshot.manifest, &block, err));
	comet->taking.load = load;
	if (is_as_offered(snapshot_load_manifest(load), &offer->snapshot)) return STATUS_OK;
	TRY(comet_drop_taking(comet, err));
	return err_set(err, STATUS_INVALID, "the offer does not fit the snapshot's manifest");
}

static enum status offer(void *context, enum abci_offered *out, const struct abci_offer *offer, struct err *err) {
	struct comet *comet = context;
	const unsigned long long height = offer->snapshot.height;
	TRY(comet_drop_taking(comet, err));
	if (offer->snapshot.format != SNAPSHOT_FORMAT) {
		*out = ABCI_OFFER_REJECT_FORMAT;
		return STATUS_OK;
	}
	const enum status status = begin(comet, offer, err);
	if (status == STATUS_OK) {
		log_info("snapshot", "of height %llu is asked for, in %u chunks", height, offer->snapshot.chunk_count);
		*out = ABCI_OFFER_ACCEPT;
	} else if (status == STATUS_INVALID) {
		log_warn("snapshot", "of height %llu, and who offers it, is refused: %s", height, err->message);
		*out = ABCI_OFFER_REJECT_SENDER;
	} else if (status == STATUS_EXISTS) {
		log_error("snapshot", "%s; remove the node's chaindata, and start it again", err->message);
		*out = ABCI_OFFER_ABORT;
	} else {
		return status;
	}
	return STATUS_OK;
}

static void note_sender(struct taking *taking, struct bytes sender) {
	if (taking->sender_count == SENDERS_MAX || sender.len >= SENDER_BYTES) return;
	char *room = taking->senders[taking->sender_count];
	snprintf(room, SENDER_BYTES, "%.*s", (int)sender.len, (const char *)sender.data);
	for (size_t i = 0; i < taking->sender_count; i++)
		if (strcmp(taking->senders[i], room) == 0) return;
	taking->sender_count++;
}

/* It is not what its manifest promised: whoever sent it is not asked again, and the chunk is fetched elsewhere. */
static void refuse_chunk(struct abci_applying *out, struct arena *arena, const struct abci_chunk *given) {
	struct bytes *senders = arena_alloc(arena, sizeof *senders);
	log_warn("snapshot", "chunk %u of %.*s is forged", given->index,
	    (int)(given->sender.len < 64 ? given->sender.len : 64), (const char *)given->sender.data);
	*senders = given->sender;
	*out = (struct abci_applying){.verdict = ABCI_APPLY_RETRY,
	    .fetch_again = true,
	    .index = given->index,
	    .senders = senders,
	    .sender_count = 1};
}

/* The manifest itself is a lie, and all who sent chunks by it lie. */
static enum status refuse_snapshot(
    struct comet *comet, struct abci_applying *out, struct arena *arena, struct err *err) {
	struct taking *taking = &comet->taking;
	struct bytes *senders = arena_alloc(arena, SENDERS_MAX * sizeof *senders);
	log_warn("snapshot", "it is forged, and thrown away: %s", err->message);
	*out = (struct abci_applying){
	    .verdict = ABCI_APPLY_REJECT_SNAPSHOT, .senders = senders, .sender_count = taking->sender_count};
	for (size_t i = 0; i < taking->sender_count; i++) senders[i] = arena_dup(arena, bytes_text(taking->senders[i]));
	return comet_drop_taking(comet, err);
}

static enum status finish(struct comet *comet, struct err *err) {
	struct height_notes notes;
	struct snapshot_load *load = comet->taking.load;
	const struct snapshot_manifest *manifest = snapshot_load_manifest(load);
	const unsigned long long number = manifest->header.number, height = manifest->height;
	comet_note_height(&notes, height, number);
	TRY(snapshot_load_finish(load, notes.notes, 2, err));
	comet->taking = (struct taking){0};
	snapshot_load_free(load);
	log_info("snapshot", "of block %llu (height %llu) is taken in", number, height);
	return comet_read_standing(comet, err);
}

static enum status apply(
    void *context, struct abci_applying *out, struct arena *arena, const struct abci_chunk *given, struct err *err) {
	struct comet *comet = context;
	struct snapshot_load *load = comet->taking.load;
	if (load == NULL) return STATUS_OK; /* abort: it was never offered */
	if (!snapshot_load_knows(load, given->index, given->content)) {
		refuse_chunk(out, arena, given);
		return STATUS_OK;
	}
	note_sender(&comet->taking, given->sender);
	enum status status = snapshot_load_chunk(load, given->content, err);
	if (status == STATUS_OK && snapshot_load_is_whole(load)) status = finish(comet, err);
	if (status == STATUS_INVALID) return refuse_snapshot(comet, out, arena, err);
	out->verdict = ABCI_APPLY_ACCEPT;
	return status;
}

void comet_add_snapshots(struct abci_application *application) {
	application->list = list;
	application->read_chunk = read_chunk;
	application->offer = offer;
	application->apply = apply;
}

/* --- what CometBFT keeps --- */

/* As far back as blocks are kept here, and from the oldest snapshot on, since who takes that in asks for the blocks
 * after it. */
enum status comet_retain_height(struct comet *comet, uint64_t *out, struct err *err) {
	const uint64_t first = chain_horizon(comet->chain).first_block;
	struct snapshots *snapshots = comet->options.snapshots;
	*out = 0;
	if (first <= 1) return STATUS_OK;
	const enum status status = comet_decided_at(comet, out, first, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK; /* of before a snapshot that was taken in */
	TRY(status);
	if (snapshots == NULL || !snapshots_are_made(snapshots)) return STATUS_OK;
	const uint64_t oldest = snapshots_oldest(snapshots);
	if (oldest < *out) *out = oldest;
	return STATUS_OK;
}
