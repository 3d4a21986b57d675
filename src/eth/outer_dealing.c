#include "eth/outer_dealing.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "eth/held.h"

#define KEY_LABEL "xinglin/outer/1 shares"
#define OFFER_MARK "xinglin offers1\n"
#define SIGNED_MAX (32u + 32u + OUTER_DEALING_MAX)

static const char dealing_label[] = "xinglin outer dealing 1\n";

/* --- signatures: over a mark, the chain, and what stands before the signature --- */

static void signed_text(struct buf *out, const hash32 *genesis, struct bytes said) {
	buf_init(out, SIGNED_MAX);
	buf_text(out, dealing_label);
	buf_append(out, BYTES_OF(*genesis));
	buf_append(out, said);
	BUG_ON(out->overflow);
}

static enum status sign(uint8_t out[ED25519_SIGNATURE_BYTES], const struct outer_member *member, struct bytes said) {
	struct buf text;
	signed_text(&text, member->genesis, said);
	const enum status status = ed25519_sign(out, &member->node, buf_view(&text));
	buf_fini(&text);
	return status;
}

static bool is_signed(struct bytes data, const hash32 *key, const hash32 *genesis) {
	struct buf text;
	const size_t said = data.len - ED25519_SIGNATURE_BYTES;
	signed_text(&text, genesis, bytes_slice(data, 0, said));
	const bool is = ed25519_verify(data.data + said, key, buf_view(&text));
	buf_fini(&text);
	return is;
}

/* --- offers --- */

enum status outer_member_init(struct outer_member *out, const hash32 *genesis, const struct ed25519_secret *node) {
	uint8_t seed[32];
	*out = (struct outer_member){.genesis = genesis, .node = *node};
	TRY(ed25519_public_of(&out->offer.key, node));
	hkdf_sha256(seed, sizeof seed, BYTES_OF(*genesis), bytes_make(node, sizeof *node),
	    bytes_make(KEY_LABEL, sizeof KEY_LABEL - 1));
	const enum status status = p256_derive_key_pair(&out->secret, &out->offer.takes, bytes_make(seed, sizeof seed));
	mem_wipe(seed, sizeof seed);
	return status;
}

enum status outer_offer_write(uint8_t out[OUTER_OFFER_BYTES], const struct outer_member *member) {
	memcpy(out, OFFER_MARK, 16);
	memcpy(out + 16, member->offer.key.b, 32);
	voprf_element_write(out + 48, &member->offer.takes);
	const size_t said = OUTER_OFFER_BYTES - ED25519_SIGNATURE_BYTES;
	return sign(out + said, member, bytes_make(out, said));
}

enum status outer_offer_read(struct outer_offer *out, struct bytes data, const hash32 *genesis) {
	if (data.len != OUTER_OFFER_BYTES || memcmp(data.data, OFFER_MARK, 16) != 0) return STATUS_INVALID;
	memcpy(out->key.b, data.data + 16, 32);
	TRY(voprf_element_read(&out->takes, bytes_slice(data, 48, VOPRF_ELEMENT_BYTES)));
	return is_signed(data, &out->key, genesis) ? STATUS_OK : STATUS_DENIED;
}

/* --- dealing --- */

/* Offers in the order of their nodes. */
struct sorted {
	addr20 node;
	struct p256_public takes;
};

static int by_node(const void *a, const void *b) {
	return memcmp(a, b, sizeof(addr20));
}

/* False: a node occurs twice. */
static bool sort(struct sorted *out, const struct outer_offer *offers, size_t count) {
	for (size_t i = 0; i < count; i++) out[i] = (struct sorted){held_node_of(&offers[i].key), offers[i].takes};
	qsort(out, count, sizeof *out, by_node);
	for (size_t i = 1; i < count; i++)
		if (addr20_equal(&out[i - 1].node, &out[i].node)) return false;
	return true;
}

/* What the lock of a share is made for. */
static void share_label(uint8_t out[64], const struct outer_statement *to, const addr20 *holder) {
	const hash32 hash = outer_statement_hash(to);
	memset(out, 0, 64);
	memcpy(out, hash.b, 32);
	memcpy(out + 32, holder->b, 20);
}

static enum status lock_share(struct buf *out, const struct outer_statement *to, const struct sorted *holder,
    const struct vss_share *share, const struct random_source *random) {
	uint8_t bytes[VSS_SHARE_BYTES], label[64];
	share_label(label, to, &holder->node);
	vss_share_write(bytes, share);
	const enum status status =
	    tdh2_lock(out, &holder->takes, bytes_make(label, sizeof label), bytes_make(bytes, sizeof bytes), random);
	mem_wipe(bytes, sizeof bytes);
	return status;
}

enum status outer_deal(struct buf *out, const struct outer_member *member, uint64_t number,
    const struct p256_secret *secret, const struct outer_offer *offers, size_t count,
    const struct random_source *random) {
	struct sorted holders[OUTER_HOLDERS_MAX];
	struct vss_share shares[OUTER_HOLDERS_MAX];
	struct outer_statement to = {.number = number, .holder_count = (uint8_t)count};
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	const size_t from = out->len;
	if (count == 0 || count > OUTER_HOLDERS_MAX || !sort(holders, offers, count)) return STATUS_INVALID;
	for (size_t i = 0; i < count; i++) to.holders[i] = holders[i].node;
	enum status status = vss_deal(&to.commitments, shares, secret, outer_threshold(count), (uint8_t)count, random);
	if (status == STATUS_OK) {
		outer_statement_write(out, &to);
		buf_append(out, BYTES_OF(member->offer.key));
	}
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = lock_share(out, &to, &holders[i], &shares[i], random);
	mem_wipe(shares, sizeof shares);
	if (status == STATUS_OK) status = sign(signature, member, bytes_slice(buf_view(out), from, out->len - from));
	if (status == STATUS_OK) buf_append(out, bytes_make(signature, sizeof signature));
	return status;
}

