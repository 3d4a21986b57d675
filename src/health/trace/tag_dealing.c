#include "health/trace/tag_dealing.h"

#include "crypto/hash.h"
#include "envelope/jwe.h"
#include "eth/sign.h"
#include "health/actors/directory.h"
#include "health/contracts/directory.h"
#include "health/trace/tag_json.h"

#define DEALING_LIFE_SECONDS (7 * 86400u)
#define SHARE_TYPE "xinglin-tag-share"

/* --- what the dealer signs --- */

/* x and y of each point. */
static void commitment_words(hash32 *out, const struct vss_commitments *commitments) {
	for (uint8_t i = 0; i < commitments->threshold; i++) {
		out[2 * i] = p256_public_x(&commitments->points[i]);
		out[2 * i + 1] = p256_public_y(&commitments->points[i]);
	}
}

static hash32 digest_of(const struct deployment *deployment, const struct tag_dealing *dealing) {
	struct eip712_struct message = eip712_begin("TagDealing(uint32 number,address dealer,address[] holders,"
						    "bytes32[] commitments,bytes32 shares,uint64 deadline)");
	struct eip712_domain domain = deployment_domain(deployment, &deployment->products);
	hash32 words[2 * STATEMENT_HOLDERS_MAX], folded = {{0}};
	commitment_words(words, &dealing->to.commitments);
	for (size_t i = 0; i < dealing->to.holder_count; i++) {
		const hash32 share = sha256(dealing->shares[i]);
		const struct bytes parts[] = {BYTES_OF(folded), BYTES_OF(share)};
		folded = sha256_parts(parts, 2);
	}
	domain.name = "xinglin products";
	domain.version = "1";
	eip712_put_u64(&message, dealing->to.number);
	eip712_put_address(&message, &dealing->dealer);
	eip712_put_addresses(&message, dealing->to.holders, dealing->to.holder_count);
	eip712_put_hashes(&message, words, 2u * dealing->to.commitments.threshold);
	eip712_put_hash32(&message, &folded);
	eip712_put_u64(&message, dealing->deadline_s);
	const hash32 struct_hash = eip712_end(&message), domain_hash = eip712_domain_hash(&domain);
	return eip712_digest(&domain_hash, &struct_hash);
}

/* --- dealing --- */

/* The secret that this home deals: its share of the key, or a part of a new key. */
static enum status secret_to_deal(struct actor_request *request, struct p256_secret *secret,
    const struct statement_tag_holders *old, struct err *err) {
	struct p256_public key;
	struct vss_share share;
	uint8_t seed[32];
	if (old->number) {
		TRY(tag_share_load(request, &share, old->number, err));
		*secret = share.value;
		mem_wipe(&share, sizeof share);
		return STATUS_OK;
	}
	random_fill(request->random, seed, sizeof seed);
	enum status status = p256_derive_key_pair(secret, &key, bytes_make(seed, sizeof seed));
	mem_wipe(seed, sizeof seed);
	return status;
}

static enum status seal_share(struct actor_request *request, struct bytes *out, const struct vss_share *share,
    const struct tag_dealing *dealing, struct err *err) {
	struct directory_listed holder;
	uint8_t bytes[VSS_SHARE_BYTES];
	struct buf sealed;
	TRY(directory_find(request, &holder, &dealing->to.holders[share->index - 1], err));
	if (!(holder.roles & ROLE_REGULATOR) || holder.status != DIRECTORY_STATUS_ACTIVE)
		return err_set(
		    err, STATUS_DENIED, "%s is not an active regulator: regulators hold the tags' key", holder.name);
	TRY(directory_refuse_changed_key(request->arena, &holder, err));
	const char *members = arena_printf(request->arena, "{\"typ\":\"" SHARE_TYPE "\",\"ver\":%u,\"number\":%u}",
	    holder.key_version, dealing->to.number);
	buf_init(&sealed, TAG_DEALING_MAX);
	vss_share_write(bytes, share);
	enum status status = jwe_ecdh_seal(
	    &sealed, &holder.key, bytes_text(members), bytes_make(bytes, sizeof bytes), request->random, err);
	mem_wipe(bytes, sizeof bytes);
	if (status == STATUS_OK) *out = arena_dup(request->arena, buf_view(&sealed));
	buf_fini(&sealed);
	return status;
}

static void write_json(struct buf *out, const struct actor_request *request, const struct tag_dealing *dealing,
    const struct eth_signature *signature) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	tag_json_put_head(&writer, "xinglin-tag-dealing", 1, &request->home->deployment);
	json_put_hex(&writer, "dealer", BYTES_OF(dealing->dealer));
	tag_json_put_holders(&writer, &dealing->to);
	json_put_u64(&writer, "deadline", dealing->deadline_s);
	json_array_begin(&writer, "shares");
	for (size_t i = 0; i < dealing->to.holder_count; i++) json_put_string(&writer, NULL, dealing->shares[i]);
	json_array_end(&writer);
	json_put_hex(&writer, "signature", BYTES_OF(*signature));
	json_object_end(&writer);
}

