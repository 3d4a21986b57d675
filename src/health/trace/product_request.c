#include "health/trace/product_request.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "envelope/jwe.h"
#include "health/actors/directory.h"
#include "health/contracts/directory.h"
#include "health/trace/medicines_state.h"
#include "health/trace/tag_json.h"
#include "health/trace/tags.h"

#define REQUEST_LIFE_SECONDS (30 * 86400u)

static struct bytes gtin_text(const struct product *product) {
	return bytes_text(product->gtin);
}

/* Follows from the product's key, so that who opens the key checks everything. */
static enum status blind_of(struct p256_secret *blind, const struct product *product) {
	struct p256_public key;
	uint8_t seed[32];
	hkdf_sha256(
	    seed, sizeof seed, gtin_text(product), BYTES_OF(product->key), BYTES_LITERAL("xinglin/tag-blind/1"));
	enum status status = p256_derive_key_pair(blind, &key, bytes_make(seed, sizeof seed));
	mem_wipe(seed, sizeof seed);
	return status;
}

static enum status blind_gtin(struct p256_public *blinded, const struct product *product) {
	struct p256_secret blind;
	enum status status = blind_of(&blind, product);
	if (status == STATUS_OK) status = voprf_blind(blinded, &blind, gtin_text(product));
	mem_wipe(&blind, sizeof blind);
	return status;
}

/* --- making it --- */

static enum status escrow(struct actor_request *request, struct product_escrow *out, const addr20 *regulator,
    const struct product *product, struct err *err) {
	struct directory_listed listed;
	struct buf plaintext, sealed;
	TRY(directory_find(request, &listed, regulator, err));
	TRY(directory_refuse_changed_key(request->arena, &listed, err));
	buf_init(&plaintext, 4096);
	buf_init(&sealed, 8192);
	product_write_key(&plaintext, product);
	const char *members =
	    arena_printf(request->arena, "{\"typ\":\"xinglin-product-key\",\"ver\":%u}", listed.key_version);
	enum status status =
	    jwe_ecdh_seal(&sealed, &listed.key, bytes_text(members), buf_view(&plaintext), request->random, err);
	*out = (struct product_escrow){*regulator, arena_dup(request->arena, buf_view(&sealed))};
	buf_wipe(&plaintext);
	buf_fini(&sealed);
	return status;
}

/* To all active regulators, of whom the one that documents go to is one. */
static enum status escrow_to_all(
    struct actor_request *request, struct product_request *out, const struct product *product, struct err *err) {
	struct directory_listed *listed;
	size_t count;
	bool named = false;
	TRY(directory_find_all(request, &listed, &count, ROLE_REGULATOR, err));
	for (size_t i = 0; i < count; i++) {
		if (listed[i].status != DIRECTORY_STATUS_ACTIVE) continue;
		if (out->escrow_count == PRODUCT_REGULATORS_MAX)
			return err_set(err, STATUS_LIMIT, "more than %u regulators are active", PRODUCT_REGULATORS_MAX);
		TRY(escrow(request, &out->escrows[out->escrow_count++], &listed[i].address, product, err));
		named = named || addr20_equal(&listed[i].address, &product->regulator);
	}
	if (named) return STATUS_OK;
	char text[43];
	address_checksum(text, &product->regulator);
	return err_set(err, STATUS_DENIED, "the directory lists no regulator %s", text);
}

enum status product_request_make(
    struct actor_request *request, struct product_request *out, const struct product *product, struct err *err) {
	struct statement_tag_holders holders;
	struct verified *verified;
	TRY(tag_holders_find(request, &holders, err));
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	*out = (struct product_request){.owner = product->owner,
	    .key_commitment = tag_key_commitment(&product->key),
	    .holders = holders.number,
	    .deadline_s = verified_now_s(verified) + REQUEST_LIFE_SECONDS};
	if (blind_gtin(&out->blinded, product) != STATUS_OK)
		return err_set(err, STATUS_INTERNAL, "the GTIN cannot be blinded");
	return escrow_to_all(request, out, product, err);
}

