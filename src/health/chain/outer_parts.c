#include "health/chain/outer_parts.h"

#include "base/log.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "health/contracts/cause.h"

#define SEAL_SLOT 4u /* of Members: the statement's hash; its number is in the next */

/* --- who holds shares --- */

struct stated {
	hash32 hash;
	uint64_t number;
};

static enum status prove(struct stated *out, struct verified *verified, struct err *err) {
	const hash32 slot = {{[31] = SEAL_SLOT}};
	hash32 words[2];
	TRY(verified_struct(verified, words, &deployment_members, &slot, 2, err));
	*out = (struct stated){words[0], load_be64(words[1].b + 24)};
	if (out->number != 0) return STATUS_OK;
	return err_because(err, CAUSE_NOT_PROVED, err_set(err, STATUS_DENIED, "the chain has no outer seal"));
}

static bool is_stated(struct outer_statement *out, struct bytes bytes, const struct stated *stated) {
	const hash32 hash = sha256(bytes);
	return hash32_equal(&hash, &stated->hash) && outer_statement_read(out, bytes) == STATUS_OK &&
	       out->number == stated->number;
}

/* From whichever node has it: its hash is proved. */
static enum status find_statement(struct outer_statement *out, struct verified *verified,
    const struct deployment *deployment, const struct blob_asker *asker, struct err *err) {
	struct stated stated;
	bool is_found = false;
	TRY(prove(&stated, verified, err));
	for (size_t node = 0; node <= asker->other_count && !is_found; node++) {
		struct blob_verdict verdict;
		struct buf bytes;
		buf_init(&bytes, OUTER_STATEMENT_MAX);
		is_found = blobs_get_statement(asker, &bytes, &verdict, node, NULL) == STATUS_OK && verdict.ok &&
			   is_stated(out, buf_view(&bytes), &stated);
		buf_fini(&bytes);
	}
	if (!is_found)
		return err_because(err, CAUSE_TOO_FEW_RELEASE,
		    err_set(err, STATUS_IO, "no node gives the statement about the outer seal that the chain names"));
	if (memcmp(out->commitments.points[0].xy, deployment->outer.xy, sizeof deployment->outer.xy) == 0)
		return STATUS_OK;
	return err_because(err, CAUSE_NOT_PROVED,
	    err_set(err, STATUS_DENIED, "the members share another key than this deployment names"));
}

/* --- asking --- */

struct collecting {
	struct outer_statement statement;
	struct outer_wish wish;
	struct p256_secret reader;
	uint8_t label[OUTER_LABEL_BYTES];
	struct voprf_part parts[OUTER_HOLDERS_MAX];
	size_t count;
	uint64_t false_ones;         /* a bit for each holder, from index 1 */
	bool has_useless;            /* a part that does not open, or that is false or there twice */
	struct blob_verdict refusal; /* the last */
};

static void name_false(struct collecting *collecting, uint8_t index) {
	char text[43];
	struct buf node;
	buf_init(&node, sizeof text);
	hex_put(&node, BYTES_OF(collecting->statement.holders[index - 1]), true);
	log_warn("blob",
	    "member %s gives a false part of the outer seal's key, or a node that passes parts on says so in its name",
	    buf_cstr(&node));
	buf_fini(&node);
	collecting->false_ones |= (uint64_t)1 << (index - 1);
}

/* False: it is of no use. */
static bool take_part(struct collecting *collecting, struct bytes sealed) {
	struct p256_public key;
	if (collecting->count == OUTER_HOLDERS_MAX) return false;
	struct voprf_part *part = &collecting->parts[collecting->count];
	if (outer_part_open(part, sealed, collecting->label, &collecting->reader) != STATUS_OK) return false;
	if (part->index > collecting->statement.holder_count) return false;
	for (size_t i = 0; i < collecting->count; i++)
		if (collecting->parts[i].index == part->index) return false;
	if (vss_public_share(&key, &collecting->statement.commitments, part->index) == STATUS_OK &&
	    voprf_part_is_valid(part, &key, &collecting->wish.head.u)) {
		collecting->count++;
		return true;
	}
	name_false(collecting, part->index);
	return false;
}

static void take_answer(struct collecting *collecting, struct bytes answer) {
	if (answer.len < OUTER_PARTS_HEAD_BYTES || load_be64(answer.data) != collecting->wish.number) return;
	const struct bytes parts = bytes_slice(answer, OUTER_PARTS_HEAD_BYTES, answer.len);
	for (size_t at = 0; at + OUTER_PART_BYTES <= parts.len; at += OUTER_PART_BYTES)
		if (!take_part(collecting, bytes_slice(parts, at, OUTER_PART_BYTES))) collecting->has_useless = true;
}

static bool has_enough(const struct collecting *collecting) {
	return collecting->count >= collecting->statement.commitments.threshold;
}