static enum status find_old(struct actor_request *request, struct statement_tag_holders *old, struct err *err) {
	enum status status = tag_holders_find_stated(request, old, err);
	if (status != STATUS_NOTFOUND) return status;
	*old = (struct statement_tag_holders){.number = 0};
	return STATUS_OK;
}

static enum status deal(struct actor_request *request, struct tag_dealing *dealing, const struct p256_secret *secret,
    uint8_t threshold, struct err *err) {
	struct vss_share shares[STATEMENT_HOLDERS_MAX];
	enum status status = vss_deal(
	    &dealing->to.commitments, shares, secret, threshold, (uint8_t)dealing->to.holder_count, request->random);
	if (status != STATUS_OK)
		return err_set(err, status, "1 to %u regulators hold the key, and no fewer than the threshold",
		    STATEMENT_HOLDERS_MAX);
	for (size_t i = 0; i < dealing->to.holder_count && status == STATUS_OK; i++)
		status = seal_share(request, &dealing->shares[i], &shares[i], dealing, err);
	mem_wipe(shares, sizeof shares);
	return status;
}

enum status tag_dealing_write(struct actor_request *request, struct buf *out, const addr20 *holders,
    size_t holder_count, uint8_t threshold, struct err *err) {
	struct statement_tag_holders old;
	struct p256_secret secret;
	struct eth_signature signature;
	struct verified *verified;
	TRY(find_old(request, &old, err));
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	struct tag_dealing dealing = {.dealer = request->home->account,
	    .to = {.number = old.number + 1, .holders = holders, .holder_count = holder_count},
	    .deadline_s = verified_now_s(verified) + DEALING_LIFE_SECONDS};
	TRY(secret_to_deal(request, &secret, &old, err));
	enum status status = deal(request, &dealing, &secret, threshold, err);
	mem_wipe(&secret, sizeof secret);
	TRY(status);
	const hash32 digest = digest_of(&request->home->deployment, &dealing);
	TRY(eth_sign_digest(&signature, &request->home->account_secret, &digest));
	write_json(out, request, &dealing, &signature);
	return buf_status(out, err);
}

/* --- reading --- */

static bool read_shares(struct tag_dealing *out, const struct json *list) {
	size_t count = 0;
	if (!json_is(list, JSON_ARRAY) || list->count != out->to.holder_count) return false;
	json_foreach (one, list) {
		out->shares[count] = json_string(one);
		if (!out->shares[count++].data) return false;
	}
	return true;
}

enum status tag_dealing_read(
    struct actor_request *request, struct tag_dealing *out, struct bytes json, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct json *root;
	struct eth_signature signature;
	addr20 signer;
	*out = (struct tag_dealing){.deadline_s = 0};
	TRY(json_parse(&root, request->arena, json, NULL, err));
	TRY(tag_json_check_head(root, "xinglin-tag-dealing", 1, deployment, err));
	if (!tag_json_fixed(out->dealer.b, sizeof out->dealer.b, json_get(root, "dealer")) ||
	    !tag_json_read_holders(&out->to, request->arena, root) ||
	    !json_u64(&out->deadline_s, json_get(root, "deadline")) || !read_shares(out, json_get(root, "shares")) ||
	    !tag_json_fixed(signature.b, sizeof signature.b, json_get(root, "signature")))
		return err_set(err, STATUS_INVALID, "this is not a dealing of the tags' key");
	const hash32 digest = digest_of(deployment, out);
	if (eth_signer(&signer, &signature, &digest) == STATUS_OK && addr20_equal(&signer, &out->dealer))
		return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the dealing's signature is not its dealer's");
}

/* --- gathering --- */

static enum status open_share(struct actor_request *request, struct vss_share *out, const struct tag_dealing *dealing,
    size_t place, struct err *err) {
	struct jwe_header header;
	struct p256_secret secret;
	struct p256_public key;
	struct buf plaintext;
	uint64_t version = 0, number = 0;
	const struct bytes jwe = dealing->shares[place];
	TRY(jwe_read_header(&header, request->arena, jwe, err));
	if (!json_u64(&version, json_get(header.members, "ver")) || version == 0 || version > UINT32_MAX ||
	    !json_u64(&number, json_get(header.members, "number")) || number != dealing->to.number)
		return err_set(
		    err, STATUS_INVALID, "the share does not say to which key it is sealed, or is of another dealing");
	TRY(home_encryption_key(request->home, &secret, &key, (uint32_t)version, err));
	buf_init(&plaintext, 4096);
	enum status status = jwe_ecdh_open(&plaintext, NULL, request->arena, jwe, &secret, err);
	mem_wipe(&secret, sizeof secret);
	if (status == STATUS_OK && vss_share_read(out, buf_view(&plaintext)) != STATUS_OK)
		status = err_set(err, STATUS_INVALID, "what is sealed to this home is not a share");
	buf_wipe(&plaintext);
	return status;
}