/* --- its JSON --- */

static void put_bytes(struct json_writer *writer, const char *name, const uint8_t *data, size_t len) {
	json_put_hex(writer, name, bytes_make(data, len));
}

void product_request_write(struct buf *out, const struct deployment *deployment, const struct product_request *asked) {
	struct json_writer writer = json_writer(out);
	uint8_t element[VOPRF_ELEMENT_BYTES], part[VOPRF_PART_BYTES];
	voprf_element_write(element, &asked->blinded);
	json_object_begin(&writer, NULL);
	tag_json_put_head(&writer, "xinglin-product", 2, deployment);
	json_put_hex(&writer, "owner", BYTES_OF(asked->owner));
	json_put_hex(&writer, "commitment", BYTES_OF(asked->key_commitment));
	json_put_u64(&writer, "holders", asked->holders);
	json_put_u64(&writer, "deadline", asked->deadline_s);
	put_bytes(&writer, "blinded", element, sizeof element);
	json_array_begin(&writer, "escrows");
	for (size_t i = 0; i < asked->escrow_count; i++) {
		json_object_begin(&writer, NULL);
		json_put_hex(&writer, "regulator", BYTES_OF(asked->escrows[i].regulator));
		json_put_string(&writer, "key", asked->escrows[i].jwe);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_array_begin(&writer, "parts");
	for (size_t i = 0; i < asked->part_count; i++) {
		voprf_part_write(part, &asked->parts[i]);
		put_bytes(&writer, NULL, part, sizeof part);
	}
	json_array_end(&writer);
	json_array_begin(&writer, "signatures");
	for (size_t i = 0; i < asked->signature_count; i++) {
		json_object_begin(&writer, NULL);
		json_put_hex(&writer, "holder", BYTES_OF(asked->signatures[i].holder));
		json_put_hex(&writer, "signature", BYTES_OF(asked->signatures[i].signature));
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
}

static bool is_list(const struct json *list, size_t max) {
	return json_is(list, JSON_ARRAY) && list->count <= max;
}

static bool read_escrows(struct product_request *out, const struct json *list) {
	if (!is_list(list, PRODUCT_REGULATORS_MAX)) return false;
	json_foreach (one, list) {
		struct product_escrow *escrow = &out->escrows[out->escrow_count++];
		escrow->jwe = json_string(json_get(one, "key"));
		if (!escrow->jwe.data || !tag_json_fixed(escrow->regulator.b, 20, json_get(one, "regulator")))
			return false;
	}
	return true;
}

static bool read_parts(struct product_request *out, const struct json *list) {
	if (!is_list(list, STATEMENT_HOLDERS_MAX)) return false;
	json_foreach (one, list) {
		uint8_t part[VOPRF_PART_BYTES];
		if (!tag_json_fixed(part, sizeof part, one) ||
		    voprf_part_read(&out->parts[out->part_count++], bytes_make(part, sizeof part)) != STATUS_OK)
			return false;
	}
	return true;
}

static bool read_signatures(struct product_request *out, const struct json *list) {
	if (!is_list(list, STATEMENT_HOLDERS_MAX)) return false;
	json_foreach (one, list) {
		struct product_signature *signature = &out->signatures[out->signature_count++];
		if (!tag_json_fixed(signature->holder.b, 20, json_get(one, "holder")) ||
		    !tag_json_fixed(signature->signature.b, sizeof signature->signature.b, json_get(one, "signature")))
			return false;
	}
	return true;
}

enum status product_request_read(
    struct actor_request *request, struct product_request *out, struct bytes json, struct err *err) {
	const struct json *root;
	uint8_t element[VOPRF_ELEMENT_BYTES];
	uint64_t holders = 0;
	*out = (struct product_request){.holders = 0};
	TRY(json_parse(&root, request->arena, json, NULL, err));
	TRY(tag_json_check_head(root, "xinglin-product", 2, &request->home->deployment, err));
	if (!tag_json_fixed(out->owner.b, sizeof out->owner.b, json_get(root, "owner")) ||
	    !tag_json_fixed(out->key_commitment.b, 32, json_get(root, "commitment")) ||
	    !json_u64(&holders, json_get(root, "holders")) || holders < 1 || holders > UINT32_MAX ||
	    !json_u64(&out->deadline_s, json_get(root, "deadline")) ||
	    !tag_json_fixed(element, sizeof element, json_get(root, "blinded")) ||
	    voprf_element_read(&out->blinded, bytes_make(element, sizeof element)) != STATUS_OK ||
	    !read_escrows(out, json_get(root, "escrows")) || !read_parts(out, json_get(root, "parts")) ||
	    !read_signatures(out, json_get(root, "signatures")))
		return err_set(err, STATUS_INVALID, "this is not a product's request");
	out->holders = (uint32_t)holders;
	return STATUS_OK;
}

/* --- answering --- */

static enum status open_escrow(struct actor_request *request, struct product *out, struct bytes jwe, struct err *err) {
	struct jwe_header header;
	struct p256_secret secret;
	struct p256_public key;
	struct buf plaintext;
	uint64_t version = 0;
	TRY(jwe_read_header(&header, request->arena, jwe, err));
	if (!json_u64(&version, json_get(header.members, "ver")) || version == 0 || version > UINT32_MAX)
		return err_set(err, STATUS_INVALID, "the escrow does not say to which key it is sealed");
	TRY(home_encryption_key(request->home, &secret, &key, (uint32_t)version, err));
	buf_init(&plaintext, 4096);
	enum status status = jwe_ecdh_open(&plaintext, NULL, request->arena, jwe, &secret, err);
	mem_wipe(&secret, sizeof secret);
	if (status != STATUS_OK)
		status = err_prefix(err, status, "the escrow does not open with this regulator's key");
	else
		status = product_read_key(out, request->arena, buf_view(&plaintext), err);
	buf_wipe(&plaintext);
	return status;
}

enum status product_request_open(
    struct actor_request *request, struct product *out, const struct product_request *asked, struct err *err) {
	struct p256_public blinded;
	enum status status = STATUS_NOTFOUND;
	for (size_t i = 0; i < asked->escrow_count && status == STATUS_NOTFOUND; i++)
		if (addr20_equal(&asked->escrows[i].regulator, &request->home->account))
			status = open_escrow(request, out, asked->escrows[i].jwe, err);
	if (status == STATUS_NOTFOUND)
		return err_set(err, STATUS_DENIED, "the product's key is not sealed to this home's account");
	TRY(status);
	out->owner = asked->owner;
	const hash32 commitment = tag_key_commitment(&out->key);
	if (hash32_equal(&commitment, &asked->key_commitment) && blind_gtin(&blinded, out) == STATUS_OK &&
	    memcmp(blinded.xy, asked->blinded.xy, sizeof blinded.xy) == 0)
		return STATUS_OK;
	mem_wipe(out, sizeof *out);
	return err_set(err, STATUS_DENIED, "the escrowed key does not give the request's commitment and blinded GTIN");
}

/* The holders who answer, if they are still those in force. */
static enum status find_holders(struct actor_request *request, struct statement_tag_holders *out,
    const struct product_request *asked, struct err *err) {
	TRY(tag_holders_find(request, out, err));
	if (out->number == asked->holders) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "the request is for holders %u of the tags' key, and holders %u are in force", asked->holders, out->number);
}

static bool has_part(const struct product_request *asked, uint8_t index) {
	for (size_t i = 0; i < asked->part_count; i++)
		if (asked->parts[i].index == index) return true;
	return false;
}

static enum status add_part(struct actor_request *request, struct product_request *asked, uint8_t index,
    const struct statement_tag_holders *holders, struct err *err) {
	struct vss_share share;
	if (asked->part_count >= holders->commitments.threshold || has_part(asked, index)) return STATUS_OK;
	TRY(tag_share_load(request, &share, holders->number, err));
	enum status status =
	    share.index == index && vss_share_is_valid(&share, &holders->commitments)
		? voprf_evaluate(&asked->parts[asked->part_count], &share, &asked->blinded, request->random)
		: STATUS_CORRUPT;
	mem_wipe(&share, sizeof share);
	if (status != STATUS_OK) return err_set(err, status, "this home's share of the tags' key is not the holders'");
	asked->part_count++;
	return STATUS_OK;
}

static enum status find_tag(struct actor_request *request, struct product *product, const struct product_request *asked,
    const struct statement_tag_holders *holders, struct err *err) {
	struct p256_secret blind;
	struct p256_public evaluated;
	uint64_t false_parts;
	hash32 output;
	enum status status = voprf_combine(
	    &evaluated, &false_parts, asked->parts, asked->part_count, &holders->commitments, &asked->blinded);
	for (size_t i = 0; i < asked->part_count; i++)
		if (false_parts >> i & 1)
			return err_set(err, STATUS_DENIED, "the part of holder %u is false", asked->parts[i].index);
	if (status != STATUS_OK)
		return err_set(err, STATUS_DENIED, "%zu of %u holders' parts are there", asked->part_count,
		    holders->commitments.threshold);
	TRY(blind_of(&blind, product));
	status = voprf_finalize(&output, gtin_text(product), &blind, &evaluated);
	mem_wipe(&blind, sizeof blind);
	if (status != STATUS_OK) return err_set(err, status, "the tag cannot be computed");
	product->tag = tag_of_product(&request->home->deployment, &output);
	return STATUS_OK;
}

/* --- signing --- */

static struct products_register_product registration_of(
    const struct product_request *asked, const struct product *product) {
	return (struct products_register_product){.product = product->tag,
	    .owner = asked->owner,
	    .key_commitment = asked->key_commitment,
	    .holders = asked->holders,
	    .deadline = asked->deadline_s};
}

static hash32 digest_of(
    const struct deployment *deployment, const struct product_request *asked, const struct product *product) {
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->products);
	const struct products_register_product registration = registration_of(asked, product);
	return products_register_product_typed_digest(&registration, &domain);
}