static void ask(struct collecting *collecting, const struct blob_asker *asker, const struct outer_parts_lock *lock,
    size_t node, uint8_t needed) {
	uint8_t wish[OUTER_WISH_BYTES];
	struct blob_verdict verdict;
	struct buf answer;
	collecting->wish.needed = needed;
	outer_wish_write(wish, &collecting->wish);
	buf_init(&answer, OUTER_PARTS_MAX);
	if (blobs_release(asker, &answer, &verdict, node, lock->gate, lock->item, bytes_make(wish, sizeof wish),
		NULL) == STATUS_OK) {
		if (verdict.ok)
			take_answer(collecting, buf_view(&answer));
		else
			collecting->refusal = verdict;
	}
	buf_fini(&answer);
}

/* The node asks as many others as are needed. If a part is of no use, it is asked for all; if the node hides some,
 * other nodes are. Whom the contract refuses asks nobody further. */
static void collect(
    struct collecting *collecting, const struct blob_asker *asker, const struct outer_parts_lock *lock) {
	const uint8_t all = collecting->statement.holder_count;
	ask(collecting, asker, lock, 0, collecting->statement.commitments.threshold);
	if (collecting->refusal.http_status == 403) return;
	if (!has_enough(collecting) && collecting->has_useless) ask(collecting, asker, lock, 0, all);
	for (size_t node = 1; node <= asker->other_count && !has_enough(collecting); node++)
		ask(collecting, asker, lock, node, all);
}

static enum status too_few(const struct collecting *collecting, struct err *err) {
	const struct blob_verdict *refusal = &collecting->refusal;
	if (refusal->http_status == 403)
		return err_because(err, CAUSE_NO_WINDOW,
		    err_set(err, STATUS_DENIED, "members do not release the record: %s (%s)", refusal->detail,
			refusal->code));
	if (refusal->http_status == 410 || refusal->http_status == 422)
		return err_set(err, refusal->http_status == 410 ? STATUS_NOTFOUND : STATUS_INVALID,
		    "members do not release the record: %s (%s)", refusal->detail, refusal->code);
	return err_because(err, CAUSE_TOO_FEW_RELEASE,
	    err_set(err, STATUS_IO, "%u members open a record together; %zu gave a true part, and %d a false one%s%s",
		collecting->statement.commitments.threshold, collecting->count,
		__builtin_popcountll(collecting->false_ones), refusal->detail[0] ? ": " : "", refusal->detail));
}

/* --- opening --- */

static enum status begin(struct collecting *out, const struct deployment *deployment, const struct blob_asker *asker,
    const struct outer_parts_lock *lock, struct err *err) {
	uint8_t seed[32];
	outer_label(out->label, &deployment->genesis, lock->gate, lock->item);
	if (tdh2_head_of(&out->wish.head, lock->lock) != STATUS_OK ||
	    !tdh2_is_for(&out->wish.head, bytes_make(out->label, sizeof out->label)))
		return err_set(err, STATUS_INVALID, "the record's lead has no lock, or that of another record");
	out->wish.number = out->statement.number;
	random_fill(asker->random, seed, sizeof seed);
	const enum status status = p256_derive_key_pair(&out->reader, &out->wish.reader, bytes_make(seed, sizeof seed));
	mem_wipe(seed, sizeof seed);
	return status;
}

static enum status open(
    struct buf *out, const struct collecting *collecting, const struct outer_parts_lock *lock, struct err *err) {
	struct p256_public opened;
	uint64_t false_parts;
	enum status status = voprf_combine(&opened, &false_parts, collecting->parts, collecting->count,
	    &collecting->statement.commitments, &collecting->wish.head.u);
	if (status == STATUS_OK)
		status = tdh2_open(out, lock->lock, bytes_make(collecting->label, sizeof collecting->label), &opened);
	mem_wipe(&opened, sizeof opened);
	if (status == STATUS_OK) return buf_status(out, err);
	return err_set(err, STATUS_INVALID, "the record's lead was not locked with the members' key");
}

enum status outer_parts_open(struct buf *out, struct verified *verified, const struct deployment *deployment,
    const struct blob_asker *asker, const struct outer_parts_lock *lock, struct err *err) {
	struct collecting *collecting = mem_zalloc(1, sizeof *collecting);
	enum status status = find_statement(&collecting->statement, verified, deployment, asker, err);
	if (status == STATUS_OK) status = begin(collecting, deployment, asker, lock, err);
	if (status == STATUS_OK) {
		collect(collecting, asker, lock);
		status = has_enough(collecting) ? open(out, collecting, lock, err) : too_few(collecting, err);
	}
	mem_wipe(collecting, sizeof *collecting);
	mem_free(collecting);
	return status;
}