static bool are_alike(const struct tag_dealing *a, const struct tag_dealing *b) {
	return a->to.number == b->to.number && a->to.holder_count == b->to.holder_count &&
	       a->to.commitments.threshold == b->to.commitments.threshold &&
	       memcmp(a->to.holders, b->to.holders, a->to.holder_count * sizeof *a->to.holders) == 0;
}

/* The index under which somebody deals: of its old share, or of its place among the founders. 0: it may not. */
static uint8_t dealer_index(const struct statement_tag_holders *old, const struct tag_dealing *dealing) {
	return statement_tag_holder_index(old->number ? old : &dealing->to, &dealing->dealer);
}

static enum status open_all(struct actor_request *request, struct vss_dealing *opened,
    const struct statement_tag_holders *old, const struct tag_dealing *dealings, size_t count, struct err *err) {
	const uint8_t place = statement_tag_holder_index(&dealings->to, &request->home->account);
	if (place == 0) return err_set(err, STATUS_DENIED, "this home's account is none of the holders");
	if (dealings->to.number != old->number + 1)
		return err_set(err, STATUS_DENIED, "the dealings are for holders %u, and the chain has holders %u",
		    dealings->to.number, old->number);
	if (!old->number && count != dealings->to.holder_count)
		return err_set(
		    err, STATUS_INVALID, "all %zu holders deal when the key is founded", dealings->to.holder_count);
	for (size_t i = 0; i < count; i++) {
		if (!are_alike(dealings, &dealings[i]))
			return err_set(err, STATUS_INVALID, "the dealings are not for the same holders and threshold");
		opened[i] = (struct vss_dealing){
		    .dealer = dealer_index(old, &dealings[i]), .commitments = dealings[i].to.commitments};
		enum status status = open_share(request, &opened[i].share, &dealings[i], place - 1u, err);
		if (status != STATUS_OK) return err_prefix(err, status, "dealing %zu", i + 1);
	}
	return STATUS_OK;
}

static enum status gather(struct actor_request *request, struct vss_commitments *commitments,
    const struct statement_tag_holders *old, const struct tag_dealing *dealings, size_t count, struct err *err) {
	struct vss_dealing opened[STATEMENT_HOLDERS_MAX];
	struct vss_share share;
	uint64_t false_dealers = 0;
	enum status status = open_all(request, opened, old, dealings, count, err);
	if (status == STATUS_OK) {
		status = old->number
			     ? vss_reshare(commitments, &share, &false_dealers, opened, count, &old->commitments)
			     : vss_found(commitments, &share, &false_dealers, opened, count);
		for (size_t i = 0; i < count && status == STATUS_DENIED; i++)
			if (false_dealers >> i & 1)
				(void)!err_set(err, status, "dealing %zu is false, or its dealer may not deal", i + 1);
		if (status == STATUS_INVALID)
			(void)!err_set(err, status, "%zu dealings are too few, or too many", count);
	}
	if (status == STATUS_OK) status = tag_share_save(request, &share, dealings->to.number, err);
	mem_wipe(opened, sizeof opened);
	mem_wipe(&share, sizeof share);
	return status;
}

static const hash32 *words_of(struct arena *arena, const struct vss_commitments *commitments) {
	hash32 *words = arena_alloc(arena, 2u * commitments->threshold * sizeof *words);
	commitment_words(words, commitments);
	return words;
}

enum status tag_dealings_gather(struct actor_request *request, struct products_tag_holders *out,
    const struct tag_dealing *dealings, size_t count, struct err *err) {
	struct statement_tag_holders old;
	struct vss_commitments commitments;
	if (count < 1 || count > STATEMENT_HOLDERS_MAX)
		return err_set(err, STATUS_INVALID, "1 to %u dealings are gathered", STATEMENT_HOLDERS_MAX);
	TRY(find_old(request, &old, err));
	TRY(gather(request, &commitments, &old, dealings, count, err));
	*out = (struct products_tag_holders){.number = dealings->to.number,
	    .previous = old.fact,
	    .holders = dealings->to.holders,
	    .holders_count = dealings->to.holder_count,
	    .threshold = commitments.threshold,
	    .commitments = words_of(request->arena, &commitments),
	    .commitments_count = 2u * commitments.threshold,
	    .deadline = dealings->deadline_s};
	for (size_t i = 1; i < count; i++)
		if (dealings[i].deadline_s < out->deadline) out->deadline = dealings[i].deadline_s;
	return STATUS_OK;
}