static enum status add_signature(
    struct actor_request *request, struct product_request *asked, const struct product *product, struct err *err) {
	const hash32 digest = digest_of(&request->home->deployment, asked, product);
	struct product_signature own = {.holder = request->home->account};
	size_t at = asked->signature_count;
	for (size_t i = 0; i < asked->signature_count; i++)
		if (addr20_equal(&asked->signatures[i].holder, &own.holder)) at = i;
	if (at == STATEMENT_HOLDERS_MAX) return err_set(err, STATUS_LIMIT, "the request has too many signatures");
	TRY(eth_sign_digest(&own.signature, &request->home->account_secret, &digest));
	asked->signatures[at] = own;
	asked->signature_count += at == asked->signature_count;
	return STATUS_OK;
}

/* STATUS_DENIED: it is registered, and not as the request says. */
static enum status find_registration(struct actor_request *request, bool *is_registered,
    const struct product_request *asked, const struct product *product, struct err *err) {
	struct products_product stored;
	TRY(medicines_product(request, &stored, &product->tag, err));
	*is_registered = !addr20_is_zero(&stored.owner);
	if (!*is_registered || (addr20_equal(&stored.owner, &asked->owner) &&
				   hash32_equal(&stored.key_commitment, &asked->key_commitment)))
		return STATUS_OK;
	return err_set(
	    err, STATUS_DENIED, "product %s is registered already, with another owner or key", product->gtin);
}