/* --- reading --- */

/* The length of the statement that `data` begins with; 0: it is too short. */
static size_t statement_length(struct bytes data) {
	if (data.len < OUTER_HEAD_BYTES) return 0;
	return OUTER_HEAD_BYTES + 20u * data.data[25] + VOPRF_ELEMENT_BYTES * data.data[24];
}

enum status outer_dealing_read(struct outer_dealing *out, struct bytes data, const hash32 *genesis) {
	const size_t said = statement_length(data);
	hash32 key;
	if (said == 0) return STATUS_INVALID;
	TRY(outer_statement_read(&out->to, bytes_slice(data, 0, said)));
	const size_t locks = OUTER_SHARE_LOCK_BYTES * out->to.holder_count;
	if (data.len != said + sizeof key + locks + ED25519_SIGNATURE_BYTES) return STATUS_INVALID;
	memcpy(key.b, data.data + said, sizeof key);
	out->dealer = held_node_of(&key);
	out->locks = bytes_slice(data, said + sizeof key, locks);
	return is_signed(data, &key, genesis) ? STATUS_OK : STATUS_DENIED;
}

/* --- gathering --- */

static bool are_alike(const struct outer_statement *a, const struct outer_statement *b) {
	return a->number == b->number && a->holder_count == b->holder_count &&
	       memcmp(a->holders, b->holders, a->holder_count * sizeof *a->holders) == 0;
}

static enum status open_share(
    struct vss_share *out, const struct outer_member *member, const struct outer_dealing *dealing, uint8_t index) {
	uint8_t label[64];
	struct buf opened;
	const struct bytes lock =
	    bytes_slice(dealing->locks, (index - 1u) * OUTER_SHARE_LOCK_BYTES, OUTER_SHARE_LOCK_BYTES);
	share_label(label, &dealing->to, &dealing->to.holders[index - 1]);
	buf_init(&opened, VSS_SHARE_BYTES);
	enum status status = tdh2_open_alone(&opened, lock, bytes_make(label, sizeof label), &member->secret);
	if (status == STATUS_OK) status = vss_share_read(out, buf_view(&opened));
	buf_wipe(&opened);
	return status;
}

static enum status check(const struct outer_member *member, const struct outer_dealing *dealings, size_t count,
    const struct outer_statement *old, struct err *err) {
	const struct outer_statement *to = &dealings->to;
	const addr20 self = held_node_of(&member->offer.key);
	if (outer_index(to, &self) == 0)
		return err_set(err, STATUS_DENIED, "the dealings give this member's node no share");
	if (old && to->number != old->number + 1)
		return err_set(err, STATUS_INVALID, "the dealings are for number %llu, and the chain has %llu",
		    (unsigned long long)to->number, (unsigned long long)old->number);
	if (!old && count != to->holder_count)
		return err_set(err, STATUS_INVALID, "all %u holders deal when a key is founded, and %zu did",
		    to->holder_count, count);
	if (old && count < old->commitments.threshold)
		return err_set(err, STATUS_INVALID, "%u of those who hold the key deal it again, and %zu did",
		    old->commitments.threshold, count);
	for (size_t i = 1; i < count; i++)
		if (!are_alike(to, &dealings[i].to))
			return err_set(
			    err, STATUS_INVALID, "dealing %zu is for other holders, or another number", i + 1);
	return STATUS_OK;
}

static enum status open_all(struct vss_dealing *out, const struct outer_member *member,
    const struct outer_dealing *dealings, size_t count, const struct outer_statement *old, struct err *err) {
	const addr20 self = held_node_of(&member->offer.key);
	const uint8_t index = outer_index(&dealings->to, &self);
	for (size_t i = 0; i < count; i++) {
		out[i] = (struct vss_dealing){.dealer = outer_index(old ? old : &dealings->to, &dealings[i].dealer),
		    .commitments = dealings[i].to.commitments};
		if (open_share(&out[i].share, member, &dealings[i], index) != STATUS_OK)
			return err_set(err, STATUS_DENIED, "dealing %zu has no share that this member opens", i + 1);
	}
	return STATUS_OK;
}

enum status outer_gather(struct outer_statement *out, struct vss_share *share, const struct outer_member *member,
    const struct outer_dealing *dealings, size_t count, const struct outer_statement *old, struct err *err) {
	uint64_t false_dealers = 0;
	if (count == 0 || count > OUTER_HOLDERS_MAX)
		return err_set(err, STATUS_INVALID, "1 to %u dealings are gathered", OUTER_HOLDERS_MAX);
	TRY(check(member, dealings, count, old, err));
	struct vss_dealing *opened = mem_zalloc(count, sizeof *opened);
	enum status status = open_all(opened, member, dealings, count, old, err);
	if (status == STATUS_OK) {
		*out = dealings->to;
		status = old ? vss_reshare(&out->commitments, share, &false_dealers, opened, count, &old->commitments)
			     : vss_found(&out->commitments, share, &false_dealers, opened, count);
		for (size_t i = 0; i < count && status == STATUS_DENIED; i++)
			if (false_dealers >> i & 1)
				(void)!err_set(err, status, "dealing %zu is false, or its dealer may not deal", i + 1);
		if (status == STATUS_INVALID) (void)!err_set(err, status, "the dealings give no key");
	}
	mem_wipe(opened, count * sizeof *opened);
	mem_free(opened);
	return status;
}