enum status product_request_answer(struct actor_request *request, struct product_request *asked,
    struct product *product, bool *signed_now, struct err *err) {
	struct statement_tag_holders holders;
	bool is_registered;
	*signed_now = false;
	TRY(find_holders(request, &holders, asked, err));
	const uint8_t index = statement_tag_holder_index(&holders, &request->home->account);
	if (index == 0)
		return err_set(err, STATUS_DENIED, "this home's account does not hold a share of the tags' key");
	TRY(add_part(request, asked, index, &holders, err));
	if (asked->part_count < holders.commitments.threshold) return STATUS_OK;
	TRY(find_tag(request, product, asked, &holders, err));
	TRY(find_registration(request, &is_registered, asked, product, err));
	*signed_now = true;
	return add_signature(request, asked, product, err);
}

/* --- finishing --- */

static int by_holder(const void *a, const void *b) {
	const struct product_signature *first = a, *second = b;
	return memcmp(first->holder.b, second->holder.b, sizeof first->holder.b);
}

/* The signatures that hold, ascending, as many as are needed. */
static size_t good_signatures(struct bytes *out, struct product_signature *sorted, const struct product_request *asked,
    const struct statement_tag_holders *holders, const hash32 *digest) {
	const size_t needed = holders->commitments.threshold;
	size_t found = 0;
	memcpy(sorted, asked->signatures, asked->signature_count * sizeof *sorted);
	qsort(sorted, asked->signature_count, sizeof *sorted, by_holder);
	for (size_t i = 0; i < asked->signature_count && found < needed; i++) {
		addr20 signer;
		const bool is_good = (i == 0 || by_holder(&sorted[i - 1], &sorted[i]) != 0) &&
				     statement_tag_holder_index(holders, &sorted[i].holder) &&
				     eth_signer(&signer, &sorted[i].signature, digest) == STATUS_OK &&
				     addr20_equal(&signer, &sorted[i].holder);
		if (is_good) out[found++] = bytes_make(sorted[i].signature.b, sizeof sorted[i].signature.b);
	}
	return found;
}

enum status product_request_finish(struct actor_request *request, struct bytes *calldata,
    const struct product_request *asked, struct product *product, struct err *err) {
	struct statement_tag_holders holders;
	struct product_signature sorted[STATEMENT_HOLDERS_MAX];
	struct bytes signatures[STATEMENT_HOLDERS_MAX];
	const hash32 commitment = tag_key_commitment(&product->key);
	if (!addr20_equal(&asked->owner, &product->owner) || !hash32_equal(&commitment, &asked->key_commitment))
		return err_set(err, STATUS_DENIED, "the request is of another product");
	TRY(find_holders(request, &holders, asked, err));
	TRY(find_tag(request, product, asked, &holders, err));
	const hash32 digest = digest_of(&request->home->deployment, asked, product);
	const size_t found = good_signatures(signatures, sorted, asked, &holders, &digest);
	if (found < holders.commitments.threshold)
		return err_set(err, STATUS_DENIED, "%zu of %u holders have signed: give the request to them again",
		    found, holders.commitments.threshold);
	const struct products_register_product registration = registration_of(asked, product);
	struct eth_signature own;
	TRY(eth_sign_digest(&own, &request->home->account_secret, &digest));
	*calldata = products_register_product_call(
	    request->arena, &registration, signatures, found, bytes_make(own.b, sizeof own.b));
	return STATUS_OK;
}

/* --- keeping it --- */

enum status product_request_keep(
    struct actor_request *request, const struct product_request *asked, struct product *product, struct err *err) {
	struct statement_tag_holders holders;
	bool is_registered;
	TRY(find_holders(request, &holders, asked, err));
	TRY(find_tag(request, product, asked, &holders, err));
	TRY(find_registration(request, &is_registered, asked, product, err));
	if (is_registered) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "product %s is not registered yet", product->gtin);
}
